//! Expected information gain per dollar.
//!
//! One order reveals a whole bundle. Its joint outcome is approximated by the bundle's few most informative terms,
//! taken as independent given the disease: up to `2^4` outcomes, each with the posterior that would follow. Diseases
//! outside the differential's leading ones, and "none of these", show everything at its background rate.

use crate::chart::signs;
use bodh_clinical::{Differential, Finding, Plan, Presence, Proposal, Subject, TermId, TestId};
use bodh_knowledge::{Catalogue, DiseaseIx, Pack, PricedTest, TermIx, rate_of};
use std::collections::{BTreeMap, BTreeSet};

/// Proposals in a plan.
const PROPOSED: usize = 10;
/// Terms that stand for a bundle.
const TERMS: usize = 4;
/// Hypotheses that are planned for.
const PLANNED_FOR: usize = 50;
/// Annotated terms per hypothesis that are considered, most frequent first.
const MOST_TERMS: usize = 25;
/// No outcome is taken as certain.
const CERTAIN: f64 = 0.98;
/// Hypotheses below this are planned for together with what is not listed.
const LEAST_PROBABILITY: f64 = 0.001;
/// Less gain than this is noise, in bits.
const LEAST_GAIN: f64 = 1e-4;

/// Proposes tests, best expected gain per dollar first; what is done is not proposed again.
#[must_use]
pub fn plan(
    pack: &Pack,
    catalogue: &Catalogue,
    _subject: &Subject,
    findings: &[Finding],
    differential: &Differential,
    done: &[TestId],
) -> Plan {
    let belief = Belief::new(pack, differential);
    let open = open_terms(pack, findings, &belief);
    let mut proposals: Vec<(f64, Proposal)> = Vec::new();
    for test in catalogue.tests().iter().filter(|t| !done.contains(&t.id)) {
        let chosen = representatives(pack, test, &open);
        let gain = belief.gain(&chosen.iter().map(|(_, o)| o.rates.as_slice()).collect::<Vec<_>>());
        if gain > LEAST_GAIN {
            let reveals = chosen.iter().filter_map(|(t, _)| TermId::parse(pack.term_id(*t)).ok()).collect();
            let proposal = Proposal {
                test: test.id.clone(),
                label: test.label.clone(),
                gain_bits: gain,
                price: Some(test.price),
                reveals,
            };
            proposals.push((gain / test.price.dollars(), proposal));
        }
    }
    proposals.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.test.cmp(&b.1.test)));
    Plan { proposals: proposals.into_iter().take(PROPOSED).map(|(_, p)| p).collect() }
}

/// The hypotheses with their probabilities; the last is all that is not listed.
struct Belief {
    diseases: Vec<DiseaseIx>,
    probabilities: Vec<f64>,
}

impl Belief {
    fn new(pack: &Pack, differential: &Differential) -> Self {
        let known = differential.hypotheses.iter().take(PLANNED_FOR);
        let known = known.filter(|h| h.probability >= LEAST_PROBABILITY);
        let known = known.filter_map(|h| pack.disease(h.id.as_str()).map(|d| (d, h.probability.clamp(0.0, 1.0))));
        let (diseases, mut probabilities): (Vec<DiseaseIx>, Vec<f64>) = known.unzip();
        let listed: f64 = probabilities.iter().sum();
        probabilities.push((1.0 - listed).max(0.0));
        let total: f64 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|p| *p /= total.max(f64::MIN_POSITIVE));
        Self { diseases, probabilities }
    }

    /// P(term | hypothesis) for each, the background for the rest.
    fn rates(&self, pack: &Pack, term: TermIx) -> Vec<f64> {
        let background = pack.background(term);
        let of = |d: &DiseaseIx| pack.rate(*d, term).map_or(background * 0.1, rate_of).clamp(1.0 - CERTAIN, CERTAIN);
        self.diseases.iter().map(of).chain([background.clamp(1e-4, CERTAIN)]).collect()
    }

    /// Mutual information of the diagnosis and the joint outcome of these terms, in bits.
    fn gain(&self, terms: &[&[f64]]) -> f64 {
        if terms.is_empty() {
            return 0.0;
        }
        let mut gain = 0.0;
        for outcome in 0..1usize << terms.len() {
            let likelihood = |i: usize| -> f64 {
                let each = terms.iter().enumerate().map(|(bit, rates)| {
                    let rate = rates.get(i).copied().unwrap_or(0.0);
                    if outcome >> bit & 1 == 1 { rate } else { 1.0 - rate }
                });
                each.product()
            };
            let joint: Vec<f64> = self.probabilities.iter().enumerate().map(|(i, p)| p * likelihood(i)).collect();
            let total: f64 = joint.iter().sum();
            for (joint, prior) in joint.iter().zip(&self.probabilities) {
                if *joint > 0.0 && *prior > 0.0 {
                    gain += joint * (joint / (total * prior)).log2();
                }
            }
        }
        gain.max(0.0)
    }
}

/// A term that is still open, with its rates and what it would tell alone.
struct Open {
    rates: Vec<f64>,
    gain: f64,
    above: BTreeSet<TermIx>,
}

/// What the leading diseases are annotated with and the chart does not yet answer.
fn open_terms(pack: &Pack, findings: &[Finding], belief: &Belief) -> BTreeMap<TermIx, Open> {
    let signs = signs(pack, findings);
    let mut answered: BTreeSet<TermIx> = BTreeSet::new();
    let mut excluded: BTreeSet<TermIx> = BTreeSet::new();
    for sign in &signs {
        match sign.presence {
            Presence::Present => answered.extend(pack.ancestors(sign.term)),
            Presence::Excluded => {
                excluded.insert(sign.term);
            }
        }
    }
    let mut open = BTreeMap::new();
    for disease in &belief.diseases {
        let annotated: BTreeSet<TermIx> = pack.annotations(*disease).filter(|a| !a.not).map(|a| a.term).collect();
        let mut ranked: Vec<(u8, TermIx)> =
            annotated.into_iter().filter_map(|t| pack.rate(*disease, t).map(|step| (step, t))).collect();
        ranked.sort_unstable();
        for (_, term) in ranked.into_iter().take(MOST_TERMS) {
            if answered.contains(&term) || open.contains_key(&term) {
                continue;
            }
            let above: BTreeSet<TermIx> = pack.ancestors(term).collect();
            if above.is_disjoint(&excluded) {
                let rates = belief.rates(pack, term);
                let gain = belief.gain(&[&rates]);
                open.insert(term, Open { rates, gain, above });
            }
        }
    }
    open
}

/// The most informative open terms under the test's roots, none above or below another.
fn representatives<'a>(pack: &Pack, test: &PricedTest, open: &'a BTreeMap<TermIx, Open>) -> Vec<(TermIx, &'a Open)> {
    let within = |o: &Open| test.shows.iter().any(|root| o.above.contains(root));
    let mut candidates: Vec<(TermIx, &Open)> = open.iter().filter(|(_, o)| within(o)).map(|(t, o)| (*t, o)).collect();
    candidates.sort_by(|a, b| b.1.gain.total_cmp(&a.1.gain).then_with(|| a.0.cmp(&b.0)));
    let mut chosen: Vec<(TermIx, &Open)> = Vec::new();
    for (term, one) in candidates {
        if chosen.len() == TERMS {
            break;
        }
        if !chosen.iter().any(|(c, o)| o.above.contains(&term) || pack.is_a(term, *c)) {
            chosen.push((term, one));
        }
    }
    chosen
}
