//! The words that say how a finding is meant: not there, somebody else's, or only thought of.
//!
//! After NegEx (Chapman et al., J Biomed Inform 2001) and ConText (Harkema et al., J Biomed Inform 2009), with
//! exceptions of our own. Phrases are lower-case words as written; the longest that fits is taken.

use crate::token::{Gap, Token};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a phrase does to the findings around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    /// Negates what follows, across a whole list.
    Denies,
    /// Negates what follows, across a list unless an item of it reads as an affirmation.
    No,
    /// Negates what follows up to the next comma, or across a list that ends in "or".
    Not,
    /// Negates the next finding only ("non-tender").
    Non,
    /// Negates what precedes it, back to the last comma.
    WasNot,
    /// Looks like a negation and is none.
    Pseudo,
    /// Ends every scope.
    Ends,
    /// What follows is feared, looked for or prevented.
    Supposed,
    /// What precedes was only thought of.
    WasSupposed,
    /// Another person: what follows is theirs, unless they only report it.
    Other,
    /// Of what is listed, the next item is otherwise: "denies pain other than a headache, or fever".
    Except,
    /// What follows is the family's, whatever verb follows.
    Family,
    /// What follows was before the present encounter.
    Past,
}

#[rustfmt::skip]
const PHRASES: &[(Cue, &[&str])] = &[
    (Cue::Denies, &["denies", "denied", "denying", "deny", "negative for", "absence of", "free of", "ruled out for", "neither", "nor", "rules out"]),
    (Cue::No, &["no", "no evidence of", "no sign of", "no signs of", "no history of", "no complaints of", "no longer", "no longer has", "no longer have", "no longer had",
        "never had", "never", "lack of", "lacks", "lacking", "none of", "no known", "nil", "zero"]),
    (Cue::Not, &["not", "without", "w o", "cannot", "can't", "doesn't", "does not have", "did not have", "isn't", "wasn't", "hasn't", "haven't", "didn't", "don't", "aren't",
        "weren't", "not had"]),
    (Cue::Non, &["non"]),
    (Cue::WasNot, &["absent", "is negative", "was negative", "were negative", "negative", "ruled out", "was ruled out", "has been ruled out", "not present",
        "is not present", "not seen", "was not seen", "not noted", "not found", "not detected", "not observed", "not elicited", "not appreciated", "not reported",
        "is denied", "are denied", "was denied", "were denied", "excluded", "was excluded", "were excluded", "is absent", "was absent", "are absent",
        "were absent", "is unlikely", "unlikely", "is not tender", "not palpable", "not palpated", "is not palpable", "are not palpable", "impalpable", "not felt",
        "is not felt", "are not felt", "not enlarged", "is not enlarged", "are not enlarged", "not involved", "is not involved", "are not involved", "uninvolved",
        "is uninvolved", "are uninvolved", "spared", "is spared", "are spared", "not heard", "not audible", "not visible", "not evident", "not apparent"]),
    (Cue::Pseudo, &["no increase", "no change", "no changes", "no improvement", "no relief", "no worsening", "no further increase", "no significant change", "not only",
        "not just", "no doubt", "not necessarily", "not certain", "not sure", "gram negative", "no cause", "no increase in", "not relieved", "not improved",
        "not improve", "not improving", "not resolved", "not resolve", "not respond", "not responded", "not responding", "not relieve", "not associated with activity",
        "not controlled", "no response", "rh negative", "no matter", "not due to", "no longer responds", "not alleviated", "not getting better", "without relief",
        "without improvement", "not subsided", "not gone away", "no precipitating", "no alleviating", "no provoking", "no prior", "no previous episodes"]),
    (Cue::Ends, &["but", "however", "although", "though", "yet", "which", "despite", "because", "because of", "due to",
        "reports", "reported", "reporting", "complains", "complained", "complaining", "presents", "presented", "presenting", "admits", "endorses", "acknowledges",
        "states", "notes", "experiences", "has had", "has", "develops", "developed", "then", "subsequently", "followed by", "until", "whereas", "while", "instead",
        "secondary to", "positive for", "revealed", "reveals", "shows", "showed", "describes", "is also", "still", "he is", "she is", "he has", "she has",
        "consistent with", "still has", "now has", "mentions", "exam", "examination"]),
    (Cue::Except, &["except", "except for", "apart from", "aside from", "other than"]),
    (Cue::Supposed, &["risk of", "risk for", "risk factor for", "risk factors for", "at risk of", "at risk for", "to rule out", "rule out", "r o", "if", "in case of",
        "return for", "monitor for", "monitoring for", "monitored for", "screen for", "screening for", "screened for", "watch for", "fear of", "fears",
        "concern for", "concerns for", "concerned about", "concern about", "worried about", "worries about", "possible", "possibly", "suspected", "suspect",
        "suspicion of", "suspicion for", "suspicious for", "prophylaxis for", "prophylaxis against", "vaccinated against", "vaccine against", "vaccination against", "to prevent",
        "prevention of", "evaluate for", "evaluated for", "evaluation for", "evaluation of", "assess for", "test for", "tested for", "testing for", "workup for",
        "work up for", "exposure to", "exposed to", "contact with", "differential includes", "differential diagnosis", "versus", "vs", "may have", "might have",
        "could be", "may be", "might be", "would be", "should", "probable", "questionable", "in the event of", "advised", "counseled", "allergic to",
        "allergy to", "cause of", "determine", "check for", "worried that", "worried it is", "worried it was", "afraid that", "afraid of", "thought it was", "thought that it was",
        "thinks it is", "thinks that it is", "told it was", "told that it was", "told him it was", "told her it was", "told him that it was", "told her that it was",
        "told them it was"]),
    (Cue::WasSupposed, &["is suspected", "was suspected", "is possible", "is being considered", "was considered", "precautions", "prophylaxis", "vaccine", "vaccination",
        "cannot be ruled out", "cannot be excluded", "could not be excluded", "not ruled out", "not excluded", "must be ruled out", "pending", "scale", "screening"]),
    (Cue::Family, &["family history of", "family history", "family history is", "fh of", "fhx", "runs in the family", "family members"]),
    (Cue::Other, &["mother", "father", "parents", "parent", "sibling", "siblings", "brother", "brothers", "sister", "sisters", "aunt", "uncle", "cousin", "cousins",
        "grandmother", "grandfather", "grandparent", "grandparents", "son", "daughter", "wife", "husband", "spouse", "partner", "roommate", "roommates",
        "classmates", "classmate", "coworker", "coworkers", "relative", "relatives", "girlfriend", "boyfriend", "friend", "friends", "nephew", "niece", "nobody", "no one"]),
    (Cue::Past, &["history of", "h o", "hx of", "previous", "previously", "prior", "past", "years ago", "year ago", "months ago", "last year", "in childhood", "as a child"]),
];

