//! A plain note: UTF-8 text, whole, for intake alone.

use crate::{Format, FormatError, MAX_NOTE, Parsed, demographics};
use bodh_clinical::Case;

/// How far into a note its first words about the patient are looked for.
const OPENING: usize = 600;

pub(crate) fn read(text: &str) -> Result<Parsed, FormatError> {
    if text.len() > MAX_NOTE {
        return Err(FormatError::NoteTooLong { limit: MAX_NOTE });
    }
    let opening = text.get(..text.floor_char_boundary(OPENING)).unwrap_or(text);
    let case = Case { subject: demographics::subject(opening), note: text.to_owned(), ..Case::default() };
    Ok(Parsed { case, format: Format::Note, case_id: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_clinical::Sex;

    #[test]
    fn the_note_is_kept_and_its_opening_gives_age_and_sex() {
        let parsed = read("A 34-year-old woman with fever.\nNo rash.").unwrap();
        assert_eq!(parsed.case.note, "A 34-year-old woman with fever.\nNo rash.");
        assert_eq!((parsed.case.subject.sex, parsed.case.subject.age_days), (Sex::Female, Some(12_418)));
        assert!(parsed.case.identifiers.entries.is_empty() && parsed.case.coded.is_empty());
    }

    #[test]
    fn later_people_are_not_the_patient() {
        let text = format!("{} His 60-year-old father had a stroke.", "Cough. ".repeat(200));
        assert_eq!(read(&text).unwrap().case.subject.age_days, None);
    }
}
