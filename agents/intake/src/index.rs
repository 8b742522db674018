//! Names to terms: the longest name at a place of a note, in a few look-ups.
//!
//! Words are numbered once and names kept as 64-bit hashes of their words' numbers, so that a cell has the index of some
//! 40,000 names in milliseconds. With so many names the chance that any two share a hash is below one in ten billion.

use crate::apart::{LONGEST_LOOSE, Loose};
use crate::hash::{Fnv, Identity, hash};
use crate::lexicon::Lexicon;
use crate::normal::{EMPTY, PASSED_OVER, normalise};
use crate::token::{Gap, Token, lower, spans};
use crate::words;
use bodh_clinical::{Presence, TermId};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Longest name that is matched, in words; longer ones in an ontology are definitions, which nobody writes.
const LONGEST: usize = 8;
/// Longest name whose words may come in another order ("pain in the abdomen").
const LONGEST_BAG: usize = 4;
/// Shortest name of a pack that is matched, in bytes: "Gout" is, "ASD" (three things) is not.
const SHORTEST: usize = 4;

/// Words that are no finding by themselves, in their normal form.
const GENERIC: [&str; 12] = [
    "increased",
    "decreased",
    "normal",
    "positive",
    "negative",
    "enlarged",
    "swelling",
    "tenderness",
    "pain",
    "lesion",
    "acute",
    "chronic",
];

/// About as many names as a pack has: room is made once.
const NAMES: usize = 40_000;

/// The number of a word among all words of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Word {
    /// In no name.
    #[default]
    Unknown,
    /// Carries no meaning inside a name.
    Empty,
    /// In some name.
    Known(u32),
}

/// A name's term, and what saying the name says: "afebrile" says that fever is not there. None: the name is noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) term: u32,
    pub(crate) says: Option<Presence>,
}

/// A name met in a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The term's number in the index; none for a name on the stop list, which only keeps others from matching.
    pub(crate) term: Option<u32>,
    /// What the name itself says.
    pub(crate) says: Presence,
    /// One past its last token in the sentence.
    pub(crate) end: usize,
}

/// All names of a lexicon.
#[derive(Default)]
pub(crate) struct Index {
    loose: Vec<Loose>,
    /// By a name's rarest word: the names.
    by_rarest: HashMap<u32, Vec<u32>, BuildHasherDefault<Identity>>,
    terms: Vec<TermId>,
    /// Words as written in names, and their normal forms; two spellings of one word share its number.
    numbers: HashMap<Box<str>, Word, BuildHasherDefault<Fnv>>,
    /// By number: the longest name that the word begins or, in another order, is part of.
    reach: Vec<u8>,
    ordered: HashMap<u64, Entry, BuildHasherDefault<Identity>>,
    bags: HashMap<u64, Entry, BuildHasherDefault<Identity>>,
}

impl Index {
    pub(crate) fn new(lexicon: &impl Lexicon) -> Self {
        let mut index = Self::default();
        index.terms.reserve(NAMES / 2);
        index.numbers.reserve(NAMES);
        index.ordered.reserve(NAMES);
        index.bags.reserve(NAMES);
        for (name, _) in words::STOPPED {
            index.add(name, Entry { term: 0, says: None });
        }
        let mut places: HashMap<Box<str>, u32> = HashMap::new();
        let mut last = (String::new(), 0);
        let mut place = |terms: &mut Vec<TermId>, id: &str| {
            if last.0 != id {
                let next = u32::try_from(terms.len()).ok()?;
                let number = places.get(id).copied();
                if number.is_none() {
                    terms.push(TermId::parse(id).ok()?);
                    places.insert(id.into(), next);
                }
                last = (id.to_owned(), number.unwrap_or(next));
            }
            Some(last.1)
        };
        // Our own rows are before the pack's: they were chosen for what clinicians and patients mean by the words.
        for row in words::synonyms() {
            let Ok(id) = lexicon.resolve(row.term) else { continue };
            if let Some(term) = place(&mut index.terms, id) {
                index.add(row.name, Entry { term, says: Some(row.says) });
            }
        }
        lexicon.names(&mut |id, name| {
            // A short name is an abbreviation of many things; the ones that are safe are in our own rows.
            if name.len() < SHORTEST {
                return;
            }
            if let Some(term) = place(&mut index.terms, id) {
                index.add(name, Entry { term, says: Some(Presence::Present) });
            }
        });
        index.file_by_rarest();
        index
    }

    fn file_by_rarest(&mut self) {
        let mut uses = vec![0_u32; self.reach.len()];
        for name in &self.loose {
            for word in name.words() {
                if let Some(count) = uses.get_mut(*word as usize) {
                    *count += 1;
                }
            }
        }
        for (name, place) in self.loose.iter().zip(0_u32..) {
            let rarest = name.words().iter().min_by_key(|w| uses.get(**w as usize).copied().unwrap_or(0));
            if let Some(rarest) = rarest {
                self.by_rarest.entry(*rarest).or_default().push(place);
            }
        }
    }

    /// The term with this number.
    pub(crate) fn term(&self, number: u32) -> Option<&TermId> {
        self.terms.get(number as usize)
    }

    /// The number of a word of a note, in lower case.
    pub(crate) fn word(&self, word: &str) -> Word {
        if EMPTY.contains(&word) {
            return Word::Empty;
        }
        let known = self.numbers.get(word).or_else(|| self.numbers.get(normalise(word).as_str()));
        known.copied().unwrap_or_default()
    }

