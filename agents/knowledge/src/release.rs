//! A release of the Human Phenotype Ontology as material: entries of the same disease merged.

use crate::material::{Disease, Material, Row, Term};
use crate::merge::{Genes, pairs, same_gene, series};
use crate::names::Lexicon;
use crate::source::{Annotations, Ontology, SourceDisease, SourceRow};
use std::collections::{BTreeMap, BTreeSet};

/// One disease with everything that the release says of it.
pub(crate) struct Entry<'a> {
    id: &'a str,
    also: Vec<&'a str>,
    names: Vec<&'a str>,
    genes: BTreeSet<&'a str>,
    rows: Vec<SourceRow<'a>>,
}

/// Merges what is the same disease; what has no row about a phenotype or its course is left out.
pub(crate) fn merged<'a>(found: &mut Annotations<'a>, genes: &Genes<'a>, ontology: &Ontology) -> Vec<Entry<'a>> {
    let pairs = pairs(found, genes, ontology);
    let second: BTreeMap<&str, SourceDisease<'a>> =
        pairs.values().filter_map(|orpha| found.remove(orpha).map(|d| (*orpha, d))).collect();
    let mut entries = Vec::new();
    for (id, disease) in std::mem::take(found) {
        let mut entry = Entry {
            id,
            also: vec![],
            names: vec![disease.name],
            genes: genes.get(id).cloned().unwrap_or_default(),
            rows: disease.rows,
        };
        if let Some((orpha, other)) = pairs.get(id).and_then(|orpha| second.get(orpha).map(|d| (*orpha, d))) {
            entry.also.push(orpha);
            entry.names.push(other.name);
            entry.genes.extend(genes.get(orpha).into_iter().flatten());
            entry.rows.extend(other.rows.iter().map(|r| SourceRow { from: 1, ..r.clone() }));
        }
        if entry.rows.iter().any(|r| !ontology.ancestors(r.term).is_empty()) {
            entries.push(entry);
        }
    }
    entries
}

/// The release as material.
pub(crate) fn material(ontology: &Ontology, entries: &[Entry<'_>]) -> Material {
    let terms = ontology.terms.iter().map(|t| Term {
        id: t.id.clone(),
        label: t.label.clone(),
        synonyms: t.synonyms.clone(),
        exact: u32::try_from(t.exact).unwrap_or(u32::MAX),
        parents: t.parents.clone(),
        ancestors: t.ancestors.clone(),
        ..Term::default()
    });
    let phenotypic = ontology.terms.iter().zip(0u32..).filter(|(t, _)| t.ancestors.len() > 1);
    let lexicon = Lexicon::new(phenotypic.flat_map(|(t, i)| {
        [t.label.as_str()]
            .into_iter()
            .chain(t.synonyms.iter().take(t.exact).map(String::as_str))
            .map(move |name| (name, i))
    }));
    let names: Vec<Vec<&str>> = entries.iter().map(|e| e.names.clone()).collect();
    let genes: Vec<BTreeSet<&str>> = entries.iter().map(|e| e.genes.clone()).collect();
    let kin = series(&names).into_iter().zip(same_gene(&genes));
    let diseases = entries.iter().zip(kin).map(|(entry, (series, same_gene))| {
        let further: BTreeSet<&str> = entry.names.iter().skip(1).copied().collect();
        let said: BTreeSet<u32> = entry.names.iter().flat_map(|n| lexicon.said(n)).collect();
        Disease {
            id: entry.id.to_owned(),
            label: entry.names.first().copied().unwrap_or_default().to_owned(),
            also: entry.also.iter().map(|id| (*id).to_owned()).collect(),
            synonyms: further.into_iter().map(str::to_owned).collect(),
            rows: entry.rows.iter().map(row).collect(),
            named: said.into_iter().collect(),
            series,
            same_gene,
            ..Disease::default()
        }
    });
    Material {
        release: ontology.release.clone(),
        terms: terms.collect(),
        aliases: ontology.aliases.clone(),
        diseases: diseases.collect(),
        ..Material::default()
    }
}

fn row(source: &SourceRow<'_>) -> Row {
    Row {
        term: source.term,
        frequency: source.frequency,
        onset: source.onset,
        sex: source.sex,
        not: source.not,
        evidence: source.evidence,
        references: source.references.iter().map(|r| (*r).to_owned()).collect(),
        from: source.from,
    }
}
