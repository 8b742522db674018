//! What is worked out of the rows: backgrounds, propagated rates, and how broad each disease is.

use crate::flat::{Flat, Section, Writer, check};
use crate::material::{Disease, Material, Row};
use crate::profile::{NEVER, quantised};
use crate::{BuildError, DiseaseIx, Frequency, FrequencyClass, Pack, TermIx};
use std::collections::BTreeSet;

/// Pseudo-count of the background: a term that no disease shows is rare, not impossible.
const BACKGROUND_LEAST: f64 = 0.5;
/// How strongly a condition's prevalence weighs its findings in the background of general medicine: not fully, or colds and
/// back pain would be all of it.
const PREVALENCE_WEIGHT: f64 = 0.25;

/// Everything that is worked out of the rows: the background, the propagated rates, and how broad each disease is. Rare
/// diseases and curated conditions each have their own background: how often a finding is met depends on where one looks.
pub(crate) fn derive(writer: &mut Writer, material: &Material) -> Result<(), BuildError> {
    let (terms, diseases) = (material.terms.len(), material.diseases.len());
    let curated = material.diseases.iter().take_while(|d| d.curation.is_some()).count();
    writer.lists(Section::PostingAt, Section::PostingDisease, &vec![vec![]; terms])?;
    writer.f64s(Section::Background, &vec![1.0; terms]);
    writer.f64s(Section::General, &vec![1.0; terms]);
    writer.f64s(Section::Breadth, &vec![0.0; diseases]);
    writer.f64s(Section::Numbers, &[0.0, 0.0]);
    let flat = Flat::open(writer.finish().into())?;
    check(&flat)?;
    let primary = Pack { flat };
    let own: Vec<Vec<(TermIx, f64)>> = primary.diseases().map(|d| primary.own_rates(d, &BTreeSet::new())).collect();
    let of = |d: DiseaseIx| own.get(d.0 as usize).map_or(&[][..], Vec::as_slice);
    let mixed: Vec<Vec<(TermIx, f64)>> = primary.diseases().map(|d| primary.mixed_rates(d, &of)).collect();
    let (general, rare) = mixed.split_at(curated);
    let weights = material.diseases.iter().map_while(|d| d.curation.as_ref());
    let weights: Vec<f64> = weights.map(|c| c.prevalence.powf(PREVALENCE_WEIGHT)).collect();
    writer.f64s(Section::Background, &background(rare.iter().map(|r| (1.0, r.as_slice())), terms));
    let weighted = general.iter().zip(&weights).map(|(r, w)| (w / mean(&weights), r.as_slice()));
    writer.f64s(Section::General, &background(weighted, terms));
    let measured = Pack { flat: Flat::open(writer.finish().into())? };
    let raw: Vec<f64> = primary.diseases().zip(&mixed).map(|(d, rates)| measured.raw_breadth(d, rates)).collect();
    let (general, rare) = raw.split_at(curated);
    let means = [mean(rare), mean(general)];
    writer.f64s(Section::Numbers, &means);
    let centred = general.iter().map(|b| b - means[1]).chain(rare.iter().map(|b| b - means[0]));
    writer.f64s(Section::Breadth, &centred.collect::<Vec<f64>>());
    let excluded: Vec<Vec<u32>> = material.diseases.iter().map(excluded).collect();
    write_postings(writer, &mixed, &excluded, terms)
}

/// What a curated condition practically never shows.
fn excluded(disease: &Disease) -> Vec<u32> {
    let never = |r: &&Row| r.frequency == Frequency::Class(FrequencyClass::Excluded) && disease.curation.is_some();
    disease.rows.iter().filter(never).map(|r| r.term).collect()
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / size(values.len()) }
}

#[allow(clippy::cast_precision_loss, reason = "a count of diseases")]
fn size(n: usize) -> f64 {
    n as f64
}

/// Mean rate of each term over diseases of these weights.
fn background<'a>(diseases: impl Iterator<Item = (f64, &'a [(TermIx, f64)])>, terms: usize) -> Vec<f64> {
    let (mut sums, mut all) = (vec![BACKGROUND_LEAST; terms], BACKGROUND_LEAST);
    for (weight, rates) in diseases {
        all += weight;
        for (term, rate) in rates {
            if let Some(sum) = sums.get_mut(term.0 as usize) {
                *sum += weight * rate;
            }
        }
    }
    sums.iter().map(|s| (s / all).min(1.0)).collect()
}

fn write_postings(
    writer: &mut Writer,
    mixed: &[Vec<(TermIx, f64)>],
    excluded: &[Vec<u32>],
    terms: usize,
) -> Result<(), BuildError> {
    let mut by_term: Vec<Vec<(u16, u8)>> = vec![vec![]; terms];
    for ((rates, never), disease) in mixed.iter().zip(excluded).zip(0u16..) {
        let never = never.iter().map(|term| (TermIx(*term), NEVER));
        for (term, step) in
            quantised(rates).into_iter().filter(|r| !never.clone().any(|n| n.0 == r.0)).chain(never.clone())
        {
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
