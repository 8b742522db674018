//! One vocabulary of findings: the ontology's terms and our own, found by any of their names.

use super::analyte::Analyte;
use super::block::{Block, Faults, Field};
use super::kind::{FindingKind, is_circumstance, is_normal};
use super::test::Tests;
use super::wording::{key, slug};
use crate::{Pack, TermIx};
use bodh_clinical::TestId;
use std::collections::BTreeMap;

/// A finding: the ontology's, or one of ours by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ref {
    Term(TermIx),
    Own(usize),
}

/// A finding that the ontology has no term for.
#[derive(Debug, Clone)]
pub(crate) struct OwnFinding {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) synonyms: Vec<String>,
    pub(crate) broader: Option<Ref>,
    /// It says little where a condition does not speak of it.
    pub(crate) incidental: bool,
    /// A history, an exposure or a drug, and none that says that something is as it should be.
    pub(crate) antecedent: bool,
    /// What it explains by itself, where it is known.
    pub(crate) explains: Vec<Ref>,
    pub(crate) test: Option<TestId>,
}

/// All names.
pub(crate) struct Vocabulary {
    names: BTreeMap<String, Ref>,
    pub(crate) own: Vec<OwnFinding>,
    /// By analyte's name: what a high, a low, a positive and a negative result is.
    results: BTreeMap<(String, &'static str), Ref>,
}

/// How a condition says that a result is out of its range.
pub(crate) const RESULTS: [&str; 4] = ["high", "low", "positive", "negative"];

impl Vocabulary {
    /// The ontology's names. Labels are before synonyms, and of synonyms only the exact ones count.
    pub(crate) fn of(pack: &Pack) -> Self {
        let mut names = BTreeMap::new();
        let terms = || pack.terms().filter(|t| pack.is_phenotypic(*t) && !is_own(pack.term_id(*t)));
        for term in terms() {
            names.entry(key(pack.term_label(term))).or_insert(Ref::Term(term));
        }
        for term in terms() {
            for name in pack.exact_synonyms(term) {
                names.entry(key(name)).or_insert(Ref::Term(term));
            }
        }
        Self { names, own: Vec::new(), results: BTreeMap::new() }
    }

