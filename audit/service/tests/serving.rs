//! The contract over a real connection: the client, the handlers, the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bodh_audit::Log;
use bodh_audit::admission::{Act, Admission, Admitted, Refused};
use bodh_audit::handlers::{Handlers, OwnEntries};
use bodh_audit_api::pb::audit_client::AuditClient;
use bodh_audit_api::{Client, Error, MAX_MESSAGE, Query, pb};
use bodh_audit_log::{Kind, Verdict};
use bodh_gate::Refusal;
use common::{State, all, draft};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Extensions};

const PEER: &str = "spiffe://example.com/agent/reporter";
const SELF: &str = "spiffe://example.com/service/audit";

/// Admits as it is told: the gate has tests of its own.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Option<Refusal>>>);

impl Admission for Told {
    async fn admit(&self, _: &Extensions, _: Act) -> Result<Admitted, Refused> {
        match self.0.lock().unwrap().clone() {
            None => {
                Ok(Admitted { peer: PEER.to_owned(), policy: Some([9; 32]), policies: vec!["log-read".to_owned()] })
            }
            Some(Refusal::NoPeer) => Err(Refused { peer: None, refusal: Refusal::NoPeer }),
            Some(refusal) => Err(Refused { peer: Some(PEER.to_owned()), refusal }),
        }
    }
}

