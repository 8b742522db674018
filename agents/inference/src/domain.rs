//! The two parts of a pack, which are not alike: rare diseases have annotations from case reports and no prevalence; general
//! medicine has curated frequencies and a prevalence. Each has its own background and its own weights.

use bodh_clinical::Subject;
use bodh_knowledge::{DiseaseIx, Pack, TermIx};
use std::sync::LazyLock;

/// Which part of the pack a disease belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    Rare,
    General,
}

/// What the likelihood ratios of one part are weighed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights {
    /// How steeply a match higher up loses value.
    pub(crate) steepness: f64,
    /// The least ratio of one present finding: an unexplained finding does not refute a disease.
    pub(crate) least_ratio: f64,
    /// Weight of an excluded finding against a present one.
    pub(crate) excluded: f64,
    /// What a disease with many findings pays per finding: of many, each is less telling.
    pub(crate) breadth: f64,
    /// Tempering of all ratios, because findings are not independent.
    pub(crate) temper: f64,
    /// The least ratio of an incidental finding.
    pub(crate) least_incidental: f64,
    /// Weight of an incidental finding against another.
    pub(crate) incidental: f64,
}

/// Chosen on published cases. Case reports exclude what was merely looked for, so an exclusion weighs little.
const RARE: Weights = Weights {
    steepness: 1.7,
    least_ratio: 0.05,
    excluded: 0.02,
    breadth: 0.3,
    temper: 0.75,
    least_incidental: 0.7,
    incidental: 0.5,
};
/// Chosen on examination cases.
const GENERAL: Weights = Weights {
    steepness: 1.37,
    least_ratio: 0.35,
    excluded: 1.18,
    breadth: 0.12,
    temper: 0.86,
    least_incidental: 0.54,
    incidental: 0.61,
};

/// What is left of a finding's weight where the chart says the reason of it (a known diabetic's high blood sugar tells little new)
/// or tells it of the past (an otitis of last year). Any share below a quarter does as well on examination cases.
pub(crate) const EXPLAINED: f64 = 0.1;

/// Logarithm of the ratio of a present finding that a condition practically never shows.
pub(crate) const NEVER_LOG: f64 = -2.4;
/// How much of a prevalence's logarithm counts: a note is written about somebody who sought care, and the common is not
/// a thousand times as likely there as the uncommon.
const PRIOR_WEIGHT: f64 = 0.09;
/// Log prior of a condition that one in a thousand has, beside a rare disease's of zero.
const GENERAL_PRIOR: f64 = -0.55;
/// Share at which a condition's prior is [`GENERAL_PRIOR`].
const USUAL: f64 = 1e-3;

impl Domain {
    pub(crate) const ALL: [Domain; 2] = [Domain::Rare, Domain::General];

    pub(crate) fn of(pack: &Pack, disease: DiseaseIx) -> Self {
        if pack.is_general(disease) { Domain::General } else { Domain::Rare }
    }

    pub(crate) const fn weights(self) -> &'static Weights {
        match self {
            Domain::Rare => &RARE,
            Domain::General => &GENERAL,
        }
    }

    pub(crate) fn background(self, pack: &Pack, term: TermIx) -> f64 {
        match self {
            Domain::Rare => pack.background(term),
            Domain::General => pack.general_background(term),
        }
    }

    /// Logarithm of the least ratio of a finding. What the ontology has no term for no rare disease can have been annotated
    /// with, so its absence from the annotations says as little as in general medicine.
    pub(crate) fn least(self, pack: &Pack, term: TermIx) -> f64 {
        if pack.is_incidental(term) {
            self.least_explained()
        } else if pack.is_own(term) {
            GENERAL.least_ratio.ln()
        } else {
            self.weights().least_ratio.ln()
        }
    }

    /// The same of a finding whose reason is known: it need not be the illness's own.
    pub(crate) fn least_explained(self) -> f64 {
        self.weights().least_incidental.ln()
    }

    /// What a present finding weighs.
    pub(crate) fn weight(self, pack: &Pack, term: TermIx) -> f64 {
        if pack.is_incidental(term) { self.weights().incidental } else { 1.0 }
    }

    pub(crate) const fn place(self) -> usize {
        match self {
            Domain::Rare => 0,
            Domain::General => 1,
        }
    }
}

/// How strongly a chart's findings speak for the one or the other part of the pack.
const DOMAIN_WEIGHT: f64 = 1.5;
/// One finding says at most so much of that, as a natural logarithm.
const DOMAIN_MOST: f64 = 1.87;

/// What the findings say for general medicine against rare disease, whatever the disease: each is more usual in one of them.
/// "Global developmental delay" is written of rare disease, "current smoker" of general medicine.
pub(crate) fn log_general(pack: &Pack, present: &[(TermIx, f64)]) -> f64 {
    let one = |(term, weight): &(TermIx, f64)| {
        let ratio = (pack.general_background(*term) / pack.background(*term)).ln();
        weight * ratio.clamp(-DOMAIN_MOST, DOMAIN_MOST)
    };
    DOMAIN_WEIGHT * present.iter().map(one).sum::<f64>()
}

/// Share of charts that are silent about something in the history which is there and has to do with the illness.
const SILENT: f64 = 0.3;

/// Logarithm of the probability that a chart is silent about an antecedent that this share of the condition's patients has.
pub(crate) fn log_untold(rate: f64) -> f64 {
    (1.0 - rate * (1.0 - SILENT)).ln()
}

/// How much of the logarithm of a rare disease's publications counts. The release has no prevalence; what is met more is
/// reported more. Chosen on published cases, half of their publications held back.
const PUBLISHED_WEIGHT: f64 = 1.0;

/// `ln(n + 1)`, from a table for the numbers that occur most: a ranking needs ten thousand of them.
fn log_of_one_more(n: u32) -> f64 {
    static LOGS: LazyLock<[f64; 64]> = LazyLock::new(|| std::array::from_fn(|n| f64::ln_1p(size(n))));
    LOGS.get(n as usize).copied().unwrap_or_else(|| f64::from(n).ln_1p())
}

#[allow(clippy::cast_precision_loss, reason = "counts of cases, findings and publications")]
pub(crate) fn size(n: usize) -> f64 {
    n as f64
}

/// Log prior of a disease in a person of this age and sex. A rare disease's follows how many publications report it.
pub(crate) fn log_prior(pack: &Pack, disease: DiseaseIx, subject: &Subject, published: u32) -> f64 {
    let Some(prevalence) = pack.prevalence(disease) else {
        return PUBLISHED_WEIGHT * log_of_one_more(published);
    };
    GENERAL_PRIOR + PRIOR_WEIGHT * (prevalence / USUAL).ln() + pack.demographic_factor(disease, subject).ln()
}