    /// Adds the `finding` blocks of one file.
    pub(crate) fn add(&mut self, blocks: &[Block<'_>], tests: &Tests, faults: &mut Faults) {
        for block in blocks.iter().filter(|b| b.head.key == "finding") {
            self.add_one(block, tests, faults);
        }
    }

    fn add_one(&mut self, block: &Block<'_>, tests: &Tests, faults: &mut Faults) {
        let (place, label) = (block.head.place, block.head.value);
        for field in &block.fields {
            if !["also", "is", "explains", "kind", "test"].contains(&field.key) {
                faults.add(field.place, format!("a finding has no `{}`", field.key));
            }
        }
        match self.names.get(&key(label)) {
            Some(Ref::Term(_)) => return faults.add(place, format!("the ontology has `{label}`: use its term")),
            Some(Ref::Own(other)) => {
                let other = self.own.get(*other).map_or("", |o| o.label.as_str());
                return faults.add(place, format!("`{label}` is given already, as `{other}`"));
            }
            None => {}
        }
        let kind = block.one("kind", faults);
        let Some(kind) = kind.and_then(|k| FindingKind::parse(k.value)) else {
            return faults
                .add(place, format!("`{label}` needs a kind: history, symptom, exposure, drug, examination, …"));
        };
        let test = match block.one("test", faults) {
            Some(field) => tests.named(field, faults),
            None if kind.told_by().is_empty() => {
                faults.add(place, format!("`{label}` needs the test that shows it"));
                None
            }
            None => tests.named(Field { value: kind.told_by(), ..block.head }, faults),
        };
        let index = Ref::Own(self.own.len());
        self.names.insert(key(label), index);
        let mut synonyms = Vec::new();
        for name in block.all("also").flat_map(|f| f.items().collect::<Vec<_>>()) {
            // The first finding that claims a phrase keeps it.
            if let std::collections::btree_map::Entry::Vacant(free) = self.names.entry(key(name)) {
                free.insert(index);
                synonyms.push(name.to_owned());
            }
        }
        let id = format!("{OWN}{}", slug(label));
        let plain = is_normal(label) || is_circumstance(label);
        let (incidental, antecedent) = (kind.is_incidental() || plain, kind.is_incidental() && !plain);
        let (label, explains) = (label.to_owned(), Vec::new());
        self.own.push(OwnFinding { id, label, synonyms, broader: None, incidental, antecedent, explains, test });
    }

    /// Links the findings of one file to their broader ones, after all files have been added.
    pub(crate) fn link(&mut self, blocks: &[Block<'_>], faults: &mut Faults) {
        for block in blocks.iter().filter(|b| b.head.key == "finding") {
            let Some(broader) = block.one("is", faults) else { continue };
            let Some(Ref::Own(own)) = self.find(block.head.value) else { continue };
            match self.find(broader.value) {
                Some(above) if above != Ref::Own(own) && !self.is_above(Ref::Own(own), above) => {
                    if let Some(finding) = self.own.get_mut(own) {
                        finding.broader = Some(above);
                    }
                }
                Some(_) => faults.add(broader.place, format!("`{}` would be its own broader finding", broader.value)),
                None => faults.add(broader.place, format!("unknown finding `{}`", broader.value)),
            }
        }
    }

    /// Says what the findings of one file explain, after all findings and results have been added.
    pub(crate) fn explain(&mut self, blocks: &[Block<'_>], faults: &mut Faults) {
        for block in blocks.iter().filter(|b| b.head.key == "finding") {
            let Some(Ref::Own(own)) = self.find(block.head.value) else { continue };
            let mut explained = Vec::new();
            for (place, name) in block.all("explains").flat_map(|f| f.items().map(|i| (f.place, i)).collect::<Vec<_>>())
            {
                match self.find(name) {
                    Some(found) if found != Ref::Own(own) => explained.push(found),
                    Some(_) => faults.add(place, format!("`{name}` would explain itself")),
                    None => faults.add(place, format!("unknown finding `{name}`")),
                }
            }
            if let Some(finding) = self.own.get_mut(own).filter(|_| !explained.is_empty()) {
                finding.explains = explained;
            }
        }
    }

    /// Whether `one` is reached from `from` by going up.
    fn is_above(&self, one: Ref, from: Ref) -> bool {
        let mut at = Some(from);
        while let Some(Ref::Own(own)) = at {
            if at == Some(one) {
                return true;
            }
            at = self.own.get(own).and_then(|o| o.broader);
        }
        false
    }

    /// Gives each analyte's results their findings; one that the ontology lacks becomes our own.
    pub(crate) fn add_results(&mut self, analytes: &[Analyte<'_>], faults: &mut Faults) {
        for analyte in analytes {
            for (result, stated) in analyte.results() {
                let meant = match stated {
                    Some(field) => match self.find(field.value) {
                        Some(found) => found,
                        None => {
                            faults.add(field.place, format!("unknown finding `{}`", field.value));
                            continue;
                        }
                    },
                    None => self.result_of(analyte, result),
                };
                for name in analyte.names() {
                    self.results.entry((key(name), result)).or_insert(meant);
                }
            }
        }
    }

    fn result_of(&mut self, analyte: &Analyte<'_>, result: &'static str) -> Ref {
        let label = format!("{}{} {}", result[..1].to_uppercase(), &result[1..], analyte.name);
        let known = self.names.get(&key(&label)).copied();
        known.unwrap_or_else(|| {
            let index = Ref::Own(self.own.len());
            self.names.insert(key(&label), index);
            let id = format!("{OWN}{}", slug(&label));
            let test = analyte.test.clone();
            let incidental = result == "negative";
            let (synonyms, explains) = (Vec::new(), Vec::new());
            let antecedent = false;
            self.own.push(OwnFinding { id, label, synonyms, broader: None, incidental, antecedent, explains, test });
            index
        })
    }

    /// The finding of a name, or of a result such as `high sodium`.
    pub(crate) fn find(&self, name: &str) -> Option<Ref> {
        let result = RESULTS.into_iter().find_map(|r| {
            let analyte = key(name.strip_prefix(r)?.strip_prefix(' ')?);
            // A positive measurement is a high one.
            let stated = self.results.get(&(analyte.clone(), r));
            stated.or_else(|| (r == "positive").then(|| self.results.get(&(analyte, "high"))).flatten()).copied()
        });
        result.or_else(|| self.names.get(&key(name)).copied())
    }

    /// A result of an analyte, for intake.
    pub(crate) fn result(&self, analyte: &Analyte<'_>, result: &'static str) -> Option<Ref> {
        self.results.get(&(key(analyte.name), result)).copied()
    }
}

/// The prefix of our own ids.
pub(crate) const OWN: &str = "BODH:";

pub(crate) fn is_own(id: &str) -> bool {
    id.starts_with(OWN)
}
