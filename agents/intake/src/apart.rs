//! Names whose words stand near one another, in any order, with other words among them.

use crate::index::{Entry, Word};
use crate::token::{Gap, Token};

/// A name whose words may stand apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loose {
    pub(crate) words: [u32; LONGEST_LOOSE],
    pub(crate) length: u8,
    pub(crate) entry: Entry,
}

/// Longest name whose words may stand apart, in words.
pub(crate) const LONGEST_LOOSE: usize = 6;
/// How many other words may stand among those of a name that stand apart.
const AMONG: usize = 4;
/// A name of so few words is not looked for across these.
const FEW: usize = 2;
const JOINTS: [&str; 9] = ["and", "or", "but", "with", "without", "no", "not", "then", "nor"];

impl Loose {
    pub(crate) fn words(&self) -> &[u32] {
        self.words.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The first and one past the last token of the name around its word at `at`, if all its words are near.
    pub(crate) fn around(&self, sentence: &[Token], at: usize) -> Option<(usize, usize)> {
        let words = self.words();
        let widest = words.len() + AMONG;
        let crosses = |t: &Token| t.gap >= Gap::Comma || (words.len() <= FEW && JOINTS.contains(&t.word.as_str()));
        let first = (at.saturating_sub(widest)..at).rev().take_while(|i| {
            sentence.get(*i + 1).is_some_and(|t| t.gap < Gap::Comma)
                && sentence.get(*i).is_some_and(|t| !(words.len() <= FEW && JOINTS.contains(&t.word.as_str())))
        });
        let first = first.last().unwrap_or(at);
        let last =
            (at + 1..(at + widest).min(sentence.len())).take_while(|i| sentence.get(*i).is_some_and(|t| !crosses(t)));
        let last = last.last().unwrap_or(at);
        let (mut start, mut end) = (at, at);
        for word in words {
            // The place nearest to the rarest word.
            let near = (first..=last).filter(|i| sentence.get(*i).is_some_and(|t| t.known == Word::Known(*word)));
            let near = near.min_by_key(|i| i.abs_diff(at))?;
            (start, end) = (start.min(near), end.max(near));
        }
        (end - start < widest).then_some((start, end + 1))
    }
}