async fn serve(log: &Log, told: Told) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let own = OwnEntries::new(log.clone(), SELF).unwrap();
    let server = Handlers::new(log.clone(), own, told).into_server();
    tokio::spawn(Server::builder().add_service(server).serve_with_incoming(TcpListenerStream::new(listener)));
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_the_same_time_are_all_answered() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let client = Client::new(serve(&log, Told::default()).await);
    let mut callers = JoinSet::new();
    for caller in 0..600 {
        let client = client.clone();
        callers.spawn(async move { client.append(draft(format!("c/{caller}"))).await.map(|index| (caller, index)) });
    }
    let mut answers = Vec::new();
    while let Some(answer) = callers.join_next().await {
        answers.push(answer.unwrap().unwrap());
    }
    let entries = all(&log).await;
    assert_eq!(entries.len(), 600);
    for (caller, index) in answers {
        let entry = &entries[usize::try_from(index).unwrap()].1;
        assert_eq!(entry.draft.key, format!("c/{caller}"), "each caller gets the index of its own entry");
        assert_eq!(entry.reporter, PEER, "the reporter is the peer");
    }
    let signed = client.checkpoint_by(log.key(), 600).await.unwrap();
    assert_eq!(signed.checkpoint().size, 600);
    let stranger = bodh_audit_log::SigningKey::from_seed("example.com/log", &[1; 32]).unwrap();
    assert!(matches!(client.checkpoint_by(stranger.verifier(), 600).await, Err(Error::Answer(_))));
    assert_eq!(client.checkpoint(601).await.unwrap_err(), Error::Refused("not_yet".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_draft_harms_nobody_else() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let client = Client::new(serve(&log, Told::default()).await);
    client.append(draft("taken")).await.unwrap();
    let mut other = draft("taken");
    other.count = 1;
    let bad = client.append(other);
    let mut good = JoinSet::new();
    for i in 0..50 {
        let client = client.clone();
        good.spawn(async move { client.append(draft(format!("good/{i}"))).await });
    }
    assert!(matches!(bad.await, Err(Error::Refused(code)) if code.starts_with("key_reused")));
    while let Some(answer) = good.join_next().await {
        answer.unwrap().unwrap();
    }
    assert!(matches!(client.append(draft("two words")).await, Err(Error::Invalid(invalid)) if invalid.field == "key"));
    assert_eq!(log.size(), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reading_is_an_entry_before_its_first_answer() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let client = Client::new(serve(&log, Told::default()).await);
    let session = "0123456789abcdef0123456789abcdef";
    let numbered = |i: u32| {
        let mut draft = draft(format!("k/{i}"));
        if i.is_multiple_of(2) {
            draft.session = session.to_owned();
        }
        if i.is_multiple_of(100) {
            draft.kind = Kind::Alert;
        }
        draft
    };
    for range in [0..350, 350..700] {
        log.append(range.map(numbered).collect(), PEER.to_owned()).await.unwrap();
    }
    let read = async |query: Query| client.read(query).await.unwrap().all(10_000).await.unwrap();
    let everything = read(Query::default()).await;
    assert_eq!(everything.len(), 700);
    let (_, reading) = &all(&log).await[700];
    assert_eq!((reading.draft.kind, reading.reporter.as_str()), (Kind::Read, SELF));
    assert_eq!(reading.draft.actors, [PEER]);
    assert_eq!((reading.draft.verdict, reading.draft.policy), (Some(Verdict::Allow), Some([9; 32])));

    let of_session = Query { session: session.to_owned(), ..Query::default() };
    assert_eq!(read(of_session.clone()).await.len(), 350);
    assert_eq!(all(&log).await[701].1.draft.session, session);
    let again = read(of_session.clone()).await;
    assert_eq!(again.len(), 351, "the earlier reading of this session is part of its record");
    assert_eq!(read(Query { from: 600, ..of_session.clone() }).await.len(), 52);
    assert_eq!(
        read(Query { limit: 3, from: 10, ..Query::default() }).await.iter().map(|e| e.0).collect::<Vec<_>>(),
        [10, 11, 12]
    );
    assert_eq!(read(Query { kind: "alert".to_owned(), ..Query::default() }).await.len(), 7);
    assert_eq!(read(Query { from: u64::MAX, ..Query::default() }).await.len(), 0);
    for query in
        [Query { session: "x".to_owned(), ..Query::default() }, Query { kind: "gossip".to_owned(), ..Query::default() }]
    {
        assert!(matches!(client.read(query).await, Err(Error::Refused(_))));
    }
    let shown = bodh_audit_log::show::table(&again[..2]);
    assert!(shown.lines().nth(1).unwrap().contains("reporter  alert  test"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_sessions_are_read_in_one_entry_that_names_none() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let client = Client::new(serve(&log, Told::default()).await);
    let session = |number: u32| format!("{number:032x}");
    // 2,000 entries of ten sessions in turn, so that more than one stretch is looked at, and some of none.
    let numbered = |i: u32| {
        let mut draft = draft(format!("k/{i}"));
        if i < 2_000 {
            draft.session = session(i % 10);
        }
        draft
    };
    for from in (0..2_500).step_by(500) {
        log.append((from..from + 500).map(numbered).collect(), PEER.to_owned()).await.unwrap();
    }
    let read = async |query: Query| client.read(query).await.unwrap().all(10_000).await.unwrap();
    let several =
        |numbers: &[u32]| Query { sessions: numbers.iter().map(|n| session(*n)).collect(), ..Query::default() };
    let both = read(several(&[7, 3])).await;
    assert_eq!(both.len(), 400);
    let of: Vec<_> = both.iter().map(|(_, entry)| entry.draft.session.clone()).collect();
    assert!(
        of[..200].iter().all(|s| *s == session(7)) && of[200..].iter().all(|s| *s == session(3)),
        "one after the other"
    );
    let (_, reading) = all(&log).await.pop().unwrap();
    assert_eq!((reading.draft.kind, reading.draft.count, reading.draft.session.as_str()), (Kind::Read, 2, ""));
    assert_eq!(read(Query { limit: 250, ..several(&[7, 3]) }).await.len(), 250);
    assert_eq!(read(Query { before: 100, ..several(&[7, 3]) }).await.len(), 20);

    let begins = |limit, before| Query { begins: true, limit, before, ..Query::default() };
    let indexes = async |query| read(query).await.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
    assert_eq!(indexes(begins(0, 0)).await, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(indexes(begins(3, 0)).await, [9, 8, 7]);
    assert_eq!(indexes(begins(0, 3)).await, [2, 1, 0]);
    assert_eq!(indexes(Query { from: 8, ..begins(0, 0) }).await, [9, 8]);
    assert_eq!(indexes(Query { from: 10, ..begins(0, 0) }).await, Vec::<u64>::new());
    for query in [
        Query { session: session(1), ..begins(0, 0) },
        Query { session: session(1), ..several(&[2]) },
        Query { sessions: vec![String::new()], ..Query::default() },
        Query { sessions: vec!["x".to_owned()], ..Query::default() },
        Query { sessions: vec![session(1); 1_001], ..Query::default() },
    ] {
        assert!(matches!(client.read(query).await, Err(Error::Refused(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_known_peers_are_entries() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let told = Told::default();
    let client = Client::new(serve(&log, told.clone()).await);
    *told.0.lock().unwrap() = Some(Refusal::Denied { policies: vec!["no-agents".to_owned()] });
    assert_eq!(client.append(draft("a")).await.unwrap_err(), Error::Refused("policy_denied".to_owned()));
    assert!(matches!(client.read(Query::default()).await, Err(Error::Refused(_))));
    assert!(matches!(client.checkpoint(0).await, Err(Error::Refused(_))));
    *told.0.lock().unwrap() = Some(Refusal::Stale);
    assert!(matches!(client.append(draft("b")).await, Err(Error::Unavailable(_))));
    let entries = all(&log).await;
    let seen: Vec<_> = entries.iter().map(|(_, e)| (e.draft.action.as_str(), e.draft.cause.as_str())).collect();
    let denied = "policy_denied";
    // An unavailable record is asked a second time.
    let expected = [
        ("append", denied),
        ("read", denied),
        ("checkpoint", denied),
        ("append", "stale_trust"),
        ("append", "stale_trust"),
    ];
    assert_eq!(seen, expected);
    for (_, entry) in &entries {
        assert_eq!((entry.draft.kind, entry.draft.verdict), (Kind::Refusal, Some(Verdict::Deny)));
        assert_eq!((entry.reporter.as_str(), entry.draft.actors.as_slice()), (SELF, &[PEER.to_owned()][..]));
    }
    assert_eq!(entries[0].1.draft.policies, ["no-agents"]);
    // A stranger leaves no entry: those are counted where connections are accepted.
    *told.0.lock().unwrap() = Some(Refusal::NoPeer);
    assert!(client.append(draft("c")).await.is_err());
    assert_eq!(log.size(), entries.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_messages_are_bounded() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let mut raw = AuditClient::new(serve(&log, Told::default()).await).max_encoding_message_size(2 * MAX_MESSAGE);
    let message =
        |key: String| pb::Draft { key, kind: "note".to_owned(), action: "test".to_owned(), ..pb::Draft::default() };
    let many = (0..513).map(|i| message(i.to_string())).collect();
    let long = pb::Draft { cause: "x".repeat(61 * 1024), ..message("a".to_owned()) };
    let unknown = pb::Draft { kind: "gossip".to_owned(), ..message("a".to_owned()) };
    let short = pb::Draft { token_sha256: vec![1; 31], ..message("a".to_owned()) };
    let early = pb::Draft { observed_unix_ns: -1, ..message("a".to_owned()) };
    let named = pb::Draft { commitments: [("x".to_owned(), vec![1])].into(), ..message("a".to_owned()) };
    for (drafts, said) in [
        (many, "too_much"),
        (vec![long], "too_much"),
        (vec![message("ok".to_owned()), unknown], "invalid_draft:1:kind"),
        (vec![short], "invalid_draft:0:token_sha256"),
        (vec![early], "invalid_draft:0:observed_unix_ns"),
        (vec![named], "invalid_draft:0:commitments"),
        (vec![message(String::new())], "invalid_draft:0:key"),
    ] {
        let status = raw.append(pb::AppendRequest { drafts }).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, said));
    }
    let huge = (0..600).map(|_| pb::Draft { cause: "x".repeat(60 * 1024), ..message("a".to_owned()) }).collect();
    assert!(raw.append(pb::AppendRequest { drafts: huge }).await.is_err());
    assert_eq!(log.size(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_there_is_unavailable_in_time() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let nowhere = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let client = Client::new(nowhere).with_deadline(Duration::from_millis(500));
    let asked = std::time::Instant::now();
    assert!(matches!(client.append(draft("a")).await, Err(Error::Unavailable(_))));
    assert!(matches!(client.checkpoint(0).await, Err(Error::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_secs(3));
    log.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_counts_what_is_stored() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let figures = bodh_audit::bench::appends(&log, state.path(), 16, Duration::from_millis(300)).await.unwrap();
    assert_eq!(figures.appends, log.size());
    assert!(figures.appends > 0 && figures.p50_us <= figures.p99_us && figures.fdatasync_per_second > 0.0);
    log.close().await;
}
