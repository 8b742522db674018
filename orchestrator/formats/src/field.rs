//! Reading fields of a JSON tree by path, as protobuf's JSON mapping allows: `camelCase` or `snake_case`, null is absent.

use crate::FormatError;
use serde_json::{Map, Value};

/// An object and where it stands in the file.
#[derive(Clone)]
pub(crate) struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    pub(crate) fn new(value: &'a Value, path: impl Into<String>) -> Result<Self, FormatError> {
        let path = path.into();
        match value {
            Value::Object(fields) => Ok(Self { fields, path }),
            _ => Err(FormatError::field(if path.is_empty() { "$".to_owned() } else { path }, "expected an object")),
        }
    }

    /// The path of the field `name` (in camelCase) of this object.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The field, under either spelling; both at once is refused.
    pub(crate) fn field(&self, camel: &str) -> Result<Option<&'a Value>, FormatError> {
        let snake = snake_case(camel);
        let first = self.fields.get(camel).filter(|v| !v.is_null());
        let second = self.fields.get(&snake).filter(|v| snake != camel && !v.is_null());
        match (first, second) {
            (Some(_), Some(_)) => {
                Err(FormatError::field(self.path(camel), "given twice, in camelCase and in snake_case"))
            }
            (first, second) => Ok(first.or(second)),
        }
    }

    pub(crate) fn text(&self, camel: &str) -> Result<Option<&'a str>, FormatError> {
        match self.field(camel)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FormatError::field(self.path(camel), "expected a text")),
        }
    }

    pub(crate) fn flag(&self, camel: &str) -> Result<bool, FormatError> {
        match self.field(camel)? {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(FormatError::field(self.path(camel), "expected true or false")),
        }
    }

    pub(crate) fn object(&self, camel: &str) -> Result<Option<Object<'a>>, FormatError> {
        self.field(camel)?.map(|value| Object::new(value, self.path(camel))).transpose()
    }

    /// The items of a list; an absent list is empty.
    pub(crate) fn list(&self, camel: &str) -> Result<&'a [Value], FormatError> {
        match self.field(camel)? {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(FormatError::field(self.path(camel), "expected a list")),
        }
    }

    /// Every field as written, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        sorted(self.fields).into_iter()
    }

    pub(crate) fn has(&self, camel: &str) -> bool {
        self.fields.contains_key(camel) || self.fields.contains_key(&snake_case(camel))
    }
}

/// The fields in the order of their keys: whether the JSON library keeps the file's order depends on what else is built.
pub(crate) fn sorted(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    fields
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn either_spelling_but_not_both() {
        let camel = json!({"metaData": {"id": null}});
        let snake = json!({"meta_data": {}});
        let both = json!({"metaData": {}, "meta_data": {}});
        for value in [&camel, &snake] {
            assert!(Object::new(value, "").unwrap().object("metaData").unwrap().is_some());
        }
        assert_eq!(Object::new(&camel["metaData"], "x").unwrap().text("id"), Ok(None));
        let error = Object::new(&both, "").unwrap().field("metaData").unwrap_err();
        assert_eq!(error.to_string(), "metaData: given twice, in camelCase and in snake_case");
    }

    #[test]
    fn the_wrong_kind_names_the_path() {
        let value = json!({"excluded": "yes", "id": 3, "list": {}});
        let object = Object::new(&value, "phenotypicFeatures[3]").unwrap();
        assert_eq!(
            object.flag("excluded").unwrap_err().to_string(),
            "phenotypicFeatures[3].excluded: expected true or false"
        );
        assert!(object.text("id").is_err() && object.list("list").is_err() && object.object("id").is_err());
    }
}
