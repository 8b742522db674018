//! The report's page, and the pictures of a session.

use super::{amend, ask, chart, evidence, live, words};
use crate::view::{
    Picture, Tone,
    format::{cost, percent},
    frame::Frame,
    parts::{Figure, Link},
    report::{ReportPage, Signature},
};
use bodh_panel::{EscalationStatus, Report, Status};
use bodh_pictures as picture;

/// Rounds in a picture.
const DRAWN: usize = 8;
/// Diagnoses in a report.
const SHOWN: usize = 5;

pub(crate) fn page(report: &Report, frame: Frame, around: &live::Around<'_>) -> ReportPage {
    let pseudonym = around.note.map(|words| words.pseudonym.as_str()).unwrap_or_default();
    let (form, labels) = (amend::form(report, around.for_care), live::labels(report));
    let added = amend::added(report, around.note, form.as_ref(), &labels);
    let marked = chart::marked(added.iter().flat_map(|one| &one.text));
    let beside =
        chart::Beside { marked: &marked, labels: &labels, amendments: &report.amendments, form: form.as_ref() };
    let listed: f64 = report.differential.iter().take(SHOWN).map(|h| h.probability).sum();
    let more = report.differential.len().saturating_sub(SHOWN);
    let (standing, tone, means) = standing(report);
    let differential = evidence::differential(report, SHOWN);
    let summary = differential.first().map_or_else(
        || "No diagnosis leads.".to_owned(),
        |first| format!("Leading: {}, {}. None of these: {}.", first.label, first.percent, percent(report.other)),
    );
    let pair = |name: &str, value: String| (name.to_owned(), value);
    ReportPage {
        frame,
        pseudonym: if pseudonym.is_empty() { format!("Session {}", words::short(&report.session)) } else { pseudonym.to_owned() },
        subject: words::subject(&report.subject),
        session: report.session.clone(),
        released: if report.released { "released".to_owned() } else { "not released".to_owned() },
        requester: words::person(&report.requester),
        standing: standing.to_owned(),
        tone,
        standing_means: means,
        signed: signatures(report),
        revision: report.revision,
        summary,
        turns: differential.first().and_then(|first| first.turns.clone()),
        differential,
        rest: (more > 0).then(|| format!("{more} more, {} together", percent((1.0 - listed - report.other).max(0.0)))),
        other: percent(report.other),
        asked: ask::asked(report),
        reservations: report.reservations.iter().map(|r| words::reason(r)).collect(),
        csrf: around.csrf.to_owned(),
        learned: amend::learned(report, form.as_ref()),
        added,
        findings: chart::findings(&report.findings, &beside),
        input: live::input(report),
        orders: report.orders.iter().map(|o| live::order(o, form.as_ref(), report)).collect(),
        cost: cost(words::cents(report.cost_usd), 0, words::cents(report.budget_usd)),
        questions: report.escalations.iter().map(|e| live::question(e, false, report)).collect(),
        dissent: (report.rounds > 0).then(|| evidence::dissent(report.dissent, evidence::labels(&report.second_opinion), &report.refuted)),
        receipt: vec![
            pair("Entries of this session", report.audit.entries.to_string()),
            pair("Log size", report.audit.size.to_string()),
            pair("Root", report.audit.root.clone()),
            pair("Checkpoint", report.audit.checkpoint.trim().to_owned()),
        ],
        verify: "bodh audit verify STATE/log --key VKEY".to_owned(),
        versions: report.versions.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        transparency: "The differential, its probabilities and the proposed tests were made by a program. A physician reviews them before they are acted on.".to_owned(),
        links: vec![Link { label: "The session".to_owned(), href: Some(format!("/sessions/{}", report.session)) }],
    }
}

