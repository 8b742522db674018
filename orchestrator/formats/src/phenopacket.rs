//! GA4GH Phenopacket v2 (<https://phenopacket-schema.readthedocs.io>), in protobuf's JSON mapping.
//!
//! Read: the packet's and the subject's ids, age, sex and `phenotypicFeatures`. Everything else, and with it every
//! answer (`interpretations`, `diseases`) and the title of the publication, is never looked at here.

use crate::{Format, FormatError, MAX_FEATURES, Parsed, age, field::Object};
use bodh_clinical::{Case, CodedFeature, Identifiers, Presence, Sex, Subject, TermId};
use serde_json::Value;

/// More identifying fields than any subject has.
const MAX_IDENTIFIERS: usize = 64;
/// Longest id that is used as the case's.
const MAX_ID: usize = 256;

pub(crate) fn read(tree: &Value) -> Result<Parsed, FormatError> {
    let packet = Object::new(tree, "")?;
    check_version(&packet)?;
    let mut case = Case::default();
    let id = packet.text("id")?;
    if let Some(id) = id {
        case.identifiers.entries.push(("case id".to_owned(), id.to_owned()));
    }
    if let Some(subject) = packet.object("subject")? {
        case.subject = read_subject(&subject, &mut case.warnings)?;
        read_identifiers(&subject, &mut case.identifiers)?;
    }
    read_features(&packet, &mut case)?;
    for (name, what) in
        [("measurements", "measurements"), ("medicalActions", "medical actions"), ("files", "linked files")]
    {
        if !packet.list(name)?.is_empty() {
            case.warnings.push(format!("{what} are not read yet and were ignored"));
        }
    }
    Ok(Parsed { case, format: Format::Phenopacket, case_id: id.and_then(usable_id) })
}

/// An id that can be shown in a row: short, on one line, not empty.
pub(crate) fn usable_id(id: &str) -> Option<String> {
    (!id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control)).then(|| id.to_owned())
}

fn check_version(packet: &Object<'_>) -> Result<(), FormatError> {
    let version = packet.object("metaData")?.map_or(Ok(None), |meta| meta.text("phenopacketSchemaVersion"))?;
    match version.and_then(|v| v.split('.').next()) {
        None | Some("" | "2") => Ok(()),
        Some(_) => {
            Err(FormatError::Unsupported("only version 2 of the phenopacket schema is read; convert the packet to it"))
        }
    }
}

fn read_subject(subject: &Object<'_>, warnings: &mut Vec<String>) -> Result<Subject, FormatError> {
    let species = subject.object("taxonomy")?.map_or(Ok(None), |taxonomy| taxonomy.text("id"))?;
    if species.is_some_and(|id| !id.ends_with(":9606")) {
        return Err(FormatError::field("subject.taxonomy.id", "not NCBITaxon:9606: only humans are diagnosed"));
    }
    let sex = match subject.field("sex")? {
        None => Sex::Unknown,
        Some(value) => sex(value)
            .ok_or_else(|| FormatError::field("subject.sex", "expected UNKNOWN_SEX, FEMALE, MALE or OTHER_SEX"))?,
    };
    Ok(Subject { age_days: read_age(subject, warnings)?, sex })
}

/// By name or by number, as protobuf's JSON mapping allows.
fn sex(value: &Value) -> Option<Sex> {
    match (value.as_str(), value.as_u64()) {
        (Some("UNKNOWN_SEX"), _) | (_, Some(0)) => Some(Sex::Unknown),
        (Some("FEMALE"), _) | (_, Some(1)) => Some(Sex::Female),
        (Some("MALE"), _) | (_, Some(2)) => Some(Sex::Male),
        (Some("OTHER_SEX"), _) | (_, Some(3)) => Some(Sex::Other),
        _ => None,
    }
}

