//! From the three files of a release to the committed pack, and from that to the flat form.

use crate::flat::{Flat, NONE, Section, Writer, check};
use crate::merge::{Genes, pairs, same_gene, series};
use crate::names::Lexicon;
use crate::profile::quantised;
use crate::source::{Annotations, Ontology, SourceDisease, SourceRow, annotations, genes, ontology};
use crate::{BuildError, DiseaseIx, EvidenceCode, Frequency, Pack, PackError, TermIx};
use bodh_clinical::Sex;
use std::collections::{BTreeMap, BTreeSet};

/// Largest flat form that is accepted.
const LARGEST: usize = 64 << 20;
/// zstd's level for what is built once and read often.
const LEVEL: i32 = 19;
/// Pseudo-count of the background: a term that no disease shows is rare, not impossible.
const BACKGROUND_LEAST: f64 = 0.5;

fn attribution(release: &str) -> String {
    format!(
        "This pack uses the Human Phenotype Ontology, release {release}, http://www.human-phenotype-ontology.org, and its \
         disease annotations, which include data of Orphanet (https://www.orphadata.com, CC BY 4.0). Content unaltered: \
         entries that describe the same disease are shown together, each row under its own source."
    )
}

/// Makes the committed (compressed) pack of a release's `hp.obo`, `phenotype.hpoa` and `genes_to_phenotype.txt`.
pub fn build(obo: &[u8], hpoa: &[u8], gene_rows: &[u8]) -> Result<Vec<u8>, BuildError> {
    let ontology = ontology(obo)?;
    let mut found = annotations(hpoa, &ontology)?;
    let genes = genes(gene_rows)?;
    let diseases = merged(&mut found, &genes, &ontology);
    if diseases.len() > usize::from(u16::MAX) {
        return Err(BuildError::TooLarge { what: "diseases", limit: usize::from(u16::MAX) });
    }
    let mut writer = Writer::default();
    write_terms(&mut writer, &ontology)?;
    write_diseases(&mut writer, &diseases, &ontology)?;
    derive(&mut writer, ontology.terms.len(), diseases.len())?;
    let flat = writer.finish();
    Pack::open(flat.clone())?;
    zstd::bulk::compress(&flat, LEVEL).map_err(|_| BuildError::Unsound(PackError::Compressed { limit: LARGEST }))
}

/// The flat form of a committed pack. [`Pack::open`] checks what is in it.
pub fn inflate(committed: &[u8]) -> Result<Vec<u8>, PackError> {
    zstd::bulk::decompress(committed, LARGEST).map_err(|_| PackError::Compressed { limit: LARGEST })
}

struct Entry<'a> {
    id: &'a str,
    also: Vec<&'a str>,
    names: Vec<&'a str>,
    genes: BTreeSet<&'a str>,
    rows: Vec<SourceRow<'a>>,
}

