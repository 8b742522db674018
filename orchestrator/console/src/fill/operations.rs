//! The page of operations.

use super::words;
use crate::{
    picture,
    view::{
        Chip, Picture, Tone,
        format::{age, percent},
        frame::Frame,
        operations::{Alert, Measure, Member, OperationsPage, Revoked, Rule, Service, Version},
        parts::{Figure, Link},
    },
};
use bodh_panel::ReviewRule;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the orchestrator says of itself: the part that is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    open_escalations: u64,
    identities: Vec<Identity>,
    alerts: Alerts,
    versions: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Identity {
    id: String,
    pid: u32,
    executable_sha256: String,
    valid_for_s: i64,
    issued: u64,
}

#[derive(Debug, Deserialize)]
struct Alerts {
    total: u64,
    by_kind: BTreeMap<String, u64>,
    seen: u64,
    investigated: u64,
    coverage: Option<f64>,
    dwell_p50_ms: Option<u64>,
    dwell_p90_ms: Option<u64>,
    dwell_ms: Vec<u64>,
    oldest_unseen_ms: Option<u64>,
}

/// A person as the guardian's feed has them.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) assurance: String,
}

/// Everything that the page is drawn from.
pub(crate) struct Seen<'a> {
    pub(crate) status: Status,
    pub(crate) rules: Vec<ReviewRule>,
    pub(crate) people: Vec<Known>,
    pub(crate) revoked: Vec<String>,
    pub(crate) me: &'a str,
    pub(crate) is_operator: bool,
    pub(crate) csrf: &'a str,
    pub(crate) now_ms: i64,
}

/// A question that nobody has seen for so long needs somebody.
const LATE_MS: u64 = 60 * 60 * 1000;

fn chip(tone: Tone, word: &str) -> Chip {
    Chip { tone, word: word.to_owned() }
}

fn ms(value: u64) -> String {
    age(i64::try_from(value).unwrap_or(i64::MAX))
}

pub(crate) fn page(seen: &Seen<'_>, frame: Frame) -> OperationsPage {
    OperationsPage {
        frame,
        csrf: seen.csrf.to_owned(),
        as_of: words::when(seen.now_ms),
        alerts: alerts(&seen.status),
        services: seen.status.identities.iter().map(service).collect(),
        versions: versions(&seen.status.versions),
        dwell: dwell(&seen.status.alerts),
        coverage: coverage(&seen.status.alerts),
        rules: seen.rules.iter().map(|r| rule(r, seen.now_ms)).collect(),
        people: seen.people.iter().map(|p| member(p, seen)).collect(),
        revoked: seen.revoked.iter().map(|id| Revoked { name: words::person(id), id: id.clone() }).collect(),
    }
}

fn alerts(status: &Status) -> Vec<Alert> {
    let link = |label: &str, href: &str| Some(Link { label: label.to_owned(), href: Some(href.to_owned()) });
    let mut all = Vec::new();
    if let Some(oldest) = status.alerts.oldest_unseen_ms.filter(|oldest| *oldest > LATE_MS) {
        let text = "Something was raised that nobody has looked at.".to_owned();
        all.push(Alert {
            chip: chip(Tone::Bad, "unseen"),
            text,
            since: format!("for {}", ms(oldest)),
            action: link("To the inbox", "/inbox"),
        });
    }
    if status.open_escalations > 0 {
        let text = format!("{} questions wait for a physician.", status.open_escalations);
        all.push(Alert {
            chip: chip(Tone::Warning, "waiting"),
            text,
            since: String::new(),
            action: link("To the inbox", "/inbox"),
        });
    }
    for ended in status.identities.iter().filter(|identity| identity.valid_for_s <= 0) {
        let text = format!("{} has no valid certificate.", words::person(&ended.id));
        all.push(Alert { chip: chip(Tone::Bad, "no identity"), text, since: String::new(), action: None });
    }
    all
}

