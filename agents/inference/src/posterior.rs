//! The posterior over all diseases, and the differential that is shown of it.

use crate::calibration::calibrate;
use crate::chart::{Sign, signs};
use crate::claim::{
    Claimant, Evidence, RATES, UNTOLD, WITHOUT, against, breadth, contribution, log_ratio, log_without, terms,
};
use crate::domain::{Domain, NEVER_LOG, log_general, log_prior};
use crate::explain::explain;
use bodh_clinical::{Differential, DiseaseId, Finding, Hypothesis, Presence, Prevalence, Subject};
use bodh_knowledge::{DiseaseIx, NEVER, Pack, Revision, TermIx};
use std::collections::BTreeSet;
use std::f64::consts::LN_2;

/// Hypotheses in a differential.
pub(crate) const SHOWN: usize = 50;
/// Prior odds of "none of the pack's diseases" against one disease of the pack, per tempered finding: what is in no
/// pack explains every finding a little. Calibrated on published cases together with the tempering.
const OTHER_ODDS: f64 = 3.0;

/// Ranks all diseases of the pack on the findings of a chart.
///
/// The prior of a rare disease follows how many publications report it (the release has no prevalence); a curated condition's
/// its prevalence, and the patient's age and sex. Each hypothesis' claims sum, with the prior, to its log posterior before
/// calibration, up to the normaliser that all share.
#[must_use]
pub fn rank(pack: &Pack, subject: &Subject, findings: &[Finding], evidence: &Evidence<'_>) -> Differential {
    let signs = signs(pack, findings);
    let revision = evidence.exclude_publication.map(|p| pack.without(p)).unwrap_or_default();
    let prior = Prior::new(pack, subject, &signs, &revision);
    let scores = posterior(pack, &signs, &prior);
    let claims = |disease, id: &DiseaseId| {
        let claimant = Claimant::new(pack, &revision, disease, id.clone());
        signs.iter().map(|sign| claimant.claim(sign)).collect()
    };
    let mut raw = differential(pack, &scores, OTHER_ODDS, |disease| prior.bits(disease), claims);
    explain(pack, &signs, &mut raw.hypotheses);
    calibrate(pack, &signs, raw)
}

/// The order of all diseases alone, without claims: the leading ones, best first, with their raw probabilities.
#[must_use]
pub fn order(pack: &Pack, subject: &Subject, findings: &[Finding]) -> Vec<(DiseaseIx, f64)> {
    let (signs, revision) = (signs(pack, findings), Revision::default());
    let scores = posterior(pack, &signs, &Prior::new(pack, subject, &signs, &revision));
    let (_, total, order) = leading(pack, &scores, OTHER_ODDS);
    let top = order.first().map_or(0.0, |first| first.0).max(0.0);
    order.into_iter().map(|(score, disease)| (disease, (score - top).exp() / total)).collect()
}

/// Log posterior of every disease, up to the normaliser.
fn posterior(pack: &Pack, signs: &[Sign], prior: &Prior<'_>) -> Vec<f64> {
    let mut scores = scores(pack, signs, prior.revision);
    for (score, disease) in scores.iter_mut().zip(pack.diseases()) {
        *score += prior.log(disease);
    }
    one_of_twins(pack, &mut scores);
    scores
}

/// What speaks for each disease before any claim.
pub(crate) struct Prior<'a> {
    pack: &'a Pack,
    subject: &'a Subject,
    revision: &'a Revision,
    general: f64,
    /// The present findings and all above them.
    told: BTreeSet<TermIx>,
}

impl<'a> Prior<'a> {
    pub(crate) fn new(pack: &'a Pack, subject: &'a Subject, signs: &[Sign], revision: &'a Revision) -> Self {
        let present = || signs.iter().filter(|s| s.presence == Presence::Present);
        let general = log_general(pack, &present().map(|s| (s.term, s.weight)).collect::<Vec<_>>());
        let told = present().flat_map(|s| pack.ancestors(s.term)).collect();
        Self { pack, subject, revision, general, told }
    }

