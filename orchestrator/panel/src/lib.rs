//! The panel at work: one session as a pure state machine.
//!
//! `step(panel, event)` gives the next panel and the commands to carry out. It reads no clock, draws no random
//! number and touches nothing outside: the runner stores each event with its queued audit entries in one transaction
//! *before* it carries out the commands, so folding the stored events gives the same panel after a crash.
//!
//! Out of scope: who may do what (`bodh-policy` rules on each [`Act`]; the panel only obeys), how a question reaches
//! an agent, and where anything is stored.

mod act;
mod amend;
mod asked;
mod command;
mod conclude;
mod course;
mod decision;
mod deliberate;
mod escalation;
mod event;
mod pair;
mod replay;
mod report;
mod rule;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use act::{Act, Ask, ConclusionFacts, OrderFacts, Ruling};
pub use amend::{Amendment, AmendmentError, Corrected, Correction, MOST_AMENDMENTS, MOST_CORRECTIONS, MOST_TEXT, Said};
pub use asked::{AskError, AskLine, Asked};
pub use command::{Call, Command, Inquiry};
pub use course::{Stage, Standing};
pub use decision::{Decision, DecisionError, Mark, REVIEW_MEANING, Reversal, Review, ReviewVerdict, Verdict};
pub use escalation::{Escalation, EscalationStatus, Shown, ShownClaim, ShownHypothesis, ShownTest};
pub use event::{Event, FailureCause};
pub use pair::First;
pub use replay::{Changed, Difference, Replay};
pub use report::{AmendmentLine, AuditLine, EscalationLine, OrderLine, Report, Status, Withdrawal};
pub use rule::{Resemblance, Reversed, ReviewRule};
pub use state::{Order, OrderStatus, Panel, Round, Session, State};
pub use step::{StepError, fold, step};

/// A session is convened for at most this many rounds; then it goes to a physician undecided.
pub const MAX_ROUNDS: u32 = 80;

/// How often a question is put to an agent that fails before the session is given up.
pub const MAX_TRIES: u32 = 5;

/// How many of the planner's proposals are put forward when orders cannot be committed.
pub const PROPOSALS: usize = 3;

/// A disease carries real mass from this probability on.
pub const REAL_MASS: f64 = 0.10;
