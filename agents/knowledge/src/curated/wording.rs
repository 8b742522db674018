//! When two names are the same: case, punctuation, number, small words and British spelling do not matter.

/// Words that tell no two findings apart.
const SMALL: [&str; 22] = [
    "the", "a", "an", "of", "in", "on", "at", "to", "with", "and", "or", "is", "are", "was", "be", "by", "for", "from",
    "as", "after", "during", "when",
];

/// What a name is compared by.
pub(crate) fn key(name: &str) -> String {
    let mut words = Vec::new();
    for word in name.split(|c: char| !c.is_alphanumeric() && c != '+') {
        let word = american(&word.to_lowercase());
        if !word.is_empty() && !SMALL.contains(&word.as_str()) {
            words.push(singular(&word).to_owned());
        }
    }
    words.join(" ")
}

fn american(word: &str) -> String {
    [
        ("haem", "hem"),
        ("anaem", "anem"),
        ("oedema", "edema"),
        ("oesoph", "esoph"),
        ("diarrhoea", "diarrhea"),
        ("tumour", "tumor"),
        ("paediatr", "pediatr"),
        ("gynaec", "gynec"),
        ("leukaem", "leukem"),
        ("foetal", "fetal"),
    ]
    .into_iter()
    .fold(word.to_owned(), |word, (british, us)| word.replace(british, us))
}

fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if word.len() > 3 && !stem.ends_with(['s', 'u', 'i']) => stem,
        _ => word,
    }
}

/// Longest local part of an id.
const LONGEST_ID: usize = 48;

/// A readable id for a name; a long one is cut and told apart by a hash of the whole.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.len() <= LONGEST_ID && name.is_ascii() {
        return slug;
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let tail: String = digest.as_ref().iter().take(3).map(|b| format!("{b:02x}")).collect();
    let head: String = slug.chars().take(LONGEST_ID - 7).collect();
    format!("{}-{tail}", head.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_in_two_spellings() {
        for (one, other) in [
            ("Haematuria", "hematuria"),
            ("Pain in the abdomen", "pain, abdomen"),
            ("Oesophageal varices", "esophageal varice"),
            ("Burning-feet", "burning feet"),
        ] {
            assert_eq!(key(one), key(other));
        }
        assert_ne!(key("Ileus"), key("Ileu"));
    }

    #[test]
    fn ids_are_readable_short_and_different() {
        assert_eq!(slug("Pain relieved by leaning forward"), "pain-relieved-by-leaning-forward");
        assert_eq!(slug("Murphy's sign (ultrasound)"), "murphy-s-sign-ultrasound");
        let long = "A very long name of a finding that nobody would ever want to write twice";
        assert!(slug(long).len() <= LONGEST_ID);
        assert_ne!(slug(long), slug(&format!("{long}, or three times")));
        assert_ne!(slug("Ménière disease"), slug("Mnire disease"));
    }
}
