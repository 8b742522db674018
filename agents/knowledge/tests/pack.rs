//! A pack says what its release says, and refuses everything that is not a sound pack.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod small;

use bodh_knowledge::{
    BuildError, Frequency, FrequencyClass, Pack, PackError, TermStatus, build, inflate, rate_of, rate_step,
};
use small::{GENES, OBO, ROWS, hpoa};

fn flat() -> Vec<u8> {
    inflate(&build(OBO.as_bytes(), hpoa(&ROWS).as_bytes(), GENES.as_bytes()).unwrap()).unwrap()
}

fn refused(rows: &[&str]) -> String {
    build(OBO.as_bytes(), hpoa(rows).as_bytes(), GENES.as_bytes()).unwrap_err().to_string()
}

#[test]
fn says_what_the_release_says() {
    let pack = Pack::open(flat()).unwrap();
    assert_eq!((pack.term_count(), pack.disease_count(), pack.annotation_count()), (6, 4, 7));
    assert_eq!(pack.release(), "test");
    let beta = pack.disease("OMIM:2").unwrap();
    let rows: Vec<_> = pack.annotations(beta).collect();
    assert_eq!(rows[0].frequency, Frequency::Class(FrequencyClass::VeryFrequent));
    assert_eq!(rows[0].sex, bodh_clinical::Sex::Male);
    assert_eq!(pack.references(&rows[0]).collect::<Vec<_>>(), ["PMID:2", "PMID:3"]);
    assert!(rows[1].not);
}

