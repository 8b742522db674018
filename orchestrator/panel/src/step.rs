//! The step function: one event, the next panel, the commands to carry out.

use crate::{
    Act, AmendmentError, AskError, Command, Event, FailureCause, Inquiry, MAX_TRIES, Panel, State, Withdrawal, amend,
    asked, conclude, deliberate, pair,
};
use bodh_clinical::{Member, Opinion};

/// Why an event does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// This event cannot happen in this state.
    #[error("a {event} event does not fit the state {state}")]
    OutOfPlace {
        /// The event.
        event: &'static str,
        /// The state.
        state: &'static str,
    },
    /// The answer is to no outstanding question.
    #[error("no question {0} is outstanding")]
    NoSuchCall(u32),
    /// The answer is of another kind than the question.
    #[error("the answer to question {0} is of another kind")]
    WrongAnswer(u32),
    /// As many rulings as acts are needed.
    #[error("{rulings} rulings for {acts} acts")]
    WrongRulings {
        /// Given.
        rulings: usize,
        /// Needed.
        acts: usize,
    },
    /// No open escalation of this id.
    #[error("no such open escalation")]
    NoSuchEscalation,
    /// The decision is on another session, or on another amount than shown.
    #[error("the decision does not match the escalation")]
    Mismatch,
    /// Both approvals are one person's.
    #[error("two different people approve this, and you have approved it already")]
    SameSigner,
    /// The claim is not in the differential.
    #[error("no such claim in this session's differential")]
    NoSuchClaim,
    /// The amendment cannot be taken in.
    #[error(transparent)]
    Amendment(AmendmentError),
    /// What is asked for cannot be asked for.
    #[error(transparent)]
    Asking(AskError),
}

/// One event. The commands are also kept in `outstanding` until an event answers them.
///
/// # Errors
/// When the event does not fit; the panel is then unchanged (it was taken by reference).
pub fn step(panel: &Panel, event: &Event, at_unix_ms: i64) -> Result<(Panel, Vec<Command>), StepError> {
    let mut next = panel.clone();
    let commands = match event {
        Event::Begun => deliberate::begin(&mut next)?,
        Event::Answered { call, opinion } => {
            settle_call(&mut next, *call)?;
            answered(&mut next, *call, opinion)?
        }
        Event::Opened { call, intake, withheld } => {
            settle_call(&mut next, *call)?;
            deliberate::extracted(&mut next, *call, intake, *withheld)?
        }
        Event::Failed { call, cause } => failed(&mut next, *call, *cause)?,
        Event::Ruled { rulings, salt } => conclude::ruled(&mut next, rulings, salt, at_unix_ms)?,
        Event::Resulted { test, findings } => deliberate::resulted(&mut next, test, findings)?,
        Event::NotSpent { test } => deliberate::not_spent(&mut next, test)?,
        Event::Decided { decision, label } => conclude::decided(&mut next, decision, label.as_deref())?,
        Event::Voided { escalation } => pair::voided(&mut next, escalation)?,
        Event::Marked { claim, incident } => conclude::marked(&mut next, claim, incident)?,
        Event::Amended { by, corrections, text, about } => {
            amend::amended(&mut next, (by, at_unix_ms), corrections, text, about.as_ref())?
        }
        Event::Expired => conclude::expired(&mut next)?,
        Event::Stopped => conclude::stopped(&mut next)?,
    };
    next.outstanding.extend(commands.iter().filter(|c| c.is_answered()).cloned());
    Ok((next, commands))
}

/// The panel after all `events`, in order; the same on every machine.
///
/// # Errors
/// The first event that does not fit, by its index.
pub fn fold<'e>(
    opened: &Panel,
    events: impl IntoIterator<Item = &'e (i64, Event)>,
) -> Result<Panel, (usize, StepError)> {
    let mut panel = opened.clone();
    for (index, (at, event)) in events.into_iter().enumerate() {
        panel = step(&panel, event, *at).map_err(|error| (index, error))?.0;
    }
    Ok(panel)
}

pub(crate) fn out_of_place(event: &'static str, panel: &Panel) -> StepError {
    StepError::OutOfPlace { event, state: panel.state.name() }
}

/// Puts a question: the next number, first try.
pub(crate) fn ask(panel: &mut Panel, inquiry: Inquiry) -> (u32, Command) {
    panel.session.calls += 1;
    let call = panel.session.calls;
    (call, Command::Ask { call, attempt: 1, inquiry })
}

/// Takes the outstanding question `call` off the list.
fn settle_call(panel: &mut Panel, call: u32) -> Result<Command, StepError> {
    let asked = |c: &Command| matches!(c, Command::Ask { call: asked, .. } if *asked == call);
    let index = panel.outstanding.iter().position(asked).ok_or(StepError::NoSuchCall(call))?;
    Ok(panel.outstanding.remove(index))
}

/// Takes the outstanding command that `is` names off the list.
pub(crate) fn settle(panel: &mut Panel, event: &'static str, is: impl Fn(&Command) -> bool) -> Result<(), StepError> {
    let index = panel.outstanding.iter().position(is).ok_or_else(|| out_of_place(event, panel))?;
    panel.outstanding.remove(index);
    Ok(())
}

fn answered(panel: &mut Panel, call: u32, opinion: &Opinion) -> Result<Vec<Command>, StepError> {
    match opinion {
        Opinion::Extract(intake) if matches!(panel.state, State::Reading { amendment: Some(_), .. }) => {
            amend::heard(panel, call, intake)
        }
        Opinion::Extract(intake) => deliberate::extracted(panel, call, intake, 0),
        Opinion::Differential(differential) => deliberate::differential(panel, call, differential),
        Opinion::SecondOpinion(second) => deliberate::second(panel, call, second),
        Opinion::Verify(verification) => deliberate::verified(panel, call, verification),
        Opinion::Plan(plan) => deliberate::planned(panel, call, plan),
        Opinion::Price(pricing) if matches!(panel.state, State::Costing { .. }) => asked::costed(panel, call, pricing),
        Opinion::Price(pricing) => deliberate::priced(panel, call, pricing),
        Opinion::Next(supervision) => deliberate::supervised(panel, call, supervision),
    }
}

/// A failed question is put again, at most [`MAX_TRIES`] times in all; then the session is given up, never guessed.
fn failed(panel: &mut Panel, call: u32, cause: FailureCause) -> Result<Vec<Command>, StepError> {
    let Command::Ask { attempt, inquiry, .. } = settle_call(panel, call)? else {
        return Err(StepError::NoSuchCall(call));
    };
    // A crash of ours is no fault of the agent's: it does not use up a try.
    if attempt < MAX_TRIES || cause == FailureCause::Interrupted {
        return Ok(vec![Command::Ask { call, attempt: attempt + 1, inquiry }]);
    }
    let member: Member = inquiry.member();
    Ok(withdraw(panel, Withdrawal::AgentFailed { member, cause }))
}

/// Gives the session up.
pub(crate) fn withdraw(panel: &mut Panel, why: Withdrawal) -> Vec<Command> {
    let round = panel.state.round().cloned();
    panel.outstanding.clear();
    panel.state = State::Withdrawn { why, round };
    vec![Command::Close]
}

/// Has policy rule on `acts`.
pub(crate) fn authorize(panel: &mut Panel, round: crate::Round, acts: Vec<Act>) -> Vec<Command> {
    panel.state = State::Ruling { round, acts: acts.clone() };
    vec![Command::Authorize { acts }]
}