    /// The first meaning of a name keeps it.
    fn add(&mut self, name: &str, entry: Entry) {
        let mut words = [0_u32; LONGEST];
        let mut length = 0;
        for (start, end) in spans(name) {
            let Word::Known(word) = self.number(name.get(start..end).unwrap_or_default()) else { continue };
            let Some(place) = words.get_mut(length) else { return };
            *place = word;
            length += 1;
        }
        let words = words.get_mut(..length).unwrap_or_default();
        let Some(first) = words.first().copied() else { return };
        if length == 1 && GENERIC.contains(&normalise(&lower(name)).as_str()) {
            return;
        }
        self.ordered.entry(hash(words)).or_insert(entry);
        // Numbers stand where they stand: "strength 4/5" is not "strength 5/5".
        let mut different = words.to_vec();
        different.sort_unstable();
        different.dedup();
        if (2..=LONGEST_LOOSE).contains(&length)
            && different.len() == length
            && !name.bytes().any(|b| b.is_ascii_digit())
        {
            let mut apart = [0_u32; LONGEST_LOOSE];
            apart.iter_mut().zip(words.iter()).for_each(|(slot, word)| *slot = *word);
            self.loose.push(Loose { words: apart, length: u8::try_from(length).unwrap_or(0), entry });
        }
        self.reaches(first, length);
        if (2..=LONGEST_BAG).contains(&length) {
            words.iter().for_each(|word| self.reaches(*word, length));
            words.sort_unstable();
            self.bags.entry(hash(words)).or_insert(entry);
        }
    }

    fn reaches(&mut self, word: u32, length: usize) {
        if let (Some(reach), Ok(length)) = (self.reach.get_mut(word as usize), u8::try_from(length)) {
            *reach = length.max(*reach);
        }
    }

    /// The number of a word of a name, new if need be.
    fn number(&mut self, raw: &str) -> Word {
        if let Some(word) = self.numbers.get(raw) {
            return *word;
        }
        let said = lower(raw);
        let word = if EMPTY.contains(&said.as_str()) {
            Word::Empty
        } else {
            let normal = normalise(&said);
            let next = Word::Known(u32::try_from(self.reach.len()).unwrap_or(u32::MAX));
            let word = *self.numbers.entry(normal.into()).or_insert(next);
            if word == next {
                self.reach.push(0);
            }
            word
        };
        self.numbers.insert(raw.into(), word);
        word
    }

    /// The longest name that begins at `start` of a sentence; at most [`LONGEST`] words are looked at.
    pub(crate) fn longest(&self, sentence: &[Token], start: usize) -> Option<Hit> {
        let Word::Known(first) = sentence.get(start)?.known else { return None };
        let reach = usize::from(*self.reach.get(first as usize)?);
        let whole = self.among(sentence, start, reach, false);
        let sparse = self.among(sentence, start, reach, true);
        match (whole, sparse) {
            (Some(whole), Some(sparse)) => Some(if sparse.1 > whole.1 { sparse.0 } else { whole.0 }),
            (whole, sparse) => whole.or(sparse).map(|found| found.0),
        }
    }

    /// Names whose words stand near one another in a sentence, in any order, with other words among them: where each begins
    /// and what it is. "Chest pain that is worse when he leans back" says "pain worse leaning back".
    pub(crate) fn apart(&self, sentence: &[Token]) -> Vec<(usize, Hit)> {
        let mut found = Vec::new();
        for (at, token) in sentence.iter().enumerate() {
            let Word::Known(word) = token.known else { continue };
            for name in self.by_rarest.get(&word).into_iter().flatten() {
                let Some(name) = self.loose.get(*name as usize) else { continue };
                let Some((start, end)) = name.around(sentence, at) else { continue };
                let (term, says) = (name.entry.says.map(|_| name.entry.term), name.entry.says);
                found.push((start, Hit { term, says: says.unwrap_or(Presence::Present), end }));
            }
        }
        found
    }

    /// The longest name among the first words from `start` on, and its number of words; no name goes over a comma.
    fn among(&self, sentence: &[Token], start: usize, reach: usize, sparse: bool) -> Option<(Hit, usize)> {
        let mut words = [0_u32; LONGEST];
        let mut ends = [0_usize; LONGEST];
        let mut length = 0;
        for (at, token) in sentence.iter().enumerate().skip(start).take(2 * LONGEST) {
            if length >= reach || (at > start && token.gap >= Gap::Comma) {
                break;
            }
            if sparse && at > start && PASSED_OVER.contains(&token.word.as_str()) {
                continue;
            }
            match token.known {
                Word::Empty => {}
                Word::Unknown => break,
                Word::Known(word) => {
                    *words.get_mut(length)? = word;
                    *ends.get_mut(length)? = at + 1;
                    length += 1;
                }
            }
        }
        (1..=length).rev().find_map(|length| {
            let part = words.get(..length)?;
            let found = self.ordered.get(&hash(part)).or_else(|| {
                let mut bag = words;
                let bag = bag.get_mut(..length).filter(|bag| (2..=LONGEST_BAG).contains(&bag.len()))?;
                bag.sort_unstable();
                self.bags.get(&hash(bag))
            })?;
            let term = found.says.map(|_| found.term);
            let says = found.says.unwrap_or(Presence::Present);
            Some((Hit { term, says, end: *ends.get(length - 1)? }, length))
        })
    }
}
