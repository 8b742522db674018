//! Probabilities that mean what they say.
//!
//! Findings are not independent and a pack is never whole, so a product of likelihood ratios is too sure of itself in some
//! charts and not sure enough in others. What the leading diagnosis' probability should be follows (Platt 1999, logistic
//! scaling) from its raw log odds; from how much evidence it has per finding; from how many findings there are, and how many of
//! them it is known for in these very terms. The listed hypotheses are then raised to one common exponent, so that the leading one
//! has that probability and the odds between any two are still those that their claims give, to that exponent. It is stated in
//! the differential.

use crate::chart::Sign;
use crate::domain::{Domain, size};
use bodh_clinical::{Differential, Hypothesis, Presence};
use bodh_knowledge::Pack;
use std::f64::consts::LN_2;

/// What the probability follows from.
#[derive(Debug, Clone, Copy)]
struct Grounds {
    /// Raw log odds of the leading diagnosis.
    odds: f64,
    /// What speaks for it, per present finding; natural units.
    evidence: f64,
    /// Share of the present findings that it is known for in these very terms, times the logarithm of how many there are.
    exact: f64,
    /// Logarithm of how many present findings there are.
    count: f64,
}

/// Intercept, and the weights of the grounds in their order.
type Curve = [f64; 5];

/// Fitted on every third of 5,869 published cases together with the same cases without their own publication, the latter at 0.3 of
/// the weight: a patient's disease is described by others' cases. Over held-out fifths of those publications the error is 0.034 on
/// the former and 0.105 on the latter.
const RARE: Curve = [-2.7992, 0.5271, 0.6528, 2.0733, -1.1803];
/// Fitted on 72 examination cases and 120 of our own that nothing else was chosen on: too few for more than two numbers.
const GENERAL: Curve = [-0.3, 0.3, 0.0, 0.0, 0.0];
/// Raw log odds beyond these count as these: there were hardly any to fit to.
const ODDS: (f64, f64) = (-8.0, 12.0);
/// Bounds of the exponent.
pub(crate) const EXPONENTS: (f64, f64) = (0.2, 5.0);
/// Halvings of the interval in which the exponent lies: more than a number of 64 bits can tell apart.
const HALVINGS: usize = 60;

impl Grounds {
    fn of(leading: &Hypothesis) -> Self {
        let raw = leading.probability;
        let present = || leading.claims.iter().filter(|claim| claim.presence == Presence::Present);
        let count = size(present().count()).max(1.0);
        let exact = size(present().filter(|claim| claim.matched.as_ref() == Some(&claim.finding)).count());
        Self {
            odds: (raw / (1.0 - raw)).ln().clamp(ODDS.0, ODDS.1),
            evidence: sum_of_bits(leading) * LN_2 / count,
            exact: exact / count * count.ln(),
            count: count.ln(),
        }
    }

    /// What the leading diagnosis' probability should be.
    fn probability(self, domain: Domain) -> f64 {
        let [intercept, odds, evidence, exact, count] = match domain {
            Domain::Rare => RARE,
            Domain::General => GENERAL,
        };
        let log_odds =
            intercept + odds * self.odds + evidence * self.evidence + exact * self.exact + count * self.count;
        1.0 / (1.0 + (-log_odds).exp())
    }
}

/// The sum of what speaks for a hypothesis, in bits.
pub(crate) fn sum_of_bits(hypothesis: &Hypothesis) -> f64 {
    hypothesis.prior_bits + hypothesis.claims.iter().map(|claim| claim.bits).sum::<f64>()
}

/// Calibrates a differential whose probabilities are the plain product of their claims.
pub(crate) fn calibrate(pack: &Pack, signs: &[Sign], mut differential: Differential) -> Differential {
    let Some(leading) = differential.leading() else { return differential };
    let Some(disease) = pack.disease(leading.id.as_str()) else { return differential };
    if signs.iter().all(|sign| sign.presence != Presence::Present) {
        // Before any finding nothing was multiplied: what was there before is what it is.
        return Differential { exponent: 1.0, ..differential };
    }
    let wanted = Grounds::of(leading).probability(Domain::of(pack, disease));
    let logs: Vec<f64> = differential.hypotheses.iter().map(|h| h.probability.max(f64::MIN_POSITIVE).ln()).collect();
    let listed: f64 = differential.hypotheses.iter().map(|h| h.probability).sum();
    let first = logs.first().copied().unwrap_or(0.0);
    let share = |exponent: f64| listed / logs.iter().map(|log| (exponent * (log - first)).exp()).sum::<f64>();
    let (mut low, mut high) = EXPONENTS;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if share(middle) < wanted { low = middle } else { high = middle }
    }
    let exponent = f64::midpoint(low, high);
    let leading = share(exponent);
    for (hypothesis, log) in differential.hypotheses.iter_mut().zip(&logs) {
        hypothesis.probability = leading * (exponent * (log - first)).exp();
    }
    differential.exponent = exponent;
    differential
}

/// The hypotheses, by their place, whose probability is not what their claims give.
pub(crate) fn out_of_line(differential: &Differential, tolerance: f64) -> Vec<usize> {
    let (least, most) = EXPONENTS;
    let sound = (least..=most).contains(&differential.exponent);
    // The same for every hypothesis of a sound differential: the logarithm of what all share.
    let shared = |h: &Hypothesis| h.probability.log2() - differential.exponent * sum_of_bits(h);
    let constants: Vec<f64> = differential.hypotheses.iter().map(shared).collect();
    let mut sorted: Vec<f64> = constants.iter().copied().filter(|c| c.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(middle) = sorted.get(sorted.len() / 2) else { return (0..constants.len()).collect() };
    let near = |c: &f64| (c - middle).abs() <= tolerance;
    constants.iter().enumerate().filter(|(_, c)| !(sound && near(c))).map(|(place, _)| place).collect()
}
