//! `hp.obo`: the ontology's terms.

use super::{row, text};
use crate::BuildError;
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "hp.obo";
const ROOT: &str = "HP:0000118";

/// One current term.
#[derive(Debug, Default)]
pub(crate) struct SourceTerm {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) synonyms: Vec<String>,
    /// How many of the synonyms, from the first, mean exactly the same.
    pub(crate) exact: usize,
    pub(crate) parents: Vec<u32>,
    /// Itself and all above it, ascending; phenotypic terms only, so empty for what is not phenotypic.
    pub(crate) ancestors: Vec<u32>,
    line: usize,
}

/// The ontology, terms in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Ontology {
    pub(crate) release: String,
    pub(crate) terms: Vec<SourceTerm>,
    /// Former ids, and the term that took their place where there is one.
    pub(crate) aliases: BTreeMap<String, Option<u32>>,
    index: BTreeMap<String, u32>,
}

impl Ontology {
    /// The term of a current or former id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.index.get(id).copied().or_else(|| self.aliases.get(id).copied().flatten())
    }

    pub(crate) fn ancestors(&self, term: u32) -> &[u32] {
        self.terms.get(term as usize).map_or(&[], |t| &t.ancestors)
    }
}

#[derive(Default)]
struct Stanza<'a> {
    line: usize,
    id: &'a str,
    name: &'a str,
    exact: Vec<String>,
    inexact: Vec<String>,
    parents: Vec<(usize, &'a str)>,
    alternatives: Vec<&'a str>,
    obsolete: bool,
    replaced_by: Option<&'a str>,
}

/// Reads the ontology and works out everybody's ancestors.
pub(crate) fn ontology(bytes: &[u8]) -> Result<Ontology, BuildError> {
    let text = text(FILE, bytes)?;
    let stanzas = stanzas(text)?;
    let mut current: Vec<&Stanza<'_>> = stanzas.iter().filter(|s| !s.obsolete).collect();
    current.sort_by_key(|s| s.id);
    if u32::try_from(current.len()).is_err() || current.len() > usize::from(u16::MAX) {
        return Err(BuildError::TooLarge { what: "terms", limit: usize::from(u16::MAX) });
    }
    let mut found = Ontology { release: release(text), ..Ontology::default() };
    for (stanza, index) in current.iter().zip(0u32..) {
        if found.index.insert(stanza.id.to_owned(), index).is_some() {
            return Err(row(FILE, stanza.line, "the id is given twice"));
        }
    }
    for stanza in &current {
        let parents = stanza.parents.iter().map(|(line, id)| {
            found.index.get(*id).copied().ok_or_else(|| row(FILE, *line, format!("unknown parent {id}")))
        });
        let parents = parents.collect::<Result<Vec<u32>, BuildError>>()?;
        let (id, label) = (stanza.id.to_owned(), stanza.name.to_owned());
        let synonyms = stanza.exact.iter().chain(&stanza.inexact).cloned().collect();
        let exact = stanza.exact.len();
        found.terms.push(SourceTerm { id, label, synonyms, exact, parents, ancestors: vec![], line: stanza.line });
    }
    for stanza in &stanzas {
        let own = found.index.get(stanza.id).copied();
        for alternative in &stanza.alternatives {
            if own.is_some() && !found.index.contains_key(*alternative) {
                found.aliases.insert((*alternative).to_owned(), own);
            }
        }
        if stanza.obsolete {
            let target = stanza.replaced_by.and_then(|id| found.index.get(id).copied());
            found.aliases.entry(stanza.id.to_owned()).or_insert(target);
        }
    }
    ancestors(&mut found)?;
    Ok(found)
}

fn release(text: &str) -> String {
    let stated = text.lines().take(40).find_map(|l| l.strip_prefix("data-version: "));
    stated.map_or("unknown", |v| v.trim_start_matches("hp/releases/")).to_owned()
}

fn stanzas(text: &str) -> Result<Vec<Stanza<'_>>, BuildError> {
    let mut all: Vec<Stanza<'_>> = Vec::new();
    let mut open: Option<Stanza<'_>> = None;
    for (line, content) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
        if content.starts_with('[') {
            all.extend(open.take());
            open = (content == "[Term]").then(|| Stanza { line, ..Stanza::default() });
        } else if let (Some(stanza), Some((tag, value))) = (&mut open, content.split_once(": ")) {
            let first = value.split(' ').next().unwrap_or_default();
            match tag {
                "id" => stanza.id = value,
                "name" => stanza.name = value,
                "is_a" => stanza.parents.push((line, first)),
                "alt_id" => stanza.alternatives.push(value),
                "replaced_by" => stanza.replaced_by = Some(value),
                "is_obsolete" => stanza.obsolete = value == "true",
                "synonym" if value.contains("\" EXACT") => stanza.exact.push(quoted(line, value)?),
                "synonym" => stanza.inexact.push(quoted(line, value)?),
                _ => {}
            }
        }
    }
    all.extend(open);
    let bad = all.iter().find(|s| bodh_clinical::TermId::parse(s.id).is_err() || (s.name.is_empty() && !s.obsolete));
    match bad {
        Some(stanza) => Err(row(FILE, stanza.line, "a term needs an id like HP:0000001 and a name")),
        None => Ok(all),
    }
}

/// `"text" EXACT …` to `text`.
fn quoted(line: usize, value: &str) -> Result<String, BuildError> {
    let inner = value.strip_prefix('"').and_then(|v| v.split_once("\" "));
    inner
        .map(|(inner, _)| inner.replace("\\\"", "\""))
        .ok_or_else(|| row(FILE, line, "a synonym needs quotation marks"))
}

/// Works upwards from the roots, so that a cycle is what is left over.
fn ancestors(found: &mut Ontology) -> Result<(), BuildError> {
    let root = found.index.get(ROOT).copied().ok_or(BuildError::NoRoot)?;
    let mut done: Vec<Option<BTreeSet<u32>>> = vec![None; found.terms.len()];
    loop {
        let mut moved = false;
        let mut waiting = None;
        for (term, index) in found.terms.iter().zip(0u32..) {
            if done.get(index as usize).is_some_and(Option::is_some) {
                continue;
            }
            let above: Option<Vec<&BTreeSet<u32>>> =
                term.parents.iter().map(|p| done.get(*p as usize).and_then(Option::as_ref)).collect();
            let Some(above) = above else {
                waiting = Some(term);
                continue;
            };
            let set = above.into_iter().flatten().copied().chain([index]).collect();
            if let Some(slot) = done.get_mut(index as usize) {
                *slot = Some(set);
            }
            moved = true;
        }
        match (waiting, moved) {
            (None, _) => break,
            (Some(term), false) => return Err(BuildError::Cycle { line: term.line, term: term.id.clone() }),
            _ => {}
        }
    }
    let phenotypic: Vec<bool> = done.iter().map(|set| set.as_ref().is_some_and(|s| s.contains(&root))).collect();
    for (term, set) in found.terms.iter_mut().zip(done) {
        let keep = |i: &u32| phenotypic.get(*i as usize).copied().unwrap_or(false);
        term.ancestors = set.into_iter().flatten().filter(keep).collect();
    }
    Ok(())
}
