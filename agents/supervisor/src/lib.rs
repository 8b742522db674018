//! The supervisor: the next step, with its reasons.
//!
//! It never turns a lack of money or of tests into a diagnosis: where nothing leads, it defers to a physician.

use bodh_clinical::{Differential, Member, Opinion, Plan, Proposal, Question, Step, Supervision, TestId, Verification};
use bodh_inference::check_differential;
use bodh_knowledge::{Pack, Refusal};

/// Which member of the panel this is.
pub const MEMBER: Member = Member::Supervisor;

/// Rounds after which nothing more is ordered.
const MOST_ROUNDS: u32 = 40;
/// A leading probability that further tests will hardly change.
const SETTLED: f64 = 0.95;
/// A leading probability below which nothing leads.
const LEADS: f64 = 0.10;
/// Expected gain that is not worth another order, in bits.
const NEGLIGIBLE_BITS: f64 = 0.02;
/// Most proposals, tests done and claims refuted that a question may bring.
const MOST: usize = 100_000;

/// Proposes the next step.
pub fn answer(question: &Question, _pack: &Pack) -> Result<Opinion, Refusal> {
    match question {
        Question::Next { sequential, round, differential, verification, plan, pricing, done } => {
            check_differential(differential)?;
            for (what, count) in [
                ("proposals", plan.proposals.len()),
                ("price lines", pricing.lines.len()),
                ("tests done", done.len()),
                ("refutations", verification.refuted.len()),
            ] {
                if count > MOST {
                    return Err(Refusal::TooMany { what, limit: MOST });
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

fn next(
    sequential: bool,
    round: u32,
    differential: &Differential,
    verification: &Verification,
    plan: &Plan,
    done: &[TestId],
) -> Supervision {
    let leading = differential.leading().map_or(0.0, |h| h.probability);
    let mut reasons = vec![format!("the leading diagnosis has probability {leading:.2}")];
    if !verification.refuted.is_empty() {
        reasons.push(format!("{} claims do not stand", verification.refuted.len()));
    }
    if !verification.same_leading {
        reasons.push(format!("the second opinion leads with another diagnosis (dissent {:.2})", verification.dissent));
    }
    if !sequential {
        reasons.push("no result can be awaited: what is in the chart is all there is".to_owned());
        return ended(leading, differential, reasons);
    }
    if leading >= SETTLED {
        reasons.push("further tests would hardly change it".to_owned());
        return ended(leading, differential, reasons);
    }
    if round >= MOST_ROUNDS {
        reasons.push(format!("{MOST_ROUNDS} rounds are the most"));
        return ended(leading, differential, reasons);
    }
    match worth_ordering(plan, done) {
        Some(proposal) => {
            reasons.push(format!("{} is expected to tell {:.2} bits", proposal.test, proposal.gain_bits));
            Supervision { step: Step::Order(proposal.test.clone()), reasons }
        }
        None => {
            reasons.push("no further test is worth its price".to_owned());
            ended(leading, differential, reasons)
        }
    }
}

/// The best proposal that is not done. One over budget is proposed too: whether to pay is for a human to say.
fn worth_ordering<'a>(plan: &'a Plan, done: &[TestId]) -> Option<&'a Proposal> {
    plan.proposals.iter().find(|p| !done.contains(&p.test) && p.gain_bits >= NEGLIGIBLE_BITS)
}

/// Concludes when something leads, else gives the case to a physician undecided.
fn ended(leading: f64, differential: &Differential, mut reasons: Vec<String>) -> Supervision {
    if leading >= LEADS && leading > differential.other {
        return Supervision { step: Step::Conclude, reasons };
    }
    reasons.push("nothing leads: a physician decides".to_owned());
    Supervision { step: Step::Defer, reasons }
}
