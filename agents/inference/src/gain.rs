//! Expected information gain per dollar.
//!
//! One order reveals a whole bundle. Its joint outcome is approximated by the bundle's few most informative terms,
//! taken as independent given the disease: up to `2^4` outcomes, each with the posterior that would follow; what else the
//! bundle shows adds a share of what it would tell alone. Diseases outside the differential's leading ones show everything
//! at its background rate; they are many, so that a test tells something of which of them it could be.
//!
//! A condition that must not be missed has a rule of its own: while it holds real mass and none of the tests that settle it
//! is done, the first of these is proposed, whatever it is expected to tell.

use crate::chart::signs;
use crate::domain::Domain;
use bodh_clinical::{Differential, DiseaseId, Finding, Hypothesis, Plan, Presence, Proposal, TermId, TestId, Usd};
use bodh_knowledge::{DiseaseIx, NEVER, Pack, TermIx, TestIx, rate_of};
use std::collections::{BTreeMap, BTreeSet};

/// Proposals in a plan.
const PROPOSED: usize = 10;
/// Terms that stand for a bundle.
const TERMS: usize = 4;
/// Share of what a bundle's further terms tell alone that counts: they overlap.
const FURTHER: f64 = 0.6;
/// Hypotheses that are planned for.
const PLANNED_FOR: usize = 50;
/// Annotated terms per hypothesis that are considered, most frequent first.
const MOST_TERMS: usize = 25;
/// No outcome is taken as certain.
const CERTAIN: f64 = 0.98;
/// Hypotheses below this are planned for together with what is not listed.
const LEAST_PROBABILITY: f64 = 0.001;
/// What another round costs in everybody's time, in US dollars: one thorough question rather than ten small ones.
pub const ROUND: f64 = 60.0;
/// What is not listed is many diseases: the share of such a finding's uncertainty that the disease would settle. Without it
/// nothing is worth asking once a wrong diagnosis leads. Chosen with [`ROUND`] on development cases.
const OF_MANY: f64 = 0.6;
/// Less gain than this is noise, in bits.
const LEAST_GAIN: f64 = 1e-4;
/// From this probability on a condition that must not be missed has to be settled.
const RED_MASS: f64 = 0.05;

/// Proposes tests, best expected gain per dollar first; what is done is not proposed again.
#[must_use]
pub fn plan(pack: &Pack, findings: &[Finding], differential: &Differential, done: &[TestId]) -> Plan {
    let worth = |p: &Proposal| p.gain_bits / (p.price.map_or(f64::INFINITY, Usd::dollars) + ROUND);
    let mut proposals = candidates(pack, findings, differential, done);
    proposals.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then_with(|| a.test.cmp(&b.test)));
    let must = proposals.iter().filter(|p| p.settles.is_some()).count().min(PROPOSED);
    let (mut must, mut may) = (must, PROPOSED - must);
    // What settles a red flag has its place even where others tell more for the money.
    proposals.retain(|p| {
        let left = if p.settles.is_some() { &mut must } else { &mut may };
        let kept = *left > 0;
        *left = left.saturating_sub(1);
        kept
    });
    Plan { proposals }
}

/// Every test that is expected to tell something, or would settle a condition that must not be missed, in the tests' order.
#[must_use]
pub fn candidates(pack: &Pack, findings: &[Finding], differential: &Differential, done: &[TestId]) -> Vec<Proposal> {
    let belief = Belief::new(pack, differential);
    let open = open_terms(pack, findings, &belief);
    let settling = settling(pack, differential, done);
    let bundles = bundles(pack, &open);
    let mut proposals = Vec::new();
    for test in pack.tests() {
        let Ok(id) = TestId::parse(pack.test_id(test)) else { continue };
        if done.contains(&id) {
            continue;
        }
        let bundle = bundles.get(&test);
        let chosen = bundle.map_or(&[][..], |b| b.chosen.as_slice());
        let gain = belief.gain(chosen) + bundle.map_or(0.0, |b| FURTHER * b.further);
        let settles = settling.iter().find(|(by, _)| *by == test).map(|(_, condition)| condition.clone());
        if gain > LEAST_GAIN || settles.is_some() {
            let reveals = chosen.iter().filter_map(|o| TermId::parse(pack.term_id(o.term)).ok()).collect();
            let (label, price) = (pack.test_label(test).to_owned(), pack.price(test));
            proposals.push(Proposal { test: id, label, gain_bits: gain, price: Some(price), reveals, settles });
        }
    }
    proposals
}

