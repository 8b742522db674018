//! What one finding says of one disease.
//!
//! For a finding *h* that is present the likelihood ratio is
//! `max over a above h of F[d,a] · (bg[h] / bg[a])^k / bg[h]`: either the disease shows *h* itself, or something more
//! general of which *h* is one form. `F` is the propagated rate, `bg` the background.

use crate::chart::Sign;
use crate::domain::{Domain, NEVER_LOG, log_untold};
use bodh_clinical::{Claim, ClaimId, DiseaseId, Presence, TermId};
use bodh_knowledge::{DiseaseIx, Grounds, NEVER, Pack, Revision, TermIx, rate_of};
use std::f64::consts::LN_2;
use std::sync::LazyLock;

/// Rates above this count as this.
const MOST_RATE: f64 = 0.95;
/// What may be used as evidence beyond the whole pack.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Leave out the annotations that cite this publication (`PMID:…`): for judging accuracy on published cases.
    pub exclude_publication: Option<&'a str>,
}

/// What can be matched for one present finding: terms above it with the logarithm of `(bg[h]/bg[a])^k / bg[h]`, the
/// largest first.
pub(crate) fn matches(pack: &Pack, domain: Domain, finding: TermIx) -> Vec<(TermIx, f64)> {
    let own = domain.background(pack, finding).ln();
    let worth = |a: TermIx| (a, domain.weights().steepness * (own - domain.background(pack, a).ln()) - own);
    let mut all: Vec<(TermIx, f64)> =
        pack.ancestors(finding).map(worth).filter(|(_, worth)| *worth > domain.least(pack, finding)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}

/// Logarithm of a rate as ranking uses it.
pub(crate) fn log_rate(step: u8) -> f64 {
    rate_of(step).min(MOST_RATE).ln()
}

/// Logarithm of the share that does not show something which this share shows.
pub(crate) fn log_without(rate: f64) -> f64 {
    (1.0 - rate.min(MOST_RATE)).ln()
}

/// A number for each rate that a byte can hold.
type OfSteps = LazyLock<[f64; 256]>;

fn of_steps(of: impl Fn(u8) -> f64) -> [f64; 256] {
    std::array::from_fn(|step| of(u8::try_from(step).unwrap_or(u8::MAX)))
}

/// As [`log_rate`].
pub(crate) static RATES: OfSteps = LazyLock::new(|| of_steps(log_rate));
/// As [`log_without`].
pub(crate) static WITHOUT: OfSteps = LazyLock::new(|| of_steps(|step| log_without(rate_of(step))));
/// As [`log_untold`], of an antecedent at this rate.
pub(crate) static UNTOLD: OfSteps =
    LazyLock::new(|| of_steps(|step| if step == NEVER { 0.0 } else { log_untold(rate_of(step)) }));

/// What an excluded finding says of a disease that has it at this rate, times the weight, in natural units.
pub(crate) fn against(domain: Domain, rate: f64, background: f64) -> f64 {
    domain.weights().excluded * (log_without(rate) - log_without(background))
}

/// What a finding contributes, tempered, in natural units: the one formula that ranking and claims share. It is
/// `scale · (log ratio − toll · breadth)`, of which these are scale and toll.
pub(crate) fn terms(domain: Domain, sign: &Sign) -> (f64, f64) {
    let weights = domain.weights();
    let scale = weights.temper * sign.weighs(domain);
    match sign.presence {
        Presence::Present if sign.weight > 0.0 => (scale, weights.breadth / sign.weight),
        Presence::Present => (0.0, 0.0),
        Presence::Excluded => (scale, 0.0),
    }
}

pub(crate) fn contribution(domain: Domain, sign: &Sign, log_ratio: f64, breadth: f64) -> f64 {
    let (scale, toll) = terms(domain, sign);
    scale * (log_ratio - toll * breadth)
}

pub(crate) fn breadth(pack: &Pack, revision: &Revision, disease: DiseaseIx) -> f64 {
    revision.profile(disease).map_or_else(|| pack.breadth(disease), |p| p.breadth)
}

/// The logarithm of the ratio before weights, and the term that it was matched at.
pub(crate) fn log_ratio(pack: &Pack, revision: &Revision, disease: DiseaseIx, sign: &Sign) -> (f64, Option<TermIx>) {
    let domain = Domain::of(pack, disease);
    if sign.presence == Presence::Excluded {
        let step = pack.revised_rate(disease, sign.term, revision).filter(|s| *s != NEVER);
        return (
            against(domain, step.map_or(0.0, rate_of), domain.background(pack, sign.term)),
            step.map(|_| sign.term),
        );
    }
    if domain == Domain::General
        && let Some(term) = pack.ancestors(sign.term).find(|t| pack.rate(disease, *t) == Some(NEVER))
    {
        return (NEVER_LOG, Some(term));
    }
    let mut best = (sign.least(domain), None);
    // A rate only takes away from a match's worth, so no later match can beat one that is above its worth.
    let matches = sign.matches.get(domain.place()).map_or(&[][..], Vec::as_slice);
    for (term, worth) in matches {
        if *worth <= best.0 {
            break;
        }
        if let Some(step) = pack.revised_rate(disease, *term, revision) {
            let ratio = worth + log_rate(step);
            if ratio > best.0 {
                best = (ratio, Some(*term));
            }
        }
    }
    best
}

/// One disease as the author of claims.
pub(crate) struct Claimant<'a> {
    pack: &'a Pack,
    revision: &'a Revision,
    grounds: Grounds<'a>,
    disease: DiseaseIx,
    id: DiseaseId,
    breadth: f64,
}

impl<'a> Claimant<'a> {
    pub(crate) fn new(pack: &'a Pack, revision: &'a Revision, disease: DiseaseIx, id: DiseaseId) -> Self {
        let (grounds, breadth) = (pack.grounds(disease, revision), breadth(pack, revision, disease));
        Self { pack, revision, grounds, disease, id, breadth }
    }

    /// The claim that `sign` makes about the disease.
    pub(crate) fn claim(&self, sign: &Sign) -> Claim {
        let domain = Domain::of(self.pack, self.disease);
        let (ratio, at) = log_ratio(self.pack, self.revision, self.disease, sign);
        let ground = at.and_then(|term| self.grounds.of(term));
        let step = at.and_then(|term| self.pack.revised_rate(self.disease, term, self.revision));
        let matched = ground.as_ref().and_then(|g| TermId::parse(self.pack.term_id(g.term)).ok());
        Claim {
            id: ClaimId::of(&self.id, &sign.id),
            disease: self.id.clone(),
            finding: sign.id.clone(),
            presence: sign.presence,
            matched,
            frequency: step.map(rate_of),
            background: domain.background(self.pack, sign.term),
            bits: contribution(domain, sign, ratio, self.breadth) / LN_2,
            sources: ground.map(|g| g.sources).unwrap_or_default(),
        }
    }
}
