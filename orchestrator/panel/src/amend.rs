//! What people state after the case was read: findings corrected, results and answers added in their own words. The chart
//! follows what was said last, what was said before stays in the journal, and the panel reasons again.

use crate::conclude::reopen;
use crate::deliberate::{note_order, reason};
use crate::step::{StepError, ask, out_of_place};
use crate::{Command, Inquiry, OrderStatus, Panel, Session, State};
use bodh_clinical::{Finding, Intake, Origin, Presence, Span, TermId, TestId};
use serde::{Deserialize, Serialize};

/// Most bytes of text in one amendment.
pub const MOST_TEXT: usize = 4 * 1024;
/// Most corrections in one amendment.
pub const MOST_CORRECTIONS: usize = 64;
/// Most amendments of one session.
pub const MOST_AMENDMENTS: usize = 64;
/// Most findings of a chart: agents take no more.
const MOST_FINDINGS: usize = 2_000;
/// A term's name is hardly shorter: so many findings, at most, can be read in a text.
const SHORTEST_NAME: usize = 4;

/// What a person says of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// It was observed.
    Present,
    /// It was looked for and not found.
    Excluded,
    /// Nobody said so: it is taken out of the chart.
    NotSaid,
}

/// One correction of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// A term of the chart, or one that was corrected before.
    pub term: TermId,
    /// What is right.
    pub said: Said,
}

/// A correction as it was taken in, with what it replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The term.
    pub term: TermId,
    /// Its label.
    pub label: String,
    /// What the chart said before; none when the finding had been taken out.
    pub was: Option<Presence>,
    /// What it says from then on.
    pub said: Said,
}

/// One amendment as it was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// SPIFFE id of who stated it.
    pub by: String,
    /// When.
    pub at_unix_ms: i64,
    /// The findings that were corrected.
    pub corrections: Vec<Corrected>,
    /// What was added, in their words: for intake, and for whom the note is for.
    pub text: String,
    /// The test whose result, or the question whose answer, it is.
    pub about: Option<TestId>,
}

/// Why an amendment cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmendmentError {
    /// Nothing is said.
    #[error("an amendment says something: correct a finding, or add a text")]
    Empty,
    /// Too much text.
    #[error("an added text has at most 4 KiB")]
    TooLong,
    /// A control character other than a line's end or a tab.
    #[error("an added text holds no control characters but line ends and tabs")]
    Control,
    /// Too many corrections.
    #[error("an amendment corrects at most 64 findings")]
    TooManyCorrections,
    /// One term, twice.
    #[error("an amendment corrects each finding once")]
    SaidTwice,
    /// The chart never had this term.
    #[error("no such finding in this session's chart")]
    NoSuchFinding,
    /// Neither ordered nor proposed.
    #[error("no such test among those that the panel ordered or proposed")]
    NoSuchTest,
    /// Every finding would be gone.
    #[error("this would leave no finding to reason on")]
    NothingLeft,
    /// The session has been amended too often, or its chart is full.
    #[error("this session takes no more amendments; convene a new one")]
    Full,
}

/// Takes in what a person states: escalations that are open lapse, for what they showed is no longer what is known.
pub(crate) fn amended(
    panel: &mut Panel,
    (by, at_unix_ms): (&str, i64),
    corrections: &[Correction],
    text: &str,
    about: Option<&TestId>,
) -> Result<Vec<Command>, StepError> {
    if !panel.state.can_go_back() {
        return Err(out_of_place("amended", panel));
    }
    check(&panel.session, corrections, text).map_err(StepError::Amendment)?;
    if let Some(test) = about {
        reported(panel, test)?;
    }
    reopen(panel);
    let number = u32::try_from(panel.session.amendments.len()).unwrap_or(u32::MAX);
    let corrections = corrections.iter().map(|c| correct(&mut panel.session, number, c));
    let corrections = corrections.collect::<Result<Vec<_>, _>>().map_err(StepError::Amendment)?;
    if !corrections.is_empty() && panel.session.chart.findings.is_empty() {
        return Err(StepError::Amendment(AmendmentError::NothingLeft));
    }
    let (by, text, about) = (by.to_owned(), text.to_owned(), about.cloned());
    let silent = text.trim().is_empty();
    panel.session.amendments.push(Amendment { by, at_unix_ms, corrections, text, about });
    if silent {
        return Ok(reason(panel));
    }
    let (call, command) = ask(panel, Inquiry::Read { amendment: number });
    panel.state = State::Reading { call, amendment: Some(number) };
    Ok(vec![command])
}

