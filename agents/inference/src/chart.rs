//! The chart as the pack understands it: current terms, and how much each adds beside the others.

use crate::claim::matches;
use crate::domain::{Domain, EXPLAINED};
use bodh_clinical::{Finding, Presence, Subject, TermId};
use bodh_knowledge::{Pack, Refusal, TermIx};
use std::collections::{BTreeMap, BTreeSet};

/// Most findings in one chart.
pub const MOST_FINDINGS: usize = 1_000;
/// Oldest age that is believed, in days (150 years).
const OLDEST: u32 = 150 * 366;
/// How fast findings that say the same lose weight; chosen on published cases.
const REDUNDANCY: f64 = 0.26;
/// Beyond this many present findings their pairwise overlap is not worked out: all get the weight of the last.
const MOST_COMPARED: usize = 200;

/// Refuses a chart that is too long, repeats a term, or has terms that the pack cannot reason about.
pub fn check_chart(pack: &Pack, subject: &Subject, findings: &[Finding]) -> Result<(), Refusal> {
    if findings.len() > MOST_FINDINGS {
        return Err(Refusal::TooMany { what: "findings", limit: MOST_FINDINGS });
    }
    if subject.age_days.is_some_and(|age| age > OLDEST) {
        return Err(Refusal::OutOfRange { what: "the age" });
    }
    let mut seen = BTreeSet::new();
    for finding in findings {
        let term = pack.term(finding.term.as_str()).filter(|t| pack.is_phenotypic(*t)).ok_or(Refusal::UnknownTerm)?;
        if pack.term_id(term) != finding.term.as_str() {
            return Err(Refusal::UnknownTerm);
        }
        if !seen.insert(term) {
            return Err(Refusal::Repeated);
        }
    }
    Ok(())
}

/// One finding with its weight.
#[derive(Debug, Clone)]
pub(crate) struct Sign {
    pub(crate) term: TermIx,
    pub(crate) id: TermId,
    pub(crate) presence: Presence,
    /// By domain, the least that the finding can say, and what it weighs.
    pub(crate) least: [f64; 2],
    pub(crate) share: [f64; 2],
    /// 1 for a finding on its own, less when others say part of it; 0 when another says all of it.
    pub(crate) weight: f64,
    /// What a disease may show for it to count, for rare diseases and for general medicine; empty for an excluded finding.
    pub(crate) matches: [Vec<(TermIx, f64)>; 2],
}

impl Sign {
    /// The least that it can say of a disease of this part of the pack.
    pub(crate) fn least(&self, domain: Domain) -> f64 {
        self.least.get(domain.place()).copied().unwrap_or(0.0)
    }

    /// What it weighs beside other findings.
    pub(crate) fn weighs(&self, domain: Domain) -> f64 {
        self.weight * self.share.get(domain.place()).copied().unwrap_or(1.0)
    }
}

/// The findings that the pack knows, in the order of their terms, so that the chart's order does not matter.
pub(crate) fn signs(pack: &Pack, findings: &[Finding]) -> Vec<Sign> {
    let known = findings.iter().filter_map(|f| {
        let term = pack.term(f.term.as_str()).filter(|t| pack.is_phenotypic(*t))?;
        Some(((term, f.presence), TermId::parse(pack.term_id(term)).ok()?))
    });
    let all: BTreeMap<(TermIx, Presence), TermId> = known.collect();
    let present: Vec<TermIx> = all.keys().filter(|s| s.1 == Presence::Present).map(|s| s.0).collect();
    let excluded: Vec<TermIx> = all.keys().filter(|s| s.1 == Presence::Excluded).map(|s| s.0).collect();
    let explained: BTreeSet<TermIx> = present.iter().flat_map(|known| pack.explains(*known)).collect();
    // Our own histories, exposures and drugs are of the past by their nature, and weigh what they weigh.
    let past: BTreeSet<TermIx> =
        findings.iter().filter(|f| f.past).filter_map(|f| pack.term(f.term.as_str())).collect();
    let then = |term| past.contains(&term) && !pack.is_own(term);
    // What is not there, although something known would explain it, tells as much as ever.
    let is_explained = |term, presence| presence == Presence::Present && (explained.contains(&term) || then(term));
    let weigh = |((term, presence), id): (&(TermIx, Presence), &TermId)| Sign {
        term: *term,
        id: id.clone(),
        presence: *presence,
        least: Domain::ALL.map(|domain| {
            if is_explained(*term, *presence) { domain.least_explained() } else { domain.least(pack, *term) }
        }),
        share: Domain::ALL
            .map(|domain| domain.weight(pack, *term) * if is_explained(*term, *presence) { EXPLAINED } else { 1.0 }),
        matches: match presence {
            Presence::Present => Domain::ALL.map(|domain| matches(pack, domain, *term)),
            Presence::Excluded => Default::default(),
        },
        weight: match presence {
            Presence::Present => weight(pack, *term, &present),
            // What is excluded above is excluded below: only the most general exclusion counts. What is present below was
            // not excluded, whoever added the one or the other to the chart.
            Presence::Excluded => {
                let within = excluded.iter().any(|o| o != term && pack.is_a(*term, *o));
                if within || present.iter().any(|shown| pack.is_a(*shown, *term)) { 0.0 } else { 1.0 }
            }
        },
    };
    all.iter().map(weigh).collect()
}

/// A general finding that a more special one implies has no weight; else each other finding takes away in proportion
/// to the information that it shares (Resnik's measure over the finding's own information).
fn weight(pack: &Pack, term: TermIx, present: &[TermIx]) -> f64 {
    let others = || present.iter().filter(|o| **o != term).take(MOST_COMPARED);
    if others().any(|o| pack.is_a(*o, term)) {
        return 0.0;
    }
    let own: BTreeSet<TermIx> = pack.ancestors(term).collect();
    let information = information(pack, Domain::Rare, term).max(f64::MIN_POSITIVE);
    let shared = |o: &TermIx| {
        let common = pack.ancestors(*o).filter(|a| own.contains(a)).map(|a| self::information(pack, Domain::Rare, a));
        common.fold(0.0, f64::max) / information
    };
    1.0 / (1.0 + REDUNDANCY * others().map(shared).sum::<f64>())
}

/// Information content (Resnik 1995), in natural units, of a background of the pack.
pub(crate) fn information(pack: &Pack, domain: Domain, term: TermIx) -> f64 {
    -domain.background(pack, term).ln()
}
