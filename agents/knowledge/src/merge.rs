//! Which Orphanet entry is which OMIM disease, worked out from the release alone.
//!
//! Three signs: the same words in the name, a shared gene, and a similar profile (Jaccard index of the annotated
//! terms and their ancestors, weighted by information content, as in Pesquita et al. 2008, "simGIC"). Pairs are taken
//! best first, one to one, so that a merged disease is one disease and never a group.

use crate::names::{stem, words};
use crate::source::{Annotations, Ontology};
use std::collections::{BTreeMap, BTreeSet};

/// Same words in the name: taken before everything else.
const SAME_NAME: f64 = 10.0;
/// Orphanet's name without the number that OMIM gives the first of a series.
const FIRST_OF_SERIES: f64 = 5.0;
/// What words in common add to the similarity of two profiles with a shared gene.
const NAME_WEIGHT: f64 = 0.5;
/// What a gene adds that belongs to few.
const GENE_WEIGHT: f64 = 0.3;
/// Least score of a pair, chosen where a public mapping (not part of this project) finds it right about four times in five,
/// and related nineteen times in twenty.
const LEAST: f64 = 0.55;

pub(crate) type Genes<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// OMIM id to the Orphanet id that is merged into it.
pub(crate) fn pairs<'a>(found: &Annotations<'a>, genes: &Genes<'a>, ontology: &Ontology) -> BTreeMap<&'a str, &'a str> {
    let mut candidates = candidates(found, genes, &Profiles::new(found, ontology));
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    let (mut taken, mut merged) = (BTreeSet::new(), BTreeMap::new());
    for (score, orpha, omim) in candidates {
        if score >= LEAST && !taken.contains(orpha) && !merged.contains_key(omim) {
            taken.insert(orpha);
            merged.insert(omim, orpha);
        }
    }
    merged
}

fn is_orphanet(id: &str) -> bool {
    id.starts_with("ORPHA:")
}

fn candidates<'a>(found: &Annotations<'a>, genes: &Genes<'a>, profiles: &Profiles<'a>) -> Vec<(f64, &'a str, &'a str)> {
    let mut by_words: BTreeMap<Vec<String>, Vec<&'a str>> = BTreeMap::new();
    let mut by_gene: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (id, disease) in found.iter().filter(|(id, _)| !is_orphanet(id)) {
        by_words.entry(words(disease.name)).or_default().push(id);
        for gene in genes.get(id).into_iter().flatten() {
            by_gene.entry(gene).or_default().push(id);
        }
    }
    let mut all = Vec::new();
    for (orpha, disease) in found.iter().filter(|(id, _)| is_orphanet(id)) {
        let own = words(disease.name);
        let mut seen = BTreeSet::new();
        for omim in by_words.get(&own).into_iter().flatten() {
            if seen.insert(*omim) {
                all.push((SAME_NAME + profiles.similarity(orpha, omim), *orpha, *omim));
            }
        }
        let mut first = own.clone();
        first.push("1".to_owned());
        first.sort();
        first.dedup();
        for omim in by_words.get(&first).into_iter().flatten() {
            if seen.insert(*omim) {
                all.push((FIRST_OF_SERIES + profiles.similarity(orpha, omim), *orpha, *omim));
            }
        }
        let own_genes = genes.get(orpha);
        for omim in own_genes.into_iter().flatten().filter_map(|g| by_gene.get(g)).flatten() {
            if seen.insert(*omim) {
                let others = found.get(omim).map(|d| words(d.name)).unwrap_or_default();
                let most = own_genes.map_or(1, BTreeSet::len).max(genes.get(omim).map_or(1, BTreeSet::len));
                let score =
                    profiles.similarity(orpha, omim) + NAME_WEIGHT * dice(&own, &others) + GENE_WEIGHT / count(most);
                all.push((score, *orpha, *omim));
            }
        }
    }
    all
}

#[allow(clippy::cast_precision_loss, reason = "counts of words and genes")]
fn count(n: usize) -> f64 {
    n as f64
}

/// Dice's coefficient of two lists of words.
fn dice(a: &[String], b: &[String]) -> f64 {
    let both = a.iter().filter(|w| b.contains(w)).count();
    if a.is_empty() || b.is_empty() { 0.0 } else { 2.0 * count(both) / count(a.len() + b.len()) }
}

struct Profiles<'a> {
    terms: BTreeMap<&'a str, BTreeSet<u32>>,
    information: Vec<f64>,
}

impl<'a> Profiles<'a> {
    fn new(found: &Annotations<'a>, ontology: &Ontology) -> Self {
        let mut terms = BTreeMap::new();
        let mut counts = vec![0usize; ontology.terms.len()];
        for (id, disease) in found {
            let annotated = disease.rows.iter().filter(|r| !r.not);
            let set: BTreeSet<u32> = annotated.flat_map(|r| ontology.ancestors(r.term)).copied().collect();
            for term in &set {
                if let Some(slot) = counts.get_mut(*term as usize) {
                    *slot += 1;
                }
            }
            terms.insert(*id, set);
        }
        let total = count(found.len());
        Self { terms, information: counts.iter().map(|n| -(count((*n).max(1)) / total).ln()).collect() }
    }

    fn similarity(&self, a: &str, b: &str) -> f64 {
        let (Some(a), Some(b)) = (self.terms.get(a), self.terms.get(b)) else { return 0.0 };
        let weight = |t: &u32| self.information.get(*t as usize).copied().unwrap_or(0.0);
        let shared: f64 = a.intersection(b).map(weight).sum();
        let all: f64 = a.union(b).map(weight).sum();
        if all > 0.0 { shared / all } else { 0.0 }
    }
}

/// For each disease (by its place in `names`) the others whose name has the same stem.
pub(crate) fn series(names: &[Vec<&str>]) -> Vec<Vec<u32>> {
    let stems = names.iter().map(|all| all.iter().map(|n| stem(n)).filter(|s| s.len() > 4).collect());
    related(&stems.collect::<Vec<BTreeSet<String>>>(), usize::MAX)
}

/// A gene with more diseases than this says little about any of them.
const MOST_PER_GENE: usize = 29;

/// For each disease the others that share a gene.
pub(crate) fn same_gene(genes: &[BTreeSet<&str>]) -> Vec<Vec<u32>> {
    let owned: Vec<BTreeSet<String>> = genes.iter().map(|g| g.iter().map(|s| (*s).to_owned()).collect()).collect();
    related(&owned, MOST_PER_GENE)
}

fn related(keys: &[BTreeSet<String>], most: usize) -> Vec<Vec<u32>> {
    let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (own, index) in keys.iter().zip(0u32..) {
        for key in own {
            groups.entry(key).or_default().push(index);
        }
    }
    let of = |(own, index): (&BTreeSet<String>, u32)| {
        let members = own.iter().filter_map(|k| groups.get(k.as_str())).filter(|g| g.len() <= most).flatten();
        let set: BTreeSet<u32> = members.copied().filter(|i| *i != index).collect();
        set.into_iter().collect()
    };
    keys.iter().zip(0u32..).map(of).collect()
}
