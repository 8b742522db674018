//! The texts of general medicine: the committed pack holds them, and what cannot be used is told with file and line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Sex, Subject};
use bodh_knowledge::{COMMITTED, Pack, inflate, rate_of, with_general};
use std::{fs, path::Path, sync::LazyLock};

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());

fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("general");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "txt" || kind == "tsv"));
    paths.sort();
    paths
        .iter()
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(p).unwrap()))
        .collect()
}

#[test]
fn the_committed_pack_is_made_of_the_committed_texts() {
    let made =
        with_general(&PACK, &texts()).unwrap_or_else(|faults| panic!("{} faults, first: {}", faults.len(), faults[0]));
    let (made, carried) = (inflate(&made).unwrap(), inflate(COMMITTED).unwrap());
    assert!(made == carried, "run `bodh knowledge build` (agents/knowledge/general/README.md) and commit the pack");
}

#[test]
fn every_specialty_is_there_and_every_condition_is_usable() {
    let general: Vec<_> = PACK.diseases().take(PACK.general_count()).collect();
    assert!(general.len() >= 600, "{}", general.len());
    let specialties: std::collections::BTreeSet<&str> = general.iter().filter_map(|d| PACK.specialty(*d)).collect();
    assert!(specialties.len() >= 14, "{specialties:?}");
    for condition in general {
        let label = PACK.disease_label(condition);
        assert!(PACK.annotations(condition).count() >= 5, "{label}");
        assert!(PACK.prevalence(condition).is_some_and(|p| p > 0.0 && p <= 1.0), "{label}");
        for test in PACK.settled_by(condition) {
            assert!(PACK.tests().any(|t| PACK.test_id(t) == test), "{label}: no test {test}");
        }
    }
}

const FINDINGS: &str = "finding: Pain on opposing the thumb of a glove
  also: glove thumb pain
  kind: symptom

finding: Owns a blue glove
  kind: exposure
";
const CONDITION: &str = "condition: Glove thumb
  also: gloved thumb syndrome
  icd10: M79.6
  incidence: 1 in 500
  age: 10-20y only
  sex: female 4
  course: chronic
  red flag: loss of the thumb
  very frequent: Pain on opposing the thumb of a glove; Fever
  frequent: Cough; Headache; high sodium
  excluded: Seizure
  unlike Glove finger: Fever
  settled by: hx_pain
";
const NEIGHBOUR: &str = "condition: Glove finger
  icd10: M79.7
  prevalence: 1 in 100
  course: acute
  frequent: Fever; Cough; Headache; Nausea; Owns a blue glove
  unlike Glove thumb: Nausea
";
const ANALYTE: &str = "analyte: sodium
  also: Na
  unit: mmol/L
  units: mEq/L x1
  possible: 90-200
  range: 135-145
  test: salt
  high: Hypernatremia
";

/// Id, name and kind; the rest is the same for all.
const TESTS: [(&str, &str); 4] =
    [("hx_present", "history"), ("hx_exposures", "history"), ("hx_pain", "history"), ("salt", "laboratory")];

fn files(specialty: &str, analytes: &str) -> Vec<(String, String)> {
    let line = |(id, kind): (&str, &str)| format!("{id}\t{id}\t{kind}\t-\t12.50\tOWN\tHP:0001945 Fever\n");
    let whole = "hx_all\tAll\thistory\t-\t30\tOWN\tall history up to 12.50\n";
    let tests = format!("@source OWN a guess\n{}{whole}", TESTS.map(line).concat());
    let all = [("analytes.txt", analytes), ("hand.txt", specialty), ("tests.tsv", &tests)];
    all.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()
}

fn whole() -> String {
    format!("specialty: Hands\n\n{FINDINGS}\n{CONDITION}\n{NEIGHBOUR}")
}

