//! What the bytes are.

use crate::{FormatError, MAX_BYTES, json, note, osce, phenopacket};
use bodh_clinical::Case;
use serde_json::Value;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GA4GH Phenopacket, version 2, as JSON.
    Phenopacket,
    /// An OSCE case as JSON: `OSCE_Examination`.
    Osce,
    /// Plain text.
    Note,
}

/// A case as read, with its answers taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The case.
    pub case: Case,
    /// What it was.
    pub format: Format,
    /// The id the file gives the case. It may identify: for the person who brought the file, never for an agent.
    pub case_id: Option<String>,
}

/// Reads a case file of any of the formats.
pub fn read(bytes: &[u8]) -> Result<Parsed, FormatError> {
    match recognise(bytes)? {
        Document::Phenopacket(tree) => phenopacket::read(&tree),
        Document::Osce(tree) => osce::read(&tree),
        Document::Note(text) => note::read(text),
    }
}

/// A recognised document, not yet read.
pub(crate) enum Document<'a> {
    Phenopacket(Value),
    Osce(Value),
    Note(&'a str),
}

pub(crate) fn recognise(bytes: &[u8]) -> Result<Document<'_>, FormatError> {
    let text = text(bytes)?;
    if !looks_like_json(text) {
        // A bare JSON number or quoted text is not a note either.
        return match json::parse(text) {
            Ok(_) => Err(FormatError::Unsupported(OTHER_JSON)),
            Err(_) => Ok(Document::Note(text)),
        };
    }
    let tree = json::parse(text)?;
    let Value::Object(fields) = &tree else {
        return Err(FormatError::Unsupported("a list of JSON values is not a case; give one case at a time"));
    };
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    if has(&["resourceType"]) {
        return Err(FormatError::Unsupported(FHIR));
    }
    if has(&["OSCE_Examination"]) {
        return Ok(Document::Osce(tree));
    }
    if has(&["proband", "members"]) {
        return Err(FormatError::Unsupported(
            "a phenopacket family or cohort holds several people; give the phenopacket of one",
        ));
    }
    if has(&["phenotypicFeatures", "phenotypic_features"]) || (has(&["subject"]) && has(&["metaData", "meta_data"])) {
        return Ok(Document::Phenopacket(tree));
    }
    Err(FormatError::Unsupported(OTHER_JSON))
}

const FHIR: &str = "FHIR bundles are not read yet; give a Phenopacket v2, an OSCE case or a plain note";
const OTHER_JSON: &str = "this JSON is no case that is read; give a Phenopacket v2, an OSCE case or a plain note";

/// UTF-8 without NUL or byte order mark, bounded, not blank.
fn text(bytes: &[u8]) -> Result<&str, FormatError> {
    if bytes.len() > MAX_BYTES {
        return Err(FormatError::TooLarge { limit: MAX_BYTES });
    }
    if let Some(offset) = bytes.iter().position(|b| *b == 0) {
        return Err(FormatError::Nul { offset });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| FormatError::NotUtf8 { offset: e.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() { Err(FormatError::Empty) } else { Ok(text) }
}

/// An object, or a list of objects, lists or texts. De-identified notes may begin with `[`, so that alone is not enough.
fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{')
        || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '[', '"', ']']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refused_for_the_right_reason() {
        let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(read(b""), Err(FormatError::Empty));
        assert_eq!(read(b"\xef\xbb\xbf \n"), Err(FormatError::Empty));
        assert_eq!(read(b"cough\xff"), Err(FormatError::NotUtf8 { offset: 5 }));
        assert_eq!(read(b"cough\0"), Err(FormatError::Nul { offset: 5 }));
        assert_eq!(read(&vec![b'a'; MAX_BYTES + 1]), Err(FormatError::TooLarge { limit: MAX_BYTES }));
        assert!(matches!(read(&vec![b'a'; MAX_BYTES]), Err(FormatError::NoteTooLong { .. })));
        assert!(matches!(read(b"{\"subject\": {"), Err(FormatError::Truncated { line: 1, column: 13 })));
        assert!(matches!(read(b"{\"subject\" 1}"), Err(FormatError::Json { .. })));
        assert!(matches!(read("{\"a\":".repeat(70).as_bytes()), Err(FormatError::TooDeep { .. })));
        assert_eq!(said(b"{\"resourceType\":\"Bundle\"}"), FHIR);
        assert_eq!(said(b"{\"resourceType\":\"Bundle\",\"OSCE_Examination\":{}}"), FHIR);
        assert_eq!(said(b"{\"hello\":1}"), OTHER_JSON);
        assert_eq!(said(b"\"cough\""), OTHER_JSON);
        assert_eq!(said(b"42"), OTHER_JSON);
        assert!(said(b"[{\"subject\":{}}]").contains("one case at a time"));
        assert!(said(b"{\"proband\":{}}").contains("family or cohort"));
        assert!(said(b"{\"OSCE_Examination\":[]}").starts_with("OSCE_Examination: expected an object"));
    }

    #[test]
    fn a_byte_order_mark_and_a_bracket_are_accepted() {
        assert_eq!(read(b"\xef\xbb\xbfFever and cough.").unwrap().case.note, "Fever and cough.");
        assert_eq!(read(b"[**1**] has fever").unwrap().format, Format::Note);
        assert_eq!(read(b"\xef\xbb\xbf{\"phenotypicFeatures\":[]}").unwrap().format, Format::Phenopacket);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
            let _ = crate::truth(&bytes);
        }

        #[test]
        fn arbitrary_json_like_text_never_panics(text in r#"[\[\]{}:,"a-z0-9\\ \n.éP-]{0,300}"#) {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn a_cut_off_file_is_refused_not_misread(cut in 1_usize..120) {
            let whole = r#"{"id":"x","subject":{"id":"y","sex":"FEMALE"},"phenotypicFeatures":[{"type":{"id":"HP:0001250"}}],"metaData":{"é":1}}"#;
            let part = whole.as_bytes().get(..cut.min(whole.len() - 1)).unwrap();
            let refused = matches!(read(part), Err(FormatError::Truncated { .. } | FormatError::NotUtf8 { .. }));
            prop_assert!(refused);
        }
    }
}
