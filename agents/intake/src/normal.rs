//! Words in the form in which they are compared: number, British and American spelling, and the adjectives and verbs
//! that say the same as a noun. Names and notes go through the same function, so a form only has to be consistent.

use crate::same::SAME;

/// Words that carry no meaning inside a name.
pub(crate) const EMPTY: [&str; 20] = [
    "of", "the", "a", "an", "in", "on", "to", "his", "her", "their", "my", "your", "its", "at", "some", "any", "s",
    "this", "that", "these",
];

/// Words of degree, side and time that may stand inside a name without changing it.
pub(crate) const PASSED_OVER: [&str; 34] = [
    "left",
    "right",
    "bilateral",
    "bilaterally",
    "mild",
    "mildly",
    "moderate",
    "moderately",
    "severe",
    "severely",
    "slight",
    "slightly",
    "marked",
    "markedly",
    "significant",
    "significantly",
    "intermittent",
    "constant",
    "occasional",
    "worsening",
    "new",
    "diffuse",
    "minor",
    "minimal",
    "both",
    "persistent",
    "noted",
    "generally",
    "very",
    "visible",
    "somewhat",
    "upper",
    "lower",
    "serum",
];

/// The form of one lower-case word.
pub(crate) fn normalise(word: &str) -> String {
    if let Some((_, same)) = SAME.iter().find(|(said, _)| *said == word) {
        return (*same).to_owned();
    }
    let single = singular(&american(word));
    match SAME.iter().find(|(said, _)| *said == single) {
        Some((_, same)) => (*same).to_owned(),
        None => single,
    }
}

/// British spelling to American: `oedema`, `anaemia`, `tumour`, `generalised`, `centre`.
fn american(word: &str) -> String {
    if word.len() < 5 || !word.is_ascii() {
        return word.to_owned();
    }
    let mut word = word.replace("ae", "e").replace("oe", "e").replace("ys", "yz").replace("aluminium", "aluminum");
    if word.len() >= 6 {
        for (british, us) in [
            ("our", "or"),
            ("ours", "ors"),
            ("tre", "ter"),
            ("ise", "ize"),
            ("ised", "ized"),
            ("ising", "izing"),
            ("isation", "ization"),
        ] {
            if let Some(stem) = word.strip_suffix(british) {
                word = format!("{stem}{us}");
                break;
            }
        }
    }
    word
}

/// Light plural removal (after Harman's "S" stemmer, 1991).
fn singular(word: &str) -> String {
    if word.len() < 4 || !word.is_ascii() {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|s| !s.ends_with(['e', 'a']) && s.len() > 2) {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_word_in_two_forms() {
        for (one, other) in [
            ("seizures", "seizure"),
            ("oedema", "edema"),
            ("anaemia", "anemia"),
            ("tumours", "tumor"),
            ("generalised", "generalized"),
            ("diarrhoea", "diarrhea"),
            ("haemorrhages", "bleeding"),
            ("biopsies", "biopsy"),
            ("abdominal", "abdomen"),
            ("rashes", "rash"),
            ("teeth", "tooth"),
            ("paralyzed", "paralysed"),
            ("colour", "color"),
        ] {
            assert_eq!(normalise(one), normalise(other), "{one} {other}");
        }
        for (one, other) in [("gas", "ga"), ("pelvis", "pelvi"), ("ileus", "ileu"), ("hour", "hor")] {
            assert_ne!(normalise(one), normalise(other), "{one} {other}");
        }
    }
}
