//! Other ways of ordering tests, to hold the panel's against: at random, a fixed list, gain whatever it costs, everything.
//!
//! Each orders one test at a time on the same case with the same gatekeeper, and ranks anew when a test shows something.

use super::convene::{InProcess, Opened, Stage};
use bodh_clinical::{Case, Differential, Finding, Presence, TestId, Usd};
use bodh_inference::candidates;
use bodh_knowledge::{Pack, TestIx, rate_of};
use std::collections::BTreeMap;

/// A way of ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rival {
    /// In an order drawn for each case.
    Random,
    /// The same list for everybody: what shows most of the pack's findings for the money comes first.
    Fixed,
    /// The largest expected gain, whatever it costs.
    CostBlind,
    /// All tests at once.
    Everything,
}

impl Rival {
    pub(crate) const ALL: [Rival; 4] = [Rival::Random, Rival::Fixed, Rival::CostBlind, Rival::Everything];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Rival::Random => "random order",
            Rival::Fixed => "fixed list",
            Rival::CostBlind => "cost-blind gain",
            Rival::Everything => "everything",
        }
    }
}

/// Orders of one case after which a rival that plans stops, as the panel does.
const MOST_PLANNED: usize = 40;

/// The lists that do not depend on a case.
pub(crate) struct Lists {
    fixed: Vec<TestIx>,
}

impl Lists {
    pub(crate) fn new(pack: &Pack) -> Self {
        let mut worth: BTreeMap<TestIx, f64> = BTreeMap::new();
        for term in pack.terms() {
            let all: f64 = pack.rates(term).map(|(_, step)| rate_of(step)).sum();
            for test in pack.shown_by(term).collect::<std::collections::BTreeSet<_>>() {
                *worth.entry(test).or_default() += all;
            }
        }
        let mut fixed: Vec<(f64, TestIx)> =
            pack.tests().map(|t| (worth.get(&t).copied().unwrap_or(0.0) / pack.price(t).dollars(), t)).collect();
        fixed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Self { fixed: fixed.into_iter().map(|(_, test)| test).collect() }
    }
}

/// How a case goes when tests are ordered so.
pub(crate) fn follow(
    members: &InProcess,
    lists: &Lists,
    rival: Rival,
    (case, findings): (&Case, &[Finding]),
    leave_out: Option<&str>,
    judge: &dyn Fn(&Differential) -> Option<usize>,
) -> Vec<Stage> {
    let pack = &members.pack;
    let Opened { opening, mut hidden } = members.open(findings);
    let mut chart = opening;
    let mut ranked = members.rank(&case.subject, &chart, leave_out);
    let mut stages = vec![Stage { spent: Usd::ZERO, rank: judge(&ranked) }];
    if rival == Rival::Everything {
        let shown_by_none = |f: &Finding| pack.tests().all(|t| !shows(pack, t, f));
        chart.extend(hidden.into_iter().filter(|f| !shown_by_none(f)));
        let spent = pack.tests().fold(Usd::ZERO, |sum, t| sum.plus(pack.price(t)));
        stages.push(Stage { spent, rank: judge(&members.rank(&case.subject, &chart, leave_out)) });
        return stages;
    }
    let mut list = match rival {
        Rival::Random => shuffled(pack, findings),
        Rival::Fixed => lists.fixed.clone(),
        Rival::CostBlind | Rival::Everything => Vec::new(),
    };
    list.reverse();
    let mut done: Vec<TestId> = Vec::new();
    loop {
        let next = match rival {
            Rival::CostBlind if done.len() < MOST_PLANNED => {
                let all = candidates(pack, &chart, &ranked, &done);
                let best = all.into_iter().max_by(|a, b| a.gain_bits.total_cmp(&b.gain_bits));
                best.filter(|best| best.gain_bits >= 0.02).and_then(|best| pack.test(&best.test))
            }
            _ => list.pop(),
        };
        let Some(test) = next else { return stages };
        let spent = stages.last().map_or(Usd::ZERO, |s| s.spent).plus(pack.price(test));
        let news: Vec<Finding> = hidden.extract_if(.., |f| shows(pack, test, f)).collect();
        let mut rank = stages.last().and_then(|s| s.rank);
        if !news.is_empty() {
            chart.extend(news);
            ranked = members.rank(&case.subject, &chart, leave_out);
            rank = judge(&ranked);
        }
        stages.push(Stage { spent, rank });
        done.extend(TestId::parse(pack.test_id(test)).ok());
    }
}

fn shows(pack: &Pack, test: TestIx, finding: &Finding) -> bool {
    pack.term(finding.term.as_str()).is_some_and(|term| pack.shown_by(term).any(|by| by == test))
}

/// All tests in an order that the case's findings fix, so that a run can be repeated.
fn shuffled(pack: &Pack, findings: &[Finding]) -> Vec<TestIx> {
    let bytes =
        findings.iter().flat_map(|f| f.term.as_str().bytes().chain([u8::from(f.presence == Presence::Present)]));
    // FNV-1a, as a seed.
    let mut state = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut list: Vec<TestIx> = pack.tests().collect();
    for place in (1..list.len()).rev() {
        list.swap(place, bodh_inference::accuracy::draw(&mut state, place + 1));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_begins_alike_and_ends_with_all_that_its_tests_show() {
        let members = InProcess::load().unwrap();
        let lists = Lists::new(&members.pack);
        let sample = include_bytes!("../../../../deploy/samples/tall_with_dislocated_lenses.json");
        let case = bodh_formats::read(sample).unwrap().case;
        let findings = members.chart(&case).unwrap().findings;
        let judge = |d: &Differential| d.hypotheses.iter().position(|h| h.id.as_str() == "OMIM:154700").map(|p| p + 1);
        let all = Rival::ALL.map(|rival| follow(&members, &lists, rival, (&case, &findings), None, &judge));
        let [random, fixed, blind, everything] = &all;
        assert!(all.iter().all(|stages| stages[0] == everything[0]));
        let tests = members.pack.tests().count();
        assert_eq!((random.len(), fixed.len(), everything.len()), (tests + 1, tests + 1, 2));
        assert_eq!(random[tests].spent, everything[1].spent);
        assert_eq!((random[tests].rank, fixed[tests].rank), (everything[1].rank, everything[1].rank));
        assert!(blind.len() <= 41);
        assert_eq!(*random, follow(&members, &lists, Rival::Random, (&case, &findings), None, &judge), "repeatable");
    }
}
