//! Coded features and mentions into one chart: one finding per term.
//!
//! Rule for a term that is said more than once. All the same: one finding, where it was first said. Said absent and, later in
//! the note and of the present encounter, there: present, for a note follows the patient ("denied fever at home; febrile on
//! arrival"). Told of the past and of now: what is told of now. Any other disagreement, and any between a coded feature and the
//! note, is a contradiction that intake does not settle: the term is reported and not used.
//!
//! Rule for what is excluded while something more specific is present ("no seizures" beside "febrile seizure"): the more
//! specific statement stands, for whoever made it looked closer. The exclusion is reported and not used.
//!
//! What a finding also says (`implied.tsv`) is added with the same place in the note, where the note does not speak of it.

use crate::lexicon::{Lexicon, resolve};
use crate::reader::Mention;
use crate::words;
use bodh_clinical::{CodedFeature, Finding, Ignored, IgnoredCause, Intake, Origin, Presence, TermId};
use std::collections::{HashMap, HashSet};

/// What has been said of one term so far.
struct Said {
    finding: Finding,
    contradictory: bool,
}

/// Terms in the order in which they were first said.
#[derive(Default)]
struct Chart {
    said: Vec<Said>,
    places: HashMap<TermId, usize>,
}

pub(crate) fn chart(coded: &[CodedFeature], mentions: Vec<Mention>, lexicon: &impl Lexicon) -> Intake {
    let mut chart = Chart::default();
    let mut ignored = Vec::new();
    for (feature, place) in coded.iter().zip(0_u32..) {
        match resolve(lexicon, &feature.term) {
            Err(cause) => ignored.push(Ignored { term: feature.term.clone(), cause }),
            Ok(term) => {
                let label = lexicon.label(term.as_str()).to_owned();
                let (presence, origin) = (feature.presence, Origin::Coded(place));
                let finding = Finding { term, label, presence, origin, past: false };
                if chart.repeats(finding) {
                    ignored.push(Ignored { term: feature.term.clone(), cause: IgnoredCause::Duplicate });
                }
            }
        }
    }
    let (weak, said): (Vec<Mention>, Vec<Mention>) = mentions.into_iter().partition(|m| m.weak);
    said.into_iter().for_each(|mention| chart.mention(mention));
    // A number within its range excludes only what nobody speaks of.
    let spoken_of = chart.shown(lexicon);
    for mention in weak {
        if !chart.places.contains_key(&mention.term) && !spoken_of.contains(mention.term.as_str()) {
            chart.mention(mention);
        }
    }
    chart.implied(lexicon);
    let shown = chart.shown(lexicon);
    let (contradictory, kept): (Vec<Said>, Vec<Said>) = chart.said.into_iter().partition(|s| s.contradictory);
    let outdone = |s: &Said| s.finding.presence == Presence::Excluded && shown.contains(s.finding.term.as_str());
    let (outdone, kept): (Vec<Said>, Vec<Said>) = kept.into_iter().partition(outdone);
    ignored.extend(outdone.into_iter().map(|s| Ignored { term: s.finding.term, cause: IgnoredCause::Contradicted }));
    Intake {
        findings: kept.into_iter().map(|s| s.finding).collect(),
        ignored,
        contradictory: contradictory.into_iter().map(|s| s.finding.term).collect(),
    }
}

fn parsed(id: &str) -> Result<TermId, IgnoredCause> {
    TermId::parse(id).map_err(|_| IgnoredCause::UnknownTerm)
}

impl Chart {
    /// Adds what findings of the note also say.
    fn implied(&mut self, lexicon: &impl Lexicon) {
        for (term, also) in words::implied() {
            let Ok(place) = TermId::parse(term).map(|term| self.places.get(&term).copied()) else { continue };
            let Some(said) = place.and_then(|place| self.said.get(place)) else { continue };
            let told = said.finding.presence == Presence::Present && matches!(said.finding.origin, Origin::Text(_));
            let (Ok(also), true) = (lexicon.resolve(also).and_then(parsed), told && !said.contradictory) else {
                continue;
            };
            if !self.places.contains_key(&also) {
                let (label, origin) = (lexicon.label(also.as_str()).to_owned(), said.finding.origin.clone());
                let past = said.finding.past;
                self.repeats(Finding { term: also, label, presence: Presence::Present, origin, past });
            }
        }
    }

    /// What is present, and all above it.
    fn shown<'a>(&self, lexicon: &'a impl Lexicon) -> HashSet<&'a str> {
        let present = |s: &&Said| s.finding.presence == Presence::Present && !s.contradictory;
        self.said.iter().filter(present).flat_map(|s| lexicon.above(s.finding.term.as_str())).collect()
    }

    /// Adds a finding; true when the same was said before.
    fn repeats(&mut self, finding: Finding) -> bool {
        let Some(said) = self.places.get(&finding.term).and_then(|place| self.said.get_mut(*place)) else {
            self.places.insert(finding.term.clone(), self.said.len());
            self.said.push(Said { finding, contradictory: false });
            return false;
        };
        let same = said.finding.presence == finding.presence;
        said.contradictory |= !same;
        same
    }

    fn mention(&mut self, mention: Mention) {
        let Mention { term, label, presence, past, span, .. } = mention;
        let finding = Finding { term, label, presence, origin: Origin::Text(span), past };
        let before = self.places.get(&finding.term).and_then(|place| self.said.get_mut(*place));
        if let Some(said) = before
            && matches!(said.finding.origin, Origin::Text(_))
        {
            let follows = (said.finding.presence, presence) == (Presence::Excluded, Presence::Present);
            match (said.finding.past, past) {
                // What is told of then says nothing of now.
                (false, true) => return,
                // Nor does what was said of then in two ways.
                (true, false) => *said = Said { finding, contradictory: false },
                (false, false) if follows => said.finding = finding,
                _ => said.contradictory |= said.finding.presence != presence,
            }
            return;
        }
        self.repeats(finding);
    }
}
