//! What an operator signs to let somebody enrol themself with a passkey, or have another in place of lost ones, and how it
//! becomes a link.

use crate::enrolment::{EnrolmentError, check_roles, instant, is_word};
use crate::key_change::is_hash;
use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// The longest invitation that is read.
const MAX_INVITATION: usize = 2048;
/// The longest signature beside it: a passkey's.
const MAX_SIGNATURE: usize = 4096;

/// Who may enrol, as what, until when. Serialised with sorted keys and no white space (context `invitation`). It is used
/// once: a name is enrolled once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    // In alphabetical order, as in an enrolment.
    /// SPIFFE id of the person-to-be.
    pub id: String,
    /// SPIFFE id of the operator who signs.
    pub invited_by: String,
    /// The last part of the id.
    pub name: String,
    /// 32 hex digits: two invitations of one name are two.
    pub nonce: String,
    /// For somebody whose keys are lost: SHA-256 of their last record, in hex. Then it enrols nobody, and is void once their
    /// keys have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Words that policies know, sorted, each once.
    pub roles: Vec<String>,
    /// RFC 3339 UTC with milliseconds.
    pub until: String,
}

/// An invitation and the operator's signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// [`Invitation::to_bytes`].
    pub invitation: Vec<u8>,
    /// By the operator's key.
    pub signature: Vec<u8>,
}

impl Invitation {
    /// An invitation with its roles put in order.
    #[must_use]
    pub fn new(
        (name, trust_domain): (&str, &str),
        roles: &[&str],
        invited_by: &str,
        nonce: &str,
        until: DateTime<Utc>,
    ) -> Self {
        let mut roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        roles.sort();
        roles.dedup();
        Self {
            id: format!("spiffe://{trust_domain}/human/{name}"),
            invited_by: invited_by.to_owned(),
            name: name.to_owned(),
            nonce: nonce.to_owned(),
            replaces: None,
            roles,
            until: until.to_rfc3339_opts(SecondsFormat::Millis, true),
        }
    }

    /// The canonical bytes: what is signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising strings and a list of strings to memory has no failure path.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an invitation and refuses any but the canonical spelling of valid content.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnrolmentError> {
        if bytes.len() > MAX_INVITATION {
            return Err(EnrolmentError::Shape);
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|_| EnrolmentError::Shape)?;
        if !is_word(&read.name) || !read.id.ends_with(&format!("/human/{}", read.name)) {
            return Err(EnrolmentError::Field("name"));
        }
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if read.nonce.len() != 32 || !read.nonce.bytes().all(hex) {
            return Err(EnrolmentError::Field("nonce"));
        }
        if read.replaces.as_deref().is_some_and(|head| !is_hash(head)) {
            return Err(EnrolmentError::Field("replaces"));
        }
        check_roles(&read.roles)?;
        read.until()?;
        if read.to_bytes() == bytes { Ok(read) } else { Err(EnrolmentError::NotCanonical) }
    }

    /// When it ends.
    ///
    /// # Errors
    /// When that is not a time in the one form.
    pub fn until(&self) -> Result<DateTime<Utc>, EnrolmentError> {
        instant(&self.until).ok_or(EnrolmentError::Field("until"))
    }
}

impl Signed {
    /// What stands in a link: two parts in base64url, with a dot between them.
    #[must_use]
    pub fn to_link(&self) -> String {
        format!("{}.{}", BASE64URL_NOPAD.encode(&self.invitation), BASE64URL_NOPAD.encode(&self.signature))
    }

    /// Reads [`Signed::to_link`]; the signature is not checked.
    #[must_use]
    pub fn from_link(text: &str) -> Option<Self> {
        if text.len() > 2 * (MAX_INVITATION + MAX_SIGNATURE) {
            return None;
        }
        let (invitation, signature) = text.split_once('.')?;
        let read = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).ok();
        let signed = Self { invitation: read(invitation)?, signature: read(signature)? };
        (signed.invitation.len() <= MAX_INVITATION && signed.signature.len() <= MAX_SIGNATURE).then_some(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation() -> Invitation {
        let until = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let by = "spiffe://bodh.internal/human/local";
        Invitation::new(("ann", "bodh.internal"), &["owner", "approver"], by, &"0".repeat(32), until)
    }

    #[test]
    fn one_spelling_there_and_back() {
        let bytes = invitation().to_bytes();
        assert_eq!(Invitation::parse(&bytes), Ok(invitation()));
        let signed = Signed { invitation: bytes.clone(), signature: vec![7; 64] };
        assert_eq!(Signed::from_link(&signed.to_link()), Some(signed));
        let spaced = String::from_utf8(bytes).unwrap().replace(',', ", ");
        assert_eq!(Invitation::parse(spaced.as_bytes()), Err(EnrolmentError::NotCanonical));
        for link in ["", ".", "a", "a.a.a", "ä.b", &"a".repeat(20_000)] {
            assert!(Signed::from_link(link).is_none_or(|s| Invitation::parse(&s.invitation).is_err()), "{link}");
        }
    }

    #[test]
    fn each_bad_field_is_named() {
        type Change = fn(&mut Invitation);
        let changes: [(&str, Change); 6] = [
            ("name", |i| i.name = "Ann".into()),
            ("name", |i| i.id = "spiffe://bodh.internal/human/eve".into()),
            ("nonce", |i| i.nonce = "0".repeat(31)),
            ("replaces", |i| i.replaces = Some("0".repeat(63))),
            ("list of roles", |i| i.roles.clear()),
            ("until", |i| i.until = "tomorrow".into()),
        ];
        for (field, change) in changes {
            let mut changed = invitation();
            change(&mut changed);
            assert_eq!(Invitation::parse(&changed.to_bytes()), Err(EnrolmentError::Field(field)));
        }
    }
}
