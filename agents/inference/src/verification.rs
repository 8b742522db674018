//! Does the reasoning hold, and do two methods agree?

use crate::calibration::out_of_line;
use crate::chart::{Sign, signs};
use crate::claim::Claimant;
use crate::posterior::{Prior, SHOWN};
use bodh_clinical::{Claim, Differential, Finding, Refutation, RefutationCause, Subject, Verification};
use bodh_knowledge::{Pack, Refusal, Revision};
use std::collections::{BTreeMap, BTreeSet};

/// How far a stated number may be from the re-derived one, in bits.
const TOLERANCE: f64 = 1e-9;
/// How far the logarithm of a probability may be from what its claims give, in bits: beyond what rounding does.
const TOLERANCE_OF_ODDS: f64 = 1e-4;
/// Persistence and depth of rank-biased overlap (Webber, Moffat and Zobel 2010): about two thirds of the weight lies
/// on the first three ranks.
const PERSISTENCE: f64 = 0.7;
const DEPTH: usize = 10;

/// Re-derives every claim of `differential` and what it builds on from the chart, the person and the pack, and compares it with
/// `second`. A prior that does not follow, or a probability that is not what its claims give, takes the hypothesis' first claim
/// with it: nothing multiplied with it stands.
#[must_use]
pub fn verify(
    pack: &Pack,
    subject: &Subject,
    findings: &[Finding],
    differential: &Differential,
    second: &Differential,
) -> Verification {
    let signs = signs(pack, findings);
    let revision = Revision::default();
    let prior = Prior::new(pack, subject, &signs, &revision);
    let chart: BTreeMap<String, Sign> = signs.into_iter().map(|s| (pack.term_id(s.term).to_owned(), s)).collect();
    let mut refuted = Vec::new();
    let mut checked = 0u32;
    let out_of_line = out_of_line(differential, TOLERANCE_OF_ODDS);
    for (place, hypothesis) in differential.hypotheses.iter().enumerate() {
        let before = refuted.len();
        let disease = pack.disease(hypothesis.id.as_str());
        let claimant = disease.map(|d| Claimant::new(pack, &revision, d, hypothesis.id.clone()));
        let follows = disease.is_some_and(|d| (prior.bits(d) - hypothesis.prior_bits).abs() <= TOLERANCE);
        for (place, stated) in hypothesis.claims.iter().enumerate() {
            checked = checked.saturating_add(1);
            let derive =
                |sign: &Sign| claimant.as_ref().filter(|_| hypothesis.id == stated.disease).map(|c| c.claim(sign));
            let cause = refute(&chart, stated, derive);
            let cause = cause.or((place == 0 && !follows).then_some(RefutationCause::WrongRatio));
            refuted.extend(cause.map(|cause| Refutation { claim: stated.id.clone(), cause }));
        }
        let sound = refuted.len() == before && out_of_line.contains(&place);
        if let (true, Some(first)) = (sound, hypothesis.claims.first()) {
            refuted.push(Refutation { claim: first.id.clone(), cause: RefutationCause::WrongRatio });
        }
    }
    let leading = |d: &Differential| d.leading().map(|h| h.id.clone());
    Verification {
        refuted,
        dissent: dissent(differential, second),
        same_leading: leading(differential).is_some() && leading(differential) == leading(second),
        checked,
    }
}

/// Why a claim does not stand, if it does not.
fn refute(
    chart: &BTreeMap<String, Sign>,
    stated: &Claim,
    derive: impl Fn(&Sign) -> Option<Claim>,
) -> Option<RefutationCause> {
    let Some(sign) = chart.get(stated.finding.as_str()).filter(|s| s.presence == stated.presence) else {
        return Some(RefutationCause::NotInChart);
    };
    let Some(derived) = derive(sign).filter(|d| d.matched == stated.matched && d.id == stated.id) else {
        return Some(RefutationCause::NotInPack);
    };
    let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE;
    let frequency = match (derived.frequency, stated.frequency) {
        (Some(a), Some(b)) => near(a, b),
        (None, None) => true,
        _ => false,
    };
    if !near(derived.bits, stated.bits) || !near(derived.background, stated.background) || !frequency {
        return Some(RefutationCause::WrongRatio);
    }
    (derived.sources != stated.sources).then_some(RefutationCause::WrongSource)
}

/// 1 minus the rank-biased overlap of two differentials: 0 for the same order, 1 for nothing in common.
#[must_use]
pub fn dissent(one: &Differential, other: &Differential) -> f64 {
    let ids = |d: &Differential| d.hypotheses.iter().take(DEPTH).map(|h| h.id.as_str().to_owned()).collect::<Vec<_>>();
    let (one, other) = (ids(one), ids(other));
    let depth = one.len().max(other.len());
    if depth == 0 {
        return 0.0;
    }
    let (mut overlap, mut weights, mut weight) = (0.0, 0.0, 1.0);
    let (mut left, mut right, mut depth_so_far) = (BTreeSet::new(), BTreeSet::new(), 0.0);
    for rank in 0..depth {
        left.extend(one.get(rank));
        right.extend(other.get(rank));
        depth_so_far += 1.0;
        let common = left.intersection(&right).map(|_| 1.0).sum::<f64>();
        overlap += weight * common / depth_so_far;
        weights += weight;
        weight *= PERSISTENCE;
    }
    1.0 - overlap / weights
}

/// Refuses a differential that is longer than one can be, repeats a disease, or has impossible numbers.
pub fn check_differential(differential: &Differential) -> Result<(), Refusal> {
    if differential.hypotheses.len() > SHOWN {
        return Err(Refusal::TooMany { what: "hypotheses", limit: SHOWN });
    }
    let share = |p: f64| (0.0..=1.0).contains(&p);
    let mut seen = BTreeSet::new();
    for hypothesis in &differential.hypotheses {
        if hypothesis.claims.len() > crate::MOST_FINDINGS {
            return Err(Refusal::TooMany { what: "claims", limit: crate::MOST_FINDINGS });
        }
        if !share(hypothesis.probability) {
            return Err(Refusal::OutOfRange { what: "a probability" });
        }
        if !seen.insert(&hypothesis.id) {
            return Err(Refusal::Repeated);
        }
    }
    if share(differential.other) { Ok(()) } else { Err(Refusal::OutOfRange { what: "a probability" }) }
}
