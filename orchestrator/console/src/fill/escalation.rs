//! The page of one question to a physician.

use super::{
    ask, chart, evidence,
    live::{Labels, action},
    words,
};
use crate::{
    pages::decide::{CODES, MEANING},
    view::{
        Chip,
        escalation::{Decided, EscalationPage, Form, Sibling, Standing},
        format::{age, cost, dollars, percent},
        frame::Frame,
        parts::{Link, Opinion},
    },
};
use bodh_panel::{Decision, Escalation};
use bodh_panel_api::pb::{Askable, InboxItem};

/// Findings that would matter most, shown.
const MISSING: usize = 6;

/// Everything that the page is drawn from.
pub(crate) struct Seen<'a> {
    pub(crate) record: &'a Escalation,
    pub(crate) sha256: String,
    pub(crate) item: &'a InboxItem,
    pub(crate) siblings: Vec<&'a InboxItem>,
    pub(crate) revealed: bool,
    pub(crate) own: Option<String>,
    /// The decision as it was signed.
    pub(crate) decision: Option<Vec<u8>>,
    /// What can be asked for instead.
    pub(crate) askable: &'a [Askable],
    pub(crate) csrf: &'a str,
    /// SPIFFE id of the reader.
    pub(crate) me: &'a str,
    pub(crate) now_ms: i64,
}

pub(crate) fn page(seen: &Seen<'_>, frame: Frame) -> EscalationPage {
    let (record, shown) = (seen.record, &seen.record.shown);
    let leading = shown.differential.first();
    let is_order = record.action.starts_with("order") || record.action.starts_with("propose");
    let proposal = leading
        .map_or_else(|| "no leading diagnosis".to_owned(), |h| format!("{}, {}", h.label, percent(h.probability)));
    let amount = record.amount_cents.map(dollars);
    let ask_blind = if is_order {
        format!(
            "{}{}?",
            action(&record.action, &labels(record)),
            amount.as_ref().map(|a| format!(" for {a}")).unwrap_or_default()
        )
    } else {
        "Release the panel's conclusion?".to_owned()
    };
    let ask = if is_order { ask_blind.clone() } else { format!("Release the conclusion: {proposal}?") };
    let asked = shown.after_cents.saturating_sub(shown.spent_cents);
    let named = |id: &bodh_clinical::DiseaseId| {
        let known = shown.differential.iter().find(|h| h.id == *id);
        known.map_or_else(|| id.to_string(), |h| h.label.clone())
    };
    EscalationPage {
        frame,
        kind: words::kind(&record.kind),
        tone: words::tone(&record.kind),
        ask_blind,
        ask,
        reason: record.reason.clone(),
        rules: record
            .rules
            .iter()
            .map(|r| {
                format!(
                    "Rule {} of incident {}, {} % alike",
                    words::rule(&r.rule),
                    words::short(&r.incident),
                    r.likeness_permille / 10
                )
            })
            .collect(),
        cost: cost(shown.spent_cents, asked, shown.budget_cents),
        amount,
        age: age(seen.now_ms - record.raised_unix_ms),
        lapses: String::new(),
        requester: words::person(&record.requester),
        who: format!("a {} who did not ask for the session", record.role),
        subject: words::subject(&shown.subject),
        siblings: seen.siblings.iter().map(|item| sibling(item, &record.id)).collect(),
        revealed: seen.revealed,
        own: seen.own.clone(),
        own_action: format!("/escalations/{}/own", record.id),
        show_without: format!("/escalations/{}?show=1", record.id),
        csrf: seen.csrf.to_owned(),
        differential: evidence::shown(record),
        other: percent(shown.other),
        missing: missing(record),
        opinions: opinions(record),
        dissent: evidence::dissent(shown.dissent, shown.second_opinion.iter().map(named).collect(), &shown.refuted),
        findings: chart::findings(&shown.findings, &chart::Beside::nothing(&Labels::new())),
        input: input(record),
        links: vec![Link { label: "The session".to_owned(), href: Some(format!("/sessions/{}", record.session)) }],
        method: method(),
        record: vec![
            ("Record".to_owned(), record.id.clone()),
            ("SHA-256".to_owned(), seen.sha256.clone()),
            ("Policy".to_owned(), record.policy.clone()),
            ("Trace".to_owned(), record.trace.clone()),
            ("Raised by".to_owned(), record.agent.clone()),
            ("Raised".to_owned(), words::when(record.raised_unix_ms)),
        ],
        standing: standing(seen),
    }
}

fn sibling(item: &InboxItem, current: &str) -> Sibling {
    let amount = if item.amount_cents > 0 { format!(", {}", dollars(item.amount_cents)) } else { String::new() };
    Sibling {
        label: format!("{}{amount}", words::kind(&item.kind)),
        href: format!("/escalations/{}?show=1", item.escalation),
        current: item.escalation == current,
        status: words::waits(item),
    }
}

/// The test in question by its name, where the record has it.
fn labels(record: &Escalation) -> Labels {
    let id = record.action.split_once(' ').map(|(_, id)| id.to_owned()).unwrap_or_default();
    let asked = record.shown.next_tests.iter().find(|test| test.id.as_str() == id);
    asked.map(|test| (id, test.label.clone())).into_iter().collect()
}

/// What the leading diagnoses would have made one expect and the chart does not have, the most telling first.
fn missing(record: &Escalation) -> Vec<String> {
    let mut expected: Vec<_> = record.shown.differential.iter().take(3).flat_map(|h| &h.expected).collect();
    expected.sort_by(|a, b| b.tells_bits.total_cmp(&a.tells_bits).then_with(|| a.term.cmp(&b.term)));
    let mut labels: Vec<String> = Vec::new();
    for one in expected {
        if !labels.contains(&one.label) {
            labels.push(one.label.clone());
        }
    }
    labels.truncate(MISSING);
    labels
}

