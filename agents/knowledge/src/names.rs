//! Names of diseases: which are the same, which number the members of one series, and which findings they say.

use std::collections::BTreeMap;

/// Words that tell no two diseases apart.
const EMPTY: [&str; 14] =
    ["the", "of", "a", "an", "type", "and", "syndrome", "disease", "disorder", "due", "to", "with", "in", "or"];

/// Words that, with numbers and single letters, only number a series.
const NUMBERING: [&str; 20] = [
    "ii",
    "iii",
    "iv",
    "vi",
    "vii",
    "viii",
    "ix",
    "xi",
    "xii",
    "type",
    "form",
    "recessive",
    "dominant",
    "autosomal",
    "linked",
    "somatic",
    "susceptibility",
    "to",
    "or",
    "digenic",
];

/// Lower case, letters and digits, one space between words.
pub(crate) fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.trim().to_owned()
}

/// The words that matter, in alphabetical order, singular, with Arabic numbers.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> =
        plain(name).split(' ').filter(|w| !w.is_empty() && !EMPTY.contains(w)).map(singular).collect();
    words.sort();
    words.dedup();
    words
}

fn singular(word: &str) -> String {
    let arabic = match word {
        "i" => "1",
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "v" => "5",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        _ => word,
    };
    arabic.strip_suffix('s').filter(|w| w.len() > 3).unwrap_or(arabic).to_owned()
}

/// The name without its number: what the members of a series share.
pub(crate) fn stem(name: &str) -> String {
    let plain = plain(name);
    let mut words: Vec<&str> = plain.split(' ').collect();
    while let [_, .., last] = words.as_slice() {
        let numbers = last.chars().count() == 1 || last.chars().any(|c| c.is_ascii_digit()) || NUMBERING.contains(last);
        if !numbers {
            break;
        }
        words.pop();
    }
    words.join(" ")
}

/// Finds the findings that a disease's name says ("Retinitis pigmentosa 45" says retinitis pigmentosa).
pub(crate) struct Lexicon(BTreeMap<String, u32>);

impl Lexicon {
    /// Longest phrase that is looked for, in words.
    const LONGEST: usize = 6;
    /// Shorter labels are abbreviations that mean several things.
    const SHORTEST: usize = 5;

    /// From pairs of name and term; the first term of a name keeps it.
    pub(crate) fn new<'a>(names: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut map = BTreeMap::new();
        for (name, term) in names {
            let name = plain(name);
            if name.len() >= Self::SHORTEST {
                map.entry(name).or_insert(term);
            }
        }
        Self(map)
    }

    /// The terms said, longest phrase first, no word used twice; in the order of the terms.
    pub(crate) fn said(&self, name: &str) -> Vec<u32> {
        let plain = plain(name);
        let mut rest: &[&str] = &plain.split(' ').collect::<Vec<_>>();
        let mut said = Vec::new();
        while !rest.is_empty() {
            let hit = (1..=rest.len().min(Self::LONGEST)).rev().find_map(|n| {
                let (phrase, after) = rest.split_at_checked(n)?;
                self.0.get(&phrase.join(" ")).map(|term| (*term, after))
            });
            if let Some((term, after)) = hit {
                said.push(term);
                rest = after;
            } else {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        said.sort_unstable();
        said.dedup();
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_same_disease_have_the_same_words() {
        assert_eq!(words("Marfan syndrome, type I"), words("Marfan Syndrome Type 1"));
        assert_ne!(words("Marfan syndrome, type I"), words("Marfan syndrome, type II"));
    }

    #[test]
    fn a_series_shares_its_stem() {
        assert_eq!(stem("Retinitis pigmentosa 45"), "retinitis pigmentosa");
        assert_eq!(stem("Deafness, autosomal recessive 12"), "deafness");
        assert_eq!(stem("Ataxia"), "ataxia");
    }

    #[test]
    fn the_longest_phrase_wins() {
        let lexicon = Lexicon::new([("Pigment", 1), ("Retinitis pigmentosa", 2), ("Retinitis", 3)].into_iter());
        assert_eq!(lexicon.said("Retinitis pigmentosa 45"), [2]);
        assert!(lexicon.said("Blindness").is_empty());
    }
}