fn standing(report: &Report) -> (&'static str, Tone, String) {
    match (report.status, report.standing.as_deref()) {
        (Status::Concluded, Some("signed")) => {
            ("SIGNED", Tone::Good, "A physician's signature covers this conclusion.".to_owned())
        }
        (Status::Concluded, _) => ("PRELIMINARY", Tone::Warning, "No physician has signed this conclusion.".to_owned()),
        (Status::AwaitingPhysician, _) => {
            ("NOT RELEASED", Tone::Warning, "A physician has yet to decide. This is a working differential.".to_owned())
        }
        (Status::AwaitingAnswer, _) => ("NOT RELEASED", Tone::Warning, ask::waits(report)),
        (Status::Withdrawn, _) => ("NOT RELEASED", Tone::Quiet, live::withdrawn(report)),
        (Status::Expired, _) => {
            ("NOT RELEASED", Tone::Quiet, "Nobody decided in time. Nothing was approved.".to_owned())
        }
        _ => ("NOT RELEASED", Tone::Info, "The panel is at work. This is a working differential.".to_owned()),
    }
}

fn signatures(report: &Report) -> Vec<Signature> {
    let signed = |line: &bodh_panel::EscalationLine| {
        let (word, by, at) = match &line.status {
            EscalationStatus::Approved { by, at_unix_ms } => ("approved", by, at_unix_ms),
            EscalationStatus::Amended { by, at_unix_ms } => ("amended", by, at_unix_ms),
            EscalationStatus::Denied { by, at_unix_ms } => ("denied", by, at_unix_ms),
            EscalationStatus::Asked { by, at_unix_ms } => ("asked for something else", by, at_unix_ms),
            EscalationStatus::Open | EscalationStatus::Lapsed => return None,
        };
        let meaning = format!("{word}: {}", words::kind(&line.kind).to_lowercase());
        Some(Signature { by: words::person(by), at: words::when(*at), meaning })
    };
    report.escalations.iter().filter_map(signed).collect()
}

/// At most so many rounds in a picture, evenly taken and the last one always: a page stays light.
fn sampled(course: &[bodh_panel::Stage]) -> Vec<&bodh_panel::Stage> {
    let step = course.len().div_ceil(DRAWN).max(1);
    let last = course.len().saturating_sub(1);
    course.iter().enumerate().filter(|(place, _)| place % step == 0 || *place == last).map(|(_, stage)| stage).collect()
}

/// The differential over the rounds, and what was spent; none before the second round.
pub(crate) fn figures(report: &Report) -> Vec<Figure> {
    if report.course.len() < 2 {
        return Vec::new();
    }
    let course = sampled(&report.course);
    let signed = |dollars: f64| i64::try_from(words::cents(dollars)).unwrap_or(i64::MAX);
    let share = |s: &bodh_panel::Standing| picture::differential::Share {
        id: s.id.to_string(),
        label: s.label.clone(),
        probability: s.probability,
    };
    let none = |other: f64| picture::differential::Share {
        id: "other".to_owned(),
        label: "None of these".to_owned(),
        probability: other,
    };
    let rounds: Vec<picture::differential::Round> = course
        .iter()
        .map(|stage| picture::differential::Round {
            number: stage.round,
            spent_cents: signed(stage.spent_usd),
            shares: stage.leading.iter().map(share).chain([none(stage.other)]).collect(),
        })
        .collect();
    let order = |test: &bodh_clinical::TestId| {
        report.orders.iter().find(|o| o.test == *test && o.status == bodh_panel::OrderStatus::Done)
    };
    let steps: Vec<picture::cost::Step> = report
        .course
        .iter()
        .map(|stage| picture::cost::Step {
            round: stage.round,
            orders: stage
                .order
                .iter()
                .filter_map(order)
                .map(|o| picture::cost::Order { label: o.label.clone(), cents: signed(o.price_usd.unwrap_or(0.0)) })
                .collect(),
        })
        .collect();
    let budget = signed(report.budget_usd);
    let figure = |id: &str, caption: &str, svg: String, table: picture::Table| Figure {
        id: id.to_owned(),
        picture: Picture(svg),
        caption: caption.to_owned(),
        columns: table.headers,
        rows: table.rows,
    };
    vec![
        figure(
            "rounds",
            "What it could be, round by round",
            picture::differential::draw("rounds", &rounds),
            picture::differential::table(&rounds),
        ),
        figure(
            "cost",
            "What was spent, and the budget",
            picture::cost::draw("cost", &steps, budget),
            picture::cost::table(&steps, budget),
        ),
    ]
}
