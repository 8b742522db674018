//! The page of operations.

use super::{
    calibration,
    incidents::{Incidence, incidents, rules},
    measures::{Alerts, coverage, dwell, ms},
    words,
};
use crate::{
    pages::invite::HOURS,
    view::{
        Chip, Tone,
        frame::Frame,
        operations::{Alert, Invite, Member, OperationsPage, Revoked, Service, Signing, Version},
        parts::Link,
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
    incidents: Vec<Incidence>,
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

/// A person as the guardian's feed has them.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) assurance: String,
    /// Since when each of their keys is theirs, RFC 3339.
    pub(crate) since: Vec<String>,
}

/// Everything that the page is drawn from.
pub(crate) struct Seen<'a> {
    pub(crate) status: Status,
    pub(crate) rules: Vec<ReviewRule>,
    pub(crate) people: Vec<Known>,
    pub(crate) revoked: Vec<String>,
    pub(crate) me: &'a str,
    pub(crate) is_operator: bool,
    /// Whether a session's trace is open to the reader.
    pub(crate) may_trace: bool,
    /// Whether policy lets the reader take a review rule back.
    pub(crate) may_reverse: bool,
    pub(crate) csrf: &'a str,
    pub(crate) now_ms: i64,
}

/// A question that nobody has seen for so long needs somebody.
const LATE_MS: u64 = 60 * 60 * 1000;

fn chip(tone: Tone, word: &str) -> Chip {
    Chip { tone, word: word.to_owned() }
}

pub(crate) fn page(seen: &Seen<'_>, frame: Frame) -> OperationsPage {
    OperationsPage {
        frame,
        csrf: seen.csrf.to_owned(),
        as_of: words::when(seen.now_ms),
        alerts: alerts(&seen.status),
        services: seen.status.identities.iter().map(service).collect(),
        versions: versions(&seen.status.versions),
        dwell: dwell(&seen.status.alerts, seen.now_ms),
        coverage: coverage(&seen.status.alerts, seen.now_ms),
        incidents: incidents(&seen.status.incidents, &seen.rules, seen.may_trace, seen.now_ms),
        rules: rules(&seen.rules, &seen.status.incidents, seen.may_reverse, seen.now_ms),
        calibrations: calibration::all(),
        people: seen.people.iter().map(|p| member(p, seen)).collect(),
        invite: seen.is_operator.then(invite),
        revoked: seen.revoked.iter().map(|id| Revoked { name: words::person(id), id: id.clone() }).collect(),
    }
}

/// The roles that the built-in policies know.
const ROLES: [&str; 4] = ["clinician", "physician", "compliance", "operator"];

fn invite() -> Invite {
    let at = "/operations/invite";
    Invite {
        form: Signing { options: format!("{at}/options"), action: at.to_owned() },
        roles: ROLES.map(|role| (role.to_owned(), words::role(role).to_owned())).to_vec(),
        hours: HOURS,
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

fn member(known: &Known, seen: &Seen<'_>) -> Member {
    let signs = match known.assurance.as_str() {
        "webauthn" => "passkey",
        "local_key" => "key file on the command line",
        other => other,
    };
    let other = seen.is_operator && known.id != seen.me;
    let recover =
        Signing { options: "/operations/recover/options".to_owned(), action: "/operations/invite".to_owned() };
    Member {
        name: words::person(&known.id),
        id: known.id.clone(),
        roles: known.roles.join(", "),
        signs: known.since.iter().map(|since| format!("{signs}, since {}", words::when_of(since))).collect(),
        recover: (other && known.assurance == "webauthn").then_some(recover),
        revoke: other.then(|| "/operations/revoke".to_owned()),
        error: None,
    }
}
