//! Words within names and sentences: `bodh-clinical`, `PatientId` and `the_patient` all have a second word.

/// The words of a text in small letters, split at what is no letter and at capitals.
pub(crate) fn of(text: &str) -> Vec<String> {
    with_offsets(text).into_iter().map(|(_, word)| word.to_ascii_lowercase()).collect()
}

/// The words as written, with their offsets.
pub(crate) fn with_offsets(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let (mut words, mut start) = (Vec::new(), None);
    for at in 0..=bytes.len() {
        let here = bytes.get(at).copied().filter(u8::is_ascii_alphabetic);
        let before = at.checked_sub(1).map(|at| bytes[at]);
        let next_is_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let capital = here.is_some_and(|letter| letter.is_ascii_uppercase())
            && before
                .is_some_and(|before| before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_lower));
        if (here.is_none() || capital)
            && let Some(from) = start.take()
        {
            words.push((from, &text[from..at]));
        }
        if here.is_some() && start.is_none() {
            start = Some(at);
        }
    }
    words
}

#[test]
fn names_are_split_into_words() {
    assert_eq!(
        of("bodh-clinical PatientId HTTPServer the_patient2nd é"),
        ["bodh", "clinical", "patient", "id", "http", "server", "the", "patient", "nd"]
    );
}
