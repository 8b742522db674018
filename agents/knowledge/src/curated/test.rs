//! The list of tests: what each costs and what it can show. `tests.tsv`, beside the texts.
//!
//! One test per line, tab-separated: id, name, kind, LOINC (or `-`), price in US dollars, key of the price's source,
//! and the terms it can show (`HP:… label`, separated by `; `; everything below a term is included; `-` when only the curated
//! findings and measurements that name it; `all KIND up to PRICE` for whatever the tests of that kind and price show).
//! `@source KEY text` explains a key; `#` begins a comment. Prices are approximate yardsticks.

use super::block::{Faults, Field, Place};
use crate::{Pack, TermIx, TestKind};
use bodh_clinical::{TestId, Usd};
use std::collections::{BTreeMap, BTreeSet};

/// The file's name.
pub(crate) const FILE: &str = "tests.tsv";
/// More tests than anybody orders.
const MOST: usize = 5_000;

/// One test, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct PricedTest {
    pub(crate) id: TestId,
    pub(crate) label: String,
    pub(crate) kind: TestKind,
    /// LOINC code of the panel or of its main result, where one is sure.
    pub(crate) loinc: Option<String>,
    /// Never zero.
    pub(crate) price: Usd,
    pub(crate) source: String,
    /// Roots of what it can show.
    pub(crate) roots: Vec<TermIx>,
    /// It shows whatever the other tests of its own kind show that cost no more than this.
    pub(crate) all_up_to: Option<Usd>,
}

/// All tests, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    pub(crate) list: Vec<PricedTest>,
    known: BTreeSet<String>,
}

impl Tests {
    /// Reads the list among the files; a folder without one has no test.
    pub(crate) fn read(files: &[(String, String)], pack: &Pack, faults: &mut Faults) -> Self {
        let mut tests = Self::default();
        let Some((file, text)) = files.iter().find(|(name, _)| name == FILE) else {
            faults.add(Place { file: FILE, line: 0 }, "the list of tests is not among the texts");
            return tests;
        };
        let mut sources = BTreeMap::new();
        for (line, content) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
            let place = Place { file, line };
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            if let Some(rest) = content.strip_prefix("@source ") {
                match rest.split_once(' ') {
                    Some((key, text)) => _ = sources.insert(key, text),
                    None => faults.add(place, "expected @source KEY text"),
                }
                continue;
            }
            if tests.list.len() == MOST {
                faults.add(place, format!("more than {MOST} tests"));
                break;
            }
            match one(content, &sources, pack) {
                Ok(test) if !tests.known.insert(test.id.to_string()) => {
                    faults.add(place, format!("the id {} is given twice", test.id));
                }
                Ok(test) => tests.list.push(test),
                Err(what) => faults.add(place, what),
            }
        }
        tests
    }

    /// The test that a text names.
    pub(crate) fn named(&self, field: Field<'_>, faults: &mut Faults) -> Option<TestId> {
        let known = TestId::parse(field.value).ok().filter(|id| self.known.contains(id.as_str()));
        if known.is_none() {
            faults.add(field.place, format!("no test `{}` in {FILE}", field.value));
        }
        known
    }
}

fn one(content: &str, sources: &BTreeMap<&str, &str>, pack: &Pack) -> Result<PricedTest, String> {
    let columns: Vec<&str> = content.split('\t').collect();
    let [id, label, kind, loinc, price, source, roots] = *columns else {
        return Err(format!("expected 7 tab-separated columns, found {}", columns.len()));
    };
    let price = Usd::parse(price).map_err(|e| e.to_string())?;
    if price == Usd::ZERO {
        return Err("the price must be above zero".to_owned());
    }
    if label.is_empty() {
        return Err("the test has no name".to_owned());
    }
    let whole = roots.strip_prefix("all ").map(|rest| all_of(rest, kind)).transpose()?;
    let roots = roots.split("; ").filter(|item| *item != "-" && whole.is_none());
    Ok(PricedTest {
        id: TestId::parse(id).map_err(|e| e.to_string())?,
        label: label.to_owned(),
        kind: TestKind::parse(kind).ok_or_else(|| format!("unknown kind {kind}"))?,
        loinc: if loinc == "-" { None } else { Some(checked_loinc(loinc)?.to_owned()) },
        price,
        source: (*sources.get(source).ok_or_else(|| format!("unknown price source {source}"))?).to_owned(),
        roots: roots.map(|item| root(item, pack)).collect::<Result<_, _>>()?,
        all_up_to: whole,
    })
}

/// `history up to 30`: of the test's own kind.
fn all_of(text: &str, kind: &str) -> Result<Usd, String> {
    let limit = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(" up to "));
    let limit = limit.ok_or_else(|| format!("expected `all {kind} up to PRICE`"))?;
    Usd::parse(limit).map_err(|e| e.to_string())
}

/// `HP:0001250 Seizure`: the id counts, the label must be the pack's.
fn root(item: &str, pack: &Pack) -> Result<TermIx, String> {
    let (id, label) = item.split_once(' ').ok_or("expected `HP:… label`")?;
    let term = pack.term(id).filter(|t| !pack.is_own(*t)).ok_or_else(|| format!("unknown term {id}"))?;
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