fn opinions(record: &Escalation) -> Vec<Opinion> {
    let shown = &record.shown;
    let says =
        |member: &str, says: String, lines: Vec<String>| Opinion { member: member.to_owned(), says, lines, mark: None };
    let leads = shown.differential.first().map_or_else(
        || "Nothing leads.".to_owned(),
        |h| format!("Leads with {}, {}.", h.label, percent(h.probability)),
    );
    let stood = if shown.refuted.is_empty() {
        "Every claim could be derived again.".to_owned()
    } else {
        format!("{} claims do not stand.", shown.refuted.len())
    };
    let price = |t: &bodh_panel::ShownTest| t.price_cents.map_or_else(|| "price unknown".to_owned(), dollars);
    let tests = shown
        .next_tests
        .iter()
        .take(5)
        .map(|t| format!("{}: {:.2} bits, {}", t.label, t.gain_bits, price(t)))
        .collect();
    vec![
        says("Diagnostician", leads, vec![]),
        says("Reasoning verifier", format!("{stood} Dissent {}.", percent(shown.dissent)), vec![]),
        says("Test planner", "Would look next at:".to_owned(), tests),
        says(
            "Cost guardian",
            format!("{} spent of {}.", dollars(shown.spent_cents), dollars(shown.budget_cents)),
            vec![],
        ),
        says("Supervisor", "Its reasons:".to_owned(), shown.reasons.clone()),
    ]
}

fn input(record: &Escalation) -> Vec<String> {
    let present = record.shown.findings.iter().filter(|f| f.presence == bodh_clinical::Presence::Present).count();
    let all = record.shown.findings.len();
    let mut lines = vec![format!("{all} findings, {present} of them present.")];
    if all < 3 {
        lines.push("Fewer than three findings are known: read every probability with that in mind.".to_owned());
    }
    lines
}

fn method() -> Vec<String> {
    [
        "Intended use: a second look for physicians at what a case could be. Not for time-critical use, not for patients.",
        "Method: likelihood ratios of each finding, from annotated frequencies, on a prior; calibrated; every claim derived again by a second agent, which also ranks by another method.",
        "Data: the Human Phenotype Ontology's disease annotations, and a curated list of general medicine with prices of tests.",
        "Validation and known weaknesses: the model card (agents/MODEL_CARD.md).",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn standing(seen: &Seen<'_>) -> Standing {
    let decided = seen.decision.as_ref().and_then(|json| Decision::from_bytes(json).ok());
    match (seen.item.status.as_str(), decided) {
        ("open", _) if seen.item.first_by == seen.me => Standing::Closed(
            "One of two".to_owned(),
            "You have approved this. Nothing is done before another physician approves exactly this record.".to_owned(),
        ),
        ("open", _) => Standing::Open(Box::new(form(seen))),
        (_, Some(decision)) => Standing::Decided(Box::new(said(&decision, seen.askable))),
        ("lapsed", None) => Standing::Closed(
            "Lapsed".to_owned(),
            "Nobody decided in time, or the session went on without it. It was never approved.".to_owned(),
        ),
        (other, None) => Standing::Closed("No longer open".to_owned(), format!("It is {}.", words::status(other).word)),
    }
}

fn form(seen: &Seen<'_>) -> Form {
    let id = &seen.record.id;
    let is_order = seen.record.action.starts_with("order");
    let (approve, deny, amend) = if is_order {
        (
            "The test is ordered and paid for.",
            "The test is not ordered; the panel goes on without it.",
            "Not this test: the panel looks for another, and what you write is kept.",
        )
    } else if seen.record.action.starts_with("propose") {
        ("The proposal stands in the report.", "The proposal is left out.", "It stands with what you write beside it.")
    } else {
        (
            "This question no longer holds the report back.",
            "The panel's conclusion is declined; nothing is released.",
            "The report carries what you write as a reservation.",
        )
    };
    Form {
        action: format!("/escalations/{id}/decide"),
        options: format!("/escalations/{id}/options"),
        record: seen.sha256.clone(),
        approve_means: approve.to_owned(),
        deny_means: deny.to_owned(),
        amend_means: amend.to_owned(),
        choices: ask::choices(seen.record, seen.askable),
        verdict: String::new(),
        codes: CODES.map(|(code, words)| (code.to_owned(), words.to_owned())).to_vec(),
        code: String::new(),
        reason: String::new(),
        meaning: MEANING.to_owned(),
        second: ask::second(seen.record, seen.item),
    }
}

fn said(decision: &Decision, seen: &[Askable]) -> Decided {
    let (code, reason) = decision.reason.split_once(": ").unwrap_or(("", decision.reason.as_str()));
    let known = CODES.iter().find(|(known, _)| *known == code);
    let verdict: Chip = words::status(decision.verdict.word());
    Decided {
        verdict,
        by: words::person(&decision.signer),
        at: words::when(decision.at_unix_ms),
        code: known.map_or_else(|| "not coded".to_owned(), |(_, words)| (*words).to_owned()),
        reason: if known.is_some() { reason.to_owned() } else { decision.reason.clone() },
        meaning: decision.meaning.clone(),
        then: decision.asked.as_ref().map(|test| ask::named(test, seen)).unwrap_or_default(),
        entry: Link { label: "The session".to_owned(), href: Some(format!("/sessions/{}", decision.session)) },
    }
}
