//! The next step and its reasons.

use bodh_clinical::{Differential, Plan, Proposal, Step, Supervision, TestId, Verification};

/// Rounds after which nothing more is ordered.
const MOST_ROUNDS: u32 = 40;
/// A leading probability that further tests will hardly change.
const SETTLED: f64 = 0.95;
/// A leading probability below which nothing leads.
const LEADS: f64 = 0.10;
/// Expected gain that is not worth another order, in bits.
const NEGLIGIBLE_BITS: f64 = 0.02;

/// What next, and why.
pub(crate) fn next(
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