/// `timeAtLastEncounter` is one of age, range, gestational age, ontology class, timestamp, interval.
fn read_age(subject: &Object<'_>, warnings: &mut Vec<String>) -> Result<Option<u32>, FormatError> {
    let Some(time) = subject.object("timeAtLastEncounter")? else { return Ok(None) };
    if let Some(age) = time.object("age")? {
        return duration(&age);
    }
    if let Some(range) = time.object("ageRange")? {
        let end = |name| range.object(name)?.map_or(Ok(None), |age| duration(&age));
        // The middle of the range is the best single guess.
        return Ok(match (end("start")?, end("end")?) {
            (Some(start), Some(end)) if start <= end => Some(start.midpoint(end)),
            (Some(_), Some(_)) => return Err(FormatError::field(time.path("ageRange"), "ends before it starts")),
            (one, other) => one.or(other),
        });
    }
    let (path, at) = match time.object("interval")? {
        Some(interval) => (interval.path("end"), interval.text("end")?),
        None => (time.path("timestamp"), time.text("timestamp")?),
    };
    match (subject.text("dateOfBirth")?, at) {
        (Some(birth), Some(at)) => {
            age::between(birth, at).map(Some).map_err(|problem| FormatError::field(path, problem))
        }
        _ => {
            warnings.push("the age is not given as a duration and was ignored".to_owned());
            Ok(None)
        }
    }
}

fn duration(age: &Object<'_>) -> Result<Option<u32>, FormatError> {
    let text = age.text("iso8601duration")?;
    text.map(|t| age::from_duration(t).map_err(|problem| FormatError::field(age.path("iso8601duration"), problem)))
        .transpose()
}

/// Fields of a subject that reasoning may see or that say nothing of the person: not identifiers.
const NOT_IDENTIFYING: [&str; 8] = [
    "timeAtLastEncounter",
    "time_at_last_encounter",
    "vitalStatus",
    "vital_status",
    "sex",
    "karyotypicSex",
    "karyotypic_sex",
    "taxonomy",
];

fn read_identifiers(subject: &Object<'_>, identifiers: &mut Identifiers) -> Result<(), FormatError> {
    for (key, value) in subject.iter().filter(|(key, _)| !NOT_IDENTIFYING.contains(key)) {
        let values: &[Value] = if let Value::Array(items) = value { items } else { std::slice::from_ref(value) };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            if identifiers.entries.len() >= MAX_IDENTIFIERS {
                return Err(FormatError::TooMany { path: "subject", limit: MAX_IDENTIFIERS });
            }
            identifiers.entries.push((format!("subject {key}"), text));
        }
    }
    Ok(())
}

fn read_features(packet: &Object<'_>, case: &mut Case) -> Result<(), FormatError> {
    let features = packet.list("phenotypicFeatures")?;
    if features.len() > MAX_FEATURES {
        return Err(FormatError::TooMany { path: "phenotypicFeatures", limit: MAX_FEATURES });
    }
    let (mut malformed, mut described) = (0_usize, packet.has("description"));
    for (n, feature) in features.iter().enumerate() {
        let feature = Object::new(feature, format!("phenotypicFeatures[{n}]"))?;
        if feature.has("negated") {
            // Version 1's word for `excluded`: passing over it would turn an absent finding into a present one.
            return Err(FormatError::field(feature.path("negated"), "of version 1; version 2 says excluded"));
        }
        described |= feature.has("description");
        let presence = if feature.flag("excluded")? { Presence::Excluded } else { Presence::Present };
        match term(&feature) {
            Some(term) => case.coded.push(CodedFeature { term, presence }),
            None => malformed += 1,
        }
    }
    if malformed > 0 {
        case.warnings
            .push(format!("{malformed} of {} features have no well-formed term id and were ignored", features.len()));
    }
    if described {
        case.warnings.push("free-text descriptions may identify the person and were ignored".to_owned());
    }
    Ok(())
}

fn term(feature: &Object<'_>) -> Option<TermId> {
    let id = feature.object("type").ok()??.text("id").ok()??;
    TermId::parse(id).ok()
}

#[cfg(test)]
#[path = "phenopacket_tests.rs"]
mod tests;
