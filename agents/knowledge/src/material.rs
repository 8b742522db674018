//! What a pack is made of, before it is laid out flat: from a release, or out of a pack that exists, with the curated
//! conditions added.

use crate::curated::{Measure, PricedTest, is_own};
use crate::{EvidenceCode, Frequency, Pack};
use bodh_clinical::Sex;
use std::collections::{BTreeMap, BTreeSet};

/// One term.
#[derive(Debug, Clone, Default)]
pub(crate) struct Term {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) synonyms: Vec<String>,
    /// How many of the synonyms, from the first, mean exactly the same.
    pub(crate) exact: u32,
    pub(crate) parents: Vec<u32>,
    /// Itself and all phenotypic terms above it, ascending; empty for what is not phenotypic.
    pub(crate) ancestors: Vec<u32>,
    /// As [`Pack::is_incidental`].
    pub(crate) incidental: bool,
    /// As [`Pack::explains`], ascending.
    pub(crate) explains: BTreeSet<u32>,
    /// The tests that show it and what is below it, by their place in the list.
    pub(crate) shown: BTreeSet<u32>,
}

/// One row about a disease.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) term: u32,
    pub(crate) frequency: Frequency,
    pub(crate) onset: Option<u32>,
    pub(crate) sex: Sex,
    pub(crate) not: bool,
    pub(crate) evidence: EvidenceCode,
    pub(crate) references: Vec<String>,
    /// 0 the disease's own id, then its further ids in order.
    pub(crate) from: u8,
}

/// What is known of a curated condition beside its findings.
#[derive(Debug, Clone)]
pub(crate) struct Curation {
    pub(crate) specialty: String,
    pub(crate) prevalence: f64,
    pub(crate) red_flag: String,
    /// Factors of female and male.
    pub(crate) sexes: [f64; 2],
    /// First and last day of the ages that have it most.
    pub(crate) ages: Vec<[u32; 2]>,
    /// Factor outside of them.
    pub(crate) outside: f64,
    /// As [`Pack::antecedents`].
    pub(crate) antecedents: Vec<u32>,
    /// Tests that settle it.
    pub(crate) settled_by: Vec<String>,
}

/// One disease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disease {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) also: Vec<String>,
    pub(crate) synonyms: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Findings that its name says.
    pub(crate) named: Vec<u32>,
    pub(crate) series: Vec<u32>,
    pub(crate) same_gene: Vec<u32>,
    /// The same disease under another id, as an entry of its own.
    pub(crate) twin: Option<u32>,
    pub(crate) curation: Option<Curation>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Material {
    pub(crate) release: String,
    /// In the order of their ids; likewise diseases.
    pub(crate) terms: Vec<Term>,
    pub(crate) aliases: BTreeMap<String, Option<u32>>,
    pub(crate) diseases: Vec<Disease>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) tests: Vec<PricedTest>,
}

impl Material {
    /// The release's part of a pack: curated conditions and findings are left behind.
    pub(crate) fn of(pack: &Pack) -> Self {
        let own_terms = shift(pack.terms().take_while(|t| is_own(pack.term_id(*t))).count());
        let own_diseases = shift(pack.diseases().take_while(|d| is_own(pack.disease_id(*d))).count());
        let term = |t: u32| t.saturating_sub(own_terms);
        let disease = |d: u32| d.saturating_sub(own_diseases);
        let terms = pack.terms().skip(own_terms as usize).map(|t| Term {
            id: pack.term_id(t).to_owned(),
            label: pack.term_label(t).to_owned(),
            synonyms: pack.term_synonyms(t).map(str::to_owned).collect(),
            exact: pack.exact_count(t),
            parents: pack.parents(t).map(|p| term(p.0)).collect(),
            ancestors: pack.ancestors(t).map(|a| term(a.0)).collect(),
            incidental: false,
            explains: BTreeSet::new(),
            shown: BTreeSet::new(),
        });
        let diseases = pack.diseases().skip(own_diseases as usize).map(|d| Disease {
            id: pack.disease_id(d).to_owned(),
            label: pack.disease_label(d).to_owned(),
            also: pack.also(d).map(str::to_owned).collect(),
            synonyms: pack.disease_synonyms(d).map(str::to_owned).collect(),
            rows: pack
                .annotations(d)
                .map(|a| Row {
                    term: term(a.term.0),
                    frequency: a.frequency,
                    onset: a.onset.map(|o| term(o.0)),
                    sex: a.sex,
                    not: a.not,
                    evidence: a.evidence,
                    references: pack.references(&a).map(str::to_owned).collect(),
                    from: a.from,
                })
                .collect(),
            named: pack.named(d).map(|t| term(t.0)).collect(),
            series: pack.series(d).map(|s| disease(s.0)).collect(),
            same_gene: pack.same_gene(d).map(|s| disease(s.0)).collect(),
            twin: None,
            curation: None,
        });
        Self {
            release: pack.release().to_owned(),
            terms: terms.collect(),
            aliases: pack.aliases().map(|(id, to)| (id.to_owned(), to.map(|t| term(t.0)))).collect(),
            diseases: diseases.collect(),
            measures: Vec::new(),
            tests: Vec::new(),
        }
    }
}

pub(crate) fn shift(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
