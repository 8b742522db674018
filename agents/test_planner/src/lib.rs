//! The test planner: which test is worth its price.

use bodh_clinical::{Member, Opinion, Question};
use bodh_inference::{check_chart, check_differential, plan};
use bodh_knowledge::{Pack, Refusal};

/// Which member of the panel this is.
pub const MEMBER: Member = Member::TestPlanner;

/// Most tests that can be done in one session.
const MOST_DONE: usize = 1_000;

/// Proposes tests, best expected gain per dollar first.
pub fn answer(question: &Question, pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::Plan { subject, findings, differential, done } => {
            check_chart(pack, subject, findings)?;
            check_differential(differential)?;
            if done.len() > MOST_DONE {
                return Err(Refusal::TooMany { what: "tests done", limit: MOST_DONE });
            }
            Ok(Opinion::Plan(plan(pack, findings, differential, done)))
        }
        _ => Err(Refusal::NotMine { member: MEMBER.name() }),
    }
}
