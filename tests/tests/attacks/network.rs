//! A process on the same machine that can reach every port: without TLS, without a certificate, with certificates of
//! its own, with an expired one.

use super::{
    probe::{self, HTTP1, HTTP2},
    visitor::{DOMAIN, Visitor, addresses, id_of, says},
};
use crate::harness::Stage;
use bodh_identity::{
    Source, SpiffeId, Svid,
    ca::Ca,
    server::{self, Connections},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio_stream::StreamExt;

const MINUTE: Duration = Duration::from_secs(60);

/// A stranger's certificate for the orchestrator's name, alive or expired.
fn stranger(expired: bool) -> Svid {
    let begun = SystemTime::now() - if expired { 10 * MINUTE } else { Duration::ZERO };
    Ca::generate(DOMAIN, begun).unwrap().issue(&id_of("orchestrator"), MINUTE, begun).unwrap()
}

/// The processes whose parent is this one; `/proc/PID/status` is readable whatever a process hides.
fn children(parent: u32) -> BTreeSet<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let child = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim).map(str::to_owned);
        line.and_then(|text| text.parse().ok()) == Some(parent)
    };
    pids.filter(child).collect()
}

/// The inodes and addresses of the machine's listening sockets (proc(5): state 0A is LISTEN).
fn listening() -> BTreeMap<String, String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    rows.filter_map(|row| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        (fields.get(3) == Some(&"0A")).then(|| (fields[9].to_owned(), fields[1].to_owned()))
    })
    .collect()
}

/// Where this process listens; nothing when its descriptors cannot be read.
fn listens(pid: u32) -> Vec<String> {
    let sockets = listening();
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inodes = links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()));
    inodes.filter_map(|inode| sockets.get(&inode).cloned()).collect()
}

/// As `/proc/net/tcp` writes it: the address's bytes in the machine's order, both in hexadecimal digits.
fn written(at: SocketAddr) -> String {
    let SocketAddr::V4(at) = at else { panic!("an IPv4 address") };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(at.ip().octets()), at.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_processes_speak_mutual_tls_alone_and_the_console_https() {
    let stage = Stage::new();
    let up = stage.up();
    let status = stage.bodh(&["status", "--state", "DIR", "--json"]).ended(0).json();
    let identities: BTreeMap<String, u32> = status["identities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["id"].as_str().unwrap().to_owned(), u32::try_from(of["pid"].as_u64().unwrap()).unwrap()))
        .collect();
    let pids: BTreeSet<u32> = identities.values().copied().collect();
    let children = children(up.pid());
    assert_eq!((identities.len(), pids.len()), (10, 10), "an identity each, a process each: {identities:?}");
    assert!(pids.is_subset(&children), "each identity is a process that the launcher started");

    let all = addresses(&up);
    let named: BTreeSet<String> = all.iter().map(|(name, _)| id_of(name).to_string()).collect();
    let expected: BTreeSet<String> = identities.keys().cloned().collect();
    assert_eq!(named, expected);
    for (name, at) in &all {
        let pid = identities[id_of(name).as_str()];
        // Without privileges the descriptors of a hardened process cannot be read; its address stands for them then.
        if fs::read_dir(format!("/proc/{pid}/fd")).is_ok() {
            assert_eq!(listens(pid), [written(*at)], "{name} listens where it says, and nowhere else");
        }
    }

    let local = Visitor::enter(&stage, &up, "local").await;
    let (alive, expired) = (stranger(false), stranger(true));
    // Browsers have no certificate: the console's own door is TLS 1.3 and HTTP, and a person proves themself by a passkey.
    let (console, mutual): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| name == "console");
    for (_, at) in &console {
        let said = probe::plaintext(*at, HTTP1).await;
        assert!(
            said.is_empty() || (said.first() == Some(&21) && said.len() == 7),
            "the console answers plaintext: {said:?}"
        );
    }
    for (name, at) in &mutual {
        refuses(name, *at, &alive, &expired).await;
        let good = probe::tls(*at, Some(&local.source.current()), HTTP2).await.unwrap();
        assert_eq!(good[3], 4, "{name} greets an enrolled person with SETTINGS: the probe itself is sound");
    }
    let speaking = mutual.iter().map(|(name, _)| id_of(name).to_string()).collect();
    recorded(&local, &speaking).await;
}

async fn refuses(name: &str, at: SocketAddr, alive: &Svid, expired: &Svid) {
    for words in [HTTP1, HTTP2] {
        let said = probe::plaintext(at, words).await;
        // Silence, or a TLS alert (RFC 8446, section 5.1: content type 21) and not a byte after it.
        let alert = said.first() == Some(&21) && said.len() == 7;
        assert!(said.is_empty() || alert, "{name} answers plaintext: {said:?}");
    }
    let without = probe::alert(probe::tls(at, None, b"").await);
    assert_eq!(without, rustls::AlertDescription::CertificateRequired, "{name}");
    for svid in [alive, expired] {
        // Whatever alert: the code in the record says why.
        probe::alert(probe::tls(at, Some(svid), b"").await);
    }
}

/// Nobody was refused silently: every service counted, per cause.
async fn recorded(local: &Visitor, reporters: &BTreeSet<String>) {
    let counted = |entries: &[serde_json::Value], reporter: &str, cause: &str| -> u64 {
        let fields = [("action", "connect"), ("reporter", reporter), ("cause", cause), ("verdict", "deny")];
        entries.iter().filter(|entry| says(entry, &fields)).filter_map(|entry| entry["count"].as_u64()).sum()
    };
    let total = |entries: &[serde_json::Value], cause| -> Vec<u64> {
        reporters.iter().map(|reporter| counted(entries, reporter, cause)).collect()
    };
    let expected = [("not_tls", 2), ("no_certificate", 1), ("untrusted", 1), ("expired", 1)];
    let enough = |entries: &[serde_json::Value]| {
        expected.iter().all(|(cause, count)| total(entries, cause).iter().all(|of| of >= count))
    };
    let entries = local.wait_for("refusal", enough).await;
    for (cause, count) in expected {
        assert_eq!(total(&entries, cause), vec![count; reporters.len()], "{cause}");
    }
}

/// The panel's authority gives no expired certificate to a test, so this is tried with an authority of the test's own.
#[tokio::test]
async fn an_expired_certificate_of_the_right_authority_is_refused() {
    let begun = SystemTime::now() - 10 * MINUTE;
    let ca = Ca::generate(DOMAIN, begun).unwrap();
    let issue = |name: &str, ttl| ca.issue(&SpiffeId::service(DOMAIN, name).unwrap(), ttl, begun).unwrap();
    let source = Source::fixed(issue("guardian", 30 * MINUTE), ca.bundle().unwrap()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let refused = Arc::new(Mutex::new(Vec::new()));
    let codes = Arc::clone(&refused);
    let mut incoming =
        server::incoming(listener, source, Connections::new(), move |refusal| codes.lock().unwrap().push(refusal.code));

    probe::alert(probe::tls(at, Some(&issue("orchestrator", 9 * MINUTE)), b"").await);
    assert_eq!(*refused.lock().unwrap(), ["expired"]);
    let alive = issue("orchestrator", 30 * MINUTE);
    let client = tokio::spawn(async move { probe::tls(at, Some(&alive), HTTP2).await });
    let accepted = tokio::time::timeout(Duration::from_secs(5), incoming.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(accepted.peer().id, id_of("orchestrator"), "the same name with time left comes in");
    client.abort();
}