#[test]
fn a_small_text_becomes_conditions_with_their_rates_and_factors() {
    let made = with_general(&PACK, &files(&whole(), ANALYTE)).unwrap();
    let pack = Pack::open(inflate(&made).unwrap()).unwrap();
    assert_eq!(pack.general_count(), 2);
    let thumb = pack.disease("BODH:glove-thumb").unwrap();
    let term = |id: &str| pack.term(id).unwrap();
    let rate = |t| pack.rate(thumb, t).map(rate_of).unwrap();
    assert!((rate(term("BODH:pain-on-opposing-the-thumb-of-a-glove")) - 0.895).abs() < 0.02);
    assert!((rate(term("HP:0003228")) - 0.545).abs() < 0.02, "high sodium is hypernatremia");
    assert_eq!(pack.rate(thumb, term("HP:0001250")), Some(bodh_knowledge::NEVER), "excluded");
    assert!((pack.prevalence(thumb).unwrap() - 25.0 / 500.0).abs() < 1e-12);
    assert_eq!(pack.red_flag(thumb), Some("loss of the thumb"));
    let person = |age_days, sex| Subject { age_days: Some(age_days), sex };
    assert!((pack.demographic_factor(thumb, &person(15 * 365, Sex::Female)) - 1.0).abs() < 1e-12);
    assert!((pack.demographic_factor(thumb, &person(15 * 365, Sex::Male)) - 0.25).abs() < 1e-12);
    assert!(pack.demographic_factor(thumb, &person(50 * 365, Sex::Female)) < 0.01);
    assert!(pack.is_incidental(term("BODH:owns-a-blue-glove")) && !pack.is_incidental(term("HP:0001945")));
    assert_eq!(pack.measures().len(), 1);
    let shown = |id| pack.shown_by(term(id)).map(|t| pack.test_id(t)).collect::<Vec<_>>();
    assert_eq!(shown("BODH:pain-on-opposing-the-thumb-of-a-glove"), ["hx_present", "hx_all"]);
    assert_eq!(shown("HP:0003228"), ["salt"], "a measurement's result");
    assert_eq!(shown("HP:0001945").len(), 5, "the list's own roots");
    assert_eq!(pack.price(pack.tests().next().unwrap()).cents(), 1250);
    assert_eq!(pack.settled_by(thumb).collect::<Vec<_>>(), ["hx_pain"]);
    assert!(pack.disease("OMIM:154700").is_some(), "the release's part is kept");
}

#[test]
fn what_a_finding_explains_and_what_a_condition_needs_in_the_history() {
    let text = whole().replacen("  kind: exposure", "  explains: Cough; high sodium\n  kind: exposure", 1).replacen(
        "  frequent: Fever; Cough; Headache; Nausea; Owns a blue glove",
        "  very frequent: Owns a blue glove; Fever\n  frequent: Cough; Headache; Nausea",
        1,
    );
    let pack = Pack::open(inflate(&with_general(&PACK, &files(&text, ANALYTE)).unwrap()).unwrap()).unwrap();
    let glove = pack.term("BODH:owns-a-blue-glove").unwrap();
    let explained: Vec<&str> = pack.explains(glove).map(|t| pack.term_id(t)).collect();
    assert_eq!(explained, ["HP:0003228", "HP:0012735"]);
    assert_eq!(pack.explains(pack.term("HP:0001945").unwrap()).count(), 0, "only our own findings explain");
    let [finger, thumb] = ["BODH:glove-finger", "BODH:glove-thumb"].map(|id| pack.disease(id).unwrap());
    assert_eq!(pack.antecedents(finger).collect::<Vec<_>>(), [glove], "a symptom is none, whatever its frequency");
    assert_eq!(pack.antecedents(thumb).count(), 0);
    for (bad, expected) in [("Coughing of gloves", "unknown finding"), ("Owns a blue glove", "would explain itself")] {
        let text = text.replacen("explains: Cough", &format!("explains: {bad}"), 1);
        let faults = with_general(&PACK, &files(&text, ANALYTE)).unwrap_err();
        assert!(faults.iter().any(|f| f.file == "hand.txt" && f.what.contains(expected)), "{faults:?}");
    }
}

