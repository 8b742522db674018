//! What people added to a session, and the forms for adding more.

use super::{chart, live::Labels, live::named, words};
use crate::{
    signed_in::Words,
    view::{
        amend::{Added, Amending, Correction, Learned},
        parts::Presence,
    },
};
use bodh_panel::{AmendmentLine, MOST_TEXT, OrderStatus, Report, Said, Status};

/// The form's address and what it is based on, for whom it is: the session rests, and the reader cares for the patient.
pub(crate) fn form(report: &Report, for_care: bool) -> Option<Amending> {
    let rests = matches!(report.status, Status::AwaitingPhysician | Status::AwaitingAnswer | Status::Concluded);
    (for_care && rests).then(|| Amending {
        action: format!("/sessions/{}/amend", report.session),
        rounds: report.rounds,
        about: String::new(),
    })
}

impl Amending {
    /// The same form, about one thing.
    pub(crate) fn of(&self, what: &str) -> Self {
        Self { about: what.to_owned(), ..self.clone() }
    }
}

/// Whether a person may have its result.
pub(crate) const fn is_open(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Proposed | OrderStatus::AwaitingApproval | OrderStatus::Approved)
}

/// The form for what was learned, with the tests and questions that are open.
pub(crate) fn learned(report: &Report, form: Option<&Amending>) -> Option<Learned> {
    let open = report.orders.iter().filter(|order| is_open(order.status));
    let open = open.map(|order| (order.test.to_string(), order.label.clone())).collect();
    form.map(|form| Learned { form: form.clone(), open, most: MOST_TEXT })
}

/// Every amendment, with its words where the reader has them.
pub(crate) fn added(report: &Report, note: Option<&Words>, form: Option<&Amending>, labels: &Labels) -> Vec<Added> {
    let one = |(number, line): (u32, &AmendmentLine)| {
        let words = note.and_then(|note| note.added.get(usize::try_from(number).ok()?));
        let text = words.map(|text| chart::segments(text, &report.findings, Some(number))).unwrap_or_default();
        Added {
            number: number + 1,
            by: words::person(&line.by),
            at: words::when(line.at_unix_ms),
            about: line.about.as_ref().map(|test| named(test.as_str(), labels)),
            corrections: line.corrections.iter().map(|c| correction(report, number, c, form)).collect(),
            withheld: line.has_text && words.is_none(),
            text,
        }
    };
    (0..).zip(&report.amendments).map(one).collect()
}

fn correction(report: &Report, number: u32, corrected: &bodh_panel::Corrected, form: Option<&Amending>) -> Correction {
    let now = match corrected.said {
        Said::Present => Some(Presence::Present),
        Said::Excluded => Some(Presence::Absent),
        Said::NotSaid => None,
    };
    // Only the last word on a finding that is out: an earlier one was overtaken.
    let later = report.amendments.iter().skip(usize::try_from(number).unwrap_or(0) + 1);
    let is_last = !later.flat_map(|line| &line.corrections).any(|other| other.term == corrected.term);
    let out = now.is_none() && is_last && !report.findings.iter().any(|f| f.term == corrected.term);
    Correction {
        label: corrected.label.clone(),
        was: Correction::word(corrected.was.map(chart::presence)),
        now: Correction::word(now),
        again: form.filter(|_| out).map(|form| form.of(corrected.term.as_str())),
    }
}
