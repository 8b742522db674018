//! Content that makes no sense.

use super::super::{MAGIC, PackBytes, TABLE_AT, writer::seal};
use super::small::{GENES, OBO, ROWS, hpoa};
use super::*;
use crate::Pack;

/// A sound pack in which one number of one section is replaced, under a right checksum.
fn with(section: Section, word: usize, value: u32) -> Result<Pack, PackError> {
    let base = crate::build(OBO.as_bytes(), hpoa(&ROWS).as_bytes(), GENES.as_bytes()).unwrap();
    let base = Pack::open(crate::inflate(&base).unwrap()).unwrap();
    let tests =
        ["lens", "eye", "slit", "lamp"].map(|id| format!("{id}\tA\texamination\t-\t9\tS\tHP:0000010 Eye finding"));
    let tests = format!("@source S a guess\n{}", tests.join("\n"));
    let made = crate::with_general(&base, &[("tests.tsv".to_owned(), tests)]).unwrap();
    let mut flat = crate::inflate(&made).unwrap();
    assert_eq!(&flat[..8], MAGIC);
    let entry = TABLE_AT + section as usize * 16;
    let start = usize::try_from(u64::from_le_bytes(flat[entry..entry + 8].try_into().unwrap())).unwrap();
    flat[start + word * 4..start + word * 4 + 4].copy_from_slice(&value.to_le_bytes());
    seal(&mut flat);
    Pack::open(PackBytes::from(flat))
}

#[test]
fn content_that_makes_no_sense_is_refused_even_under_a_right_checksum() {
    let cases = [
        (Section::Row, 0, 999, "unknown term"),
        (Section::Row, 1, 11, "a frequency above 1 or of no known kind"),
        (Section::Row, 3, 999, "unknown onset"),
        (Section::Row, 4, 999, "unknown reference"),
        (Section::Row, 5, 9, "a frequency above 1 or of no known kind"),
        (Section::Parent, 0, 1, "a term is its own ancestor"),
        (Section::Parent, 0, 999, "names something that is not there"),
        (Section::AliasTo, 0, 999, "unknown term"),
        (Section::AncestorAt, 1, 999, "bounds out of order"),
        (Section::PostingAt, 0, 1, "bounds out of order"),
        (Section::PostingDisease, 0, 0xffff_ffff, "diseases out of order"),
        (Section::DiseaseId, 0, 0, "not in the order of the ids"),
        (Section::Background, 1, 0x7ff8_0000, "not a frequency"),
        (Section::Breadth, 1, 0x7ff8_0000, "not a number"),
        (Section::TestPrice, 2, 0, "a test without a price"),
        (Section::TestKind, 0, 0x0101_0109, "no kind of test"),
        (Section::TestId, 1, 1, "no id, or one given twice"),
        (Section::TestSource, 1, 9_999, "names something that is not there"),
        (Section::Shown, 0, 4, "names something that is not there"),
        (Section::Text, 0, 0xffff_ffff, "not UTF-8"),
    ];
    for (section, word, value, expected) in cases {
        match with(section, word, value).map(|_| ()) {
            Err(PackError::Content { what, .. }) => assert_eq!(what, expected, "{}", section.name()),
            other => panic!("{}: {other:?}", section.name()),
        }
    }
}
