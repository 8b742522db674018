//! The committed pack and the committed tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::TestId;
use bodh_knowledge::{COMMITTED, Pack, TestKind, inflate, with_general};

fn pack() -> Pack {
    Pack::open(inflate(COMMITTED).unwrap()).unwrap()
}

#[test]
fn the_committed_pack_is_the_stated_release() {
    let pack = pack();
    assert_eq!(pack.release(), "2025-01-16");
    assert!(pack.attribution().contains("Human Phenotype Ontology"));
    let kept = include_bytes!("../packs/bodh.pack");
    assert!(kept.len() <= 6 << 20 && COMMITTED.len() <= 12 << 20 && pack.size() <= 40_000_000);
    assert!(pack.disease_count() > 10_000 && pack.annotation_count() > 250_000);
    let marfan = pack.disease("OMIM:154700").unwrap();
    assert_eq!(pack.also(marfan).collect::<Vec<_>>(), ["ORPHA:558"]);
    let lens = pack.term("HP:0001083").unwrap();
    assert!(bodh_knowledge::rate_of(pack.rate(marfan, lens).unwrap()) > 0.3);
    assert_eq!(pack.term_label(lens), "Ectopia lentis");
}

#[test]
fn the_committed_tests_are_priced_and_hold_no_gene_test() {
    let pack = pack();
    assert!(pack.tests().count() >= 60);
    assert!(pack.tests().any(|t| pack.price(t).cents() > 50_000));
    for kind in [
        TestKind::History,
        TestKind::Examination,
        TestKind::Laboratory,
        TestKind::Imaging,
        TestKind::Function,
        TestKind::Biopsy,
    ] {
        assert!(pack.tests().any(|t| pack.test_kind(t) == kind), "{kind:?}");
    }
    for test in pack.tests() {
        let label = pack.test_label(test).to_lowercase();
        assert_eq!(pack.test(&TestId::parse(pack.test_id(test)).unwrap()), Some(test));
        assert!(pack.price(test).cents() > 0 && pack.price_source(test).contains("own estimate"), "{label}");
        assert!(!["gene ", "genetic", "exome", "genome", "karyotype"].iter().any(|w| label.contains(w)), "{label}");
    }
}

#[test]
fn bad_tests_name_file_and_line() {
    let pack = pack();
    let refused = |row: &str| {
        let text = format!("# prices\n@source S a source\n{}\n", row.replace('|', "\t"));
        let faults = with_general(&pack, &[("tests.tsv".to_owned(), text)]).unwrap_err();
        faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()
    };
    let show = "HP:0001250 Seizure";
    assert!(
        refused(&format!("a|A|history|-|0|S|{show}")).starts_with("tests.tsv, line 3: the price must be above zero")
    );
    assert!(refused(&format!("a|A|history|-|-5|S|{show}")).contains("cannot be negative"));
    assert!(refused("a|A|history|-|5|S|HP:7777777 Nothing").contains("unknown term HP:7777777"));
    assert!(refused("a|A|history|-|5|S|HP:0001250 Convulsion").contains("HP:0001250 is `Seizure`"));
    assert!(refused("a|A|history|-|5|S|HP:0000001 All").contains("is not a finding"));
    assert!(refused(&format!("a|A|history|-|5|T|{show}")).contains("unknown price source T"));
    assert!(refused(&format!("a|A|magic|-|5|S|{show}")).contains("unknown kind magic"));
    assert!(refused(&format!("A B|A|history|-|5|S|{show}")).contains("not a test id"));
    assert!(refused(&format!("a|A|history|2157-7|5|S|{show}")).contains("not a LOINC code"));
    assert!(refused("a|A|history").contains("expected 7 tab-separated columns"));
    assert!(refused("a|A|history|-|5|S|all magic up to 3").contains("expected `all history up to PRICE`"));
    assert!(refused("a|A|history|-|5|S|all history up to much").contains("not an amount"));
    let twice = format!("a|A|history|-|5|S|{show}\na|A|history|-|5|S|{show}");
    assert!(refused(&twice).contains("line 4: the id a is given twice"));
}

#[test]
fn a_damaged_committed_pack_is_refused() {
    for at in (0..COMMITTED.len()).step_by(COMMITTED.len() / 7) {
        let mut bad = COMMITTED.to_vec();
        bad[at] ^= 0x40;
        let opened = inflate(&bad).and_then(Pack::open);
        assert!(opened.is_err(), "byte {at}");
    }
    assert!(inflate(&COMMITTED[..COMMITTED.len() - 1]).is_err());
}