    /// In natural units.
    pub(crate) fn log(&self, disease: DiseaseIx) -> f64 {
        let published = self.pack.revised_published(disease, self.revision);
        let prior = log_prior(self.pack, disease, self.subject, published);
        if self.pack.is_general(disease) { self.general + prior + self.untold(disease) } else { prior }
    }

    /// What it costs a condition that the chart does not speak of what nearly everybody with it has in their history.
    fn untold(&self, condition: DiseaseIx) -> f64 {
        let untold = self.pack.antecedents(condition).filter(|term| !self.told.contains(term));
        let cost = |step: u8| UNTOLD.get(usize::from(step)).copied().unwrap_or(0.0);
        untold.filter_map(|term| self.pack.rate(condition, term)).map(cost).fold(0.0, f64::min)
    }

    pub(crate) fn bits(&self, disease: DiseaseIx) -> f64 {
        self.log(disease) / LN_2
    }
}

/// A condition that the release knows too is one hypothesis, not two: the less probable entry is left out.
pub(crate) fn one_of_twins(pack: &Pack, scores: &mut [f64]) {
    for condition in pack.diseases().take(pack.general_count()) {
        let Some(twin) = pack.twin(condition) else { continue };
        let score = |d: DiseaseIx| scores.get(d.0 as usize).copied().unwrap_or(f64::NEG_INFINITY);
        let less = if score(condition) < score(twin) { condition } else { twin };
        if let Some(slot) = scores.get_mut(less.0 as usize) {
            *slot = f64::NEG_INFINITY;
        }
    }
}

/// Tempered log likelihood ratios of all diseases.
fn scores(pack: &Pack, signs: &[Sign], revision: &Revision) -> Vec<f64> {
    let (rates, without) = (&*RATES, &*WITHOUT);
    let breadths: Vec<f64> = pack.breadths().collect();
    let general = pack.general_count();
    let mut scores = vec![0.0; pack.disease_count()];
    let mut ratios = vec![0.0; pack.disease_count()];
    for sign in signs.iter().filter(|s| s.weight > 0.0) {
        fill(&mut ratios, general, |domain| match sign.presence {
            Presence::Present => sign.least(domain),
            Presence::Excluded => against(domain, 0.0, domain.background(pack, sign.term)),
        });
        match sign.presence {
            Presence::Present => present(pack, sign, rates, &mut ratios),
            Presence::Excluded => {
                let backgrounds = Domain::ALL.map(|domain| domain.background(pack, sign.term));
                let [rare, curated] = Domain::ALL
                    .map(|d| (d.weights().excluded, log_without(*backgrounds.get(d.place()).unwrap_or(&1.0))));
                for (disease, step) in pack.rates(sign.term).filter(|(_, step)| *step != NEVER) {
                    let (weight, usual) = if (disease.0 as usize) < general { curated } else { rare };
                    let share = without.get(usize::from(step)).copied().unwrap_or(0.0);
                    if let Some(slot) = ratios.get_mut(disease.0 as usize) {
                        *slot = weight * (share - usual);
                    }
                }
            }
        }
        let (curated, rare) = scores.split_at_mut(general.min(ratios.len()));
        for (scores, domain, from) in [(curated, Domain::General, 0), (rare, Domain::Rare, general)] {
            let (scale, toll) = terms(domain, sign);
            let beside = ratios.iter().zip(&breadths).skip(from);
            for (score, (ratio, breadth)) in scores.iter_mut().zip(beside) {
                *score += scale * (ratio - toll * breadth);
            }
        }
    }
    for (disease, _) in revision.profiles() {
        let domain = domain_of(disease, general);
        let anew = signs.iter().filter(|s| s.weight > 0.0).map(|sign| {
            contribution(domain, sign, log_ratio(pack, revision, disease, sign).0, breadth(pack, revision, disease))
        });
        if let Some(slot) = scores.get_mut(disease.0 as usize) {
            *slot = anew.sum();
        }
    }
    scores
}

fn domain_of(disease: DiseaseIx, general: usize) -> Domain {
    if (disease.0 as usize) < general { Domain::General } else { Domain::Rare }
}

