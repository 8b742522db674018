//! What no note can do, and what intake does with coded features.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_clinical::{
    CodedFeature, Finding, Ignored, IgnoredCause, Intake, Opinion, Origin, Presence, Question, Subject, TermId,
};
use bodh_intake::{Lexicon, Reader, Refusal, answer_with};
use proptest::prelude::*;

/// A handful of terms.
struct Handful;

const NAMES: [(&str, &str); 7] = [
    ("HP:0001945", "Fever"),
    ("HP:0012735", "Cough"),
    ("HP:0001250", "Seizure"),
    ("HP:0002027", "Abdominal pain"),
    ("HP:0000989", "Pruritus"),
    ("HP:0002094", "Dyspnea"),
    ("HP:0001250", "Epileptic seizure"),
];

impl Lexicon for Handful {
    fn resolve(&self, written: &str) -> Result<&str, IgnoredCause> {
        match written {
            "HP:0000002" => Ok("HP:0001250"),
            "HP:0000003" => Err(IgnoredCause::Obsolete),
            "HP:0003577" => Err(IgnoredCause::NotPhenotypic),
            other => NAMES.iter().find(|(id, _)| *id == other).map(|(id, _)| *id).ok_or(IgnoredCause::UnknownTerm),
        }
    }
    fn label(&self, term: &str) -> &str {
        NAMES.iter().find(|(id, _)| *id == term).map_or("", |(_, label)| label)
    }
    fn above(&self, term: &str) -> Vec<&str> {
        // "Pruritus" stands below "Dyspnea" here.
        let above = |id: &str| id == term || (term == "HP:0000989" && id == "HP:0002094");
        NAMES.iter().map(|(id, _)| *id).filter(|id| above(id)).collect()
    }
    fn names(&self, each: &mut dyn FnMut(&str, &str)) {
        NAMES.iter().for_each(|(id, name)| each(id, name));
    }
}

fn term(id: &str) -> TermId {
    TermId::parse(id).unwrap()
}

fn ask(note: &str, coded: &[(&str, Presence)]) -> Result<Opinion, Refusal> {
    let coded = coded.iter().map(|(id, presence)| CodedFeature { term: term(id), presence: *presence }).collect();
    answer_with(&Question::Extract { subject: Subject::default(), note: note.to_owned(), coded }, &Handful)
}

fn chart(note: &str, coded: &[(&str, Presence)]) -> Intake {
    let Ok(Opinion::Extract(intake)) = ask(note, coded) else { panic!("refused") };
    intake
}

#[test]
fn coded_features_are_brought_up_to_date() {
    use IgnoredCause::{Duplicate, NotPhenotypic, Obsolete, UnknownTerm};
    use Presence::{Excluded, Present};
    let intake = chart(
        "",
        &[
            ("HP:0000002", Present),
            ("HP:0000003", Present),
            ("HP:0003577", Present),
            ("HP:9999999", Excluded),
            ("HP:0001250", Present),
            ("HP:0012735", Present),
            ("HP:0012735", Excluded),
            ("HP:0001945", Excluded),
        ],
    );
    let ignored = |id, cause| Ignored { term: term(id), cause };
    assert_eq!(
        intake.ignored,
        [
            ignored("HP:0000003", Obsolete),
            ignored("HP:0003577", NotPhenotypic),
            ignored("HP:9999999", UnknownTerm),
            ignored("HP:0001250", Duplicate),
        ]
    );
    assert_eq!(intake.contradictory, [term("HP:0012735")]);
    let finding = |id, label: &str, presence, n| Finding {
        term: term(id),
        label: label.to_owned(),
        presence,
        origin: Origin::Coded(n),
        past: false,
    };
    assert_eq!(
        intake.findings,
        [finding("HP:0001250", "Seizure", Present, 0), finding("HP:0001945", "Fever", Excluded, 7)]
    );
}

#[test]
fn a_note_that_contradicts_a_code_settles_nothing() {
    let intake = chart(
        "No fever. Later febrile, with cough.",
        &[("HP:0001945", Presence::Excluded), ("HP:0012735", Presence::Present)],
    );
    assert_eq!(intake.contradictory, [term("HP:0001945")]);
    assert_eq!(intake.findings.len(), 1);
    assert_eq!(intake.findings[0].origin, Origin::Coded(1));
}

