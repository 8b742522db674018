//! Knowledge that people write and correct: general medicine, as text.
//!
//! A folder of plain text files, one per specialty, with a file of common findings and one of analytes. `general/README.md`
//! explains the form to whoever writes. Everything that cannot be used is told with file and line, all of it at once.

mod analyte;
mod block;
mod condition;
mod kind;
mod span;
mod test;
mod together;
mod vocabulary;
mod wording;

pub use analyte::{Measure, Range};
pub use block::Fault;

pub(crate) use condition::Condition;
pub(crate) use test::PricedTest;
pub(crate) use vocabulary::{OwnFinding, Ref, is_own};
pub(crate) use wording::key;

use crate::Pack;
use analyte::Analyte;
use block::{Faults, Place, blocks};
use test::Tests;
use vocabulary::Vocabulary;

/// The texts, read against the ontology of a pack.
pub(crate) struct Curated<'a> {
    pub(crate) own: Vec<OwnFinding>,
    pub(crate) conditions: Vec<Condition<'a>>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) tests: Vec<PricedTest>,
    /// Terms of the ontology that a measurement shows, each with its test.
    pub(crate) shown: Vec<(Ref, String)>,
    /// For each condition the terms of the ontology that have one of its names.
    pub(crate) named: Vec<Vec<Ref>>,
}

impl<'a> Curated<'a> {
    /// Reads all files, in the order of their names, or tells every fault of them.
    pub(crate) fn read(files: &'a [(String, String)], pack: &Pack) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let tests = Tests::read(files, pack, &mut faults);
        let texts = files.iter().filter(|(name, _)| name != test::FILE);
        let parsed: Vec<_> = texts.map(|(name, text)| blocks(name, text, &mut faults)).collect();
        for block in parsed.iter().flatten() {
            if !["specialty", "finding", "condition", "analyte"].contains(&block.head.key) {
                faults.add(block.head.place, format!("a block cannot begin with `{}`", block.head.key));
            }
        }
        let mut vocabulary = Vocabulary::of(pack);
        parsed.iter().for_each(|file| vocabulary.add(file, &tests, &mut faults));
        parsed.iter().for_each(|file| vocabulary.link(file, &mut faults));
        let analytes: Vec<Analyte<'_>> =
            parsed.iter().flat_map(|file| Analyte::all(file, &tests, &mut faults)).collect();
        if let Some((file, _)) = files.iter().find(|(name, _)| name.starts_with("analytes")) {
            analyte::twice(&analytes, Place { file, line: 1 }, &mut faults);
        }
        vocabulary.add_results(&analytes, &mut faults);
        parsed.iter().for_each(|file| vocabulary.explain(file, &mut faults));
        let conditions: Vec<Condition<'_>> =
            parsed.iter().flat_map(|file| Condition::all(file, &vocabulary, &tests, &mut faults)).collect();
        together::together(&conditions, &vocabulary, &mut faults);
        if !faults.0.is_empty() {
            faults.0.sort();
            return Err(faults.0);
        }
        let id = |found: Ref| match found {
            Ref::Term(term) => Some(pack.term_id(term).to_owned()),
            Ref::Own(own) => vocabulary.own.get(own).map(|o| o.id.clone()),
        };
        let measures = analytes.iter().map(|a| a.measure(|result| vocabulary.result(a, result).and_then(id))).collect();
        let results = |a: &Analyte<'_>| {
            let test = a.test.as_ref().map(ToString::to_string);
            let terms = vocabulary::RESULTS.map(|result| vocabulary.result(a, result));
            terms.into_iter().flatten().filter_map(move |term| Some((term, test.clone()?))).collect::<Vec<_>>()
        };
        let shown = analytes.iter().flat_map(results).filter(|(term, _)| matches!(term, Ref::Term(_))).collect();
        let term = |name: &str| vocabulary.find(name).filter(|found| matches!(found, Ref::Term(_)));
        let named = conditions.iter().map(|c| {
            let all: std::collections::BTreeSet<Ref> = c.names().filter_map(term).collect();
            all.into_iter().collect()
        });
        Ok(Self { shown, named: named.collect(), own: vocabulary.own, conditions, measures, tests: tests.list })
    }
}
