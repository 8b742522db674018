//! The supervisor: the next step, with its reasons.
//!
//! It never turns a lack of money or of tests into a diagnosis: where nothing leads, it defers to a physician.

mod step;

use bodh_clinical::{Member, Opinion, Question};
use bodh_inference::check_differential;
use bodh_knowledge::{Pack, Refusal};
use step::next;

/// Which member of the panel this is.
pub const MEMBER: Member = Member::Supervisor;

/// Most proposals, price lines and tests done that a question may bring.
const MOST_TESTS: usize = 1_000;
/// Most refutations: as many as a differential has claims.
const MOST_REFUTED: usize = 50_000;

/// Proposes the next step.
pub fn answer(question: &Question, _pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::Next { sequential, round, differential, verification, plan, pricing, done } => {
            check_differential(differential)?;
            for (what, count, limit) in [
                ("proposals", plan.proposals.len(), MOST_TESTS),
                ("price lines", pricing.lines.len(), MOST_TESTS),
                ("tests done", done.len(), MOST_TESTS),
                ("refutations", verification.refuted.len(), MOST_REFUTED),
            ] {
                if count > limit {
                    return Err(Refusal::TooMany { what, limit });
                }
            }
            if plan.proposals.iter().any(|p| !p.gain_bits.is_finite() || p.gain_bits < 0.0) {
                return Err(Refusal::OutOfRange { what: "an expected gain" });
            }
            if !(0.0..=1.0).contains(&verification.dissent) {
                return Err(Refusal::OutOfRange { what: "the dissent" });
            }
            Ok(Opinion::Next(next(*sequential, *round, differential, verification, plan, done)))
        }
        _ => Err(Refusal::NotMine { member: MEMBER.name() }),
    }
}
