//! How good rankings are.
//!
//! Intervals come from a bootstrap over *publications*, not cases: the cases of one paper resemble one another
//! (Efron and Tibshirani 1993, chapter on clustered data).

use crate::domain::size;
use bodh_clinical::{Differential, DiseaseId};
use std::collections::BTreeMap;

/// Bootstrap resamples.
const RESAMPLES: usize = 1_000;
/// Bins of the calibration error (Guo et al. 2017, expected calibration error).
const BINS: usize = 10;

/// One judged case.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The case's id.
    pub case: String,
    /// What it was published in; the unit of resampling.
    pub publication: String,
    /// Rank of the first right hypothesis, from 1.
    pub rank: Option<usize>,
    /// Probability of the leading hypothesis.
    pub leading: f64,
}

impl Outcome {
    /// Judges a differential: right is an exact match on the id or on one of the further ids.
    #[must_use]
    pub fn judge(case: &str, publication: &str, truth: &[DiseaseId], differential: &Differential) -> Self {
        let right = |id: &DiseaseId| truth.contains(id);
        let rank = differential.hypotheses.iter().position(|h| right(&h.id) || h.also.iter().any(right));
        Self {
            case: case.to_owned(),
            publication: publication.to_owned(),
            rank: rank.map(|r| r + 1),
            leading: differential.leading().map_or(0.0, |h| h.probability),
        }
    }
}

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Share {
    /// The share, 0 to 1.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What a set of outcomes shows.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Summary {
    /// Cases.
    pub n: usize,
    /// Publications.
    pub publications: usize,
    /// Right at rank 1.
    pub top_1: Share,
    /// Right within rank 3.
    pub top_3: Share,
    /// Right within rank 5.
    pub top_5: Share,
    /// Right within rank 10.
    pub top_10: Share,
    /// Expected calibration error of the leading diagnosis, in ten bins of equal width.
    pub calibration_error: f64,
    /// Mean squared error of the leading diagnosis' probability.
    pub brier: f64,
    /// The ten bins of the leading diagnosis' probability, from the least.
    pub reliability: Vec<Bin>,
}

/// The cases whose leading diagnosis has a probability within a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Bin {
    /// Cases.
    pub n: usize,
    /// Mean stated probability.
    pub stated: f64,
    /// Share in which the leading diagnosis was right.
    pub seen: f64,
}

/// Sums up outcomes; `seed` fixes the resampling, so the same outcomes give the same interval.
#[must_use]
pub fn evaluate(outcomes: impl IntoIterator<Item = Outcome>, seed: u64) -> Summary {
    let mut outcomes: Vec<Outcome> = outcomes.into_iter().collect();
    outcomes.sort_by(|a, b| a.case.cmp(&b.case));
    let mut clusters: BTreeMap<&str, Sums> = BTreeMap::new();
    for outcome in &outcomes {
        let within = |k: usize| if outcome.rank.is_some_and(|r| r <= k) { 1.0 } else { 0.0 };
        let sums = clusters.entry(&outcome.publication).or_default();
        for (sum, add) in sums.iter_mut().zip([1.0, within(1), within(3), within(5), within(10)]) {
            *sum += add;
        }
    }
    let clusters: Vec<Sums> = clusters.into_values().collect();
    let [top_1, top_3, top_5, top_10] = shares(&clusters, seed);
    let (reliability, brier) = calibration(&outcomes);
    let weighed = |bin: &Bin| (bin.stated - bin.seen).abs() * size(bin.n);
    let calibration_error = reliability.iter().map(weighed).sum::<f64>() / size(outcomes.len().max(1));
    let (n, publications) = (outcomes.len(), clusters.len());
    Summary { n, publications, top_1, top_3, top_5, top_10, calibration_error, brier, reliability }
}

/// Cases, and how many of them are right within 1, 3, 5 and 10.
type Sums = [f64; 5];

fn ratios(sums: Sums) -> [f64; 4] {
    let [n, one, three, five, ten] = sums;
    [one, three, five, ten].map(|x| if n > 0.0 { x / n } else { 0.0 })
}

fn total<'a>(clusters: impl Iterator<Item = &'a Sums>) -> Sums {
    clusters.fold(Sums::default(), |acc, c| std::array::from_fn(|i| acc[i] + c[i]))
}

fn shares(clusters: &[Sums], seed: u64) -> [Share; 4] {
    let values = ratios(total(clusters.iter()));
    let mut state = seed;
    let mut samples: [Vec<f64>; 4] = Default::default();
    for _ in 0..RESAMPLES {
        let drawn = (0..clusters.len()).filter_map(|_| clusters.get(draw(&mut state, clusters.len())));
        for (list, value) in samples.iter_mut().zip(ratios(total(drawn))) {
            list.push(value);
        }
    }
    let mut values = values.into_iter();
    samples.map(|mut list| {
        list.sort_by(f64::total_cmp);
        let at = |share: usize| list.get(RESAMPLES * share / 1000).copied().unwrap_or(0.0);
        Share { value: values.next().unwrap_or(0.0), low: at(25), high: at(974) }
    })
}

/// A number below `below`, and the next state: SplitMix64 (Steele, Lea and Flood 2014), reduced by multiplication.
#[allow(clippy::cast_possible_truncation, reason = "the product's upper half is below `below`")]
#[must_use]
pub fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * below as u128) >> 64) as usize
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bin numbers")]
fn calibration(outcomes: &[Outcome]) -> (Vec<Bin>, f64) {
    let mut bins = [Bin::default(); BINS];
    let mut brier = 0.0;
    for outcome in outcomes {
        let right = if outcome.rank == Some(1) { 1.0 } else { 0.0 };
        brier += (outcome.leading - right).powi(2);
        let place = ((outcome.leading * size(BINS)) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(place) {
            bin.n += 1;
            bin.stated += outcome.leading;
            bin.seen += right;
        }
    }
    for bin in &mut bins {
        bin.stated /= size(bin.n.max(1));
        bin.seen /= size(bin.n.max(1));
    }
    (bins.to_vec(), brier / size(outcomes.len().max(1)))
}
