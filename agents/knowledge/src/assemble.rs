//! From the files of a release and the curated texts to the committed pack, and from that to the flat form.

use crate::curated::{Curated, Fault};
use crate::derive::derive;
use crate::flat::{NONE, Section, Writer, fold, unfold};
use crate::material::{Disease, Material, Row};
use crate::profile::published;
use crate::release::{material, merged};
use crate::source::{annotations, genes, ontology};
use crate::{BuildError, EvidenceCode, Frequency, Pack, PackError};
use bodh_clinical::Sex;
use lz4_flex::block::decompress_into;
use std::collections::BTreeMap;

/// Largest flat form that is accepted.
const LARGEST: usize = 96 << 20;
/// zstd's level for what is built once and kept.
const LEVEL: i32 = 22;
/// Most blocks of the carried form: each is unpacked by a thread of its own.
const MOST_BLOCKS: usize = 16;
/// How the kept form begins (zstd's magic number, RFC 8878, 3.1.1); as a length it is beyond [`LARGEST`].
const KEPT: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fn attribution(release: &str) -> String {
    format!(
        "This pack uses the Human Phenotype Ontology, release {release}, http://www.human-phenotype-ontology.org, and its \
         disease annotations, which include data of Orphanet (https://www.orphadata.com, CC BY 4.0). Content unaltered: \
         entries that describe the same disease are shown together, each row under its own source. General medicine \
         (ids BODH:…) is curated in this project from general medical knowledge and is not clinically validated."
    )
}

/// Makes the compressed pack of a release's `hp.obo`, `phenotype.hpoa` and `genes_to_phenotype.txt`: rare disease alone.
pub fn build(obo: &[u8], hpoa: &[u8], gene_rows: &[u8]) -> Result<Vec<u8>, BuildError> {
    let ontology = ontology(obo)?;
    let mut found = annotations(hpoa, &ontology)?;
    let genes = genes(gene_rows)?;
    let entries = merged(&mut found, &genes, &ontology);
    lay_out(&material(&ontology, &entries))
}

/// Makes the compressed pack that holds the release's part of `base` and the curated texts: pairs of a file's name and its
/// content. The same inputs give the same bytes.
///
/// # Errors
/// Every fault of the texts, with file and line.
pub fn with_general(base: &Pack, texts: &[(String, String)]) -> Result<Vec<u8>, Vec<Fault>> {
    let whole = |what: String| vec![Fault { file: "general".to_owned(), line: 0, what }];
    let curated = Curated::read(texts, base)?;
    let mut material = Material::of(base);
    material.add(&curated, base).map_err(|e| whole(e.to_string()))?;
    lay_out(&material).map_err(|e| whole(e.to_string()))
}

fn lay_out(material: &Material) -> Result<Vec<u8>, BuildError> {
    if material.diseases.len() > usize::from(u16::MAX) {
        return Err(BuildError::TooLarge { what: "diseases", limit: usize::from(u16::MAX) });
    }
    let mut writer = Writer::default();
    write_terms(&mut writer, material)?;
    write_diseases(&mut writer, &material.diseases)?;
    write_curation(&mut writer, &material.diseases)?;
    write_tests(&mut writer, material)?;
    derive(&mut writer, material)?;
    let mut flat = writer.finish();
    Pack::open(flat.clone())?;
    fold(&mut flat);
    zstd::bulk::compress(&flat, LEVEL).map_err(|_| BuildError::Unsound(PackError::Compressed { limit: LARGEST }))
}

/// The flat form of a pack as it is kept (zstd), or as programs carry it (LZ4 blocks, which take a third of the time and can be
/// unpacked side by side: every service and every command unpacks). [`Pack::open`] checks what is in it.
pub fn inflate(packed: &[u8]) -> Result<Vec<u8>, PackError> {
    let flat = if packed.starts_with(&KEPT) { zstd::bulk::decompress(packed, LARGEST).ok() } else { carried(packed) };
    let mut flat = flat.ok_or(PackError::Compressed { limit: LARGEST })?;
    unfold(&mut flat);
    Ok(flat)
}

