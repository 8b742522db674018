//! From annotations to propagated rates: how often a disease's patients show each term.
//!
//! - Counts of one source are pooled and shrunk: `(n + 1) / (m + 6)`, so that one patient of one is not certainty.
//! - Sources are combined by their maximum; a finding that the disease's name says has at least [`NAMED`].
//! - Up the ontology rates combine as independent (noisy-or, Pearl 1988).
//! - A disease borrows, at a discount, what the others of its numbered series and of its gene show on average.

use crate::flat::Section;
use crate::{Annotation, DiseaseIx, Frequency, Ground, Pack, TermIx};
use std::collections::{BTreeMap, BTreeSet};

/// Pseudo-counts with and without the finding together, chosen on published cases.
const PRIOR_ALL: f64 = 6.0;
/// Pseudo-counts with the finding.
const PRIOR_WITH: f64 = 1.0;
/// Rate of an annotation without a frequency.
const UNSTATED: f64 = 0.5;
/// Rate of a finding that the disease's name says.
const NAMED: f64 = 0.6;
/// Share of a series' mean rate that its members get.
const FROM_SERIES: f64 = 0.65;
/// Share of the mean rate of the diseases of the same gene.
const FROM_GENE: f64 = 0.2;
/// Less than this is not worth borrowing.
const BORROWED_LEAST: f64 = 0.015;
/// No single annotation makes a general term certain.
const MOST: f64 = 0.999;
/// Steps per halving of a rate: one byte holds 1 to 1/256 within 1.1 %.
const STEPS: f64 = 32.0;
/// Expected information of an average disease's findings is near 1 on this scale.
const BREADTH_SCALE: f64 = 0.01;
/// Keeps a disease with hardly any annotation from looking infinitely narrow.
const BREADTH_LEAST: f64 = 0.3;
/// Most ids of siblings that a claim cites.
const MOST_SIBLINGS: usize = 5;
/// Most references that a claim cites.
const MOST_SOURCES: usize = 20;

/// The step that says that a condition practically never shows a term, and its rate then.
pub const NEVER: u8 = u8::MAX;

/// The rate that one byte stands for: `2^(-step / 32)`.
#[must_use]
pub fn rate_of(step: u8) -> f64 {
    (-f64::from(step) / STEPS).exp2()
}

/// The byte for a rate; none when it is too small to be kept (below about 1/250).
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded to 0..=254 just before")]
pub fn rate_step(rate: f64) -> Option<u8> {
    let step = (-rate.log2() * STEPS).round();
    (step <= 254.0).then(|| step.max(0.0) as u8)
}

/// A disease's rates, by term, ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Terms and their rates, as [`rate_of`] reads them.
    pub rates: Vec<(TermIx, u8)>,
    /// As [`Pack::breadth`].
    pub breadth: f64,
    /// As [`Pack::published`].
    pub published: u32,
}

impl Profile {
    /// The rate of one term.
    #[must_use]
    pub fn rate(&self, term: TermIx) -> Option<u8> {
        let place = self.rates.binary_search_by_key(&term, |r| r.0).ok()?;
        self.rates.get(place).map(|r| r.1)
    }
}

/// What the pack would say had one publication never been read.
#[derive(Debug, Clone, Default)]
pub struct Revision {
    excluded: BTreeSet<u32>,
    profiles: BTreeMap<DiseaseIx, Profile>,
}

impl Revision {
    /// The diseases whose profile differs, with the new one.
    pub fn profiles(&self) -> impl Iterator<Item = (DiseaseIx, &Profile)> {
        self.profiles.iter().map(|(d, p)| (*d, p))
    }

    /// The new profile of a disease that the publication bears on.
    #[must_use]
    pub fn profile(&self, disease: DiseaseIx) -> Option<&Profile> {
        self.profiles.get(&disease)
    }
}

type Rates = Vec<(TermIx, f64)>;

impl Pack {
    /// The pack without the annotations that cite `publication` (`PMID:…`): their diseases, and those that borrow
    /// from them, get their profiles anew. The background stays as it is.
    #[must_use]
    pub fn without(&self, publication: &str) -> Revision {
        let excluded = self.citing(publication);
        if excluded.is_empty() {
            return Revision::default();
        }
        let cites = |d: &DiseaseIx| self.annotations(*d).any(|a| excluded.contains(&a.references));
        let direct: Vec<DiseaseIx> = self.diseases().filter(cites).collect();
        let borrowing = direct.iter().flat_map(|d| self.series(*d).chain(self.same_gene(*d)));
        let affected: BTreeSet<DiseaseIx> = direct.iter().copied().chain(borrowing).collect();
        let mut known: BTreeMap<DiseaseIx, Rates> = BTreeMap::new();
        let mut profiles = BTreeMap::new();
        for disease in affected {
            let needed = [disease].into_iter().chain(self.series(disease)).chain(self.same_gene(disease));
            for one in needed {
                known.entry(one).or_insert_with(|| self.own_rates(one, &excluded));
            }
            let rates = self.mixed_rates(disease, &|d| known.get(&d).map_or(&[], Vec::as_slice));
            let breadth = self.raw_breadth(disease, &rates) - self.mean_breadth(disease);
            let rows = self.annotations(disease).filter(|r| !excluded.contains(&r.references));
            let published = published(rows.flat_map(|r| self.references(&r).map(str::to_owned).collect::<Vec<_>>()));
            profiles.insert(disease, Profile { rates: quantised(&rates), breadth, published });
        }
        Revision { excluded, profiles }
    }

