//! What a name inside a token may look like.

/// Longest SPIFFE id accepted, in bytes. The specification allows 2,048; ours are short, and a token is 4 KiB.
const MAX_SPIFFE_ID: usize = 255;
/// Longest purpose or tool name, in bytes.
const MAX_WORD: usize = 64;

/// Whether `text` is a SPIFFE id with a path, by the SPIFFE-ID specification, sections 2.1 to 2.3: a lower-case trust
/// domain, at least one path segment, no empty segment, no `.` or `..`, no query, no fragment.
pub(crate) fn is_spiffe_id(text: &str) -> bool {
    let Some((domain, path)) = text.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let domain_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    let segment_ok = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    text.len() <= MAX_SPIFFE_ID
        && !domain.is_empty()
        && domain.bytes().all(domain_ok)
        && path.split('/').all(segment_ok)
}

/// Whether `text` is a word: a lower-case letter, then lower-case letters, digits, `_`, `.`, `/` or `-`.
pub(crate) fn is_word(text: &str) -> bool {
    let tail = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'/' | b'-');
    text.len() <= MAX_WORD && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiffe_ids_are_exact() {
        for good in ["spiffe://bodh.internal/service/guardian", "spiffe://a/b", "spiffe://a-b_c.d/human/Ada.L-1"] {
            assert!(is_spiffe_id(good), "{good}");
        }
        let long = format!("spiffe://a/{}", "b".repeat(250));
        for bad in [
            "",
            "spiffe://",
            "spiffe:///a",
            "spiffe://a",
            "spiffe://a/",
            "spiffe://a//b",
            "spiffe://a/b/",
            "spiffe://A/b",
            "SPIFFE://a/b",
            "spiffe://a/./b",
            "spiffe://a/../b",
            "spiffe://a/b?c",
            "spiffe://a/b#c",
            "spiffe://a:1/b",
            "spiffe://u@a/b",
            "spiffe://a/b c",
            "spiffe://a/%62",
            "https://a/b",
            "spiffe://a/\u{e9}",
            &long,
        ] {
            assert!(!is_spiffe_id(bad), "{bad}");
        }
    }

    #[test]
    fn words_are_short_and_lower_case() {
        assert!(is_word("second_look") && is_word("a") && is_word("agent/plan-2"));
        for bad in ["", "A", "1a", "_a", "a b", "a\n", "é", &"a".repeat(65)] {
            assert!(!is_word(bad), "{bad}");
        }
    }
}