/// A person beside one of these words is telling about the patient, or is only there.
#[rustfmt::skip]
const TELLS: [&str; 51] = [
    "reports", "reported", "states", "stated", "says", "said", "notes", "noted", "noticed", "notices", "describes", "described", "denies", "denied", "found",
    "finds", "brought", "brings", "complains", "observed", "observes", "saw", "mentions", "mentioned", "gives", "believes", "thinks", "worries", "worried", "tells", "told",
    "adds", "called", "calls", "accompanies", "accompanied", "witnessed", "explains", "confirms", "recalls", "feels", "felt", "heard",
    "is", "was", "who", "concerned", "and", "expresses", "lives", "that",
];

/// Words that begin an item of a list which is an affirmation: "no rash, mild edema".
#[rustfmt::skip]
pub(crate) const AFFIRMS: [&str; 30] = [
    "mild", "moderate", "severe", "marked", "diffuse", "positive", "increased", "decreased", "elevated", "soft", "clear", "normal", "regular", "occasional",
    "multiple", "several", "some", "palpable", "with", "small", "large", "bilateral", "low", "high", "reduced", "she", "he", "they", "patient", "scattered",
];

/// The phrases by their first word.
static BY_FIRST: LazyLock<HashMap<&str, Vec<(Cue, &str)>>> = LazyLock::new(|| {
    let mut by_first: HashMap<&str, Vec<(Cue, &str)>> = HashMap::new();
    for (cue, phrases) in PHRASES {
        for phrase in *phrases {
            let first = phrase.split(' ').next().unwrap_or_default();
            by_first.entry(first).or_default().push((*cue, phrase));
        }
    }
    by_first
});

/// The cue that begins at `at`, and how many tokens it takes: the longest, and of equals the first listed.
pub(crate) fn cue(sentence: &[Token], at: usize) -> Option<(Cue, usize)> {
    let first = sentence.get(at)?.word.as_str();
    let mut best: Option<(Cue, usize)> = None;
    for (cue, phrase) in BY_FIRST.get(first)? {
        let length = phrase.split(' ').count();
        let fits = phrase
            .split(' ')
            .enumerate()
            .all(|(n, word)| sentence.get(at + n).is_some_and(|t| t.word == word && (n == 0 || t.gap < Gap::Comma)));
        if fits && best.is_none_or(|(_, longest)| length > longest) {
            best = Some((*cue, length));
        }
    }
    best.map(|(cue, length)| (meant(cue, sentence, at, length), length))
}

/// What a cue means where it stands.
fn meant(cue: Cue, sentence: &[Token], at: usize, length: usize) -> Cue {
    let word = |i: Option<usize>| i.and_then(|i| sentence.get(i)).map_or("", |t| t.word.as_str());
    match cue {
        // "Red eyes but no discharge, cracked lips and a rash": the list goes on where it was.
        Cue::No if word(at.checked_sub(1)) == "but" => Cue::Not,
        // "His mother reports": the mother tells. "His mother has": it is hers.
        Cue::Other
            if ((1..=2).any(|n| TELLS.contains(&word(Some(at + n)))) || takes_along(word, at + length))
                && !is_ill(word(Some(at + length)), word(Some(at + length + 1))) =>
        {
            Cue::Pseudo
        }
        Cue::Other
            if matches!(word(at.checked_sub(1)), "by" | "with")
                && !matches!(word(Some(at + length)), "has" | "with" | "had") =>
        {
            Cue::Pseudo
        }
        // "A two-day history of": the present illness.
        Cue::Past
            if matches!(
                word(at.checked_sub(1)),
                "day" | "days" | "week" | "weeks" | "month" | "months" | "year" | "years" | "hour" | "hours"
            ) =>
        {
            Cue::Pseudo
        }
        other => other,
    }
}

/// "His mother took him to": she is only there. "A sister takes levothyroxine": it is hers.
fn takes_along<'a>(word: impl Fn(Option<usize>) -> &'a str, verb: usize) -> bool {
    matches!(word(Some(verb)), "took" | "takes")
        && matches!(word(Some(verb + 1)), "him" | "her" | "them" | "the" | "his")
}

/// "Mother was diagnosed", "brother is healthy": a state of theirs, though a verb of telling follows.
fn is_ill(verb: &str, next: &str) -> bool {
    matches!(verb, "is" | "was")
        && !matches!(next, "concerned" | "worried" | "present" | "unsure" | "unable" | "unaware")
        || matches!(verb, "and")
            && matches!(
                next,
                "father" | "mother" | "sister" | "brother" | "grandmother" | "grandfather" | "aunt" | "uncle"
            )
}
