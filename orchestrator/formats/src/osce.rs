//! OSCE cases, as AgentClinic writes them: sections of text under `OSCE_Examination`, rendered to one readable note.
//!
//! `Correct_Diagnosis` is never rendered, wherever it stands. `Objective_for_Doctor` is the examiner's task; only what it
//! says the patient presents with is kept.

use crate::{
    Format, FormatError, MAX_NOTE, Parsed, demographics,
    field::{Object, sorted},
    phenopacket::usable_id,
};
use bodh_clinical::Case;
use serde_json::Value;

/// Keys that hold the answer, whatever their case and punctuation.
const ANSWERS: [&str; 4] = ["correctdiagnosis", "finaldiagnosis", "answer", "diagnosis"];
/// Sections of the patient's account, in the note's order; anything else the patient says follows them.
const ACCOUNT: [&str; 8] = [
    "Demographics",
    "History",
    "Symptoms",
    "Past_Medical_History",
    "Social_History",
    "Family_History",
    "Review_of_Systems",
    "Current_Medications",
];

pub(crate) fn read(tree: &Value) -> Result<Parsed, FormatError> {
    let file = Object::new(tree, "")?;
    let Some(osce) = file.object("OSCE_Examination")? else {
        return Err(FormatError::field("OSCE_Examination", "expected an object"));
    };
    let mut case = Case::default();
    for (key, value) in file.iter().filter(|(key, _)| *key != "OSCE_Examination") {
        if let (Some(text), false) = (scalar(value), is_answer(key)) {
            let name = if key == "id" { "case id" } else { key };
            case.identifiers.entries.push((name.to_owned(), text));
        }
    }
    let mut note = Note::default();
    if let Some(presenting) = osce.text("Objective_for_Doctor")?.and_then(presentation) {
        note.line(0, "Presenting with", presenting)?;
    }
    if let Some(patient) = osce.object("Patient_Actor")? {
        case.subject = patient
            .field("Demographics")?
            .and_then(scalar)
            .map(|text| demographics::subject(&text))
            .unwrap_or_default();
        for key in ACCOUNT {
            note.section(key, patient.field(key)?)?;
        }
        for (key, value) in patient.iter().filter(|(key, _)| !ACCOUNT.contains(key)) {
            note.section(key, Some(value))?;
        }
    }
    note.section("Physical examination", osce.field("Physical_Examination_Findings")?)?;
    note.section("Test results", osce.field("Test_Results")?)?;
    let known = ["Objective_for_Doctor", "Patient_Actor", "Physical_Examination_Findings", "Test_Results"];
    let unknown = osce.iter().filter(|(key, _)| !known.contains(key) && !is_answer(key)).count();
    if unknown > 0 {
        case.warnings.push(format!("{unknown} sections that an OSCE case does not have were ignored"));
    }
    case.note = note.finish()?;
    let case_id = file.text("id")?.and_then(usable_id);
    Ok(Parsed { case, format: Format::Osce, case_id })
}

fn is_answer(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ANSWERS.contains(&plain.as_str())
}

/// "Assess and diagnose a patient presenting with X." names X; "Diagnose the patient." names the task only.
fn presentation(objective: &str) -> Option<&str> {
    let (_, rest) = objective.split_once("presenting with ").or_else(|| objective.split_once("presents with "))?;
    Some(rest.trim()).filter(|rest| !rest.is_empty())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(if *flag { "Yes" } else { "No" }.to_owned()),
        _ => None,
    }
}

/// The note as it grows: one line per statement, nested sections indented.
#[derive(Default)]
struct Note(String);

impl Note {
    fn section(&mut self, key: &str, value: Option<&Value>) -> Result<(), FormatError> {
        value.map_or(Ok(()), |value| self.render(0, key, value))
    }

    /// Depth is bounded by the JSON reader.
    fn render(&mut self, depth: usize, key: &str, value: &Value) -> Result<(), FormatError> {
        if is_answer(key) {
            return Ok(());
        }
        match value {
            Value::Object(fields) => {
                if !fields.is_empty() {
                    self.line(depth, key, "")?;
                }
                sorted(fields).into_iter().try_for_each(|(key, value)| self.render(depth + 1, key, value))
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                items.iter().try_for_each(|item| self.render(depth, key, item))
            }
            Value::Array(items) => {
                let said: Vec<String> = items.iter().filter_map(scalar).collect();
                self.line(depth, key, &said.join("; "))
            }
            other => scalar(other).map_or(Ok(()), |text| self.line(depth, key, &text)),
        }
    }

