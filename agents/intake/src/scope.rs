//! How each token of a sentence is meant.

use crate::cues::{AFFIRMS, Cue, cue};
use crate::token::{Gap, Token};

/// How far back a cue reaches, in tokens: no list is longer, and a note without full stops is still read in linear time.
const BACKWARDS: usize = 40;

/// How a token is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Meant {
    /// Said not to be there.
    pub(crate) negated: bool,
    /// Somebody else's.
    pub(crate) other: bool,
    /// Feared, looked for, prevented.
    pub(crate) supposed: bool,
    /// Before the present encounter.
    pub(crate) past: bool,
}

impl Meant {
    /// How words that say one thing together are meant: what is true of any of them.
    pub(crate) fn all(words: &[Meant]) -> Meant {
        words.iter().fold(Meant::default(), |all, one| Meant {
            negated: all.negated || one.negated,
            other: all.other || one.other,
            supposed: all.supposed || one.supposed,
            past: all.past || one.past,
        })
    }
}

/// Scopes that are open while a sentence is read.
#[derive(Clone, Copy, Default)]
struct Open {
    negation: Option<Cue>,
    /// The negation that goes on after the item which is otherwise.
    after: Option<Cue>,
    other: bool,
    supposed: bool,
    past: bool,
}

/// Reads one sentence from left to right; `names[i]` is true where a name covers token `i`: its words are no cues.
pub(crate) fn meanings(sentence: &[Token], names: &[bool]) -> Vec<Meant> {
    let mut meant = vec![Meant::default(); sentence.len()];
    let mut open = Open::default();
    let (mut at, mut clause, mut item) = (0, 0, 0);
    while let Some(token) = sentence.get(at) {
        if token.gap >= Gap::Comma && at > 0 {
            item = at;
            open = at_comma(open, sentence, at);
        }
        let covered = names.get(at).copied().unwrap_or(false);
        let Some((cue, length)) = (if covered { None } else { cue(sentence, at) }) else {
            apply(&mut meant, at, open);
            // "Non-tender": the next name only.
            let ends_here = covered && !names.get(at + 1).copied().unwrap_or(false);
            if open.negation == Some(Cue::Non) && (ends_here || !covered) {
                open.negation = None;
            }
            at += 1;
            continue;
        };
        // "Not relieved" denies no relief of its own, but "relieved by rest" is a finding that is denied.
        let named = (at + 1..at + length).any(|i| names.get(i).copied().unwrap_or(false));
        let (cue, length) = if cue == Cue::Pseudo && named { (Cue::Not, 1) } else { (cue, length) };
        match cue {
            Cue::Ends => {
                (open, clause, item) = (Open { other: open.other, ..Open::default() }, at + length, at + length)
            }
            Cue::Pseudo => open.negation = None,
            Cue::Except => (open.after, open.negation) = (open.negation.or(open.after), None),
            Cue::Denies | Cue::No | Cue::Not | Cue::Non => open.negation = Some(cue),
            Cue::Supposed => open.supposed = true,
            Cue::Other | Cue::Family => open.other = true,
            Cue::Past => open.past = true,
            Cue::WasNot | Cue::WasSupposed => backwards(&mut meant, sentence, cue, clause, item, at),
        }
        at += length;
    }
    meant
}

fn apply(meant: &mut [Meant], at: usize, open: Open) {
    if let Some(meant) = meant.get_mut(at) {
        meant.negated |= open.negation.is_some();
        meant.other |= open.other;
        meant.supposed |= open.supposed;
        meant.past |= open.past;
    }
}

/// A comma ends "not" unless the list goes on to an "or", and "no" when what follows reads as an affirmation.
fn at_comma(open: Open, sentence: &[Token], at: usize) -> Open {
    let rest = sentence.get(at..).unwrap_or_default();
    let listed = rest.iter().take(24).any(|t| matches!(t.word.as_str(), "or" | "nor"));
    let affirms = rest.first().is_some_and(|t| AFFIRMS.contains(&t.word.as_str()));
    // "No fever, cough present": the item says itself that it is there.
    let item = rest.iter().enumerate().take_while(|(n, t)| *n == 0 || t.gap < Gap::Comma);
    let present = item.last().is_some_and(|(_, t)| matches!(t.word.as_str(), "present" | "positive"));
    // "His mother has asthma, he has eczema": the patient again.
    if rest.first().is_some_and(|t| matches!(t.word.as_str(), "he" | "she" | "patient" | "pt"))
        && open.negation != Some(Cue::Denies)
    {
        return Open::default();
    }
    // The item that was excepted is over; what was open before it ends here as it would have without it.
    let open = Open { negation: open.after.or(open.negation), after: None, ..open };
    let negation = match open.negation {
        Some(Cue::Not) if !listed => None,
        Some(Cue::No) if present || (affirms && !listed) => None,
        other => other,
    };
    Open { negation, ..open }
}

/// Negates or doubts what stands before a cue: its own item, or the whole list when a plural verb says so.
fn backwards(meant: &mut [Meant], sentence: &[Token], cue: Cue, clause: usize, item: usize, at: usize) {
    let plural = (at..at + 1)
        .chain(at.checked_sub(1))
        .any(|i| sentence.get(i).is_some_and(|t| matches!(t.word.as_str(), "are" | "were")));
    let from = if plural { clause } else { item }.max(at.saturating_sub(BACKWARDS));
    for meant in meant.iter_mut().take(at).skip(from) {
        match cue {
            Cue::WasNot => meant.negated = true,
            _ => meant.supposed = true,
        }
    }
}
