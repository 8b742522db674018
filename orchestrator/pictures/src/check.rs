//! What every picture must be, for the tests.

/// Panics unless the markup is one well-formed `svg` element with title and description, and nothing the pages' policy
/// forbids.
pub(crate) fn is_clean(svg: &str) {
    for forbidden in ["style=\"", "<style", "<script", "href=\"java", "NaN", "inf\"", "onload=\""] {
        assert!(!svg.contains(forbidden), "{forbidden} in {svg}");
    }
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
    let title = svg.split("<title id=").nth(1).and_then(|rest| rest.split_once('>'));
    assert!(title.is_some_and(|(_, rest)| !rest.starts_with('<')), "a title");
    assert!(svg.contains("<desc id=") && !svg.contains("></desc>"), "a description");
    assert!(svg.contains("role=\"") && svg.contains("aria-labelledby="));
    balanced(svg);
}

/// Every tag is closed in order, every attribute is quoted, and no text holds a bare `&`.
fn balanced(svg: &str) {
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        entities(&rest[..start]);
        let end = rest[start..].find('>').expect("a tag ends") + start;
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "a tag in a tag: {tag}");
        assert!(tag.matches('"').count().is_multiple_of(2), "quotes: {tag}");
        entities(tag);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closing {name}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.is_empty(), "left open: {open:?}");
}

/// Each `&` begins one of the escapes that are written.
fn entities(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)), "{text}");
    }
}

/// A text that would break out of an attribute, an element or a line.
pub(crate) const NASTY: &str = "\"><script>alert('x')</script>&<b style=\"color:red\" onload=\"x\">\u{202e}\u{0} 💊";

/// A table's rows are as wide as its head.
pub(crate) fn is_square(table: &super::Table) {
    assert!(table.rows.iter().all(|row| row.len() == table.headers.len()), "{table:?}");
}
