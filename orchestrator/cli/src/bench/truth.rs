//! What the answers are: from a truth file, or from the cases themselves.

use crate::failure::{Failure, Outcome};
use crate::state::read_bounded;
use bodh_clinical::DiseaseId;
use std::collections::HashMap;
use std::path::Path;

/// Most bytes of a truth file.
const MAX_FILE: u64 = 256 << 20;

/// Most columns of a line, and what they are.
const COLUMNS: usize = 4;
const EXPECTED: &str = "case id, disease id, disease name, publication";

/// The right answers of one case; any of them counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answers {
    pub(crate) ids: Vec<DiseaseId>,
    pub(crate) names: Vec<String>,
    /// What the case was published in: cases of one publication are not independent.
    pub(crate) publication: Option<String>,
    /// The first line of a truth file that names the case, from 1; 0 for what a case says of itself.
    pub(crate) line: usize,
}

impl Answers {
    /// What a case file says of itself.
    pub(crate) fn of_case(truth: &bodh_formats::Truth) -> Self {
        Self {
            ids: truth.answers.iter().filter_map(|answer| answer.id.clone()).collect(),
            names: truth.answers.iter().map(|answer| answer.name.clone()).filter(|name| !name.is_empty()).collect(),
            publication: truth.publication.clone(),
            line: 0,
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
    let (truth, nameless) = parse(text).map_err(|wrong| Failure::input(format!("{}: {wrong}", path.display())))?;
    if let Some(first) = nameless.first() {
        let (shown, more) = (path.display(), nameless.len() - 1);
        eprintln!("{shown}: line {first}: not a disease id; the name alone counts ({more} more such lines)");
    }
    Ok(truth)
}

/// The answers by case, and the lines whose disease id is none.
fn parse(text: &str) -> Result<(HashMap<String, Answers>, Vec<usize>), String> {
    let mut truth: HashMap<String, Answers> = HashMap::new();
    let mut nameless = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<_> = line.split('\t').map(str::trim).collect();
        let [case, rest @ ..] = fields.as_slice() else { continue };
        let line = number + 1;
        let field = |n: usize| rest.get(n).copied().unwrap_or_default();
        let id = DiseaseId::parse(field(0)).ok();
        // The first line may be a heading.
        if number == 0 && id.is_none() && (field(1).is_empty() || !field(0).is_empty()) {
            continue;
        }
        let columns = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
        if fields.len() < 2 || columns > COLUMNS {
            let found = fields.len();
            return Err(format!("line {line}: expected {EXPECTED}, separated by tabs; found {found} columns"));
        }
        if case.is_empty() {
            return Err(format!("line {line}: no case id"));
        }
        if id.is_none() && field(1).is_empty() {
            return Err(format!("line {line}: neither a disease id nor a name"));
        }
        if id.is_none() && !field(0).is_empty() {
            nameless.push(line);
        }
        let answers = truth.entry((*case).to_owned()).or_insert_with(|| Answers { line, ..Answers::default() });
        answers.ids.extend(id);
        if !field(1).is_empty() {
            answers.names.push(field(1).to_owned());
        }
        if !field(2).is_empty() {
            answers.publication = Some(field(2).to_owned());
        }
    }
    if truth.is_empty() { Err("no case in it".into()) } else { Ok((truth, nameless)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_headings_and_several_answers() {
        let text = "case\tdisease\tname\tpublication\nc1\tOMIM:1\tA\tPMID:7\nc1\tOMIM:2\tB\t\n\nc2\t\tGout\nc3\tGout?\tGout\t\t\n";
        let (read, nameless) = parse(text).unwrap();
        let c1 = &read["c1"];
        assert_eq!((c1.ids.len(), c1.publication.as_deref(), c1.line), (2, Some("PMID:7"), 2));
        assert_eq!(read["c2"], Answers { names: vec!["Gout".into()], line: 5, ..Answers::default() });
        assert_eq!((read["c3"].ids.len(), nameless), (0, vec![6]), "told, and its name counts");
        assert!(!read.contains_key("case"));
    }

    #[test]
    fn lines_without_an_answer_are_refused() {
        for (line, wrong) in [
            (
                "c2",
                "line 2: expected case id, disease id, disease name, publication, separated by tabs; found 1 columns",
            ),
            ("c2\tOMIM:1\tA\tPMID:7\tB", "found 5 columns"),
            ("c2,OMIM:1,A,PMID:7", "found 1 columns"),
            ("\tOMIM:1\tA", "line 2: no case id"),
            ("c2\t\t\tPMID:7", "line 2: neither a disease id nor a name"),
        ] {
            let said = parse(&format!("c1\tOMIM:1\tA\n{line}\nc3\tOMIM:1\n")).unwrap_err();
            assert!(said.contains(wrong), "{line}: {said}");
        }
        assert!(parse("# nothing\n").is_err());
    }
}