fn fill(ratios: &mut [f64], general: usize, value: impl Fn(Domain) -> f64) {
    let (curated, rare) = ratios.split_at_mut(general.min(ratios.len()));
    curated.fill(value(Domain::General));
    rare.fill(value(Domain::Rare));
}

/// Raises each disease's ratio to the best that it has at or above the sign's term.
fn present(pack: &Pack, sign: &Sign, rates: &[f64; 256], ratios: &mut [f64]) {
    for domain in Domain::ALL {
        for (term, worth) in sign.matches.get(domain.place()).into_iter().flatten() {
            raise(pack, ratios, rates, *term, *worth, domain);
        }
    }
    for term in pack.ancestors(sign.term) {
        let (curated, _) = pack.rates_by_part(term);
        for (disease, _) in curated.filter(|(_, step)| *step == NEVER) {
            if let Some(slot) = ratios.get_mut(disease.0 as usize) {
                *slot = NEVER_LOG;
            }
        }
    }
}

/// Raises the ratios of one part's diseases to what they have at this term.
fn raise(pack: &Pack, ratios: &mut [f64], rates: &[f64; 256], term: TermIx, worth: f64, domain: Domain) {
    let mut one = |(disease, step): (DiseaseIx, u8)| {
        let Some(rate) = rates.get(usize::from(step)) else { return };
        if let Some(slot) = ratios.get_mut(disease.0 as usize) {
            *slot = slot.max(worth + rate);
        }
    };
    let (curated, rare) = pack.rates_by_part(term);
    match domain {
        Domain::General => curated.filter(|(_, step)| *step != NEVER).for_each(&mut one),
        Domain::Rare => rare.for_each(&mut one),
    }
}

/// Below this distance from the best score, in natural units, a probability is nothing: not worth an exponential. All the
/// diseases of a pack together, each this far away, hold less than one part in ten million.
const NOTHING: f64 = 26.0;

/// The weight of "none of these" and the normaliser, both relative to the best score (or 0), and the best diseases in order.
fn leading(pack: &Pack, scores: &[f64], other_odds: f64) -> (f64, f64, Vec<(f64, DiseaseIx)>) {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max).max(0.0);
    let other = other_odds * (-top).exp();
    let near = scores.iter().map(|score| score - top).filter(|distance| *distance > -NOTHING);
    let total = near.map(f64::exp).sum::<f64>() + other;
    let known = scores.iter().copied().zip(pack.diseases()).filter(|(score, _)| score.is_finite());
    let mut order: Vec<(f64, DiseaseIx)> = known.collect();
    let best_first = |a: &(f64, DiseaseIx), b: &(f64, DiseaseIx)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    if order.len() > SHOWN {
        order.select_nth_unstable_by(SHOWN, best_first);
        order.truncate(SHOWN);
    }
    order.sort_by(best_first);
    (other, total, order)
}

/// Normalises the scores together with the odds of "none of these", and shows the best.
pub(crate) fn differential(
    pack: &Pack,
    scores: &[f64],
    other_odds: f64,
    prior_bits: impl Fn(DiseaseIx) -> f64,
    claims: impl Fn(DiseaseIx, &DiseaseId) -> Vec<bodh_clinical::Claim>,
) -> Differential {
    let (other, total, order) = leading(pack, scores, other_odds);
    let top = order.first().map_or(0.0, |first| first.0).max(0.0);
    let shown = order.into_iter().filter_map(|(score, disease)| {
        let id = DiseaseId::parse(pack.disease_id(disease)).ok()?;
        let claims = claims(disease, &id);
        Some(Hypothesis {
            id,
            also: pack.also(disease).filter_map(|id| DiseaseId::parse(id).ok()).collect(),
            label: pack.disease_label(disease).to_owned(),
            probability: (score - top).exp() / total,
            prevalence: pack.prevalence(disease).map(Prevalence),
            red_flag: pack.red_flag(disease).is_some(),
            prior_bits: prior_bits(disease),
            expected: Vec::new(),
            claims: claims.into(),
        })
    });
    Differential { hypotheses: shown.collect(), other: other / total, ..Differential::default() }
}
