//! The second opinion: semantic similarity, which uses no likelihood at all.
//!
//! Each present finding is matched with the most informative term that the disease shows at or above it (Resnik 1995);
//! a disease's score is the sum over the findings (Köhler et al. 2009, one-way), divided by the information of all
//! findings, so that 1 means every finding is explained exactly.

use crate::chart::{information, signs};
use crate::domain::Domain;
use crate::posterior::{Prior, differential, one_of_twins};
use bodh_clinical::{Differential, Finding, Presence, Subject};
use bodh_knowledge::{NEVER, Pack, Revision, TermIx, rate_of};

/// Exponent that turns similarity into a share: probabilities are proportional to `exp(sharpness · similarity)`,
/// chosen so that the leading share is about as large as the share of published cases in which it is right.
const SHARPNESS: f64 = 20.0;
/// Odds of "none of these" at similarity 0.
const OTHER_ODDS: f64 = 1.0e6;
/// Exponent of the rate in a match, so that a finding that few patients have counts less.
const RATE_WEIGHT: f64 = 0.1;
/// What a disease with many findings pays.
const BREADTH: f64 = 0.05;

/// Ranks all diseases by semantic similarity; and by what speaks for each before any finding. Its hypotheses carry no claims.
#[must_use]
pub fn second_opinion(pack: &Pack, subject: &Subject, findings: &[Finding]) -> Differential {
    let signs = signs(pack, findings);
    let revision = Revision::default();
    let prior = Prior::new(pack, subject, &signs, &revision);
    let present: Vec<TermIx> =
        signs.iter().filter(|s| s.presence == Presence::Present && s.weight > 0.0).map(|s| s.term).collect();
    let all = Domain::ALL.map(|domain| present.iter().map(|t| information(pack, domain, *t)).sum::<f64>());
    let ([of_rare, of_curated], general) = (all, pack.general_count());
    if all.iter().any(|sum| *sum <= 0.0) {
        return Differential { other: 1.0, ..Differential::default() };
    }
    let discounts: [f64; 256] = std::array::from_fn(|s| rate_of(u8::try_from(s).unwrap_or(u8::MAX)).powf(RATE_WEIGHT));
    let mut scores = vec![0.0; pack.disease_count()];
    let mut best = vec![0.0f64; pack.disease_count()];
    for finding in present {
        best.fill(0.0);
        for term in pack.ancestors(finding) {
            let [rare, curated] = Domain::ALL.map(|domain| information(pack, domain, term));
            for (disease, step) in pack.rates(term) {
                let worth = if (disease.0 as usize) < general { curated } else { rare };
                let discount = discounts.get(usize::from(step)).copied().filter(|_| step != NEVER).unwrap_or(0.0);
                if let Some(slot) = best.get_mut(disease.0 as usize) {
                    *slot = slot.max(worth * discount);
                }
            }
        }
        for (place, (score, best)) in scores.iter_mut().zip(&best).enumerate() {
            *score += best / if place < general { of_curated } else { of_rare };
        }
    }
    for (score, disease) in scores.iter_mut().zip(pack.diseases()) {
        *score = SHARPNESS * (*score - BREADTH * pack.breadth(disease)) + prior.log(disease);
    }
    one_of_twins(pack, &mut scores);
    differential(pack, &scores, OTHER_ODDS, |_| 0.0, |_, _| Vec::new())
}
