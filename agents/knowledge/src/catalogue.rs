//! The tests: what each costs and what it can show. A readable text file, checked against a pack.
//!
//! One test per line, tab-separated: id, name, kind, LOINC (or `-`), price in US dollars, key of the price's source,
//! and the terms it can show (`HP:… label`, separated by `; `; everything below a term is included; `-` when only the curated
//! findings and measurements that name it). `@source KEY text`
//! explains a key; `#` begins a comment. Prices are approximate yardsticks.

use crate::{Pack, TermIx};
use bodh_clinical::{TestId, Usd};
use std::collections::{BTreeMap, BTreeSet};

/// What is done to get the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestKind {
    /// A question to the patient or the family.
    History,
    /// Looking, listening, measuring.
    Examination,
    /// Blood, urine or other fluids.
    Laboratory,
    /// Pictures.
    Imaging,
    /// Electrical or mechanical function.
    Function,
    /// Tissue.
    Biopsy,
}

impl TestKind {
    const ALL: [(&'static str, TestKind); 6] = [
        ("history", TestKind::History),
        ("examination", TestKind::Examination),
        ("laboratory", TestKind::Laboratory),
        ("imaging", TestKind::Imaging),
        ("function", TestKind::Function),
        ("biopsy", TestKind::Biopsy),
    ];
}

/// One test with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedTest {
    /// Its id.
    pub id: TestId,
    /// Its generic name.
    pub label: String,
    /// What kind of test.
    pub kind: TestKind,
    /// LOINC code of the panel or of its main result, where one is sure.
    pub loinc: Option<String>,
    /// An approximate yardstick, never zero.
    pub price: Usd,
    /// Where the price is from.
    pub source: String,
    /// Roots of what it can show.
    pub shows: Vec<TermIx>,
}

/// All tests, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    tests: Vec<PricedTest>,
}

/// A line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct CatalogueError {
    /// As the caller names the file.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and so what to correct.
    pub what: String,
}

/// More tests than anybody orders.
const MOST: usize = 5_000;

impl Catalogue {
    /// Reads the file's text; `file` is only for the error.
    pub fn parse(file: &str, text: &str, pack: &Pack) -> Result<Self, CatalogueError> {
        let mut sources = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut tests = Vec::new();
        for (line, content) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
            let fault = |what: String| CatalogueError { file: file.to_owned(), line, what };
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            if let Some(rest) = content.strip_prefix("@source ") {
                let (key, text) = rest.split_once(' ').ok_or_else(|| fault("expected @source KEY text".to_owned()))?;
                sources.insert(key, text);
                continue;
            }
            let test = one(content, &sources, pack).map_err(fault)?;
            if !seen.insert(test.id.clone()) {
                return Err(fault(format!("the id {} is given twice", test.id)));
            }
            if tests.len() == MOST {
                return Err(fault(format!("more than {MOST} tests")));
            }
            tests.push(test);
        }
        let mut catalogue = Self { tests };
        catalogue.add_curated(pack).map_err(|what| CatalogueError { file: file.to_owned(), line: 0, what })?;
        Ok(catalogue)
    }

    /// Findings of our own and results of measurements name the test that shows them.
    fn add_curated(&mut self, pack: &Pack) -> Result<(), String> {
        let places: BTreeMap<String, usize> =
            self.tests.iter().enumerate().map(|(place, test)| (test.id.to_string(), place)).collect();
        let mut show = |test: &str, term: TermIx| {
            let place = places.get(test).ok_or_else(|| format!("no test {test}, which a finding names"))?;
            if let Some(test) = self.tests.get_mut(*place)
                && !test.shows.contains(&term)
            {
                test.shows.push(term);
            }
            Ok::<(), String>(())
        };
        pack.terms().try_for_each(|term| pack.shown_by(term).map_or(Ok(()), |test| show(test, term)))
    }

    /// The committed tests.
    pub fn committed(pack: &Pack) -> Result<Self, CatalogueError> {
        Self::parse("tests.tsv", crate::TESTS, pack)
    }

    /// All tests, in the order of the file.
    #[must_use]
    pub fn tests(&self) -> &[PricedTest] {
        &self.tests
    }

    /// One test.
    #[must_use]
    pub fn test(&self, id: &TestId) -> Option<&PricedTest> {
        self.tests.iter().find(|t| t.id == *id)
    }
}

fn one(content: &str, sources: &BTreeMap<&str, &str>, pack: &Pack) -> Result<PricedTest, String> {
    let columns: Vec<&str> = content.split('\t').collect();
    let [id, label, kind, loinc, price, source, shows] = *columns else {
        return Err(format!("expected 7 tab-separated columns, found {}", columns.len()));
    };
    let price = Usd::parse(price).map_err(|e| e.to_string())?;
    if price == Usd::ZERO {
        return Err("the price must be above zero".to_owned());
    }
    if label.is_empty() {
        return Err("the test has no name".to_owned());
    }
    let roots = shows.split("; ").filter(|item| *item != "-");
    let shows = roots.map(|item| root(item, pack)).collect::<Result<Vec<TermIx>, String>>()?;
    Ok(PricedTest {
        id: TestId::parse(id).map_err(|e| e.to_string())?,
        label: label.to_owned(),
        kind: TestKind::ALL.iter().find(|k| k.0 == kind).map(|k| k.1).ok_or_else(|| format!("unknown kind {kind}"))?,
        loinc: if loinc == "-" { None } else { Some(checked_loinc(loinc)?.to_owned()) },
        price,
        source: (*sources.get(source).ok_or_else(|| format!("unknown price source {source}"))?).to_owned(),
        shows,
    })
}

/// `HP:0001250 Seizure`: the id counts, the label must be the pack's.
fn root(item: &str, pack: &Pack) -> Result<TermIx, String> {
    let (id, label) = item.split_once(' ').ok_or("expected `HP:… label`")?;
    let term = pack.term(id).ok_or_else(|| format!("unknown term {id}"))?;
    if pack.term_label(term) != label {
        return Err(format!("{id} is `{}`, not `{label}`", pack.term_label(term)));
    }
    if pack.is_phenotypic(term) { Ok(term) } else { Err(format!("{id} is not a finding")) }
}

/// LOINC's check digit is Luhn's (LOINC Users' Guide, "LOINC code identifiers").
fn checked_loinc(code: &str) -> Result<&str, String> {
    let wrong = || format!("{code} is not a LOINC code");
    let (body, check) = code.split_once('-').ok_or_else(wrong)?;
    if body.is_empty() || body.len() > 7 || !body.bytes().chain(check.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let digit = |(i, b): (usize, u8)| {
        let doubled = u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 };
        doubled / 10 + doubled % 10
    };
    let sum: u32 = body.bytes().rev().enumerate().map(digit).sum();
    if check == ((10 - sum % 10) % 10).to_string() { Ok(code) } else { Err(wrong()) }
}
