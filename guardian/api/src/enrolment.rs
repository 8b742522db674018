//! The record that enrols a person, signed by an operator or, where an operator has invited them, by the person's own
//! passkey: one canonical form, so that what was signed is what is stored.

use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// The longest record that is read.
const MAX_RECORD: usize = 8192;
/// The most roles one person has.
const MAX_ROLES: usize = 8;
/// Bytes of an Ed25519 key.
const LOCAL_KEY: usize = 32;
/// Most bytes of a passkey with its site and credential id.
const MAX_KEY: usize = 600;
/// The longest name or role.
const MAX_WORD: usize = 64;

/// Who is enrolled, with what key and roles, by whom. Serialised with sorted keys and no white space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    // In alphabetical order: serde writes fields as declared, and the canonical form has sorted keys.
    /// How the key is held: `local_key` or `webauthn`.
    pub assurance: String,
    /// When the operator wrote this, RFC 3339 UTC with milliseconds.
    pub at: String,
    /// SPIFFE id of the operator who signs or invited.
    pub enrolled_by: String,
    /// SPIFFE id of the person.
    pub id: String,
    /// The operator's invitation with their signature, as it stood in the link; then the person signs this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// Public key in lower-case hex: an Ed25519 key, or a passkey with its site and credential id.
    pub key: String,
    /// The person's name, the last part of the id.
    pub name: String,
    /// Words that policies know, sorted, each once.
    pub roles: Vec<String>,
}

/// Why a record is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// Not JSON of the record's shape, or too long.
    #[error("the enrolment record is not a JSON object with exactly the fields of an enrolment, of at most 8 KiB")]
    Shape,
    /// Right content, other bytes: two spellings of one record would have two signatures.
    #[error("the enrolment record is not in canonical form (sorted keys, no white space, roles sorted)")]
    NotCanonical,
    /// A field's value is not allowed.
    #[error("the enrolment record's {0} is not valid")]
    Field(&'static str),
}

impl Enrolment {
    /// A record with its roles put in order.
    pub fn new(
        name: &str,
        trust_domain: &str,
        roles: &[&str],
        key: &[u8],
        assurance: &str,
        enrolled_by: &str,
        at: DateTime<Utc>,
    ) -> Self {
        let mut roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        roles.sort();
        roles.dedup();
        Self {
            assurance: assurance.to_owned(),
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            enrolled_by: enrolled_by.to_owned(),
            id: format!("spiffe://{trust_domain}/human/{name}"),
            invitation: None,
            key: HEXLOWER.encode(key),
            name: name.to_owned(),
            roles,
        }
    }

    /// The canonical bytes: what is signed (context `enrolment`), sent and stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising strings and a list of strings to memory has no failure path.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a record and refuses any but the canonical spelling of valid content.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnrolmentError> {
        if bytes.len() > MAX_RECORD {
            return Err(EnrolmentError::Shape);
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|_| EnrolmentError::Shape)?;
        record.check()?;
        if record.to_bytes() != bytes {
            return Err(EnrolmentError::NotCanonical);
        }
        Ok(record)
    }

    /// The public key: of 32 bytes where it is a `local_key`, longer where it is a passkey.
    pub fn public_key(&self) -> Result<Vec<u8>, EnrolmentError> {
        let bytes = HEXLOWER.decode(self.key.as_bytes()).map_err(|_| EnrolmentError::Field("key"))?;
        let is_local = self.assurance == "local_key";
        if is_local == (bytes.len() == LOCAL_KEY) && bytes.len() <= MAX_KEY {
            Ok(bytes)
        } else {
            Err(EnrolmentError::Field("key"))
        }
    }

    /// When the operator wrote it.
    pub fn written_at(&self) -> Result<DateTime<Utc>, EnrolmentError> {
        instant(&self.at).ok_or(EnrolmentError::Field("at"))
    }

    fn check(&self) -> Result<(), EnrolmentError> {
        if !is_word(&self.name) {
            return Err(EnrolmentError::Field("name"));
        }
        if !self.id.starts_with("spiffe://") || !self.id.ends_with(&format!("/human/{}", self.name)) {
            return Err(EnrolmentError::Field("id"));
        }
        if !["local_key", "webauthn"].contains(&self.assurance.as_str()) {
            return Err(EnrolmentError::Field("assurance"));
        }
        check_roles(&self.roles)?;
        // A passkey is enrolled by its holder, and nobody enrols themself without an invitation.
        if self.invitation.is_some() != (self.assurance == "webauthn") {
            return Err(EnrolmentError::Field("invitation"));
        }
        self.public_key()?;
        self.written_at()?;
        Ok(())
    }
}

