//! Ways out: one client of our own services, one exporter of spans, no model provider.

use super::{
    finding::{Finding, at, finds, hold},
    source::{line_of, occurrences},
    tree::{File, Tree},
};

/// What opens a connection, and the only file that does so.
const CONNECTS: [&str; 9] = [
    "TcpStream::connect",
    "TcpSocket",
    "UdpSocket",
    "Endpoint::",
    "reqwest",
    "ureq",
    "hyper::client",
    "hyper_util::client",
    "socket2",
];
const CONNECTOR: &str = "guardian/identity/src/client.rs";

/// Production sources that open sockets for another reason.
const SOCKETS: [(&str, &str); 5] = [
    ("guardian/cell/probe/", "the probe tries what the sandbox must refuse; only tests run it"),
    ("guardian/identity/src/workload/", "a tonic endpoint over the Workload API's Unix socket"),
    ("guardian/api/src/door.rs", "a tonic endpoint over the Workload API's Unix socket"),
    (BROWSER, "the browser's side of the pages on loopback, for `bench pages`"),
    ("orchestrator/cli/src/bench/plain.rs", "the plain call on loopback that `bench tax` is measured against"),
];
/// Measures the console as a browser reaches it.
const BROWSER: &str = "orchestrator/cli/src/bench/web.rs";
/// What is refused in those too.
const ALWAYS: [&str; 4] = ["reqwest", "ureq", "hyper::client", "hyper_util::client"];

/// Where the exporter of spans is.
const EXPORTER: &str = "guardian/host/";

/// How a provider's key or address is named, in any case of letters. In two parts: this file is searched as well.
const PROVIDERS: [(&str, &str); 8] = [
    ("api", "_key"),
    ("api", "-key"),
    ("api", "key"),
    ("sk-", "ant-"),
    ("api.", "anthropic.com"),
    ("api.", "openai.com"),
    ("generativelanguage", ".googleapis.com"),
    ("openrouter", ".ai"),
];

fn sockets(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.production().filter(|file| file.path != CONNECTOR) {
        let code = &file.source().production;
        let excused = SOCKETS.iter().any(|(path, _)| file.path.starts_with(path));
        let inet = file.path.starts_with("guardian/cell/probe/") || file.path == BROWSER;
        for word in CONNECTS {
            let allowed = excused && !ALWAYS.contains(&word) && (inet || word == "Endpoint::");
            let places = occurrences(code, word).filter(|_| !allowed);
            findings.extend(places.map(|offset| at(&file.path, line_of(code, offset), format!("`{word}`"))));
        }
    }
    findings
}

fn exporters(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| !file.path.starts_with(EXPORTER) && file.path != "Cargo.toml") {
        let text = match file.name() {
            "Cargo.toml" => &file.text,
            name if name.ends_with(".rs") => &file.source().code,
            _ => continue,
        };
        let places = ["opentelemetry-otlp", "opentelemetry_otlp"].into_iter().flat_map(|word| occurrences(text, word));
        findings.extend(places.map(|offset| at(&file.path, line_of(text, offset), "an exporter of spans")));
    }
    findings
}

fn providers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_source = |file: &&File| {
        let kinds = [".rs", ".toml", ".proto", ".cedar", ".cedarschema", ".json", ".yaml", ".yml"];
        kinds.iter().any(|kind| file.path.ends_with(kind)) || !file.name().contains('.')
    };
    for file in tree.files().filter(is_source) {
        let text = file.text.to_ascii_lowercase();
        for word in PROVIDERS.map(|(a, b)| format!("{a}{b}")) {
            let places = occurrences(&text, &word);
            findings.extend(places.map(|offset| at(&file.path, line_of(&text, offset), format!("names `{word}`"))));
        }
    }
    findings
}

#[test]
fn one_file_opens_connections() {
    hold(
        "only guardian/identity/src/client.rs opens a connection, and it is mutual TLS to a named service",
        "use bodh_identity::client::channel",
        sockets(Tree::here()),
    );
    for (path, reason) in SOCKETS {
        assert!(
            Tree::here().files().any(|file| file.path.starts_with(path)),
            "{path} is gone; it was excused: {reason}"
        );
    }
    assert!(Tree::here().file(CONNECTOR).is_some_and(|file| file.source().production.contains("TcpStream::connect")));
}

#[test]
fn one_crate_exports_spans() {
    hold("spans leave through guardian/host alone", "let bodh_host::run set telemetry up", exporters(Tree::here()));
}

#[test]
fn no_source_names_a_providers_key() {
    hold(
        "no source names the key or the address of a model provider",
        "a model is reached through the egress process alone, which holds its key sealed",
        providers(Tree::here()),
    );
}

#[test]
fn planted_sockets_are_found() {
    let connect = "use tokio::net::TcpStream;\nlet s = TcpStream::connect(a);\n";
    let tree = Tree::planted(&[
        (CONNECTOR, connect),
        ("agents/intake/src/a.rs", connect),
        ("agents/intake/src/b.rs", "// UdpSocket\n#[cfg(test)]\nmod tests { UdpSocket::bind(a); }\n"),
        ("agents/intake/tests/c.rs", connect),
        ("guardian/api/src/door.rs", "Endpoint::from_static(a);\nTcpStream::connect(a);\n"),
        ("guardian/cell/probe/main.rs", "UdpSocket::bind(a);\nreqwest::get(a);\n"),
        ("agents/intake/Cargo.toml", "opentelemetry-otlp.workspace = true\n"),
        ("agents/intake/src/d.rs", "use opentelemetry_otlp::A;\n"),
        ("guardian/host/src/d.rs", "use opentelemetry_otlp::A;\n"),
    ]);
    finds(
        sockets(&tree),
        &[
            ("agents/intake/src/a.rs:2", "TcpStream::connect"),
            ("guardian/api/src/door.rs:2", "TcpStream::connect"),
            ("guardian/cell/probe/main.rs:2", "reqwest"),
        ],
    );
    finds(exporters(&tree), &[("agents/intake/Cargo.toml:1", "exporter"), ("agents/intake/src/d.rs:1", "exporter")]);
}

#[test]
fn a_planted_key_is_found() {
    let text = format!("\nlet k = var(\"{}{}\");\n", "ANTHROPIC_API", "_KEY");
    let tree =
        Tree::planted(&[("agents/intake/src/a.rs", &format!("{text}// {}{}\n", "https://api.", "openai.com/v1"))]);
    finds(providers(&tree), &[("agents/intake/src/a.rs:3", "openai")]);
    let bare = format!("let api{} = 1;\n", "_key");
    finds(providers(&Tree::planted(&[("a/src/a.rs", &bare)])), &[("a/src/a.rs:1", "names")]);
}
