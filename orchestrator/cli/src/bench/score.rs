//! Where the right answer stands in a ranking. What many ranks amount to is `bodh_inference::accuracy`'s to say.

use super::row::Ranked;
use super::truth::Answers;

/// The place of the first hypothesis that is one of the answers.
pub(crate) fn rank(ranked: &[Ranked], answers: &Answers) -> Option<usize> {
    let names: Vec<_> = answers.names.iter().flat_map(|name| readings(name)).map(plain).collect();
    let by_id = |r: &Ranked| answers.ids.iter().any(|id| *id == r.id || r.also.contains(id));
    let by_name = |r: &Ranked| std::iter::once(&r.name).chain(&r.synonyms).any(|name| names.contains(&plain(name)));
    // Names decide only where the answer has no id: two diseases may share a synonym.
    let found = |r: &&Ranked| if answers.ids.is_empty() { by_name(r) } else { by_id(r) };
    ranked.iter().zip(1..).find(|(r, _)| found(r)).map(|(_, place)| place)
}

/// A name as it stands, and where it explains itself, "Dressler syndrome (postcardiac injury syndrome)", each of the two alone.
fn readings(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split_once('(').and_then(|(before, rest)| Some((before, rest.strip_suffix(')')?)));
    std::iter::once(name).chain(parts.into_iter().flat_map(|(before, within)| [before, within]))
}

/// Letters and digits in lower case, words in order of the alphabet: `Gout, acute` is `Acute gout`.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_clinical::DiseaseId;

    fn ranked(id: &str, also: &[&str], name: &str) -> Ranked {
        Ranked {
            id: DiseaseId::parse(id).unwrap(),
            also: also.iter().map(|id| DiseaseId::parse(id).unwrap()).collect(),
            name: name.into(),
            synonyms: vec![],
            probability: 0.1,
        }
    }

    #[test]
    fn ids_decide_and_names_only_without_ids() {
        let list = [ranked("OMIM:1", &[], "Acute gout"), ranked("OMIM:2", &["ORPHA:3"], "B")];
        let ids = |id: &str| Answers {
            ids: vec![DiseaseId::parse(id).unwrap()],
            names: vec!["Acute gout".into()],
            publication: None,
            ..Answers::default()
        };
        assert_eq!(rank(&list, &ids("ORPHA:3")), Some(2));
        assert_eq!(rank(&list, &ids("OMIM:9")), None);
        let named = Answers { names: vec!["Gout, acute".into()], ..Answers::default() };
        assert_eq!(rank(&list, &named), Some(1));
        for (name, place) in [("Podagra (acute gout)", Some(1)), ("B (a)", Some(2)), ("B (a) of childhood", None)] {
            let named = Answers { names: vec![name.into()], ..Answers::default() };
            assert_eq!(rank(&list, &named), place, "{name}");
        }
    }
}
