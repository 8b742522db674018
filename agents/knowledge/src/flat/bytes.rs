//! Reading numbers out of checked bytes.

use super::{HASH_AT, MAGIC, SECTIONS, Section, TABLE_AT, VERSION};
use crate::PackError;
use std::ops::Range;
use std::sync::Arc;

/// Where a pack's bytes are kept: in the program, in a mapping that lives as long as it, or shared on the heap.
#[derive(Debug, Clone)]
pub enum PackBytes {
    /// For the whole life of the process.
    Static(&'static [u8]),
    /// As long as somebody uses them.
    Shared(Arc<Vec<u8>>),
}

impl PackBytes {
    pub(crate) fn get(&self) -> &[u8] {
        match self {
            Self::Static(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl From<&'static [u8]> for PackBytes {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Static(bytes)
    }
}

impl From<Vec<u8>> for PackBytes {
    fn from(bytes: Vec<u8>) -> Self {
        // Shared as it is: moving more than twenty megabytes into a block of their own would cost as much as hashing them.
        Self::Shared(Arc::new(bytes))
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The `i`-th number, or zero outside, which [`super::check`] has shown not to happen.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], i: usize) -> u32 {
    array(bytes, i.saturating_mul(4)).map_or(0, u32::from_le_bytes)
}

/// As [`u32_at`].
#[inline]
pub(crate) fn u16_at(bytes: &[u8], i: usize) -> u16 {
    array(bytes, i.saturating_mul(2)).map_or(0, u16::from_le_bytes)
}

/// As [`u32_at`].
#[inline]
pub(crate) fn f64_at(bytes: &[u8], i: usize) -> f64 {
    array(bytes, i.saturating_mul(8)).map_or(0.0, f64::from_le_bytes)
}

/// Bytes whose header and table of sections have been read.
#[derive(Debug, Clone)]
pub(crate) struct Flat {
    bytes: PackBytes,
    at: [(usize, usize); SECTIONS],
}

impl Flat {
    /// Reads the header and the places of the sections, and takes the checksum's word for it.
    pub(crate) fn open(bytes: PackBytes) -> Result<Self, PackError> {
        let all = bytes.get();
        if all.get(..8) != Some(MAGIC) {
            return Err(PackError::Magic);
        }
        let header = |at| array(all, at).ok_or(PackError::Length { found: all.len(), stated: TABLE_AT as u64 });
        let found = header(8).map(u32::from_le_bytes)?;
        if found != VERSION {
            return Err(PackError::Version { found, expected: VERSION });
        }
        let stated = array(all, 16).map(u64::from_le_bytes).unwrap_or_default();
        if stated != all.len() as u64 || all.len() < TABLE_AT + SECTIONS * 16 {
            return Err(PackError::Length { found: all.len(), stated });
        }
        let at = table(all)?;
        Ok(Self { bytes, at })
    }

    #[inline]
    pub(crate) fn section(&self, section: Section) -> &[u8] {
        let (start, end) = self.at.get(section as usize).copied().unwrap_or_default();
        self.bytes.get().get(start..end).unwrap_or_default()
    }

    /// Number of elements.
    pub(crate) fn len(&self, section: Section) -> usize {
        self.section(section).len() / section.width()
    }

    pub(crate) fn u32(&self, section: Section, i: usize) -> u32 {
        u32_at(self.section(section), i)
    }

    /// Elements of the `i`-th list.
    #[inline]
    pub(crate) fn range(&self, at: Section, i: usize) -> Range<usize> {
        let bounds = self.section(at);
        u32_at(bounds, i) as usize..u32_at(bounds, i + 1) as usize
    }

    #[inline]
    pub(crate) fn list(&self, at: Section, values: Section, i: usize) -> impl Iterator<Item = u32> + '_ {
        let range = self.range(at, i);
        let bytes = self.section(values).get(range.start * 4..range.end * 4).unwrap_or_default();
        bytes.chunks_exact(4).map(|c| u32_at(c, 0))
    }

    /// The `i`-th text.
    pub(crate) fn text(&self, i: u32) -> &str {
        std::str::from_utf8(self.text_bytes(i)).unwrap_or_default()
    }

    /// The same before it is read as text: enough for whoever compares it, for bytes and characters have one order.
    pub(crate) fn text_bytes(&self, i: u32) -> &[u8] {
        self.section(Section::Text).get(self.range(Section::TextAt, i as usize)).unwrap_or_default()
    }

    /// Whether the bytes have the checksum that the header states.
    pub(crate) fn is_intact(&self) -> bool {
        self.sha256() == checksum(self.bytes.get())
    }

    /// The SHA-256 in the header.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        array(self.bytes.get(), HASH_AT).unwrap_or_default()
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.get().len()
    }
}

/// SHA-256 of all but the place where it is kept.
pub(crate) fn checksum(all: &[u8]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(all.get(..HASH_AT).unwrap_or_default());
    context.update(all.get(TABLE_AT..).unwrap_or_default());
    array(context.finish().as_ref(), 0).unwrap_or_default()
}

pub(super) fn table(all: &[u8]) -> Result<[(usize, usize); SECTIONS], PackError> {
    let fault = |section: Section, what| PackError::Content { section: section.name(), what };
    let mut at = [(0, 0); SECTIONS];
    let mut free = TABLE_AT + SECTIONS * 16;
    if array(all, 12).map(u32::from_le_bytes).map(|n| n as usize) != Some(SECTIONS) {
        return Err(fault(Section::Text, "another number of sections"));
    }
    for (section, slot) in Section::ALL.iter().zip(&mut at) {
        let entry = TABLE_AT + *section as usize * 16;
        let word = |at| array(all, at).map(u64::from_le_bytes).and_then(|n| usize::try_from(n).ok());
        let (Some(start), Some(len)) = (word(entry), word(entry + 8)) else { return Err(fault(*section, "no place")) };
        let end =
            start.checked_add(len).filter(|end| *end <= all.len()).ok_or(fault(*section, "lies outside the file"))?;
        if start < free || start - free > 7 {
            return Err(fault(*section, "does not follow the one before"));
        }
        if len % section.width() != 0 {
            return Err(fault(*section, "ends within an element"));
        }
        *slot = (start, end);
        free = end;
    }
    Ok(at)
}
