//! The posterior over all diseases, and the differential that is shown of it.

use crate::chart::{Sign, signs};
use crate::claim::{Claimant, Evidence, against, breadth, contribution, least, log_rate, log_ratio};
use bodh_clinical::{Differential, DiseaseId, Finding, Hypothesis, Presence, Subject};
use bodh_knowledge::{DiseaseIx, Pack, Refusal, Revision, rate_of};
use std::collections::BTreeSet;

/// Hypotheses in a differential.
pub(crate) const SHOWN: usize = 50;
/// Prior odds of "none of the pack's diseases" against one disease of the pack, per tempered finding: what is in no
/// pack explains every finding a little. Calibrated on published cases together with the tempering.
const OTHER_ODDS: f64 = 3.0;

/// Ranks all diseases of the pack on the findings of a chart.
///
/// The prior is flat (the release has no prevalence). Each hypothesis' claims sum, with the prior, to its log
/// posterior up to the normaliser that all share.
#[must_use]
pub fn rank(pack: &Pack, _subject: &Subject, findings: &[Finding], evidence: &Evidence<'_>) -> Differential {
    let signs = signs(pack, findings);
    if signs.is_empty() {
        return Differential { hypotheses: vec![], other: 1.0 };
    }
    let revision = evidence.exclude_publication.map(|p| pack.without(p)).unwrap_or_default();
    let scores = scores(pack, &signs, &revision);
    differential(pack, &scores, OTHER_ODDS, |disease, id| {
        let claimant = Claimant::new(pack, &revision, disease, id.clone());
        signs.iter().map(|sign| claimant.claim(sign)).collect()
    })
}

/// Tempered log likelihood ratios of all diseases.
fn scores(pack: &Pack, signs: &[Sign], revision: &Revision) -> Vec<f64> {
    let rates: [f64; 256] = std::array::from_fn(|step| log_rate(u8::try_from(step).unwrap_or(u8::MAX)));
    let breadths: Vec<f64> = pack.diseases().map(|d| pack.breadth(d)).collect();
    let mut scores = vec![0.0; pack.disease_count()];
    let mut ratios = vec![0.0; pack.disease_count()];
    for sign in signs.iter().filter(|s| s.weight > 0.0) {
        match sign.presence {
            Presence::Present => {
                ratios.fill(least());
                for (term, worth) in &sign.matches {
                    raise(pack, &mut ratios, &rates, *term, *worth);
                }
            }
            Presence::Excluded => {
                let background = pack.background(sign.term);
                ratios.fill(against(0.0, background));
                for (disease, step) in pack.rates(sign.term) {
                    if let Some(slot) = ratios.get_mut(disease.0 as usize) {
                        *slot = against(rate_of(step), background);
                    }
                }
            }
        }
        for ((score, ratio), breadth) in scores.iter_mut().zip(&ratios).zip(&breadths) {
            *score += contribution(sign, *ratio, *breadth);
        }
    }
    for (disease, _) in revision.profiles() {
        let anew = signs.iter().filter(|s| s.weight > 0.0).map(|sign| {
            contribution(sign, log_ratio(pack, revision, disease, sign).0, breadth(pack, revision, disease))
        });
        if let Some(slot) = scores.get_mut(disease.0 as usize) {
            *slot = anew.sum();
        }
    }
    scores
}

/// Raises each disease's ratio to what it has at this term.
fn raise(pack: &Pack, ratios: &mut [f64], rates: &[f64; 256], term: bodh_knowledge::TermIx, worth: f64) {
    for (disease, step) in pack.rates(term) {
        let Some(rate) = rates.get(usize::from(step)) else { continue };
        if let Some(slot) = ratios.get_mut(disease.0 as usize) {
            *slot = slot.max(worth + rate);
        }
    }
}

/// Normalises the scores together with the odds of "none of these", and shows the best.
pub(crate) fn differential(
    pack: &Pack,
    scores: &[f64],
    other_odds: f64,
    claims: impl Fn(DiseaseIx, &DiseaseId) -> Vec<bodh_clinical::Claim>,
) -> Differential {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max).max(0.0);
    let other = other_odds * (-top).exp();
    let total = scores.iter().map(|s| (s - top).exp()).sum::<f64>() + other;
    let mut order: Vec<(f64, DiseaseIx)> = scores.iter().copied().zip(pack.diseases()).collect();
    let best_first = |a: &(f64, DiseaseIx), b: &(f64, DiseaseIx)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if order.len() > SHOWN {
        order.select_nth_unstable_by(SHOWN, best_first);
        order.truncate(SHOWN);
    }
    order.sort_by(best_first);
    let shown = order.into_iter().filter_map(|(score, disease)| {
        let id = DiseaseId::parse(pack.disease_id(disease)).ok()?;
        let claims = claims(disease, &id);
        Some(Hypothesis {
            id,
            also: pack.also(disease).filter_map(|id| DiseaseId::parse(id).ok()).collect(),
            label: pack.disease_label(disease).to_owned(),
            probability: (score - top).exp() / total,
            prevalence: None,
            red_flag: false,
            claims: claims.into(),
        })
    });
    Differential { hypotheses: shown.collect(), other: other / total }
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
