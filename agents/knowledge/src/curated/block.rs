//! The form of every curated file: blocks of `key: value` lines between empty lines, `#` for comments.

use std::fmt;

/// Longest line, in bytes: a person reads these files.
const LONGEST_LINE: usize = 400;
/// Most lines of one file.
const MOST_LINES: usize = 100_000;

/// A place in a curated file that cannot be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.what)
    }
}

/// All faults of a reading: somebody who corrects a file wants to see every one.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, place: Place<'_>, what: impl Into<String>) {
        self.0.push(Fault { file: place.file.to_owned(), line: place.line, what: what.into() });
    }
}

/// A line of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: usize,
}

/// One `key: value`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
}

impl<'a> Field<'a> {
    /// The items of a list, separated by semicolons.
    pub(crate) fn items(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.value.split(';').map(str::trim).filter(|item| !item.is_empty())
    }
}

/// A block: its first field says what it is and names it.
#[derive(Debug, Clone)]
pub(crate) struct Block<'a> {
    pub(crate) head: Field<'a>,
    pub(crate) fields: Vec<Field<'a>>,
}

impl<'a> Block<'a> {
    /// All values of a key, in order.
    pub(crate) fn all(&self, key: &'static str) -> impl Iterator<Item = Field<'a>> + '_ {
        self.fields.iter().copied().filter(move |f| f.key == key)
    }

    /// The value of a key that may be given once.
    pub(crate) fn one(&self, key: &'static str, faults: &mut Faults) -> Option<Field<'a>> {
        let mut all = self.all(key);
        let first = all.next();
        if let Some(second) = all.next() {
            faults.add(second.place, format!("`{key}` is given twice"));
        }
        first
    }
}

/// Reads a file into blocks.
pub(crate) fn blocks<'a>(file: &'a str, text: &'a str, faults: &mut Faults) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut open = false;
    for (line, content) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
        let place = Place { file, line };
        if line > MOST_LINES {
            faults.add(place, format!("more than {MOST_LINES} lines: split the file"));
            break;
        }
        if content.len() > LONGEST_LINE {
            faults.add(place, format!("longer than {LONGEST_LINE} bytes: repeat the key on a second line"));
            continue;
        }
        if content.starts_with('#') {
            continue;
        }
        if content.trim().is_empty() {
            open = false;
            continue;
        }
        let Some((key, value)) = content.split_once(':').map(|(k, v)| (k.trim(), v.trim())) else {
            faults.add(place, "expected `key: value`");
            continue;
        };
        let field = Field { place, key, value };
        if value.is_empty() {
            faults.add(place, format!("`{key}` has no value"));
        }
        match blocks.last_mut().filter(|_| open) {
            Some(block) => block.fields.push(field),
            None => blocks.push(Block { head: field, fields: Vec::new() }),
        }
        open = true;
    }
    blocks
}