fn service(identity: &Identity) -> Service {
    let valid = identity.valid_for_s > 0;
    let kind = if identity.id.contains("/agent/") { "agent" } else { "service" };
    Service {
        name: format!("{} ({kind})", words::person(&identity.id).replace('_', " ")),
        id: identity.id.clone(),
        pid: identity.pid.to_string(),
        age: format!("{} since its start", identity.issued),
        until: if valid { format!("{} s", identity.valid_for_s) } else { "ended".to_owned() },
        executable: identity.executable_sha256.clone(),
        state: if valid { chip(Tone::Good, "up") } else { chip(Tone::Bad, "no identity") },
    }
}

fn versions(versions: &BTreeMap<String, String>) -> Vec<Version> {
    let hash = |name: &str| versions.get(name).cloned().unwrap_or_default();
    let one = |sort: &str, name: &str, version: String, hash: String| Version {
        sort: sort.to_owned(),
        name: name.to_owned(),
        version,
        hash,
    };
    vec![
        one("program", "bodh", hash("bodh"), String::new()),
        one("pack", "knowledge", hash("pack"), hash("pack_sha256")),
        one("policy", "policy bundle", String::new(), hash("policy_sha256")),
    ]
}

fn dwell(alerts: &Alerts) -> Measure {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let unseen = usize::try_from(alerts.total.saturating_sub(alerts.seen)).unwrap_or(usize::MAX);
    let time = |value: Option<u64>| value.map_or_else(|| "none yet".to_owned(), ms);
    let table = picture::dwell::table(&alerts.dwell_ms, unseen);
    Measure {
        facts: vec![
            fact("Half are seen within", time(alerts.dwell_p50_ms)),
            fact("Nine in ten within", time(alerts.dwell_p90_ms)),
            fact("Not seen yet", unseen.to_string()),
        ],
        figures: vec![Figure {
            id: "dwell".to_owned(),
            picture: Picture(picture::dwell::draw("dwell", &alerts.dwell_ms, unseen)),
            caption: "How long it took until somebody saw it".to_owned(),
            columns: table.headers,
            rows: table.rows,
        }],
    }
}

fn coverage(alerts: &Alerts) -> Measure {
    let mut facts = vec![
        ("Investigated".to_owned(), alerts.coverage.map_or_else(|| "no alert yet".to_owned(), percent)),
        ("Alerts".to_owned(), alerts.total.to_string()),
        ("Decided or marked".to_owned(), alerts.investigated.to_string()),
    ];
    facts.extend(alerts.by_kind.iter().map(|(kind, count)| (words::capital(kind), count.to_string())));
    Measure { facts, figures: Vec::new() }
}

fn rule(rule: &ReviewRule, now_ms: i64) -> Rule {
    let state = match (rule.reversed, rule.in_force(now_ms)) {
        (true, _) => chip(Tone::Quiet, "reversed"),
        (_, true) => chip(Tone::Good, "in force"),
        _ => chip(Tone::Quiet, "lapsed"),
    };
    Rule {
        id: words::short(&rule.id),
        what: format!("Asks a physician about cases whose findings are at least {} alike.", percent(rule.similarity)),
        from: Link {
            label: format!("incident {}, marked by {}", words::short(&rule.incident), words::person(&rule.signer)),
            href: None,
        },
        lapses: words::when(rule.expires_unix_ms),
        state,
        reverse: None,
    }
}

fn member(known: &Known, seen: &Seen<'_>) -> Member {
    let signs = match known.assurance.as_str() {
        "webauthn" => "passkey".to_owned(),
        "local_key" => "key file on the command line".to_owned(),
        other => other.to_owned(),
    };
    Member {
        name: words::person(&known.id),
        id: known.id.clone(),
        roles: known.roles.join(", "),
        signs: vec![signs],
        revoke: (seen.is_operator && known.id != seen.me).then(|| "/operations/revoke".to_owned()),
        error: None,
    }
}
