//! What the answers are: from a truth file, or from the cases themselves.

use crate::failure::{Failure, Outcome};
use crate::state::read_bounded;
use bodh_clinical::DiseaseId;
use std::collections::HashMap;
use std::path::Path;

/// Most bytes of a truth file.
const MAX_FILE: u64 = 256 << 20;

/// The right answers of one case; any of them counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answers {
    pub(crate) ids: Vec<DiseaseId>,
    pub(crate) names: Vec<String>,
    /// What the case was published in: cases of one publication are not independent.
    pub(crate) publication: Option<String>,
}

impl Answers {
    /// What a case file says of itself.
    pub(crate) fn of_case(truth: &bodh_formats::Truth) -> Self {
        Self {
            ids: truth.answers.iter().filter_map(|answer| answer.id.clone()).collect(),
            names: truth.answers.iter().map(|answer| answer.name.clone()).filter(|name| !name.is_empty()).collect(),
            publication: truth.publication.clone(),
        }
    }

    /// There is nothing to compare with.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.names.is_empty()
    }
}

/// A truth file: case id, disease id, disease name, publication, separated by tabs; several lines may name one case.
pub(crate) fn of_file(path: &Path) -> Outcome<HashMap<String, Answers>> {
    let bytes = read_bounded(path, MAX_FILE)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::input(format!("{}: not UTF-8", path.display())))?;
    parse(text).map_err(|wrong| Failure::input(format!("{}: {wrong}", path.display())))
}

fn parse(text: &str) -> Result<HashMap<String, Answers>, String> {
    let mut truth: HashMap<String, Answers> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<_> = line.split('\t').map(str::trim).collect();
        let [case, rest @ ..] = fields.as_slice() else { continue };
        let field = |n: usize| rest.get(n).copied().unwrap_or_default();
        let id = DiseaseId::parse(field(0)).ok();
        if id.is_none() && field(1).is_empty() {
            // The first line may be a heading.
            if number == 0 {
                continue;
            }
            return Err(format!("line {}: neither a disease id nor a name", number + 1));
        }
        if number == 0 && id.is_none() && !field(0).is_empty() {
            continue;
        }
        let answers = truth.entry((*case).to_owned()).or_default();
        answers.ids.extend(id);
        if !field(1).is_empty() {
            answers.names.push(field(1).to_owned());
        }
        if !field(2).is_empty() {
            answers.publication = Some(field(2).to_owned());
        }
    }
    if truth.is_empty() { Err("no case in it".into()) } else { Ok(truth) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_headings_and_several_answers() {
        let read =
            parse("case\tdisease\tname\tpublication\nc1\tOMIM:1\tA\tPMID:7\nc1\tOMIM:2\tB\t\n\nc2\t\tGout\n").unwrap();
        let c1 = &read["c1"];
        assert_eq!((c1.ids.len(), c1.publication.as_deref()), (2, Some("PMID:7")));
        assert_eq!(read["c2"], Answers { names: vec!["Gout".into()], ..Answers::default() });
        assert!(!read.contains_key("case"));
    }

    #[test]
    fn lines_without_an_answer_are_refused() {
        assert!(parse("c1\tOMIM:1\tA\nc2\n").unwrap_err().contains("line 2"));
        assert!(parse("# nothing\n").is_err());
    }
}
