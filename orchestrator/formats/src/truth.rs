//! The answers of a case file, for benchmarks alone: nothing that diagnoses may call this.

use crate::{FormatError, detect::Document, detect::recognise, field::Object, phenopacket::usable_id};
use bodh_clinical::DiseaseId;
use serde_json::Value;

/// What a case file says the answer is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Truth {
    /// The case's id.
    pub case_id: Option<String>,
    /// The diseases; none when the file holds no answer.
    pub answers: Vec<Answer>,
    /// The publication the case is from, e.g. `PMID:12446365`.
    pub publication: Option<String>,
}

/// One disease of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its id, where the file gives a well-formed one.
    pub id: Option<DiseaseId>,
    /// Its name; may be empty.
    pub name: String,
}

/// Reads only the answers.
pub fn truth(bytes: &[u8]) -> Result<Truth, FormatError> {
    match recognise(bytes)? {
        Document::Phenopacket(tree) => of_phenopacket(&Object::new(&tree, "")?),
        Document::Osce(tree) => of_osce(&Object::new(&tree, "")?),
        Document::Note(_) => Ok(Truth::default()),
    }
}

fn of_phenopacket(packet: &Object<'_>) -> Result<Truth, FormatError> {
    let mut truth = Truth { case_id: packet.text("id")?.and_then(usable_id), ..Truth::default() };
    for (n, interpretation) in packet.list("interpretations")?.iter().enumerate() {
        let interpretation = Object::new(interpretation, format!("interpretations[{n}]"))?;
        if let Some(diagnosis) = interpretation.object("diagnosis")? {
            truth.add(diagnosis.object("disease")?)?;
        }
    }
    if truth.answers.is_empty() {
        for (n, disease) in packet.list("diseases")?.iter().enumerate() {
            let disease = Object::new(disease, format!("diseases[{n}]"))?;
            if !disease.flag("excluded")? {
                truth.add(disease.object("term")?)?;
            }
        }
    }
    truth.publication = publication(packet)?;
    Ok(truth)
}

impl Truth {
    fn add(&mut self, disease: Option<Object<'_>>) -> Result<(), FormatError> {
        let Some(disease) = disease else { return Ok(()) };
        let id = disease.text("id")?.and_then(|id| DiseaseId::parse(id).ok());
        let answer = Answer { id, name: disease.text("label")?.unwrap_or_default().to_owned() };
        if !self.answers.contains(&answer) {
            self.answers.push(answer);
        }
        Ok(())
    }
}

/// The first PubMed reference; or the one that the packet's id is made of, as phenopacket-store names its packets.
fn publication(packet: &Object<'_>) -> Result<Option<String>, FormatError> {
    if let Some(meta) = packet.object("metaData")? {
        for (n, reference) in meta.list("externalReferences")?.iter().enumerate() {
            let id = Object::new(reference, format!("metaData.externalReferences[{n}]"))?.text("id")?;
            if let Some(id) = id.filter(|id| id.strip_prefix("PMID:").is_some_and(is_number)) {
                return Ok(Some(id.to_owned()));
            }
        }
    }
    let number = packet.text("id")?.and_then(|id| id.strip_prefix("PMID_")).and_then(|rest| rest.split('_').next());
    Ok(number.filter(|n| is_number(n)).map(|n| format!("PMID:{n}")))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit())
}

fn of_osce(file: &Object<'_>) -> Result<Truth, FormatError> {
    let case_id = file.text("id")?.and_then(usable_id);
    let diagnosis = file.object("OSCE_Examination")?.map_or(Ok(None), |osce| osce.field("Correct_Diagnosis"))?;
    let names: Vec<&str> = match diagnosis {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let answers = names.into_iter().map(|name| Answer { id: None, name: name.to_owned() }).collect();
    Ok(Truth { case_id, answers, publication: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_format() {
        let packet = br#"{"id":"PMID_12_x","phenotypicFeatures":[],"interpretations":[{"diagnosis":{"disease":{"id":"OMIM:1","label":"A"}}},
            {"diagnosis":{"disease":{"id":"OMIM:1","label":"A"}}}],"diseases":[{"term":{"id":"OMIM:2","label":"B"}}],
            "metaData":{"external_references":[{"id":"DOI:1"},{"id":"PMID:34"}]}}"#;
        let read = truth(packet).unwrap();
        assert_eq!(read.answers, [Answer { id: DiseaseId::parse("OMIM:1").ok(), name: "A".to_owned() }]);
        assert_eq!((read.case_id.as_deref(), read.publication.as_deref()), (Some("PMID_12_x"), Some("PMID:34")));

        let packet = br#"{"id":"PMID_12_x","phenotypicFeatures":[],"diseases":[{"term":{"id":"OMIM:2","label":"B"}},{"term":{"id":"OMIM:3"},"excluded":true}]}"#;
        let read = truth(packet).unwrap();
        assert_eq!(read.answers.len(), 1);
        assert_eq!(read.publication.as_deref(), Some("PMID:12"));

        let osce = truth(br#"{"id":"c1","OSCE_Examination":{"Correct_Diagnosis":"Gout"}}"#).unwrap();
        assert_eq!((osce.answers[0].name.as_str(), osce.case_id.as_deref()), ("Gout", Some("c1")));
        assert_eq!(truth(b"a note").unwrap(), Truth::default());
        assert!(truth(b"{").is_err());
    }
}
