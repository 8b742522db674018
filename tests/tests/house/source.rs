//! Rust source with its comments and literals told apart. Every form keeps the offsets of the text, so that a place in
//! one is a place in all.

/// One source file, read.
pub(crate) struct Source {
    /// The code: comments and the content of literals are blank.
    pub(crate) code: String,
    /// The code without what is under `#[cfg(test)]`.
    pub(crate) production: String,
    /// Where each string literal begins, and its content as written.
    pub(crate) strings: Vec<(usize, String)>,
}

/// The attribute of what is compiled for tests alone.
const TEST: &str = "#[cfg(test)]";

impl Source {
    /// Reads source text.
    pub(crate) fn new(text: &str) -> Self {
        let (code, strings) =
            Reader { text: text.as_bytes(), code: text.as_bytes().to_vec(), strings: Vec::new() }.read();
        let mut production = code.clone().into_bytes();
        for (start, _) in code.match_indices(TEST) {
            let end = item_end(&code, start + TEST.len());
            blank(&mut production, start, end);
        }
        let production = String::from_utf8(production).unwrap_or_default();
        Self { code, production, strings }
    }

    /// The paths of the module files that are declared under `#[cfg(test)]` in the file `path`.
    pub(crate) fn test_modules(&self, text: &str, path: &str) -> Vec<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.trim_end_matches(".rs");
        let home = match stem {
            "lib" | "main" | "mod" => folder.to_owned(),
            _ => format!("{folder}/{stem}"),
        };
        let mut files = Vec::new();
        for (start, _) in self.code.match_indices(TEST) {
            let item = &self.code[start..item_end(&self.code, start + TEST.len())];
            let Some(name) = item.strip_suffix(';').and_then(|i| i.rsplit_once("mod ")).map(|(_, name)| name.trim())
            else {
                continue;
            };
            let given =
                text[start..start + item.len()].split_once("#[path = \"").and_then(|(_, rest)| rest.split('"').next());
            match given {
                Some(given) => files.push(format!("{folder}/{given}")),
                None => files.extend([format!("{home}/{name}.rs"), format!("{home}/{name}/mod.rs")]),
            }
        }
        files
    }
}

struct Reader<'a> {
    text: &'a [u8],
    code: Vec<u8>,
    strings: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn read(mut self) -> (String, Vec<(usize, String)>) {
        let mut at = 0;
        while at < self.text.len() {
            at = self.token(at);
        }
        (String::from_utf8(self.code).expect("blanks in UTF-8 are UTF-8"), self.strings)
    }

    /// Reads what begins at `at` and answers where it ends.
    fn token(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        match rest {
            [b'/', b'/', ..] => self.comment(at, at + until(rest, b"\n")),
            [b'/', b'*', ..] => self.comment(at, at + block_comment(rest)),
            [b'"', ..] => self.string(at, at + 1, at + 1 + quoted(&rest[1..], b'"')),
            [b'\'', ..] => match character(rest) {
                Some(length) => self.string(at, at + 1, at + length - 1),
                None => at + 1,
            },
            [first, ..] if is_word(*first) => {
                let length = rest.iter().take_while(|byte| is_word(**byte)).count();
                let hashes = rest[length..].iter().take_while(|byte| **byte == b'#').count();
                let raw = matches!(&rest[..length], b"r" | b"br" | b"cr") && rest.get(length + hashes) == Some(&b'"');
                if !raw {
                    return at + length;
                }
                let open = at + length + hashes + 1;
                let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
                self.string(at, open, open + until(&self.text[open..], &close)) + hashes
            }
            _ => at + 1,
        }
    }

    fn comment(&mut self, from: usize, to: usize) -> usize {
        blank(&mut self.code, from, to);
        to
    }

    /// A literal whose content is `open..close`; answers where it ends, the closing quote included.
    fn string(&mut self, start: usize, open: usize, close: usize) -> usize {
        let close = close.min(self.text.len());
        if self.text[open - 1] == b'"' {
            self.strings.push((start, String::from_utf8_lossy(&self.text[open..close]).into_owned()));
        }
        blank(&mut self.code, open, close);
        close + 1
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn until(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len()).position(|window| window == end).unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// How many bytes before the closing quote.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}

/// The length of a character literal; nothing for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(&rest[1..], b'\'') + 2);
    }
    let width = match rest.get(1)? {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

fn blank(code: &mut [u8], from: usize, to: usize) {
    for byte in &mut code[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Where the item that follows an attribute ends: at its semicolon or its closing brace.
fn item_end(code: &str, from: usize) -> usize {
    match code[from..].find(['{', ';']) {
        Some(at) if code[from + at..].starts_with('{') => braces_end(code, from + at),
        Some(at) => from + at + 1,
        None => code.len(),
    }
}

/// Where the braces that open at `open` are closed.
pub(crate) fn braces_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

/// Where `needle` stands in `code` as a word of its own.
pub(crate) fn occurrences<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let inner = |byte: Option<u8>| byte.is_some_and(is_word);
    code.match_indices(needle).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).map(|at| code.as_bytes()[at]);
        let after = code.as_bytes().get(at + needle.len()).copied();
        let starts = inner(needle.bytes().next()) && inner(before);
        let ends = inner(needle.bytes().last()) && inner(after);
        !starts && !ends
    })
}

/// The line (from 1) of an offset.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text = "let a = \"x // y\"; // unsafe \"z\n/* a /* b */ c */ let b = '\"'; fn f<'a>() { r#\"q\"u\"#; b\"\\\"w\"; '\\''; 'é'; }";
    let source = Source::new(text);
    for gone in ["x", "unsafe", "z", "/*", "q", "w", "é", "*/"] {
        assert!(!source.code.contains(gone), "{gone}: {}", source.code);
    }
    for kept in ["let a = ", "let b = ", "fn f<'a>() {", "}"] {
        assert!(source.code.contains(kept), "{kept}: {}", source.code);
    }
    let strings: Vec<_> = source.strings.iter().map(|(_, content)| content.as_str()).collect();
    assert_eq!(strings, ["x // y", "q\"u", "\\\"w"]);
    assert_eq!(source.code.len(), text.len());
}

#[test]
fn what_is_for_tests_alone_is_not_production() {
    let source = Source::new(
        "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests { fn b() { c(); } }\nfn d() {}\n#[cfg(test)]\nuse e::f;\n",
    );
    assert!(source.production.contains("fn a") && source.production.contains("fn d"));
    assert!(!source.production.contains("fn b") && !source.production.contains("e::f"));
}

#[test]
fn words_stand_alone() {
    let found: Vec<_> = occurrences("Permit { OwnedPermit { a::Permit { Permit {", "Permit {").collect();
    assert_eq!(found, [0, 26, 35]);
    assert_eq!(line_of("a\nb\nc", 4), 3);
}