    /// The sets of references that hold the publication.
    fn citing(&self, publication: &str) -> BTreeSet<u32> {
        let sets = u32::try_from(self.flat.len(Section::ReferenceAt).saturating_sub(1)).unwrap_or(0);
        let holds = |set: &u32| {
            let mut all = self.flat.list(Section::ReferenceAt, Section::Reference, *set as usize);
            all.any(|text| self.flat.text(text) == publication)
        };
        (0..sets).filter(holds).collect()
    }

    /// What the disease's own annotations and name say, before propagation.
    fn direct_rates(&self, disease: DiseaseIx, excluded: &BTreeSet<u32>) -> BTreeMap<TermIx, f64> {
        let rows = self.annotations(disease).filter(|r| !r.not && !excluded.contains(&r.references));
        let mut rows: Vec<Annotation> = rows.filter(|r| self.is_phenotypic(r.term)).collect();
        rows.sort_by_key(|r| (r.term, r.from));
        let mut direct = BTreeMap::new();
        let mut raise = |term: TermIx, rate: f64| {
            let slot: &mut f64 = direct.entry(term).or_insert(0.0);
            *slot = slot.max(rate);
        };
        for same in rows.chunk_by(|a, b| (a.term, a.from) == (b.term, b.from)) {
            let mut pool = Pool::default();
            same.iter().for_each(|row| pool.add(row.frequency));
            if let (Some(rate), Some(first)) = (pool.rate(), same.first()) {
                raise(first.term, rate);
            }
        }
        for term in self.named(disease) {
            raise(term, NAMED);
        }
        direct
    }

    /// The direct rates, propagated.
    pub(crate) fn own_rates(&self, disease: DiseaseIx, excluded: &BTreeSet<u32>) -> Rates {
        let mut misses: BTreeMap<TermIx, f64> = BTreeMap::new();
        for (term, rate) in self.direct_rates(disease, excluded) {
            for above in self.ancestors(term) {
                *misses.entry(above).or_insert(1.0) *= 1.0 - rate.min(MOST);
            }
        }
        misses.into_iter().map(|(term, miss)| (term, 1.0 - miss)).collect()
    }

    /// A disease's rates with what it borrows; `own` gives the propagated rates of any disease.
    pub(crate) fn mixed_rates<'a>(&self, disease: DiseaseIx, own: &dyn Fn(DiseaseIx) -> &'a [(TermIx, f64)]) -> Rates {
        let mut mixed: BTreeMap<TermIx, f64> = own(disease).iter().copied().collect();
        let kin: [(f64, Vec<DiseaseIx>); 2] =
            [(FROM_SERIES, self.series(disease).collect()), (FROM_GENE, self.same_gene(disease).collect())];
        for (share, siblings) in kin {
            let known = siblings.iter().map(|s| own(*s)).filter(|rates| !rates.is_empty());
            let (mut sums, mut count) = (BTreeMap::<TermIx, f64>::new(), 0.0);
            for rates in known {
                count += 1.0;
                for (term, rate) in rates {
                    *sums.entry(*term).or_insert(0.0) += rate;
                }
            }
            for (term, sum) in sums {
                let borrowed = share * sum / count;
                if borrowed >= BORROWED_LEAST {
                    let slot = mixed.entry(term).or_insert(0.0);
                    *slot = slot.max(borrowed);
                }
            }
        }
        mixed.into_iter().collect()
    }

    /// Logarithm of the expected information of a patient's findings.
    pub(crate) fn raw_breadth(&self, disease: DiseaseIx, rates: &[(TermIx, f64)]) -> f64 {
        let information =
            |(term, rate): &(TermIx, f64)| rate * -self.background_for(disease, *term).ln() * BREADTH_SCALE;
        (rates.iter().map(information).sum::<f64>() + BREADTH_LEAST).ln()
    }

    /// How many publications report the disease under a revision.
    #[must_use]
    pub fn revised_published(&self, disease: DiseaseIx, revision: &Revision) -> u32 {
        revision.profile(disease).map_or_else(|| self.published(disease), |profile| profile.published)
    }

    /// The rate of one term in one disease under a revision.
    #[must_use]
    pub fn revised_rate(&self, disease: DiseaseIx, term: TermIx, revision: &Revision) -> Option<u8> {
        match revision.profile(disease) {
            Some(profile) => profile.rate(term),
            None => self.rate(disease, term),
        }
    }

    /// What the rates of one disease rest on.
    #[must_use]
    pub fn grounds<'a>(&'a self, disease: DiseaseIx, revision: &'a Revision) -> Grounds<'a> {
        let mut direct: Rates =
            self.direct_rates(disease, &revision.excluded).into_iter().filter(|d| d.1 > 0.0).collect();
        direct.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Grounds { pack: self, disease, revision, direct }
    }

    /// References of the disease's annotations with the term; its own id when only its name says it.
    fn cited(&self, disease: DiseaseIx, term: TermIx, revision: &Revision) -> Vec<String> {
        let rows = self.annotations(disease).filter(|r| r.term == term && !r.not);
        let rows = rows.filter(|r| !revision.excluded.contains(&r.references));
        let mut cited: BTreeSet<&str> = BTreeSet::new();
        for row in rows {
            cited.extend(
                self.flat
                    .list(Section::ReferenceAt, Section::Reference, row.references as usize)
                    .map(|t| self.flat.text(t)),
            );
        }
        if cited.is_empty() {
            cited.insert(self.disease_id(disease));
        }
        cited.into_iter().take(MOST_SOURCES).map(str::to_owned).collect()
    }
}