/// For each condition that must not be missed, holds real mass, and that no test done settles: the first test that would.
fn settling(pack: &Pack, differential: &Differential, done: &[TestId]) -> Vec<(TestIx, DiseaseId)> {
    let open = differential.hypotheses.iter().filter(|h| h.red_flag && h.probability >= RED_MASS);
    let test = |h: &Hypothesis| {
        let condition = pack.disease(h.id.as_str())?;
        if pack.settled_by(condition).any(|by| done.iter().any(|d| d.as_str() == by)) {
            return None;
        }
        let first = TestId::parse(pack.settled_by(condition).next()?).ok()?;
        Some((pack.test(&first)?, h.id.clone()))
    };
    open.filter_map(test).collect()
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
        let unmentioned = Domain::ALL.map(|domain| domain.least(pack, term).exp() * domain.background(pack, term));
        let of = |disease: &DiseaseIx| {
            let rate = match pack.rate(*disease, term) {
                Some(NEVER) => 0.0,
                Some(step) => rate_of(step),
                None => unmentioned.get(Domain::of(pack, *disease).place()).copied().unwrap_or(0.0),
            };
            rate.clamp(1.0 - CERTAIN, CERTAIN)
        };
        let rest = pack.background(term).max(pack.general_background(term)).clamp(1e-4, CERTAIN);
        self.diseases.iter().map(of).chain([rest]).collect()
    }

    /// Mutual information of the diagnosis and the joint outcome of these terms, in bits: the entropy of the outcome less
    /// its mean entropy once the disease is known, where the terms are independent.
    fn gain(&self, terms: &[&Open]) -> f64 {
        let mut outcomes = vec![0.0; 1 << terms.len()];
        let mut noise = 0.0;
        let mut joint = Vec::with_capacity(outcomes.len());
        for (place, probability) in self.probabilities.iter().enumerate() {
            joint.clear();
            joint.push(*probability);
            let settled = if place == self.diseases.len() { 1.0 - OF_MANY } else { 1.0 };
            for term in terms {
                let rate = term.rates.get(place).copied().unwrap_or(0.0);
                for outcome in 0..joint.len() {
                    let both = joint.get(outcome).copied().unwrap_or(0.0);
                    joint.push(both * rate);
                    if let Some(absent) = joint.get_mut(outcome) {
                        *absent = both * (1.0 - rate);
                    }
                }
                noise += settled * probability * term.entropies.get(place).copied().unwrap_or(0.0);
            }
            outcomes.iter_mut().zip(&joint).for_each(|(all, one)| *all += one);
        }
        let spread: f64 = outcomes.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
        (spread - noise).max(0.0)
    }
}

/// Entropy of something that is so with this probability, in bits.
fn entropy(probability: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    part(probability) + part(1.0 - probability)
}

/// A term that is still open, with its rates and what it would tell alone.
struct Open {
    term: TermIx,
    rates: Vec<f64>,
    entropies: Vec<f64>,
    gain: f64,
}

/// What the leading diseases are annotated with and the chart does not yet answer, most informative first.
fn open_terms(pack: &Pack, findings: &[Finding], belief: &Belief) -> Vec<Open> {
    let signs = signs(pack, findings);
    let mut answered: BTreeSet<TermIx> = BTreeSet::new();
    let mut excluded: BTreeSet<TermIx> = BTreeSet::new();
    for sign in &signs {
        match sign.presence {
            Presence::Present => answered.extend(pack.ancestors(sign.term)),
            Presence::Excluded => _ = excluded.insert(sign.term),
        }
    }
    let mut seen: BTreeSet<TermIx> = BTreeSet::new();
    let mut open = Vec::new();
    for disease in &belief.diseases {
        let annotated: BTreeSet<TermIx> = pack.annotations(*disease).filter(|a| !a.not).map(|a| a.term).collect();
        let rated = annotated.into_iter().filter_map(|t| pack.rate(*disease, t).map(|step| (step, t)));
        let mut ranked: Vec<(u8, TermIx)> = rated.filter(|(step, _)| *step != NEVER).collect();
        ranked.sort_unstable();
        for (_, term) in ranked.into_iter().take(MOST_TERMS) {
            let fresh = !answered.contains(&term) && seen.insert(term);
            if fresh && !pack.ancestors(term).any(|above| excluded.contains(&above)) {
                let rates = belief.rates(pack, term);
                let entropies = rates.iter().map(|rate| entropy(*rate)).collect();
                let mut one = Open { term, rates, entropies, gain: 0.0 };
                one.gain = belief.gain(&[&one]);
                open.push(one);
            }
        }
    }
    open.sort_by(|a, b| b.gain.total_cmp(&a.gain).then_with(|| a.term.cmp(&b.term)));
    open
}

/// What a test shows of the open terms.
#[derive(Default)]
struct Bundle<'a> {
    /// The most informative, none above or below another.
    chosen: Vec<&'a Open>,
    /// What the others would tell, each alone.
    further: f64,
}

fn bundles<'a>(pack: &Pack, open: &'a [Open]) -> BTreeMap<TestIx, Bundle<'a>> {
    let mut bundles: BTreeMap<TestIx, Bundle<'_>> = BTreeMap::new();
    for one in open {
        let shown_by: BTreeSet<TestIx> = pack.shown_by(one.term).collect();
        for test in shown_by {
            let bundle = bundles.entry(test).or_default();
            let related = |o: &&Open| pack.is_a(o.term, one.term) || pack.is_a(one.term, o.term);
            if bundle.chosen.iter().any(related) {
                continue;
            }
            if bundle.chosen.len() < TERMS { bundle.chosen.push(one) } else { bundle.further += one.gain }
        }
    }
    bundles
}