/// Merges what is the same disease; what has no row about a phenotype or its course is left out.
fn merged<'a>(found: &mut Annotations<'a>, genes: &Genes<'a>, ontology: &Ontology) -> Vec<Entry<'a>> {
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

fn write_terms(writer: &mut Writer, ontology: &Ontology) -> Result<(), BuildError> {
    let about = [writer.text(&ontology.release)?, writer.text(&attribution(&ontology.release))?];
    writer.u32s(Section::About, &about);
    let (mut ids, mut labels, mut synonyms) = (vec![], vec![], vec![]);
    for term in &ontology.terms {
        ids.push(writer.text(&term.id)?);
        labels.push(writer.text(&term.label)?);
        synonyms.push(term.synonyms.iter().map(|s| writer.text(s)).collect::<Result<Vec<u32>, _>>()?);
    }
    writer.u32s(Section::TermId, &ids);
    writer.u32s(Section::TermLabel, &labels);
    writer.lists(Section::SynonymAt, Section::Synonym, &synonyms)?;
    let parents: Vec<Vec<u32>> = ontology.terms.iter().map(|t| t.parents.clone()).collect();
    writer.lists(Section::ParentAt, Section::Parent, &parents)?;
    let ancestors: Vec<Vec<u32>> = ontology.terms.iter().map(|t| t.ancestors.clone()).collect();
    writer.lists(Section::AncestorAt, Section::Ancestor, &ancestors)?;
    let ids = ontology.aliases.keys().map(|id| writer.text(id)).collect::<Result<Vec<u32>, _>>()?;
    writer.u32s(Section::AliasId, &ids);
    let to: Vec<u32> = ontology.aliases.values().map(|to| to.unwrap_or(NONE)).collect();
    writer.u32s(Section::AliasTo, &to);
    Ok(())
}

fn write_diseases(writer: &mut Writer, entries: &[Entry<'_>], ontology: &Ontology) -> Result<(), BuildError> {
    let mut columns: [Vec<u32>; 2] = [vec![], vec![]];
    let (mut also, mut synonyms, mut named) = (vec![], vec![], vec![]);
    let phenotypic = ontology.terms.iter().zip(0u32..).filter(|(t, _)| t.ancestors.len() > 1);
    let lexicon = Lexicon::new(phenotypic.flat_map(|(t, i)| {
        [t.label.as_str()]
            .into_iter()
            .chain(t.synonyms.iter().take(t.exact).map(String::as_str))
            .map(move |name| (name, i))
    }));
    for entry in entries {
        columns[0].push(writer.text(entry.id)?);
        columns[1].push(writer.text(entry.names.first().copied().unwrap_or_default())?);
        also.push(entry.also.iter().map(|id| writer.text(id)).collect::<Result<Vec<u32>, _>>()?);
        let further: BTreeSet<&str> = entry.names.iter().skip(1).copied().collect();
        synonyms.push(further.iter().map(|n| writer.text(n)).collect::<Result<Vec<u32>, _>>()?);
        let said: BTreeSet<u32> = entry.names.iter().flat_map(|n| lexicon.said(n)).collect();
        named.push(said.into_iter().collect());
    }
    writer.u32s(Section::DiseaseId, &columns[0]);
    writer.u32s(Section::DiseaseLabel, &columns[1]);
    writer.lists(Section::AlsoAt, Section::Also, &also)?;
    writer.lists(Section::DiseaseSynonymAt, Section::DiseaseSynonym, &synonyms)?;
    writer.lists(Section::NamedAt, Section::Named, &named)?;
    let names: Vec<Vec<&str>> = entries.iter().map(|e| e.names.clone()).collect();
    writer.lists(Section::SeriesAt, Section::Series, &series(&names))?;
    let genes: Vec<BTreeSet<&str>> = entries.iter().map(|e| e.genes.clone()).collect();
    writer.lists(Section::GeneAt, Section::Gene, &same_gene(&genes))?;
    write_rows(writer, entries)
}

fn write_rows(writer: &mut Writer, entries: &[Entry<'_>]) -> Result<(), BuildError> {
    let mut sets: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut lists: Vec<Vec<u32>> = Vec::new();
    let (mut bounds, mut words, mut count) = (vec![0u32], Vec::new(), 0u32);
    for entry in entries {
        for row in &entry.rows {
            let refs = row.references.iter().map(|r| writer.text(r)).collect::<Result<Vec<u32>, _>>()?;
            let next = crate::flat::narrow(lists.len(), "sets of references")?;
            let set = *sets.entry(refs).or_insert_with_key(|refs| {
                lists.push(refs.clone());
                next
            });
            words.extend_from_slice(&encode(row, set));
            count += 1;
        }
        bounds.push(count);
    }
    writer.u32s(Section::RowAt, &bounds);
    writer.u32s(Section::Row, &words);
    writer.lists(Section::ReferenceAt, Section::Reference, &lists)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share between 0 and 1")]
fn encode(row: &SourceRow<'_>, references: u32) -> [u32; 6] {
    let (kind, a, b) = match row.frequency {
        Frequency::Unknown => (0, 0, 0),
        Frequency::Count { n, of } => (1, n, of),
        Frequency::Share(share) => (2, (share * 1e6).round() as u32, 0),
        Frequency::Class(class) => (3, class.code(), 0),
    };
    let sex = match row.sex {
        Sex::Female => 1,
        Sex::Male => 2,
        Sex::Unknown | Sex::Other => 0,
    };
    let evidence = match row.evidence {
        EvidenceCode::Electronic => 0,
        EvidenceCode::AuthorStatement => 1,
        EvidenceCode::ClinicalStudy => 2,
    };
    let flags = u8::from(row.not) | row.from << 1;
    [row.term, a, b, row.onset.unwrap_or(NONE), references, u32::from_le_bytes([kind, sex, evidence, flags])]
}

/// Adds what ranking needs: rates by term, background, breadth.
fn derive(writer: &mut Writer, terms: usize, diseases: usize) -> Result<(), BuildError> {
    writer.lists(Section::PostingAt, Section::PostingDisease, &vec![vec![]; terms])?;
    writer.f64s(Section::Background, &vec![1.0; terms]);
    writer.f64s(Section::Breadth, &vec![0.0; diseases]);
    writer.f64s(Section::Numbers, &[0.0]);
    let flat = Flat::open(writer.finish().into())?;
    check(&flat)?;
    let primary = Pack { flat };
    let own: Vec<Vec<(TermIx, f64)>> = primary.diseases().map(|d| primary.own_rates(d, &BTreeSet::new())).collect();
    let of = |d: DiseaseIx| own.get(d.0 as usize).map_or(&[][..], Vec::as_slice);
    let mixed: Vec<Vec<(TermIx, f64)>> = primary.diseases().map(|d| primary.mixed_rates(d, &of)).collect();
    write_background(writer, &mixed, terms);
    let measured = Pack { flat: Flat::open(writer.finish().into())? };
    let raw: Vec<f64> = mixed.iter().map(|rates| measured.raw_breadth(rates)).collect();
    let mean = raw.iter().sum::<f64>() / size(diseases);
    writer.f64s(Section::Numbers, &[mean]);
    writer.f64s(Section::Breadth, &raw.iter().map(|b| b - mean).collect::<Vec<f64>>());
    write_postings(writer, &mixed, terms)
}

#[allow(clippy::cast_precision_loss, reason = "a count of diseases")]
fn size(n: usize) -> f64 {
    n as f64
}

fn write_background(writer: &mut Writer, mixed: &[Vec<(TermIx, f64)>], terms: usize) {
    let mut sums = vec![BACKGROUND_LEAST; terms];
    for (term, rate) in mixed.iter().flatten() {
        if let Some(sum) = sums.get_mut(term.0 as usize) {
            *sum += rate;
        }
    }
    let all = size(mixed.len()) + BACKGROUND_LEAST;
    writer.f64s(Section::Background, &sums.iter().map(|s| (s / all).min(1.0)).collect::<Vec<f64>>());
}

fn write_postings(writer: &mut Writer, mixed: &[Vec<(TermIx, f64)>], terms: usize) -> Result<(), BuildError> {
    let mut by_term: Vec<Vec<(u16, u8)>> = vec![vec![]; terms];
    for (rates, disease) in mixed.iter().zip(0u16..) {
        for (term, step) in quantised(rates) {
            if let Some(list) = by_term.get_mut(term.0 as usize) {
                list.push((disease, step));
            }
        }
    }
    let mut bounds = vec![0u32];
    let mut count = 0;
    for list in &by_term {
        count += list.len();
        bounds.push(crate::flat::narrow(count, "rates")?);
    }
    writer.u32s(Section::PostingAt, &bounds);
    writer.bytes(Section::PostingDisease, by_term.iter().flatten().flat_map(|(d, _)| d.to_le_bytes()).collect());
    writer.bytes(Section::PostingRate, by_term.iter().flatten().map(|(_, step)| *step).collect());
    Ok(())
}