fn check(session: &Session, corrections: &[Correction], text: &str) -> Result<(), AmendmentError> {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let twice = |(n, one): (usize, &Correction)| corrections.iter().take(n).any(|other| other.term == one.term);
    let most = session.chart.findings.len() + corrections.len() + text.len() / SHORTEST_NAME;
    match () {
        () if corrections.is_empty() && text.trim().is_empty() => Err(AmendmentError::Empty),
        () if text.len() > MOST_TEXT => Err(AmendmentError::TooLong),
        () if text.chars().any(odd) => Err(AmendmentError::Control),
        () if corrections.len() > MOST_CORRECTIONS => Err(AmendmentError::TooManyCorrections),
        () if corrections.iter().enumerate().any(twice) => Err(AmendmentError::SaidTwice),
        () if session.amendments.len() >= MOST_AMENDMENTS || most > MOST_FINDINGS => Err(AmendmentError::Full),
        () => Ok(()),
    }
}

/// The test was done outside: no money of this session's was spent on it. One that the panel paid for stays as it is.
fn reported(panel: &mut Panel, test: &TestId) -> Result<(), StepError> {
    let Some(round) = panel.state.round().cloned() else { return Err(out_of_place("amended", panel)) };
    let status = panel.session.orders.iter().find(|o| o.test == *test).map(|o| o.status);
    if status.is_none() && !round.plan.proposals.iter().any(|p| p.test == *test) {
        return Err(StepError::Amendment(AmendmentError::NoSuchTest));
    }
    if status != Some(OrderStatus::Done) {
        note_order(panel, &round, test, OrderStatus::Reported);
    }
    Ok(())
}

fn correct(session: &mut Session, amendment: u32, correction: &Correction) -> Result<Corrected, AmendmentError> {
    let Correction { term, said } = correction.clone();
    let place = session.chart.findings.iter().position(|f| f.term == term);
    let known = place.and_then(|at| session.chart.findings.get(at)).map(|f| (f.label.clone(), Some(f.presence)));
    let known = known.or_else(|| session.corrected(&term).map(|before| (before.label.clone(), None)));
    let (label, was) = known.ok_or(AmendmentError::NoSuchFinding)?;
    let presence = match said {
        Said::Present => Some(Presence::Present),
        Said::Excluded => Some(Presence::Excluded),
        Said::NotSaid => None,
    };
    match presence {
        Some(presence) => {
            let origin = Origin::Corrected { amendment };
            session.put(Finding { term: term.clone(), label: label.clone(), presence, origin, past: false });
        }
        None => session.chart.findings.retain(|f| f.term != term),
    }
    Ok(Corrected { term, label, was, said })
}

/// Takes in what intake read in an added text: a later statement replaces an earlier one, but never a correction.
pub(crate) fn heard(panel: &mut Panel, call: u32, intake: &Intake) -> Result<Vec<Command>, StepError> {
    let State::Reading { call: asked, amendment: Some(number) } = panel.state else {
        return Err(StepError::WrongAnswer(call));
    };
    let text = usize::try_from(number).ok().and_then(|n| panel.session.amendments.get(n)).map(|a| a.text.clone());
    let (Some(text), true) = (text, asked == call) else { return Err(StepError::WrongAnswer(call)) };
    for finding in &intake.findings {
        // No finding without its words: whatever else intake may claim was not said here.
        let Origin::Text(span) = finding.origin else { return Err(StepError::WrongAnswer(call)) };
        if !lies_in(span, &text) {
            return Err(StepError::WrongAnswer(call));
        }
        // What is told of the past does not take the place of what is told of now.
        let told = |f: &Finding| f.term == finding.term && !f.past;
        let outdone = finding.past && panel.session.chart.findings.iter().any(told);
        if !outdone && panel.session.corrected(&finding.term).is_none() {
            panel.session.put(Finding { origin: Origin::Added { amendment: number, span }, ..finding.clone() });
        }
    }
    let chart = &mut panel.session.chart;
    let ignored = intake.ignored.iter().filter(|i| !chart.ignored.contains(i)).cloned().collect::<Vec<_>>();
    chart.ignored.extend(ignored);
    let both = intake.contradictory.iter().filter(|t| !chart.contradictory.contains(t)).cloned().collect::<Vec<_>>();
    chart.contradictory.extend(both);
    Ok(reason(panel))
}

fn lies_in(span: Span, text: &str) -> bool {
    let place = usize::try_from(span.start).ok().zip(usize::try_from(span.end).ok());
    place.is_some_and(|(start, end)| start < end && text.get(start..end).is_some())
}

impl Session {
    /// The last correction of this term by a person: it stands against whatever is read later.
    pub(crate) fn corrected(&self, term: &TermId) -> Option<&Corrected> {
        self.amendments.iter().rev().flat_map(|a| &a.corrections).find(|c| c.term == *term)
    }

    /// Puts the finding in the place of an earlier one of its term, or at the end.
    fn put(&mut self, finding: Finding) {
        let findings = &mut self.chart.findings;
        match findings.iter_mut().find(|f| f.term == finding.term) {
            Some(known) => *known = finding,
            None => findings.push(finding),
        }
    }
}
