//! A session's page.

use super::{amend, ask, chart, evidence, words};
use crate::signed_in::Words;
use crate::view::{
    Tone,
    amend::Amending,
    format::{cost, dollars, percent, permille},
    parts::{Link, Opinion, Order, Question},
    session::{Banner, Live},
};
use bodh_panel::{EscalationStatus, Report, Status, Withdrawal};

/// Diagnoses shown.
const SHOWN: usize = 8;

/// What surrounds the report.
pub(crate) struct Around<'a> {
    /// The note and the patient's pseudonym, for whom they are for.
    pub(crate) note: Option<&'a Words>,
    pub(crate) csrf: &'a str,
    /// Whether the reader cares for the patient: may end it, correct it and add to it.
    pub(crate) for_care: bool,
    /// Whether the reader may decide on it.
    pub(crate) may_decide: bool,
    /// Whether the reader may read its trace.
    pub(crate) may_trace: bool,
}

/// What a session's page shows of this report.
pub(crate) fn live(report: &Report, around: &Around<'_>) -> Live {
    let id = &report.session;
    let over = matches!(report.status, Status::Concluded | Status::Withdrawn | Status::Expired);
    let waits = matches!(report.status, Status::AwaitingPhysician | Status::AwaitingAnswer);
    let note = around.note.map(|words| words.note.as_str()).unwrap_or_default();
    let segments = chart::segments(note, &report.findings, None);
    let (form, labels) = (amend::form(report, around.for_care), labels(report));
    let added = amend::added(report, around.note, form.as_ref(), &labels);
    let marked = chart::marked(segments.iter().chain(added.iter().flat_map(|one| &one.text)));
    let beside =
        chart::Beside { marked: &marked, labels: &labels, amendments: &report.amendments, form: form.as_ref() };
    let listed: f64 = report.differential.iter().take(SHOWN).map(|h| h.probability).sum();
    let more = report.differential.len().saturating_sub(SHOWN);
    let mut links = vec![link("Report", format!("/sessions/{id}/report"))];
    if around.may_trace {
        links.push(link("Trace", format!("/record/{id}")));
    }
    Live {
        csrf: around.csrf.to_owned(),
        events: (!over && !waits).then(|| format!("/sessions/{id}/events")),
        version: u64::from(report.rounds),
        pseudonym: around
            .note
            .map(|words| words.pseudonym.clone())
            .filter(|pseudonym| !pseudonym.is_empty())
            .unwrap_or_else(|| format!("Session {}", words::short(id))),
        started: format!("by {}", words::person(&report.requester)),
        subject: words::subject(&report.subject),
        banner: banner(report, around),
        learned: amend::learned(report, form.as_ref()),
        added,
        findings: chart::findings(&report.findings, &beside),
        note: segments,
        input: input(report),
        differential: evidence::differential(report, SHOWN),
        rest: (more > 0).then(|| format!("{more} more, {} together", percent((1.0 - listed - report.other).max(0.0)))),
        other: percent(report.other),
        other_permille: permille(report.other),
        dissent: (report.rounds > 0)
            .then(|| evidence::dissent(report.dissent, evidence::labels(&report.second_opinion), &report.refuted)),
        orders: report.orders.iter().map(|o| order(o, form.as_ref(), report)).collect(),
        cost: cost(words::cents(report.cost_usd), 0, words::cents(report.budget_usd)),
        questions: report.escalations.iter().map(|e| question(e, around.may_decide, report)).collect(),
        opinions: opinions(report),
        asked: ask::asked(report),
        reservations: report.reservations.iter().map(|r| words::reason(r)).collect(),
        figures: super::report::figures(report),
        links,
        stop: (around.for_care && !over).then(|| format!("/sessions/{id}/stop")),
    }
}

fn link(label: &str, href: String) -> Link {
    Link { label: label.to_owned(), href: Some(href) }
}

fn banner(report: &Report, around: &Around<'_>) -> Banner {
    let leading = report.differential.first().map(|h| (h.label.clone(), percent(h.probability)));
    let waiting: Vec<_> = report.escalations.iter().filter(|e| e.status == EscalationStatus::Open).collect();
    let rounds = match report.rounds {
        0 => "Intake reads the case.".to_owned(),
        1 => "One round so far.".to_owned(),
        n => format!("{n} rounds so far."),
    };
    let (tone, state, detail) = match (report.status, report.standing.as_deref()) {
        (Status::Deliberating, _) => (Tone::Info, "At work", rounds),
        (Status::AwaitingAnswer, _) => (Tone::Warning, "Waiting for an answer", ask::waits(report)),
        (Status::AwaitingResults, _) => (Tone::Info, "Waiting for a result", rounds),
        (Status::AwaitingPhysician, _) => {
            let what = if waiting.len() == 1 {
                "One question waits.".to_owned()
            } else {
                format!("{} questions wait.", waiting.len())
            };
            (Tone::Warning, "Waiting for a physician", format!("{what} Nothing is released before they are decided."))
        }
        (Status::Concluded, Some("signed")) => {
            (Tone::Good, "Concluded and signed", "A physician's signature covers the conclusion.".to_owned())
        }
        (Status::Concluded, _) => {
            (Tone::Good, "Concluded, preliminary", "Nothing had to be asked. No physician has signed it.".to_owned())
        }
        (Status::Withdrawn, _) => (Tone::Quiet, "Withdrawn", withdrawn(report)),
        (Status::Expired, _) => (Tone::Quiet, "Expired", "Nobody decided in time. Nothing was approved.".to_owned()),
    };
    let action = match report.status {
        Status::AwaitingPhysician if around.may_decide => {
            waiting.first().map(|e| link("Decide", format!("/escalations/{}", e.id)))
        }
        Status::Concluded => Some(link("Read the report", format!("/sessions/{}/report", report.session))),
        _ => None,
    };
    let leading = leading.filter(|_| report.status != Status::Withdrawn);
    Banner { tone, state: state.to_owned(), detail, leading, action }
}

