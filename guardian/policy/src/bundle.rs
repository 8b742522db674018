//! The files that a policy consists of, and the hash that names them.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// Most files in a bundle.
const MAX_FILES: usize = 64;
/// Most bytes of text in a bundle.
const MAX_BYTES: usize = 1 << 20;

/// Policy and schema files by name, in the order of their names. As JSON: one object, name to text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Bundle {
    files: BTreeMap<String, String>,
}

/// A set of files is not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Two files have the same name.
    #[error("policy file {0} is given twice; rename or remove one")]
    Duplicate(String),
    /// A file name that is not a policy's or a schema's.
    #[error("policy file name {0:?} is not lower-case letters, digits, - and _, ending in .cedar or .cedarschema")]
    Name(String),
    /// Too many files or too much text.
    #[error("a policy bundle holds at most {MAX_FILES} files and {MAX_BYTES} bytes")]
    TooLarge,
}

impl Bundle {
    /// From names and texts.
    ///
    /// # Errors
    /// A name that is not allowed or comes twice, or too much of it.
    pub fn new<N: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, BundleError> {
        let mut bundle = Self::default();
        for (name, text) in files {
            bundle.insert(name.into(), text.into())?;
        }
        Ok(bundle)
    }

    /// Both bundles in one.
    ///
    /// # Errors
    /// A name in both, or too much of it: nothing is ever replaced silently.
    pub fn merge(mut self, other: Self) -> Result<Self, BundleError> {
        for (name, text) in other.files {
            self.insert(name, text)?;
        }
        Ok(self)
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// SHA-256 over a context word and, for each file in order, its name and its text, each preceded by its length in
    /// bytes as a 64-bit big-endian number: two different bundles never hash the same bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(b"bodh/v1/policy-bundle\0");
        for part in self.files.iter().flat_map(|(name, text)| [name, text]) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }

    fn insert(&mut self, name: String, text: String) -> Result<(), BundleError> {
        if !is_file_name(&name) {
            return Err(BundleError::Name(name));
        }
        if self.files.contains_key(&name) {
            return Err(BundleError::Duplicate(name));
        }
        let bytes: usize = self.files.values().map(String::len).sum();
        if self.files.len() >= MAX_FILES || bytes.saturating_add(text.len()) > MAX_BYTES {
            return Err(BundleError::TooLarge);
        }
        self.files.insert(name, text);
        Ok(())
    }
}

fn is_file_name(name: &str) -> bool {
    let Some((stem, "cedar" | "cedarschema")) = name.split_once('.') else { return false };
    (1..=64).contains(&stem.len())
        && stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

impl TryFrom<BTreeMap<String, String>> for Bundle {
    type Error = BundleError;

    fn try_from(files: BTreeMap<String, String>) -> Result<Self, BundleError> {
        Self::new(files)
    }
}

impl From<Bundle> for BTreeMap<String, String> {
    fn from(bundle: Bundle) -> Self {
        bundle.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_never_replaced() {
        for bad in ["", ".cedar", "a.txt", "a", "A.cedar", "../a.cedar", "a.b.cedar", "a.cedar ", "a/b.cedar"] {
            assert_eq!(Bundle::new([(bad, "")]), Err(BundleError::Name(bad.into())));
        }
        let one = Bundle::new([("a.cedar", "x")]).unwrap();
        assert_eq!(one.clone().merge(one), Err(BundleError::Duplicate("a.cedar".into())));
    }

    #[test]
    fn size_is_bounded() {
        let text = "x".repeat(MAX_BYTES);
        let full = Bundle::new([("a.cedar", text.as_str())]).unwrap();
        assert_eq!(full.merge(Bundle::new([("b.cedar", "x")]).unwrap()), Err(BundleError::TooLarge));
        let many = (0..=MAX_FILES).map(|i| (format!("f{i}.cedar"), ""));
        assert_eq!(Bundle::new(many), Err(BundleError::TooLarge));
    }

    #[test]
    fn the_hash_covers_names_texts_and_their_borders() {
        let hash = |files: &[(&str, &str)]| Bundle::new(files.iter().copied()).unwrap().hash();
        let base = hash(&[("a.cedar", "xy"), ("b.cedar", "z")]);
        assert_eq!(base, hash(&[("b.cedar", "z"), ("a.cedar", "xy")]), "the order of insertion does not matter");
        for other in [
            hash(&[("a.cedar", "x"), ("b.cedar", "yz")]),
            hash(&[("a.cedar", "xy"), ("c.cedar", "z")]),
            hash(&[("a.cedar", "xy")]),
            hash(&[("a.cedar", "xy"), ("b.cedar", "z"), ("c.cedar", "")]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn json_is_one_object_and_is_checked() {
        let bundle = Bundle::new([("a.cedar", "x"), ("b.cedarschema", "y")]).unwrap();
        let json = serde_json::to_string(&bundle).unwrap();
        assert_eq!(json, r#"{"a.cedar":"x","b.cedarschema":"y"}"#);
        assert_eq!(serde_json::from_str::<Bundle>(&json).unwrap(), bundle);
        assert!(serde_json::from_str::<Bundle>(r#"{"a.sh":"x"}"#).is_err());
        assert!(serde_json::from_str::<Bundle>(r#"{"a.cedar":7}"#).is_err());
    }
}
