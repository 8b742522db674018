//! How well intake reads: precision and recall on passages that were coded by hand before it ever saw them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Opinion, Presence, Question, Sex, Subject};
use bodh_intake::{Reader, answer_by};
use bodh_knowledge::{COMMITTED, Pack, TermIx, inflate};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());
/// Words for when and how badly, which passages neither expect nor forbid.
const CIRCUMSTANCES: [&str; 8] = ["Symptoms", "Gradual", "Sudden", "Severe", "Mild", "Similar", "Acute", "Normal"];

/// One passage.
struct Passage {
    text: String,
    subject: Subject,
    expected: BTreeSet<(TermIx, bool)>,
}

fn subject(text: &str) -> Subject {
    let mut subject = Subject::default();
    for word in text.split_whitespace() {
        match word {
            "male" => subject.sex = Sex::Male,
            "female" => subject.sex = Sex::Female,
            age => {
                let (number, unit) = age.split_at(age.len() - 1);
                let days: u32 = match unit {
                    "y" => 365,
                    "m" => 30,
                    "w" => 7,
                    "d" => 1,
                    _ => panic!("{text}"),
                };
                subject.age_days = Some(number.parse::<u32>().unwrap() * days);
            }
        }
    }
    subject
}

fn passages() -> Vec<Passage> {
    let by_label: BTreeMap<&str, TermIx> =
        PACK.terms().filter(|t| PACK.is_phenotypic(*t)).map(|t| (PACK.term_label(t), t)).collect();
    let mut passages: Vec<Passage> = Vec::new();
    for line in include_str!("passages.txt").lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        if key == "passage" {
            let text = value.to_owned();
            passages.push(Passage { text, subject: Subject::default(), expected: BTreeSet::new() });
            continue;
        }
        let passage = passages.last_mut().unwrap();
        let labels =
            || value.split("; ").map(|l| *by_label.get(l.trim()).unwrap_or_else(|| panic!("no finding `{l}`")));
        match key {
            "subject" => passage.subject = subject(value),
            "present" => passage.expected.extend(labels().map(|t| (t, true))),
            "excluded" => passage.expected.extend(labels().map(|t| (t, false))),
            _ => panic!("{line}"),
        }
    }
    passages
}

fn read(reader: &Reader, passage: &Passage) -> BTreeSet<(TermIx, bool)> {
    let question = Question::Extract { subject: passage.subject, note: passage.text.clone(), coded: vec![] };
    let Opinion::Extract(chart) = answer_by(reader, &question, &*PACK).unwrap() else { panic!() };
    let one = |f: &bodh_clinical::Finding| (PACK.term(f.term.as_str()).unwrap(), f.presence == Presence::Present);
    chart.findings.iter().map(one).collect()
}

/// Findings that in a clinic say another one too, with that one.
static IMPLIED: LazyLock<BTreeSet<(TermIx, TermIx)>> = LazyLock::new(|| {
    let rows = include_str!("../implied.tsv").lines().filter(|l| !l.starts_with('#'));
    let cells = rows.map(|row| row.split('\t').collect::<Vec<_>>());
    cells.map(|cells| (PACK.term(cells[0]).unwrap(), PACK.term(cells[2]).unwrap())).collect()
});

/// A broader or a narrower finding of the same kind tells nearly the same; so does what it says too.
fn near(one: (TermIx, bool), all: &BTreeSet<(TermIx, bool)>) -> bool {
    let said = |one, other| PACK.is_a(one, other) || IMPLIED.contains(&(one, other));
    let kin = |other: &(TermIx, bool)| other.1 == one.1 && (said(one.0, other.0) || said(other.0, one.0));
    all.iter().any(kin)
}

/// Neither expected nor forbidden: circumstances, what is normal, and exclusions that a normal value implies.
fn neutral(found: (TermIx, bool)) -> bool {
    let label = PACK.term_label(found.0);
    CIRCUMSTANCES.contains(&label.split(' ').next().unwrap_or_default()) || (!found.1 && PACK.is_incidental(found.0))
}

#[test]
fn passages_coded_by_hand_are_read_as_a_careful_reader_would() {
    let reader = Reader::new(&*PACK);
    let passages = passages();
    assert!(passages.len() >= 60);
    let (mut expected, mut found, mut told, mut right) = (0, 0, 0, 0);
    for passage in &passages {
        let read = read(&reader, passage);
        let present: BTreeSet<_> = read.iter().copied().filter(|f| f.1).collect();
        for one in &passage.expected {
            expected += 1;
            if near(*one, &read) {
                found += 1;
            } else if std::env::var_os("BODH_SHOW").is_some() {
                println!("missed {} {} in: {}", if one.1 { '+' } else { '-' }, PACK.term_label(one.0), passage.text);
            }
        }
        // A normal value is read as an exclusion, which no passage lists: only what is told as present counts against it.
        for one in present.into_iter().filter(|f| !neutral(*f)) {
            told += 1;
            if near(one, &passage.expected) {
                right += 1;
            } else if std::env::var_os("BODH_SHOW").is_some() {
                println!("told + {} in: {}", PACK.term_label(one.0), passage.text);
            }
        }
        let wrong_way = |f: &(TermIx, bool)| passage.expected.contains(&(f.0, !f.1));
        let turned: Vec<_> = read.iter().filter(|f| wrong_way(f)).map(|f| PACK.term_label(f.0)).collect();
        if !turned.is_empty() && std::env::var_os("BODH_SHOW").is_some() {
            println!("turned round {turned:?} in: {}", passage.text);
        }
    }
    println!("recall {found} of {expected}, precision {right} of {told}");
    assert!(found * 100 >= expected * 81, "recall {found} of {expected}");
    assert!(right * 100 >= told * 84, "precision {right} of {told}");
}
