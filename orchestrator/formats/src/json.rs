//! JSON into a tree, with its depth known before any recursion and no key said twice.

use crate::{FormatError, MAX_DEPTH};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, error::Category};
use std::fmt;

const DUPLICATE: &str = "the same key twice in one object";

/// Parses `text`, which is bounded by the caller.
pub(crate) fn parse(text: &str) -> Result<Value, FormatError> {
    check_depth(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let tree = Tree.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    tree.map_err(|error| {
        let (line, column) = place(text, error.line(), error.column());
        match error.classify() {
            Category::Eof => {
                let (line, column) = end(text);
                FormatError::Truncated { line, column }
            }
            Category::Data => FormatError::Json { line, column, cause: DUPLICATE.to_owned() },
            // The parser's syntax messages are fixed sentences: they never quote the input.
            Category::Syntax | Category::Io => {
                let said = error.to_string();
                let cause = said.split(" at line ").next().unwrap_or_default().to_owned();
                FormatError::Json { line, column, cause }
            }
        }
    })
}

/// The last character that is not white space: where a file that was cut off ends.
fn end(text: &str) -> (usize, usize) {
    let text = text.trim_end();
    let line = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, text.rsplit('\n').next().unwrap_or_default().len().max(1))
}

/// The parser counts a line's end as column 0 of the next; people look for it at the end of its own line.
fn place(text: &str, line: usize, column: usize) -> (usize, usize) {
    if column > 0 || line < 2 {
        return (line.max(1), column.max(1));
    }
    (line - 1, text.split('\n').nth(line - 2).map_or(1, |line| line.len() + 1))
}

/// One pass over the bytes, strings skipped: depth is bounded before serde recurses.
fn check_depth(text: &str) -> Result<(), FormatError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut line, mut column) = (1, 0);
    for byte in text.bytes() {
        column += 1;
        match byte {
            b'\n' => (line, column) = (line + 1, 0),
            _ if escaped => {
                escaped = false;
                continue;
            }
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FormatError::TooDeep { line, column, limit: MAX_DEPTH });
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Builds a [`Value`]; unlike `Value`'s own impl it refuses a repeated key, which would let a file say two things at once.
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }
    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Tree)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Tree)?;
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)), Err(FormatError::TooDeep { line: 1, column: 65, limit: MAX_DEPTH }));
        assert!(parse(&format!("[\"{}\"]", "[".repeat(500))).is_ok());
        assert!(parse(&format!("[\"\\\"{}\"]", "[".repeat(500))).is_ok());
        assert!(matches!(parse(&"[".repeat(1_000_000)), Err(FormatError::TooDeep { .. })));
    }

    #[test]
    fn a_repeated_key_is_refused_with_its_place() {
        let error = parse("{\"a\":1,\n\"a\":2}").unwrap_err();
        assert!(matches!(error, FormatError::Json { line: 2, ref cause, .. } if cause == DUPLICATE), "{error}");
    }

    #[test]
    fn syntax_errors_do_not_quote_the_file() {
        for bad in [
            r#"{"secretname": secretword}"#,
            r#"{"secretname" "secretword"}"#,
            r#"{"a": "secretword\q"}"#,
            "{\"a\":1} secretword",
        ] {
            let said = parse(bad).unwrap_err().to_string();
            assert!(said.starts_with("line 1, column ") && !said.contains("secret"), "{said}");
        }
        assert_eq!(parse("{\"a\": ["), Err(FormatError::Truncated { line: 1, column: 7 }));
    }

    #[test]
    fn every_place_is_one_that_an_editor_shows() {
        assert_eq!(parse("{\n  \"a\": [\n"), Err(FormatError::Truncated { line: 2, column: 8 }));
        assert_eq!(parse("{\n  \"a\":\n\n"), Err(FormatError::Truncated { line: 2, column: 6 }));
        assert_eq!(parse("{\n\n"), Err(FormatError::Truncated { line: 1, column: 1 }));
        let said = parse("{\"a\": \"b\nc\"}").unwrap_err();
        assert!(matches!(said, FormatError::Json { line: 1, column: 9, .. }), "{said}");
    }
}