#[test]
fn what_cannot_be_used_is_told_with_file_and_line() {
    let swap = |from: &str, to: &str| {
        let text = whole().replacen(from, to, 1);
        assert_ne!(text, whole(), "{from}");
        with_general(&PACK, &files(&text, ANALYTE)).unwrap_err()
    };
    for (from, to, expected) in [
        ("Fever; Cough", "Fever; Coughing of gloves", "unknown finding `Coughing of gloves`"),
        ("unlike Glove finger", "unlike Glove toe", "unknown neighbour `Glove toe`"),
        ("unlike Glove finger: Fever", "unlike Glove finger: Nausea", "`Nausea` is not among the condition's findings"),
        ("  icd10: M79.6\n", "", "`Glove thumb` needs an icd10"),
        ("1 in 500", "often", "`often` is no share"),
        ("  incidence: 1 in 500\n", "", "needs either `prevalence"),
        ("10-20y only", "20-10y only", "`20-10y` is no age"),
        ("10-20y only", "10-20y always", "`always` is neither"),
        ("female 4", "women 4", "expected e.g. `female only`"),
        ("course: chronic", "course: slow", "`slow` is no course"),
        ("settled by: hx_pain", "settled by: Ask Her", "no test `Ask Her` in tests.tsv"),
        ("settled by: hx_pain", "settled by: hx_itch", "no test `hx_itch` in tests.tsv"),
        ("  kind: exposure", "  kind: laboratory", "needs the test that shows it"),
        ("  kind: exposure", "  kind: drug", "no test `hx_drugs` in tests.tsv"),
        ("kind: symptom", "kind: feeling", "needs a kind"),
        ("finding: Owns a blue glove", "finding: Fever", "the ontology has `Fever`"),
        ("finding: Owns a blue glove", "finding: Glove thumb pain", "is given already"),
        ("also: glove thumb pain", "alias: glove thumb pain", "a finding has no `alias`"),
        ("condition: Glove finger", "condition: glove thumb", "`glove thumb` is given already in hand.txt"),
        ("specialty: Hands", "# Hands", "the file needs a line `specialty: NAME`"),
        ("frequent: Cough; Headache; high sodium\n", "frequent: Cough\n", "fewer than 5 findings"),
        ("course: acute", "course acute", "expected `key: value`"),
    ] {
        let faults = swap(from, to);
        let told = faults.iter().find(|f| f.to_string().contains(expected));
        let told = told.unwrap_or_else(|| panic!("{from} -> {to}: {faults:?}"));
        assert!(told.file == "hand.txt" && told.line > 0, "{told}");
    }
    let untested = &files(&whole(), ANALYTE)[..2];
    let faults = with_general(&PACK, untested).unwrap_err();
    assert!(faults.iter().any(|f| f.what.contains("the list of tests is not among the texts")), "{faults:?}");
    let cycle = whole().replacen("  kind: exposure", "  is: Owns a blue glove\n  kind: exposure", 1);
    let faults = with_general(&PACK, &files(&cycle, ANALYTE)).unwrap_err();
    assert!(faults[0].what.contains("its own broader finding"), "{faults:?}");
    for (from, to, expected) in [
        ("135-145", "145-135", "145 is above 135"),
        ("135-145", "normal", "is no range"),
        ("mEq/L x1", "mEq/L", "is no conversion"),
        ("high: Hypernatremia", "high: Salty", "unknown finding `Salty`"),
        ("  possible: 90-200\n", "", "needs `possible` and a `range`"),
    ] {
        let faults = with_general(&PACK, &files(&whole(), &ANALYTE.replacen(from, to, 1))).unwrap_err();
        assert!(faults.iter().any(|f| f.file == "analytes.txt" && f.what.contains(expected)), "{to}: {faults:?}");
    }
}
