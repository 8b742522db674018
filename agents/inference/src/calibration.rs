//! Probabilities that mean what they say.
//!
//! Findings are not independent and a pack is never whole, so a product of likelihood ratios is too sure of itself in some
//! charts and not sure enough in others. What the leading diagnosis' probability should be follows from two numbers (Platt
//! 1999, logistic scaling): its raw log odds, and how much evidence it has per finding. The listed hypotheses are then raised
//! to one common exponent, so that the leading one has that probability and the odds between any two are still those that
//! their claims give, to that exponent. It is stated in the differential.

use crate::chart::Sign;
use crate::domain::Domain;
use bodh_clinical::{Differential, Hypothesis, Presence};
use bodh_knowledge::Pack;
use std::f64::consts::LN_2;

/// Intercept, weight of the raw log odds, and weight of the evidence per finding (natural units).
type Curve = [f64; 3];

/// Fitted on 5,869 published cases, all annotations. Where a case's own publication is left out it is too sure by 0.176.
const RARE: Curve = [-2.12, 0.67, 0.73];
/// Fitted on 72 examination cases, and so coarse: only flattened.
const GENERAL: Curve = [0.0, 0.45, 0.0];
/// Bounds of the exponent.
pub(crate) const EXPONENTS: (f64, f64) = (0.2, 5.0);
/// Less weight than this is no chart.
const LEAST_WEIGHT: f64 = 0.5;
/// Halvings of the interval in which the exponent lies: more than a number of 64 bits can tell apart.
const HALVINGS: usize = 60;

/// What the leading diagnosis' probability should be.
fn target(domain: Domain, raw: f64, evidence: f64) -> f64 {
    let [intercept, odds, per_finding] = match domain {
        Domain::Rare => RARE,
        Domain::General => GENERAL,
    };
    let log_odds = (raw / (1.0 - raw).max(1e-9)).max(1e-9).ln();
    1.0 / (1.0 + (-(intercept + odds * log_odds + per_finding * evidence)).exp())
}

/// The sum of what speaks for a hypothesis, in bits.
pub(crate) fn sum_of_bits(hypothesis: &Hypothesis) -> f64 {
    hypothesis.prior_bits + hypothesis.claims.iter().map(|claim| claim.bits).sum::<f64>()
}

/// Calibrates a differential whose probabilities are the plain product of their claims.
pub(crate) fn calibrate(pack: &Pack, signs: &[Sign], mut differential: Differential) -> Differential {
    let Some(leading) = differential.leading() else { return differential };
    let Some(disease) = pack.disease(leading.id.as_str()) else { return differential };
    let mut present = signs.iter().filter(|s| s.presence == Presence::Present).peekable();
    if present.peek().is_none() {
        // Before any finding nothing was multiplied: what was there before is what it is.
        return Differential { exponent: 1.0, ..differential };
    }
    let weight: f64 = present.map(|s| s.weight).sum::<f64>().max(LEAST_WEIGHT);
    let evidence = sum_of_bits(leading) * LN_2 / weight;
    let wanted = target(Domain::of(pack, disease), leading.probability, evidence);
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