/// Why a session was given up.
pub(crate) fn withdrawn(report: &Report) -> String {
    match report.withdrawal {
        Some(Withdrawal::NothingUsable) => "The case holds no finding that the packs know.".to_owned(),
        Some(Withdrawal::AgentFailed { member, .. }) => {
            format!("The {} failed again and again. Nothing was guessed in its place.", member.name().replace('_', " "))
        }
        Some(Withdrawal::Denied) => "Policy forbids the conclusion.".to_owned(),
        Some(Withdrawal::Declined) => "A physician declined the conclusion.".to_owned(),
        Some(Withdrawal::Stopped) => "A person stopped it.".to_owned(),
        None => String::new(),
    }
}

/// What the reader should know of the input.
pub(crate) fn input(report: &Report) -> Vec<String> {
    let mut lines = report.warnings.clone();
    let known = |term: &bodh_clinical::TermId| report.findings.iter().any(|f| f.term == *term);
    if !report.ignored.is_empty() {
        let names: Vec<_> = report.ignored.iter().take(8).map(|i| i.term.to_string()).collect();
        lines.push(format!("{} terms were not used: {}.", report.ignored.len(), names.join(", ")));
    }
    for contradicted in report.ignored.iter().filter(|i| i.cause == bodh_clinical::IgnoredCause::Contradicted) {
        let term = &contradicted.term;
        lines.push(format!("{term} is said absent, and something more specific present; the absence was not used."));
    }
    for term in report.contradictory.iter().filter(|term| !known(term)) {
        lines.push(format!("{term} is said both present and absent; it was not used."));
    }
    if report.findings.len() < 3 {
        lines.push("Fewer than three findings are known: read every probability with that in mind.".to_owned());
    }
    lines
}

/// One test.
pub(crate) fn order(order: &bodh_panel::OrderLine, form: Option<&Amending>, report: &Report) -> Order {
    Order {
        label: order.label.clone(),
        price: order.price_usd.map_or_else(|| "price unknown".to_owned(), |usd| dollars(words::cents(usd))),
        // The planner did not look at what only a physician wanted: it expects nothing of it.
        gain: ask::by(report, &order.test)
            .map_or_else(|| format!("{:.2} bits", order.gain_bits), |by| format!("asked for by {by}")),
        status: words::order(order.status),
        result: form.filter(|_| amend::is_open(order.status)).map(|form| form.of(order.test.as_str())),
    }
}

/// One question to a physician.
pub(crate) fn question(line: &bodh_panel::EscalationLine, may_decide: bool, report: &Report) -> Question {
    let (status, by) = match &line.status {
        EscalationStatus::Open => ("open", None),
        EscalationStatus::Approved { by, .. } => ("approved", Some(by)),
        EscalationStatus::Denied { by, .. } => ("denied", Some(by)),
        EscalationStatus::Amended { by, .. } => ("amended", Some(by)),
        EscalationStatus::Asked { by, .. } => ("asked", Some(by)),
        EscalationStatus::Lapsed => ("lapsed", None),
    };
    Question {
        kind: words::kind(&line.kind),
        action: action(&line.action, &labels(report)),
        reason: line.reason.clone(),
        amount: line.amount_usd.map(|usd| dollars(words::cents(usd))),
        status: words::status(status),
        href: may_decide.then(|| format!("/escalations/{}", line.id)),
        decided: by.map(|by| format!("By {}.", words::person(by))),
    }
}

/// The tests of a session by their ids.
pub(crate) fn labels(report: &Report) -> Labels {
    report.orders.iter().map(|order| (order.test.to_string(), order.label.clone())).collect()
}

/// Names of tests, by their ids.
pub(crate) type Labels = std::collections::BTreeMap<String, String>;

/// A test's name, or its id as words.
pub(crate) fn named(test: &str, labels: &Labels) -> String {
    labels.get(test).cloned().unwrap_or_else(|| test.replace('_', " "))
}

/// `order ct_chest` as people say it.
pub(crate) fn action(action: &str, labels: &Labels) -> String {
    let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
    match verb {
        "order" => format!("Order: {}", named(rest, labels)),
        "propose" => format!("Propose: {}", named(rest, labels)),
        "conclude" => "Release the conclusion".to_owned(),
        _ => action.replace('_', " "),
    }
}

fn opinions(report: &Report) -> Vec<Opinion> {
    let says =
        |member: &str, says: String, lines: Vec<String>| Opinion { member: member.to_owned(), says, lines, mark: None };
    let mut all = Vec::new();
    if !report.findings.is_empty() {
        all.push(says(
            "Intake",
            format!("{} findings, {} terms not used.", report.findings.len(), report.ignored.len()),
            vec![],
        ));
    }
    if let Some(first) = report.differential.first() {
        all.push(says("Diagnostician", format!("Leads with {}, {}.", first.label, percent(first.probability)), vec![]));
        let stood = if report.refuted.is_empty() {
            "Every claim could be derived again.".to_owned()
        } else {
            format!("{} claims do not stand.", report.refuted.len())
        };
        all.push(says("Reasoning verifier", format!("{stood} Dissent {}.", percent(report.dissent)), vec![]));
    }
    if let Some(next) = report.orders.last() {
        all.push(says(
            "Test planner",
            format!("Last looked at {}, expected to tell {:.2} bits.", next.label, next.gain_bits),
            vec![],
        ));
    }
    if !report.reasons.is_empty() {
        all.push(says("Supervisor", "Its reasons:".to_owned(), report.reasons.clone()));
    }
    all
}
