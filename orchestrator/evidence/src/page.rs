//! The page that people read: the same bytes for the same content and entries.

use crate::content::{Content, Signed};
use askama::Template;
use bodh_audit_log::{Entry, Hash};
use bodh_clinical::{Claim, Hypothesis, Presence, Prevalence};
use bodh_panel::{EscalationLine, EscalationStatus, OrderLine, Report};
use bodh_policy::Bundle;
use chrono::{DateTime, SecondsFormat};
use data_encoding::BASE64;

/// Diagnoses shown with their claims.
const SHOWN: usize = 10;
/// Claims shown of each: all of them stand in the events.
const CLAIMS: usize = 8;

#[derive(Template)]
#[template(path = "evidence.html")]
struct Page<'a> {
    content: &'a Content,
    report: &'a Report,
    opened: String,
    exported: String,
    status: String,
    diagnoses: Vec<Diagnosis>,
    findings: Vec<[String; 3]>,
    orders: Vec<[String; 3]>,
    questions: Vec<[String; 5]>,
    statements: Vec<Statement>,
    entries: Vec<Row>,
    policies: Vec<(String, String)>,
}

struct Diagnosis {
    name: String,
    probability: String,
    prevalence: String,
    red_flag: bool,
    claims: Vec<[String; 3]>,
}

struct Statement {
    purpose: String,
    fields: Vec<(String, String)>,
    sha256: String,
}

struct Row {
    index: u64,
    time: String,
    who: String,
    what: String,
    verdict: String,
    policies: String,
    refused: bool,
}

/// The page of a session.
#[must_use]
pub fn page(content: &Content, report: &Report, entries: &[(u64, Entry)]) -> String {
    let page = Page {
        content,
        report,
        opened: instant(content.opened_unix_ms),
        exported: instant(content.exported_unix_ms),
        status: word(&report.status),
        diagnoses: report.differential.iter().take(SHOWN).map(|h| diagnosis(h, &report.findings)).collect(),
        findings: report.findings.iter().map(finding).collect(),
        orders: report.orders.iter().map(order).collect(),
        questions: report.escalations.iter().map(question).collect(),
        statements: content.signed.iter().map(statement).collect(),
        entries: entries.iter().map(row).collect(),
        policies: policies(content),
    };
    // Strings to memory: no failure path.
    page.render().unwrap_or_default()
}

fn finding(finding: &bodh_clinical::Finding) -> [String; 3] {
    [finding.label.clone(), finding.term.to_string(), presence(finding.presence).to_owned()]
}

fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Excluded => "absent",
    }
}

/// A diagnosis with its claims, the weightiest first.
fn diagnosis(hypothesis: &Hypothesis, findings: &[bodh_clinical::Finding]) -> Diagnosis {
    let mut claims: Vec<&Claim> = hypothesis.claims.iter().collect();
    claims.sort_by(|a, b| b.bits.abs().total_cmp(&a.bits.abs()));
    Diagnosis {
        name: format!("{} ({})", hypothesis.label, hypothesis.id),
        probability: percent(hypothesis.probability),
        prevalence: hypothesis.prevalence.map_or("prevalence unknown".to_owned(), one_in),
        red_flag: hypothesis.red_flag,
        claims: claims.into_iter().take(CLAIMS).map(|one| claim(one, findings)).collect(),
    }
}

/// The share of people who have it.
fn one_in(share: Prevalence) -> String {
    if share.0 > 0.0 { format!("1 in {:.0} people", 1.0 / share.0) } else { "prevalence unknown".to_owned() }
}

fn claim(claim: &Claim, findings: &[bodh_clinical::Finding]) -> [String; 3] {
    let known = findings.iter().find(|finding| finding.term == claim.finding);
    let name = known.map_or_else(|| claim.finding.to_string(), |finding| finding.label.clone());
    let finding = format!("{name} ({}), {}", claim.finding, presence(claim.presence));
    [finding, format!("{:+.2} bits", claim.bits), claim.sources.join(", ")]
}

fn percent(probability: f64) -> String {
    format!("{:.1} %", probability * 100.0)
}

fn order(order: &OrderLine) -> [String; 3] {
    let price = order.price_usd.map_or("price unknown".to_owned(), |usd| format!("${usd:.2}"));
    [order.label.clone(), price, word(&order.status)]
}

fn question(line: &EscalationLine) -> [String; 5] {
    let became = match &line.status {
        EscalationStatus::Open => "open".to_owned(),
        EscalationStatus::Lapsed => "lapsed".to_owned(),
        EscalationStatus::Approved { by, at_unix_ms } => format!("approved by {by}, {}", instant(*at_unix_ms)),
        EscalationStatus::Denied { by, at_unix_ms } => format!("denied by {by}, {}", instant(*at_unix_ms)),
        EscalationStatus::Amended { by, at_unix_ms } => format!("amended by {by}, {}", instant(*at_unix_ms)),
        EscalationStatus::Asked { by, at_unix_ms } => {
            format!("{by} asked for something else, {}", instant(*at_unix_ms))
        }
    };
    [line.id.clone(), line.kind.replace('_', " "), line.reason.clone(), line.action.clone(), became]
}

/// Every field of what was signed, in the order in which it was signed.
fn statement(signed: &Signed) -> Statement {
    let fields: Vec<(String, String)> = match serde_json::from_str(&signed.json) {
        Ok(serde_json::Value::Object(fields)) => fields.into_iter().map(|(name, value)| (name, text(&value))).collect(),
        _ => Vec::new(),
    };
    let signature = BASE64.decode(signed.signature.as_bytes()).unwrap_or_default();
    Statement { purpose: signed.purpose.clone(), fields, sha256: Hash::of(&signature).to_hex() }
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn row((index, entry): &(u64, Entry)) -> Row {
    let draft = &entry.draft;
    let time = entry.time.to_string();
    let actors: Vec<&str> = draft.actors.iter().map(|id| id.rsplit('/').next().unwrap_or(id)).collect();
    let verdict = draft.verdict.map_or("", |verdict| verdict.as_str());
    let cause = if draft.cause.is_empty() { String::new() } else { format!(" {}", draft.cause) };
    Row {
        index: *index,
        time: time.get(..23).unwrap_or(&time).replace('T', " "),
        who: format!("{} for {}", entry.reporter_name(), actors.join(" > ")),
        what: format!("{} {} {}", draft.kind, draft.action, draft.resource),
        verdict: format!("{verdict}{cause}"),
        policies: draft.policies.join(", "),
        refused: draft.kind == bodh_audit_log::Kind::Refusal,
    }
}

fn policies(content: &Content) -> Vec<(String, String)> {
    let read = || {
        let json: serde_json::Value = serde_json::from_str(&content.policy).ok()?;
        let payload = BASE64.decode(json.get("payload")?.as_str()?.as_bytes()).ok()?;
        serde_json::from_slice::<Bundle>(&payload).ok()
    };
    let bundle = read().unwrap_or_default();
    bundle.files().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// A snake-case word of a serialised value, in plain words.
fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or("unknown").replace('_', " ")
}

fn instant(unix_ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