#[test]
fn the_same_name_is_the_same_disease_and_rows_keep_their_source() {
    let pack = Pack::open(flat()).unwrap();
    let alpha = pack.disease("OMIM:1").unwrap();
    assert_eq!(pack.also(alpha).collect::<Vec<_>>(), ["ORPHA:9"]);
    assert!(pack.disease("ORPHA:9").is_none());
    assert_eq!(pack.annotations(alpha).map(|a| a.from).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn former_ids_lead_to_current_terms() {
    let pack = Pack::open(flat()).unwrap();
    assert_eq!(pack.term("HP:0000911"), pack.term("HP:0000011"));
    assert_eq!(pack.term("HP:0000912"), pack.term("HP:0000021"));
    assert_eq!(pack.status("HP:0000913"), TermStatus::Obsolete);
    assert_eq!(pack.status("HP:9999999"), TermStatus::Unknown);
    assert!(!pack.is_phenotypic(pack.term("HP:0000001").unwrap()));
}

#[test]
fn rates_propagate_upwards_and_a_name_says_its_finding() {
    let pack = Pack::open(flat()).unwrap();
    let rate = |d: &str, t: &str| pack.rate(pack.disease(d).unwrap(), pack.term(t).unwrap()).map(rate_of);
    let near = |a: Option<f64>, b: f64| (a.unwrap() / b - 1.0).abs() < 0.012;
    assert!(near(rate("OMIM:1", "HP:0000011"), 10.0 / 16.0));
    assert!(near(rate("OMIM:1", "HP:0000010"), 10.0 / 16.0));
    assert!(near(rate("OMIM:3", "HP:0000011"), 0.6));
    assert!(near(rate("OMIM:3", "HP:0000010"), 1.0 - 0.4 * 0.6));
    assert_eq!(rate("OMIM:2", "HP:0000011"), None);
}

#[test]
fn without_a_publication_its_rows_say_nothing() {
    let pack = Pack::open(flat()).unwrap();
    let (alpha, lens) = (pack.disease("OMIM:1").unwrap(), pack.term("HP:0000011").unwrap());
    let revision = pack.without("PMID:1");
    assert_eq!(revision.profiles().map(|p| p.0).collect::<Vec<_>>(), [alpha]);
    assert_eq!(revision.profile(alpha).unwrap().rate(lens), None);
    assert!(pack.grounds(alpha, &revision).of(lens).is_none());
    assert_eq!(pack.grounds(alpha, &Default::default()).of(lens).unwrap().sources, ["PMID:1"]);
    assert_eq!(pack.without("PMID:999").profiles().count(), 0);
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let good = flat();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(Pack::open(bad).is_err(), "byte {at}");
    }
}

#[test]
fn other_files_versions_and_lengths_are_refused() {
    let good = flat();
    assert_eq!(Pack::open(vec![]).unwrap_err(), PackError::Magic);
    let mut other = good.clone();
    other[8] = 9;
    assert_eq!(Pack::open(other).unwrap_err(), PackError::Version { found: 9, expected: 4 });
    for len in [9, 60, good.len() / 2, good.len() - 1] {
        assert!(matches!(Pack::open(good[..len].to_vec()).unwrap_err(), PackError::Length { .. }), "{len}");
    }
    // Too short for a length, a length beyond the bound, a block that ends before its length, nothing at all; a kept form that breaks off.
    let short = [16_u32.to_le_bytes(), 2_u32.to_le_bytes()].concat();
    let bad = [&b""[..], b"LZ4", b"not a pack", &[0xff; 16], &[&short[..], b"\x10a"].concat(), b"\x28\xb5\x2f\xfd\x00"];
    for bytes in bad {
        assert!(matches!(inflate(bytes), Err(PackError::Compressed { .. })), "{bytes:?}");
    }
    // Each block is unpacked by a thread of its own: so many and no more, and none for nothing.
    let one = [1_u32.to_le_bytes(), 2_u32.to_le_bytes()].concat();
    let blocks = |count: usize| [&one[..], b"\x10a"].concat().repeat(count);
    assert_eq!(inflate(&blocks(16)).unwrap(), b"a".repeat(16));
    for bytes in [blocks(17), [0; 8].repeat(3), [blocks(2), vec![0; 8]].concat()] {
        assert!(matches!(inflate(&bytes), Err(PackError::Compressed { .. })), "{bytes:?}");
    }
}

#[test]
fn bad_rows_name_file_and_line() {
    let row = |n: usize, with: &str| {
        let mut rows = ROWS.to_vec();
        rows[n] = with;
        refused(&rows)
    };
    let unknown = row(1, "OMIM:1|A||HP:7777777|PMID:2|PCS||1/10|||P|x");
    assert!(unknown.starts_with("phenotype.hpoa, line 4: unknown term HP:7777777"), "{unknown}");
    assert!(row(0, "OMIM:1|A||HP:0000011|PMID:2|PCS||11/10|||P|x").contains("line 3: frequency 11/10 is above 1"));
    assert!(row(0, "OMIM:1|A||HP:0000011|PMID:2|PCS||0/0|||P|x").contains("line 3: frequency 0/0"));
    assert!(row(0, "OMIM:1|A||HP:0000011|PMID:2|PCS||140%|||P|x").contains("line 3: frequency 140%"));
    assert!(row(0, "OMIM:1|A|MAYBE|HP:0000011|PMID:2|PCS|||||P|x").contains("the qualifier is NOT or empty"));
    assert!(row(0, "OMIM:1|A||HP:0000011|PMID:2|XXX|||||P|x").contains("evidence is IEA, TAS or PCS"));
    assert!(row(0, "OMIM:1|A||HP:0000011||PCS|||||P|x").contains("no reference"));
    assert!(row(0, "OMIM:1|A").contains("expected 12 columns, found 2"));
    assert!(row(0, "omim 1|A||HP:0000011|PMID:2|PCS|||||P|x").contains("not a disease id"));
}

#[test]
fn a_cycle_and_an_unknown_parent_are_refused() {
    let built = |obo: &str| build(obo.as_bytes(), hpoa(&ROWS).as_bytes(), GENES.as_bytes()).unwrap_err();
    let cycle = OBO.replace("name: All\n", "name: All\nis_a: HP:0000011\n");
    assert!(matches!(built(&cycle), BuildError::Cycle { .. }));
    let orphan = OBO.replace("is_a: HP:0000010\n", "is_a: HP:0000777\n");
    assert!(built(&orphan).to_string().contains("unknown parent HP:0000777"));
    assert_eq!(built(&OBO.replace("HP:0000118", "HP:0000119")), BuildError::NoRoot);
}

#[test]
fn rates_survive_their_byte_within_one_part_in_a_hundred() {
    for share in [1.0, 0.9, 0.5, 0.17, 0.025, 0.0045] {
        assert!((rate_of(rate_step(share).unwrap()) / share - 1.0).abs() < 0.012);
    }
    assert_eq!(rate_step(0.001), None);
}

#[test]
fn building_twice_gives_the_same_bytes() {
    let once = || build(OBO.as_bytes(), hpoa(&ROWS).as_bytes(), GENES.as_bytes()).unwrap();
    assert_eq!(once(), once());
}
