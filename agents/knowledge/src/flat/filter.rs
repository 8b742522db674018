//! Numbers that go up, as differences: what the committed form holds of them, because that packs much smaller.

use super::bytes::table;
use super::{Section, u16_at, u32_at};

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
    each(all, |last, value| (value.wrapping_sub(last), value));
}

/// The opposite of [`fold`]. Bytes that are no pack are left as they are.
pub(crate) fn unfold(all: &mut [u8]) {
    each(all, |last, value| {
        let sum = last.wrapping_add(value);
        (sum, sum)
    });
}

/// Replaces each number by what `one` makes of it and of what is remembered.
fn each(all: &mut [u8], one: impl Fn(u32, u32) -> (u32, u32)) {
    let Ok(at) = table(all) else { return };
    for section in RISING {
        let Some(bytes) = at.get(section as usize).and_then(|(start, end)| all.get_mut(*start..*end)) else { continue };
        let mut last = 0;
        for number in bytes.chunks_exact_mut(section.width()) {
            let wide = number.len() == 4;
            let value = if wide { u32_at(number, 0) } else { u32::from(u16_at(number, 0)) };
            let (written, remembered) = one(last, value);
            last = if wide { remembered } else { remembered & 0xffff };
            number.iter_mut().zip(written.to_le_bytes()).for_each(|(byte, new)| *byte = new);
        }
    }
}