    fn line(&mut self, depth: usize, key: &str, text: &str) -> Result<(), FormatError> {
        if text.contains('\0') || key.contains('\0') {
            return Err(FormatError::field("OSCE_Examination", "a text holds a NUL character"));
        }
        let indent = "  ".repeat(depth);
        let name = key.replace('_', " ");
        let text = text.trim();
        let gap = if text.is_empty() { "" } else { " " };
        self.0.push_str(&format!("{indent}{name}:{gap}{text}\n"));
        if self.0.len() > MAX_NOTE { Err(FormatError::NoteTooLong { limit: MAX_NOTE }) } else { Ok(()) }
    }

    fn finish(self) -> Result<String, FormatError> {
        if self.0.is_empty() {
            return Err(FormatError::field("OSCE_Examination", "holds nothing that can be read"));
        }
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, FormatError, read};
    use bodh_clinical::Sex;
    use serde_json::json;

    #[test]
    fn rendered_in_a_fixed_order_without_the_answer() {
        let file = json!({"id": "case-9", "hospital": "canary-hospital", "OSCE_Examination": {
            "Correct_Diagnosis": "canary-answer",
            "Test_Results": {"Blood_Tests": {"CRP": "Elevated", "Count": 3}, "Correct_Diagnosis": "canary-answer"},
            "Physical_Examination_Findings": {"Vital_Signs": {"Temperature": "38.9°C"}, "Empty": {}},
            "Patient_Actor": {
                "Review_of_Systems": "Denies cough.", "Allergies": ["none", "known"],
                "Symptoms": {"Primary_Symptom": "Fever", "Secondary_Symptoms": ["Chills", "No rash"]},
                "History": "Fever for two days.", "Demographics": "24-year-old woman"
            },
            "Objective_for_Doctor": "Assess the patient presenting with fever.", "Canary_Section": "x"
        }});
        let parsed = read(file.to_string().as_bytes()).unwrap();
        assert_eq!((parsed.format, parsed.case_id.as_deref()), (Format::Osce, Some("case-9")));
        let case = parsed.case;
        assert_eq!((case.subject.sex, case.subject.age_days), (Sex::Female, Some(8_765)));
        assert_eq!(
            case.note,
            "Presenting with: fever.\nDemographics: 24-year-old woman\nHistory: Fever for two days.\nSymptoms:\n  \
            Primary Symptom: Fever\n  Secondary Symptoms: Chills; No rash\nReview of Systems: Denies cough.\nAllergies: none; known\n\
            Physical examination:\n  Vital Signs:\n    Temperature: 38.9°C\nTest results:\n  Blood Tests:\n    CRP: Elevated\n    Count: 3\n"
        );
        assert_eq!(case.warnings, ["1 sections that an OSCE case does not have were ignored"]);
        assert!(case.identifiers.entries.contains(&("hospital".to_owned(), "canary-hospital".to_owned())));
    }

    #[test]
    fn an_objective_that_names_the_task_only_is_left_out() {
        let file = json!({"OSCE_Examination": {"Objective_for_Doctor": "Diagnose the patient.", "Patient_Actor": {"History": "Cough."}}});
        assert_eq!(read(file.to_string().as_bytes()).unwrap().case.note, "History: Cough.\n");
    }

    #[test]
    fn refused_for_the_right_reason() {
        let said = |value: serde_json::Value| read(value.to_string().as_bytes()).unwrap_err();
        assert_eq!(said(json!({"OSCE_Examination": null})).to_string(), "OSCE_Examination: expected an object");
        assert_eq!(
            said(json!({"OSCE_Examination": {"Correct_Diagnosis": "x"}})).to_string(),
            "OSCE_Examination: holds nothing that can be read"
        );
        assert!(said(json!({"OSCE_Examination": {"Test_Results": "a\u{0}b"}})).to_string().ends_with("NUL character"));
        let long = "x".repeat(1_100_000);
        assert!(matches!(said(json!({"OSCE_Examination": {"Test_Results": long}})), FormatError::NoteTooLong { .. }));
    }
}