/// Roles are words, in order, each once.
pub(crate) fn check_roles(roles: &[String]) -> Result<(), EnrolmentError> {
    if roles.is_empty() || roles.len() > MAX_ROLES || !roles.iter().all(|role| is_word(role)) {
        return Err(EnrolmentError::Field("list of roles"));
    }
    let sorted = roles.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if sorted { Ok(()) } else { Err(EnrolmentError::NotCanonical) }
}

/// A time in the one form: RFC 3339, UTC, milliseconds.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (at.to_rfc3339_opts(SecondsFormat::Millis, true) == text).then_some(at)
}

/// A lower-case word: a letter, then letters, digits, `_`, `-`, `.`.
pub(crate) fn is_word(text: &str) -> bool {
    let mut letters = text.bytes();
    text.len() <= MAX_WORD
        && letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Enrolment {
        let at = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let by = "spiffe://bodh.internal/human/local";
        Enrolment::new("ada", "bodh.internal", &["operator", "approver"], &[7; 32], "local_key", by, at)
    }

    #[test]
    fn round_trip_is_canonical() {
        let bytes = record().to_bytes();
        assert_eq!(Enrolment::parse(&bytes).unwrap(), record());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(r#"{"assurance":"local_key","at":"2026-"#), "{text}");
        assert!(text.ends_with(r#""roles":["approver","operator"]}"#), "{text}");
    }

    #[test]
    fn another_spelling_is_refused() {
        let spaced = String::from_utf8(record().to_bytes()).unwrap().replace(",", ", ");
        assert_eq!(Enrolment::parse(spaced.as_bytes()), Err(EnrolmentError::NotCanonical));
        let mut unsorted = record();
        unsorted.roles.reverse();
        assert_eq!(Enrolment::parse(&unsorted.to_bytes()), Err(EnrolmentError::NotCanonical));
        let mut twice = record();
        twice.roles = vec!["approver".into(), "approver".into()];
        assert_eq!(Enrolment::parse(&twice.to_bytes()), Err(EnrolmentError::NotCanonical));
    }

    #[test]
    fn each_bad_field_is_named() {
        type Change = fn(&mut Enrolment);
        let changes: [(&str, Change); 9] = [
            ("name", |r| r.name = "Ada".into()),
            ("name", |r| r.name = String::new()),
            ("id", |r| r.id = "spiffe://bodh.internal/human/eve".into()),
            ("id", |r| r.id = "https://bodh.internal/human/ada".into()),
            ("assurance", |r| r.assurance = "password".into()),
            ("list of roles", |r| r.roles.clear()),
            ("key", |r| r.key = "00".into()),
            ("invitation", |r| r.assurance = "webauthn".into()),
            ("at", |r| r.at = "2026-01-01T00:00:00+02:00".into()),
        ];
        for (field, change) in changes {
            let mut record = record();
            change(&mut record);
            assert_eq!(Enrolment::parse(&record.to_bytes()), Err(EnrolmentError::Field(field)));
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        let mut extra = String::from_utf8(record().to_bytes()).unwrap();
        extra.insert_str(1, r#""admin":true,"#);
        for bytes in [extra.as_bytes(), b"", b"{}", b"[]", &[b' '; 9000]] {
            assert_eq!(Enrolment::parse(bytes), Err(EnrolmentError::Shape));
        }
    }
}
