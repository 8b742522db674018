//! The next step and its reasons.

use bodh_clinical::{Differential, Plan, Proposal, Step, Supervision, TestId, Usd, Verification};
use bodh_inference::ROUND;

/// Rounds after which nothing more is ordered.
const MOST_ROUNDS: u32 = 80;
/// A leading probability that further tests will hardly change.
const SETTLED: f64 = 0.97;
/// A leading probability below which nothing leads.
const LEADS: f64 = 0.10;
/// Expected gain per US dollar, the round's own cost included, that is not worth another order, in bits.
const NEGLIGIBLE: f64 = 0.0003;

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
    if round >= MOST_ROUNDS {
        reasons.push(format!("{MOST_ROUNDS} rounds are the most"));
        return ended(leading, differential, reasons);
    }
    let worth = if leading >= SETTLED {
        reasons.push("further tests would hardly change it".to_owned());
        None
    } else {
        worth_ordering(plan, done)
    };
    if let Some(proposal) = worth {
        reasons.push(format!("{} is expected to tell {:.2} bits", proposal.test, proposal.gain_bits));
        return Supervision { step: Step::Order(proposal.test.clone()), reasons };
    }
    // The panel does not stop while something that must not be missed is open.
    let settling =
        plan.proposals.iter().find_map(|p| p.settles.as_ref().filter(|_| !done.contains(&p.test)).zip(Some(p)));
    if let Some((condition, proposal)) = settling {
        reasons.push(format!("{} settles {condition}, which must not be missed", proposal.test));
        return Supervision { step: Step::Order(proposal.test.clone()), reasons };
    }
    if leading < SETTLED {
        reasons.push("no further test is worth its price".to_owned());
    }
    ended(leading, differential, reasons)
}

/// The best proposal that is not done. One over budget is proposed too: whether to pay is for a human to say.
fn worth_ordering<'a>(plan: &'a Plan, done: &[TestId]) -> Option<&'a Proposal> {
    let worth = |p: &&Proposal| p.gain_bits / (p.price.map_or(ROUND, Usd::dollars) + ROUND);
    plan.proposals.iter().filter(|p| !done.contains(&p.test)).find(|p| worth(p) >= NEGLIGIBLE)
}

/// Concludes when something leads, else gives the case to a physician undecided.
fn ended(leading: f64, differential: &Differential, mut reasons: Vec<String>) -> Supervision {
    if leading >= LEADS && leading > differential.other {
        return Supervision { step: Step::Conclude, reasons };
    }
    reasons.push("nothing leads: a physician decides".to_owned());
    Supervision { step: Step::Defer, reasons }
}
