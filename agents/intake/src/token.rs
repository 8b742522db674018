//! A note as tokens, and tokens as sentences.

/// What stands between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// White space or anything without meaning of its own.
    Space,
    Hyphen,
    Slash,
    Colon,
    Comma,
    /// The end of a sentence or of a line that is complete.
    Stop,
}

/// One word or number of the note.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// First byte in the note.
    pub(crate) start: usize,
    /// One past its last byte.
    pub(crate) end: usize,
    /// In lower case, as written.
    pub(crate) word: String,
    /// Its number in the index, set by the reader; names are compared by it.
    pub(crate) known: crate::index::Word,
    /// What stands before it.
    pub(crate) gap: Gap,
    /// It begins a line.
    pub(crate) line_start: bool,
    /// At least one empty line stands before it.
    pub(crate) paragraph: bool,
}

/// Longest word that is looked at; a longer run of letters is no word.
const MAX_WORD: usize = 64;
/// A line that is at least this long and ends without punctuation may be wrapped.
const WRAPPED: usize = 50;

/// Splits text into tokens; linear in its length.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut after, mut line) = (0, 0);
    for (start, end) in spans(text) {
        let between = text.get(after..start).unwrap_or_default();
        let newlines = between.bytes().filter(|b| *b == b'\n').count();
        let mut gap = between.chars().map(separator).max().unwrap_or(Gap::Space);
        let word = lower(text.get(start..end).unwrap_or_default());
        let first = tokens.is_empty();
        if newlines > 0 {
            let wrapped = newlines == 1
                && after - line >= WRAPPED
                && text.get(start..).is_some_and(|t| t.starts_with(char::is_lowercase));
            gap = if wrapped { gap } else { Gap::Stop };
            line = start;
        }
        let gap = if first { Gap::Stop } else { gap };
        let known = crate::index::Word::default();
        tokens.push(Token { start, end, word, known, gap, line_start: first || newlines > 0, paragraph: newlines > 1 });
        after = end;
    }
    tokens
}

/// The places of the words of a text.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, c) = chars.next()?;
            if !c.is_alphanumeric() {
                continue;
            }
            let (mut end, mut previous) = (start + c.len_utf8(), c);
            while let Some(&(at, c)) = chars.peek() {
                let next = || text.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
                if !continues(previous, c, next) {
                    break;
                }
                (previous, end) = (c, at + c.len_utf8());
                chars.next();
            }
            if end - start <= MAX_WORD {
                return Some((start, end));
            }
        }
    })
}

/// A word as it is compared: lower case, straight apostrophe, no possessive.
pub(crate) fn lower(raw: &str) -> String {
    let word = if raw.is_ascii() { raw.to_ascii_lowercase() } else { raw.to_lowercase().replace('’', "'") };
    match word.strip_suffix("'s") {
        Some(owner) => owner.to_owned(),
        None => word,
    }
}

/// Whether `c` belongs to the token that ends in `previous`.
fn continues(previous: char, c: char, next: impl Fn() -> Option<char>) -> bool {
    if c.is_alphanumeric() {
        // "38.9C" is a number and a unit; "spo2" stays whole.
        return !(previous.is_ascii_digit() && c.is_alphabetic());
    }
    match c {
        '.' | ',' => previous.is_ascii_digit() && next().is_some_and(|n| n.is_ascii_digit()),
        '\'' | '’' => previous.is_alphabetic() && next().is_some_and(char::is_alphabetic),
        _ => false,
    }
}

fn separator(c: char) -> Gap {
    match c {
        '-' | '‐' | '‑' => Gap::Hyphen,
        '/' => Gap::Slash,
        ':' | '=' => Gap::Colon,
        ',' | '(' | ')' | '–' | '—' | '[' | ']' => Gap::Comma,
        '.' | ';' | '!' | '?' | '•' | '|' => Gap::Stop,
        _ => Gap::Space,
    }
}

/// The tokens as sentences, each a slice.
pub(crate) fn sentences(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.chunk_by(|_, next| next.gap != Gap::Stop)
}