/// At most [`MOST_BLOCKS`] blocks, each after its unpacked and its packed length. Both are looked at before a thread is started or
/// anything of that length is asked for.
fn carried(packed: &[u8]) -> Option<Vec<u8>> {
    let mut blocks = Vec::new();
    let (mut rest, mut whole) = (packed, 0_usize);
    while let Some((length, after)) = rest.split_first_chunk() {
        let (packed, after) = after.split_first_chunk()?;
        let [length, packed] = [length, packed].map(|n| u32::from_le_bytes(*n) as usize);
        let (block, after) = after.split_at_checked(packed)?;
        (whole, rest) = (whole.checked_add(length).filter(|all| *all <= LARGEST)?, after);
        blocks.push((length, block));
        if length == 0 || blocks.len() > MOST_BLOCKS {
            return None;
        }
    }
    let mut flat = vec![0; whole];
    let sound = std::thread::scope(|scope| {
        let mut free = flat.as_mut_slice();
        let mut beside = Vec::new();
        for (length, block) in blocks {
            let (place, after) = std::mem::take(&mut free).split_at_mut_checked(length)?;
            free = after;
            let unpack = move || decompress_into(block, place).is_ok_and(|written| written == length);
            beside.push(std::thread::Builder::new().spawn_scoped(scope, unpack).ok()?);
        }
        Some(beside.into_iter().all(|thread| thread.join().unwrap_or(false)))
    });
    (sound == Some(true) && rest.is_empty() && whole > 0).then_some(flat)
}

fn write_terms(writer: &mut Writer, material: &Material) -> Result<(), BuildError> {
    let about = [writer.text(&material.release)?, writer.text(&attribution(&material.release))?];
    writer.u32s(Section::About, &about);
    let (mut ids, mut labels, mut synonyms) = (vec![], vec![], vec![]);
    for term in &material.terms {
        ids.push(writer.text(&term.id)?);
        labels.push(writer.text(&term.label)?);
        synonyms.push(term.synonyms.iter().map(|s| writer.text(s)).collect::<Result<Vec<u32>, _>>()?);
    }
    writer.u32s(Section::TermId, &ids);
    writer.u32s(Section::TermLabel, &labels);
    writer.u32s(Section::Exact, &material.terms.iter().map(|t| t.exact).collect::<Vec<u32>>());
    writer.bytes(Section::Incidental, material.terms.iter().map(|t| u8::from(t.incidental)).collect());
    writer.lists(Section::SynonymAt, Section::Synonym, &synonyms)?;
    let parents: Vec<Vec<u32>> = material.terms.iter().map(|t| t.parents.clone()).collect();
    writer.lists(Section::ParentAt, Section::Parent, &parents)?;
    let explains: Vec<Vec<u32>> = material.terms.iter().map(|t| t.explains.iter().copied().collect()).collect();
    writer.lists(Section::ExplainsAt, Section::Explains, &explains)?;
    let ancestors: Vec<Vec<u32>> = material.terms.iter().map(|t| t.ancestors.clone()).collect();
    writer.lists(Section::AncestorAt, Section::Ancestor, &ancestors)?;
    let ids = material.aliases.keys().map(|id| writer.text(id)).collect::<Result<Vec<u32>, _>>()?;
    writer.u32s(Section::AliasId, &ids);
    let to: Vec<u32> = material.aliases.values().map(|to| to.unwrap_or(NONE)).collect();
    writer.u32s(Section::AliasTo, &to);
    let mut measures = Vec::new();
    for measure in &material.measures {
        let json = serde_json::to_string(measure).map_err(|_| BuildError::TooLarge { what: "measures", limit: 0 })?;
        measures.push(writer.text(&json)?);
    }
    writer.u32s(Section::Measure, &measures);
    Ok(())
}

fn write_tests(writer: &mut Writer, material: &Material) -> Result<(), BuildError> {
    let (mut columns, mut kinds): ([Vec<u32>; 5], Vec<u8>) = Default::default();
    for test in &material.tests {
        let row = [
            writer.text(test.id.as_str())?,
            writer.text(&test.label)?,
            optional(writer, test.loinc.as_deref().unwrap_or_default())?,
            u32::try_from(test.price.cents())
                .map_err(|_| BuildError::TooLarge { what: "cents of a price", limit: u32::MAX as usize })?,
            writer.text(&test.source)?,
        ];
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        kinds.push(test.kind.code());
    }
    let sections = [Section::TestId, Section::TestLabel, Section::TestLoinc, Section::TestPrice, Section::TestSource];
    for (section, column) in sections.into_iter().zip(&columns) {
        writer.u32s(section, column);
    }
    writer.bytes(Section::TestKind, kinds);
    let shown: Vec<Vec<u32>> = material.terms.iter().map(|t| t.shown.iter().copied().collect()).collect();
    writer.lists(Section::ShownAt, Section::Shown, &shown)
}

