//! `phenotype.hpoa`: the diseases' annotations.

use super::{Ontology, row, text};
use crate::{BuildError, EvidenceCode, Frequency, FrequencyClass};
use bodh_clinical::{DiseaseId, Sex};
use std::collections::BTreeMap;

const FILE: &str = "phenotype.hpoa";
const COLUMNS: &str = "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration";

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct SourceRow<'a> {
    pub(crate) term: u32,
    pub(crate) frequency: Frequency,
    pub(crate) onset: Option<u32>,
    pub(crate) sex: Sex,
    pub(crate) not: bool,
    pub(crate) evidence: EvidenceCode,
    pub(crate) references: Vec<&'a str>,
    /// 0 the disease's own id, then its further ids in order.
    pub(crate) from: u8,
}

/// One disease with its rows in the file's order.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceDisease<'a> {
    pub(crate) name: &'a str,
    pub(crate) rows: Vec<SourceRow<'a>>,
}

pub(crate) type Annotations<'a> = BTreeMap<&'a str, SourceDisease<'a>>;

/// Reads the annotations against the ontology.
pub(crate) fn annotations<'a>(bytes: &'a [u8], ontology: &Ontology) -> Result<Annotations<'a>, BuildError> {
    let mut found = Annotations::new();
    let mut header = false;
    for (line, content) in text(FILE, bytes)?.lines().enumerate().map(|(i, l)| (i + 1, l)) {
        if content.starts_with('#') {
            continue;
        }
        if !header {
            if content != COLUMNS {
                return Err(row(FILE, line, "expected the header `database_id disease_name …`"));
            }
            header = true;
            continue;
        }
        let (id, name, read) = one(content, ontology).map_err(|what| row(FILE, line, what))?;
        let disease = found.entry(id).or_insert_with(|| SourceDisease { name, rows: vec![] });
        disease.rows.push(read);
    }
    if found.is_empty() { Err(BuildError::NoDisease) } else { Ok(found) }
}

fn one<'a>(content: &'a str, ontology: &Ontology) -> Result<(&'a str, &'a str, SourceRow<'a>), String> {
    let columns: Vec<&str> = content.split('\t').collect();
    let [id, name, qualifier, term, reference, evidence, onset, frequency, sex, _modifier, _aspect, _by] = *columns
    else {
        return Err(format!("expected 12 columns, found {}", columns.len()));
    };
    DiseaseId::parse(id).map_err(|e| e.to_string())?;
    let known = |id: &str| ontology.find(id).ok_or_else(|| format!("unknown term {id}"));
    let read = SourceRow {
        term: known(term)?,
        frequency: parse_frequency(frequency)?,
        onset: if onset.is_empty() { None } else { Some(known(onset)?) },
        sex: match sex.to_ascii_uppercase().as_str() {
            "" => Sex::Unknown,
            "MALE" => Sex::Male,
            "FEMALE" => Sex::Female,
            _ => return Err("sex is MALE, FEMALE or empty".to_owned()),
        },
        not: match qualifier {
            "" => false,
            "NOT" => true,
            _ => return Err("the qualifier is NOT or empty".to_owned()),
        },
        evidence: match evidence {
            "IEA" => EvidenceCode::Electronic,
            "TAS" => EvidenceCode::AuthorStatement,
            "PCS" => EvidenceCode::ClinicalStudy,
            _ => return Err("evidence is IEA, TAS or PCS".to_owned()),
        },
        references: reference.split(';').map(str::trim).filter(|r| !r.is_empty()).collect(),
        from: 0,
    };
    if read.references.is_empty() { Err("no reference".to_owned()) } else { Ok((id, name, read)) }
}

fn parse_frequency(text: &str) -> Result<Frequency, String> {
    let malformed = || format!("frequency `{text}` is not n/m, a percentage or a class");
    if text.is_empty() {
        return Ok(Frequency::Unknown);
    }
    if text.starts_with("HP:") {
        return FrequencyClass::of_term(text).map(Frequency::Class).ok_or_else(malformed);
    }
    if let Some((n, of)) = text.split_once('/') {
        let n: u32 = n.parse().map_err(|_| malformed())?;
        let of: u32 = of.parse().map_err(|_| malformed())?;
        if n > of || of == 0 {
            return Err(format!("frequency {text} is above 1 or of nobody"));
        }
        return Ok(Frequency::Count { n, of });
    }
    let share: f64 = text.strip_suffix('%').and_then(|p| p.parse().ok()).ok_or_else(malformed)?;
    if (0.0..=100.0).contains(&share) {
        Ok(Frequency::Share(share / 100.0))
    } else {
        Err(format!("frequency {text} is above 1"))
    }
}
