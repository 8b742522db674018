//! Numbers that go up, as differences: what the committed form holds of them, because that packs much smaller.

use super::Section;
use super::bytes::table;

/// Sections whose numbers mostly go up.
const RISING: [Section; 17] = [
    Section::TextAt,
    Section::SynonymAt,
    Section::ParentAt,
    Section::AncestorAt,
    Section::Ancestor,
    Section::AlsoAt,
    Section::DiseaseSynonymAt,
    Section::RowAt,
    Section::NamedAt,
    Section::SeriesAt,
    Section::Series,
    Section::GeneAt,
    Section::Gene,
    Section::ReferenceAt,
    Section::ShownAt,
    Section::PostingAt,
    Section::PostingDisease,
];

/// Each number of these sections becomes its difference from the one before.
pub(crate) fn fold(all: &mut [u8]) {
    each(all, |last, value| (value.wrapping_sub(last), value), |last, value| (value.wrapping_sub(last), value));
}

/// The opposite of [`fold`]. Bytes that are no pack are left as they are.
pub(crate) fn unfold(all: &mut [u8]) {
    let (sum16, sum32) = (u16::wrapping_add, u32::wrapping_add);
    each(
        all,
        |last, value| (sum16(last, value), sum16(last, value)),
        |last, value| (sum32(last, value), sum32(last, value)),
    );
}

/// Replaces each number by what is made of it and of what is remembered, and remembers the second of the pair.
fn each(all: &mut [u8], short: impl Fn(u16, u16) -> (u16, u16), long: impl Fn(u32, u32) -> (u32, u32)) {
    let Ok(at) = table(all) else { return };
    for section in RISING {
        let Some(bytes) = at.get(section as usize).and_then(|(start, end)| all.get_mut(*start..*end)) else { continue };
        if section.width() == 2 {
            let mut last = 0;
            for number in bytes.as_chunks_mut().0 {
                let (written, remembered) = short(last, u16::from_le_bytes(*number));
                (*number, last) = (written.to_le_bytes(), remembered);
            }
        } else {
            let mut last = 0;
            for number in bytes.as_chunks_mut().0 {
                let (written, remembered) = long(last, u32::from_le_bytes(*number));
                (*number, last) = (written.to_le_bytes(), remembered);
            }
        }
    }
}