/// The number of a text, or that there is none.
fn optional(writer: &mut Writer, text: &str) -> Result<u32, BuildError> {
    if text.is_empty() { Ok(NONE) } else { writer.text(text) }
}

fn write_diseases(writer: &mut Writer, diseases: &[Disease]) -> Result<(), BuildError> {
    let mut columns: [Vec<u32>; 2] = [vec![], vec![]];
    let (mut also, mut synonyms) = (vec![], vec![]);
    for disease in diseases {
        columns[0].push(writer.text(&disease.id)?);
        columns[1].push(writer.text(&disease.label)?);
        also.push(disease.also.iter().map(|id| writer.text(id)).collect::<Result<Vec<u32>, _>>()?);
        synonyms.push(disease.synonyms.iter().map(|n| writer.text(n)).collect::<Result<Vec<u32>, _>>()?);
    }
    writer.u32s(Section::DiseaseId, &columns[0]);
    writer.u32s(Section::DiseaseLabel, &columns[1]);
    writer.lists(Section::AlsoAt, Section::Also, &also)?;
    let published =
        diseases.iter().map(|d| published(d.rows.iter().flat_map(|r| r.references.iter().map(String::as_str))));
    writer.u32s(Section::Published, &published.collect::<Vec<u32>>());
    writer.lists(Section::DiseaseSynonymAt, Section::DiseaseSynonym, &synonyms)?;
    let lists = |of: fn(&Disease) -> &Vec<u32>| diseases.iter().map(|d| of(d).clone()).collect::<Vec<Vec<u32>>>();
    writer.lists(Section::NamedAt, Section::Named, &lists(|d| &d.named))?;
    writer.lists(Section::SeriesAt, Section::Series, &lists(|d| &d.series))?;
    writer.lists(Section::GeneAt, Section::Gene, &lists(|d| &d.same_gene))?;
    write_rows(writer, diseases)
}

/// What only curated conditions have; the first diseases of a pack are those.
fn write_curation(writer: &mut Writer, diseases: &[Disease]) -> Result<(), BuildError> {
    let curated = || diseases.iter().map_while(|d| d.curation.as_ref().map(|c| (d, c)));
    let (mut texts, mut twins, mut numbers): ([Vec<u32>; 2], Vec<u32>, [Vec<f64>; 4]) = Default::default();
    let (mut ages, mut settled, mut antecedents) = (vec![], vec![], vec![]);
    for (disease, curation) in curated() {
        texts[0].push(writer.text(&curation.specialty)?);
        texts[1].push(optional(writer, &curation.red_flag)?);
        twins.push(disease.twin.unwrap_or(NONE));
        let [female, male] = curation.sexes;
        for (column, value) in numbers.iter_mut().zip([curation.prevalence, female, male, curation.outside]) {
            column.push(value);
        }
        antecedents.push(curation.antecedents.clone());
        ages.push(curation.ages.iter().flatten().copied().collect());
        settled.push(curation.settled_by.iter().map(|t| writer.text(t)).collect::<Result<Vec<u32>, _>>()?);
    }
    writer.u32s(Section::Specialty, &texts[0]);
    writer.u32s(Section::RedFlag, &texts[1]);
    writer.u32s(Section::Twin, &twins);
    writer.f64s(Section::Prevalence, &numbers[0]);
    writer.f64s(Section::FactorFemale, &numbers[1]);
    writer.f64s(Section::FactorMale, &numbers[2]);
    writer.f64s(Section::FactorOutside, &numbers[3]);
    writer.lists(Section::AntecedentAt, Section::Antecedent, &antecedents)?;
    writer.lists(Section::AgeAt, Section::Age, &ages)?;
    writer.lists(Section::SettledAt, Section::Settled, &settled)
}

fn write_rows(writer: &mut Writer, diseases: &[Disease]) -> Result<(), BuildError> {
    let mut sets: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut lists: Vec<Vec<u32>> = Vec::new();
    let (mut bounds, mut words, mut count) = (vec![0u32], Vec::new(), 0u32);
    for disease in diseases {
        for row in &disease.rows {
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
fn encode(row: &Row, references: u32) -> [u32; 6] {
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
