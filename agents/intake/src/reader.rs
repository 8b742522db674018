//! A note into mentions of terms.

use crate::index::Index;
use crate::lexicon::Lexicon;
use crate::measured::{Measures, Person};
use crate::scope::{Meant, meanings};
use crate::section::{Section, Value, heading, named, value};
use crate::token::{Token, sentences, tokens};
use bodh_clinical::{Presence, Span, Subject, TermId};
use std::collections::HashSet;

/// A term said of the patient, at a place of the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The term.
    pub term: TermId,
    /// Its label.
    pub label: String,
    /// Said to be there, or not to be.
    pub presence: Presence,
    /// Said of the time before the present encounter.
    pub past: bool,
    /// A number within its range: what the note says in words outweighs it.
    pub weak: bool,
    /// The bytes of the note.
    pub span: Span,
}

/// Reads notes with the names of one lexicon; made once, at a cell's start.
pub struct Reader {
    index: Index,
    measures: Measures,
}

impl Reader {
    /// Indexes every name.
    #[must_use]
    pub fn new(lexicon: &impl Lexicon) -> Self {
        Self { index: Index::new(lexicon), measures: Measures::new(lexicon.measures()) }
    }

    /// Every mention, in the note's order. Age and sex are needed for the ranges of what is measured.
    #[must_use]
    pub fn read(&self, note: &str, subject: &Subject, lexicon: &impl Lexicon) -> Vec<Mention> {
        let person = Person { age_days: subject.age_days, sex: subject.sex };
        let mut tokens = tokens(note);
        tokens.iter_mut().for_each(|token| token.known = self.index.word(&token.word));
        let mut section = Section::Present;
        let mut mentions = Vec::new();
        for sentence in sentences(&tokens) {
            let head = heading(sentence);
            if head.is_some() || sentence.first().is_some_and(|t| t.paragraph) {
                section = named(sentence.get(..head.unwrap_or(0)).unwrap_or_default());
            }
            if !matches!(section, Section::Family | Section::Plan) {
                self.sentence(sentence, head, section, lexicon, &mut mentions);
                for found in self.measures.read(note, sentence, person) {
                    let (Ok(id), Some(span)) = (lexicon.resolve(found.term), span(sentence, found.start, found.end))
                    else {
                        continue;
                    };
                    let Ok(term) = TermId::parse(id) else { continue };
                    let label = lexicon.label(id).to_owned();
                    let (presence, weak) = (found.presence, found.weak);
                    mentions.push(Mention { term, label, presence, past: false, weak, span });
                }
            }
        }
        mentions.sort_by_key(|m| (m.span.start, m.span.end));
        mentions
    }

    fn sentence(
        &self,
        sentence: &[Token],
        head: Option<usize>,
        section: Section,
        lexicon: &impl Lexicon,
        mentions: &mut Vec<Mention>,
    ) {
        let hits = self.hits(sentence);
        let mut names = vec![false; sentence.len()];
        for (start, hit) in &hits {
            names.iter_mut().take(hit.end).skip(*start).for_each(|covered| *covered = true);
        }
        let meant = meanings(sentence, &names);
        let head = head.unwrap_or(0);
        let of_key = value(sentence.get(head..).unwrap_or_default());
        // Inside a longer name the words belong to it: "no acute distress" is not "acute distress".
        let inside = |at: usize, end: usize| hits.iter().any(|(start, hit)| *start <= at && end <= hit.end);
        // What is said in one piece, or found by another name already, is not said again.
        let mut known: HashSet<u32> = hits.iter().filter_map(|(_, hit)| hit.term).collect();
        let mut apart = self.index.apart(sentence);
        apart.retain(|(at, hit)| !inside(*at, hit.end) && hit.term.is_some_and(|term| known.insert(term)));
        for (start, hit) in hits.iter().copied().chain(apart) {
            let Some(number) = hit.term else { continue };
            let Some(meant) = meant.get(start..hit.end).map(Meant::all) else { continue };
            let is_key = hit.end <= head;
            if meant.other || meant.supposed || (is_key && of_key == Value::Unknown) {
                continue;
            }
            let negated = meant.negated || (is_key && of_key == Value::Absent);
            let presence = match (hit.says, negated) {
                (Presence::Present, true) | (Presence::Excluded, false) => Presence::Excluded,
                // "Not afebrile" is no more than a hint.
                (Presence::Excluded, true) => continue,
                (Presence::Present, false) => Presence::Present,
            };
            let past = meant.past || section == Section::Past;
            if let (Some(term), Some(span)) = (self.index.term(number), span(sentence, start, hit.end)) {
                let label = lexicon.label(term.as_str()).to_owned();
                mentions.push(Mention { term: term.clone(), label, presence, past, weak: false, span });
            }
        }
    }

    /// Names from left to right, the longest at each place, none overlapping.
    fn hits(&self, sentence: &[Token]) -> Vec<(usize, crate::index::Hit)> {
        let mut hits = Vec::new();
        let mut at = 0;
        while at < sentence.len() {
            match self.index.longest(sentence, at) {
                Some(hit) => {
                    hits.push((at, hit));
                    at = hit.end;
                }
                None => at += 1,
            }
        }
        hits
    }
}

fn span(sentence: &[Token], start: usize, end: usize) -> Option<Span> {
    let first = sentence.get(start)?.start;
    let last = sentence.get(end.checked_sub(1)?)?.end;
    Some(Span { start: u32::try_from(first).ok()?, end: u32::try_from(last).ok()? })
}