/// What one disease's rates rest on.
#[derive(Debug)]
pub struct Grounds<'a> {
    pack: &'a Pack,
    disease: DiseaseIx,
    revision: &'a Revision,
    /// Most frequent first.
    direct: Rates,
}

impl Grounds<'_> {
    /// The disease's own most frequent annotation at or below the term, else its siblings'; none when nothing in the
    /// pack supports it.
    #[must_use]
    pub fn of(&self, term: TermIx) -> Option<Ground> {
        if let Some((best, _)) = self.direct.iter().find(|(t, _)| self.pack.is_a(*t, term)) {
            return Some(Ground { term: *best, sources: self.pack.cited(self.disease, *best, self.revision) });
        }
        let siblings: BTreeSet<DiseaseIx> =
            self.pack.series(self.disease).chain(self.pack.same_gene(self.disease)).collect();
        let shown = |s: DiseaseIx| self.pack.revised_rate(s, term, self.revision).map(|step| (step, s));
        let mut shown: Vec<(u8, DiseaseIx)> = siblings.into_iter().filter_map(shown).collect();
        shown.sort_unstable();
        let sources: Vec<String> =
            shown.into_iter().take(MOST_SIBLINGS).map(|(_, s)| self.pack.disease_id(s).to_owned()).collect();
        (!sources.is_empty()).then_some(Ground { term, sources })
    }
}

/// How many publications are among these references.
pub(crate) fn published<T: AsRef<str> + Ord>(references: impl Iterator<Item = T>) -> u32 {
    let distinct: BTreeSet<T> = references.filter(|r| r.as_ref().starts_with("PMID:")).collect();
    u32::try_from(distinct.len()).unwrap_or(u32::MAX)
}

pub(crate) fn quantised(rates: &[(TermIx, f64)]) -> Vec<(TermIx, u8)> {
    rates.iter().filter_map(|(term, rate)| rate_step(*rate).map(|step| (*term, step))).collect()
}

/// The frequencies that one source gives one term.
#[derive(Default)]
struct Pool {
    with: f64,
    examined: f64,
    shares: f64,
    stated: f64,
    unstated: bool,
}

impl Pool {
    fn add(&mut self, frequency: Frequency) {
        match frequency {
            Frequency::Unknown => self.unstated = true,
            Frequency::Count { n, of } => {
                self.with += f64::from(n);
                self.examined += f64::from(of);
            }
            Frequency::Share(share) => self.share(share),
            Frequency::Class(class) => self.share(class.typical()),
        }
    }

    fn share(&mut self, share: f64) {
        self.shares += share;
        self.stated += 1.0;
    }

    /// None when a class or a share says that nobody has it; a count of nobody still leaves room for somebody.
    fn rate(&self) -> Option<f64> {
        if self.examined > 0.0 {
            return Some((self.with + PRIOR_WITH) / (self.examined + PRIOR_ALL));
        }
        if self.stated > 0.0 {
            return (self.shares > 0.0).then(|| self.shares / self.stated);
        }
        self.unstated.then_some(UNSTATED)
    }
}
