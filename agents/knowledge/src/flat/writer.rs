//! Writing the flat layout.

use super::bytes::checksum;
use super::{HASH_AT, MAGIC, SECTIONS, Section, TABLE_AT, VERSION};
use crate::BuildError;
use std::collections::BTreeMap;

/// Collects sections; each may be set again before [`Writer::finish`].
#[derive(Default)]
pub(crate) struct Writer {
    sections: BTreeMap<usize, Vec<u8>>,
    texts: BTreeMap<String, u32>,
}

impl Writer {
    /// The number of a text, the same for the same text.
    pub(crate) fn text(&mut self, text: &str) -> Result<u32, BuildError> {
        if let Some(known) = self.texts.get(text) {
            return Ok(*known);
        }
        let number = narrow(self.texts.len(), "texts")?;
        self.texts.insert(text.to_owned(), number);
        let blob = self.sections.entry(Section::Text as usize).or_default();
        blob.extend_from_slice(text.as_bytes());
        let end = narrow(blob.len(), "bytes of text")?;
        let bounds = self.sections.entry(Section::TextAt as usize).or_insert_with(|| vec![0; 4]);
        bounds.extend_from_slice(&end.to_le_bytes());
        Ok(number)
    }

    pub(crate) fn bytes(&mut self, section: Section, bytes: Vec<u8>) {
        self.sections.insert(section as usize, bytes);
    }

    pub(crate) fn u32s(&mut self, section: Section, values: &[u32]) {
        self.bytes(section, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    pub(crate) fn f64s(&mut self, section: Section, values: &[f64]) {
        self.bytes(section, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// A list per element: the bounds in one section, the values in another.
    pub(crate) fn lists(&mut self, at: Section, values: Section, lists: &[Vec<u32>]) -> Result<(), BuildError> {
        let mut bounds = vec![0u32];
        let mut all = Vec::new();
        for list in lists {
            all.extend_from_slice(list);
            bounds.push(narrow(all.len(), "list elements")?);
        }
        self.u32s(at, &bounds);
        self.u32s(values, &all);
        Ok(())
    }

    /// The whole file, with its checksum.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut table = Vec::new();
        let mut body = Vec::new();
        let start = TABLE_AT + SECTIONS * 16;
        for section in Section::ALL {
            body.resize(body.len().next_multiple_of(8), 0);
            let content = self.sections.get(&(*section as usize)).map_or(&[][..], Vec::as_slice);
            table.extend_from_slice(&((start + body.len()) as u64).to_le_bytes());
            table.extend_from_slice(&(content.len() as u64).to_le_bytes());
            body.extend_from_slice(content);
        }
        let mut all = Vec::with_capacity(start + body.len());
        all.extend_from_slice(MAGIC);
        all.extend_from_slice(&VERSION.to_le_bytes());
        all.extend_from_slice(&u32::try_from(SECTIONS).unwrap_or(u32::MAX).to_le_bytes());
        all.extend_from_slice(&((start + body.len()) as u64).to_le_bytes());
        all.resize(TABLE_AT, 0);
        all.extend_from_slice(&table);
        all.extend_from_slice(&body);
        seal(&mut all);
        all
    }
}

/// Writes the checksum into the header.
pub(crate) fn seal(all: &mut [u8]) {
    let digest = checksum(all);
    if let Some(place) = all.get_mut(HASH_AT..TABLE_AT) {
        place.copy_from_slice(&digest);
    }
}

pub(crate) fn narrow(n: usize, what: &'static str) -> Result<u32, BuildError> {
    u32::try_from(n).map_err(|_| BuildError::TooLarge { what, limit: u32::MAX as usize })
}