#[test]
fn an_exclusion_above_something_present_is_set_aside() {
    use Presence::{Excluded, Present};
    let contradicted = Ignored { term: term("HP:0002094"), cause: IgnoredCause::Contradicted };
    for (note, coded) in [
        ("", &[("HP:0002094", Excluded), ("HP:0000989", Present), ("HP:0012735", Excluded)][..]),
        ("No dyspnea. Pruritus.", &[("HP:0012735", Excluded)]),
        ("Pruritus, but no dyspnea or cough.", &[]),
    ] {
        let intake = chart(note, coded);
        assert_eq!(intake.ignored, std::slice::from_ref(&contradicted), "{note}");
        let said: Vec<_> = intake.findings.iter().map(|f| (f.term.as_str(), f.presence)).collect();
        assert!(said.len() == 2 && said.contains(&("HP:0000989", Present)), "{said:?}");
        assert!(said.contains(&("HP:0012735", Excluded)), "{said:?}");
        assert!(intake.contradictory.is_empty());
    }
    // What is excluded below something present contradicts nothing; what contradicts itself outdoes nothing.
    let below = chart("", &[("HP:0002094", Present), ("HP:0000989", Excluded)]);
    assert!(below.ignored.is_empty() && below.findings.len() == 2);
    let both = chart("", &[("HP:0000989", Present), ("HP:0000989", Excluded), ("HP:0002094", Excluded)]);
    assert_eq!((both.contradictory, both.findings.len()), (vec![term("HP:0000989")], 1));
}

#[test]
fn refused_for_the_right_reason() {
    assert_eq!(ask(&"a".repeat(bodh_intake::MAX_NOTE + 1), &[]), Err(Refusal::NoteTooLong));
    assert!(ask(&"a".repeat(bodh_intake::MAX_NOTE), &[]).is_ok());
    let many = vec![("HP:0001945", Presence::Present); bodh_intake::MAX_FEATURES + 1];
    assert_eq!(ask("", &many), Err(Refusal::TooManyFeatures));
    let other = Question::Differential { subject: Subject::default(), findings: vec![] };
    assert_eq!(answer_with(&other, &Handful), Err(Refusal::NotMine("differential")));
}

#[test]
fn spans_are_the_words_as_written() {
    let note = "🙂 „Fieber“? \u{202e}No\u{202c} fever — but épigastric and abdominal\u{a0}pain…";
    let said: Vec<&str> = Reader::new(&Handful)
        .read(note, &Subject::default(), &Handful)
        .iter()
        .map(|m| &note[m.span.start as usize..m.span.end as usize])
        .collect();
    assert_eq!(said, ["fever", "abdominal\u{a0}pain"]);
}

#[test]
fn time_grows_with_the_length_and_no_faster() {
    let reader = Reader::new(&Handful);
    let sentence = "No fever, cough or seizures but abdominal pain in the left lower abdomen and not only pruritus. ";
    let piece = sentence.repeat(25);
    let whole = sentence.repeat(400);
    let time = |note: &str, times: usize| {
        let start = std::time::Instant::now();
        for _ in 0..times {
            assert_eq!(reader.read(note, &Subject::default(), &Handful).len(), note.len() / sentence.len() * 5);
        }
        start.elapsed()
    };
    // The same text at once and in sixteen pieces: a quadratic reader would take sixteen times as long at once.
    let best = |note: &str, times: usize| (0..5).map(|_| time(note, times)).min().unwrap();
    let (at_once, in_pieces) = (best(&whole, 1), best(&piece, 16));
    assert!(at_once < in_pieces * 6, "{at_once:?} {in_pieces:?}");
    // One sentence without an end is no way around it.
    for endless in ["no fever, ", "fever were absent, "] {
        let start = std::time::Instant::now();
        assert_eq!(reader.read(&endless.repeat(4_000), &Subject::default(), &Handful).len(), 4_000);
        assert!(start.elapsed().as_secs() < 60, "{endless}: {:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_spans_hold(
        note in prop_oneof![
            any::<String>(),
            r#"(fever|cough|no|denies|not|mother|risk of|family history:|[.,;:\n /()-]|\PC|🙂|\x{200f}|\x{202e}|’s|BP|140/90|38\.5|é){0,60}"#,
            "([a-zA-Zéß0-9 .,:;/'\n-]|fever|no ){0,200}",
        ],
        age in proptest::option::of(0_u32..40_000),
    ) {
        for mention in Reader::new(&Handful).read(&note, &Subject { age_days: age, ..Subject::default() }, &Handful) {
            let said = note.get(mention.span.start as usize..mention.span.end as usize);
            prop_assert!(said.is_some_and(|said| !said.trim().is_empty()));
        }
        let Ok(Opinion::Extract(intake)) = ask(&note, &[]) else { panic!("refused") };
        let mut terms: Vec<_> = intake.findings.iter().map(|f| &f.term).chain(&intake.contradictory).collect();
        terms.sort();
        let all = terms.len();
        terms.dedup();
        prop_assert_eq!(terms.len(), all, "one finding per term");
    }
}
