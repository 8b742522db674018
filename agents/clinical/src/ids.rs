//! Identifiers of the domain, each its own type, each checked when it is made.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A malformed identifier. The offending text is not repeated: it may be a patient's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: {rule}")]
pub struct IdError {
    /// Which identifier was expected.
    pub kind: &'static str,
    /// The rule that was broken.
    pub rule: &'static str,
}

/// `PREFIX:local`, the compact form (CURIE) that ontologies use.
fn check_curie(text: &str) -> bool {
    let Some((prefix, local)) = text.split_once(':') else {
        return false;
    };
    !prefix.is_empty()
        && prefix.len() <= 16
        && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && !local.is_empty()
        && local.len() <= 48
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn check_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_claim(text: &str) -> bool {
    text.split_once('/').is_some_and(|(disease, term)| check_curie(disease) && check_curie(term))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:path, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads the identifier, or says which rule it breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { kind: $kind, rule: $rule })
                }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }
    };
}

id!(
    /// A finding's term, e.g. `HP:0001250`.
    TermId, "term id", check_curie, "expected PREFIX:LOCAL"
);
id!(
    /// A disease, e.g. `OMIM:154700` or `ORPHA:558`.
    DiseaseId, "disease id", check_curie, "expected PREFIX:LOCAL"
);
id!(
    /// A test that can be ordered, e.g. `ct_chest`.
    TestId, "test id", check_slug, "expected lower-case letters, digits and underscores"
);
id!(
    /// One statement of a differential: `<disease>/<finding>`.
    ClaimId, "claim id", check_claim, "expected DISEASE/TERM"
);

impl ClaimId {
    /// The claim that `finding` bears on `disease`.
    #[must_use]
    pub fn of(disease: &DiseaseId, finding: &TermId) -> Self {
        Self(format!("{disease}/{finding}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curies_are_checked() {
        assert!(TermId::parse("HP:0001250").is_ok());
        for bad in ["", "HP", "HP:", ":1", "hp:1", "HP:1 2", "HP:1/2", "HP:ééé"] {
            assert!(TermId::parse(bad).is_err(), "{bad}");
        }
        assert!(TermId::parse(&format!("HP:{}", "1".repeat(49))).is_err());
    }

    #[test]
    fn deserializing_checks_too() {
        assert!(serde_json::from_str::<TestId>("\"ct_chest\"").is_ok());
        assert!(serde_json::from_str::<TestId>("\"CT Chest\"").is_err());
        assert!(serde_json::from_str::<ClaimId>("\"OMIM:1/HP:2\"").is_ok());
        assert!(serde_json::from_str::<ClaimId>("\"OMIM:1\"").is_err());
    }
}
