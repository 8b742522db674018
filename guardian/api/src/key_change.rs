//! The record with which a person's keys change: one more passkey, one fewer, or, where all are lost, one in place of all.

use crate::enrolment::{EnrolmentError, instant};
use crate::invitation::{Invitation, Signed as SignedInvitation};
use crate::pb;
use bodh_identity::passkey::Passkey;
use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// The longest record that is read.
const MAX_RECORD: usize = 8192;

/// Which of a person's keys change (context `keys`). Serialised with sorted keys and no white space.
///
/// Each names the record before it, so that a person's keys are a chain from their enrolment on: none can be left out, put
/// elsewhere or used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    // In alphabetical order, as in an enrolment.
    /// The passkey that is added, in lower-case hex; it signs too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<String>,
    /// SHA-256 of this person's record before this one (a change, or their enrolment), in hex.
    pub after: String,
    /// When it was written, RFC 3339 UTC with milliseconds.
    pub at: String,
    /// SPIFFE id of the person.
    pub id: String,
    /// The operator's invitation with their signature, as it stood in the link: then no key of the person's own signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// SHA-256 of each key that is no key of theirs any more, in hex, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// A change with the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignedChange {
    /// [`KeyChange::to_bytes`].
    pub record: Vec<u8>,
    /// By a key that the person has before and after; empty where there is an invitation.
    pub by_own: Vec<u8>,
    /// By the key that is added; empty where none is.
    pub by_new: Vec<u8>,
}

impl From<pb::SignedKeyChange> for SignedChange {
    fn from(change: pb::SignedKeyChange) -> Self {
        Self { record: change.record, by_own: change.by_own, by_new: change.by_new }
    }
}

impl From<SignedChange> for pb::SignedKeyChange {
    fn from(change: SignedChange) -> Self {
        Self { record: change.record, by_own: change.by_own, by_new: change.by_new }
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One more key.
    Add,
    /// One fewer.
    Remove,
    /// One in place of all, on an operator's invitation.
    Recover,
}

/// SHA-256, in lower-case hex: how records and keys are named.
#[must_use]
pub fn named(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

impl KeyChange {
    /// A change of `id`'s keys after the record with the hash `after`, which does nothing yet.
    #[must_use]
    pub fn new(id: &str, after: &str, at: DateTime<Utc>) -> Self {
        Self {
            add: None,
            after: after.to_owned(),
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            id: id.to_owned(),
            invitation: None,
            remove: Vec::new(),
        }
    }

    /// Adds this passkey.
    #[must_use]
    pub fn adding(self, passkey: &[u8]) -> Self {
        Self { add: Some(HEXLOWER.encode(passkey)), ..self }
    }

    /// Removes the keys of these names.
    #[must_use]
    pub fn removing(self, keys: impl IntoIterator<Item = String>) -> Self {
        let mut remove: Vec<String> = keys.into_iter().collect();
        remove.sort();
        remove.dedup();
        Self { remove, ..self }
    }

    /// The canonical bytes: what is signed, sent and stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising strings and a list of strings to memory has no failure path.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a record and refuses any but the canonical spelling of valid content.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnrolmentError> {
        if bytes.len() > MAX_RECORD {
            return Err(EnrolmentError::Shape);
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|_| EnrolmentError::Shape)?;
        if !read.id.starts_with("spiffe://") || !read.id.contains("/human/") {
            return Err(EnrolmentError::Field("id"));
        }
        if !is_hash(&read.after) {
            return Err(EnrolmentError::Field("after"));
        }
        instant(&read.at).ok_or(EnrolmentError::Field("at"))?;
        if !read.remove.iter().all(|key| is_hash(key)) {
            return Err(EnrolmentError::Field("list of removed keys"));
        }
        read.kind()?;
        read.added()?;
        let sorted = read.remove.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if sorted && read.to_bytes() == bytes { Ok(read) } else { Err(EnrolmentError::NotCanonical) }
    }

    /// What it does.
    ///
    /// # Errors
    /// When it is none of the three: each change is one that a person can understand.
    pub fn kind(&self) -> Result<Change, EnrolmentError> {
        match (&self.invitation, &self.add, self.remove.len()) {
            (None, Some(_), 0) => Ok(Change::Add),
            (None, None, 1) => Ok(Change::Remove),
            (Some(_), Some(_), 1..) => Ok(Change::Recover),
            _ => Err(EnrolmentError::Field("change")),
        }
    }

    /// The passkey that is added.
    ///
    /// # Errors
    /// When it is not one.
    pub fn added(&self) -> Result<Option<Vec<u8>>, EnrolmentError> {
        let read = |hex: &String| HEXLOWER.decode(hex.as_bytes()).ok().filter(|key| Passkey::from_bytes(key).is_some());
        self.add.as_ref().map(|hex| read(hex).ok_or(EnrolmentError::Field("passkey"))).transpose()
    }

    /// SPIFFE id of who invited, where it rests on an invitation. Whether they signed it is not checked.
    #[must_use]
    pub fn inviter(&self) -> Option<String> {
        let link = SignedInvitation::from_link(self.invitation.as_deref()?)?;
        Invitation::parse(&link.invitation).ok().map(|invitation| invitation.invited_by)
    }

    /// When it was written.
    ///
    /// # Errors
    /// When that is not a time in the one form.
    pub fn written_at(&self) -> Result<DateTime<Utc>, EnrolmentError> {
        instant(&self.at).ok_or(EnrolmentError::Field("at"))
    }
}

/// 32 bytes in lower-case hex.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64 && HEXLOWER.decode(text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passkey() -> Vec<u8> {
        [&[4u8][..], &[7; 64], &[9], b"localhost", b"credential"].concat()
    }

    fn change() -> KeyChange {
        let at = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        KeyChange::new("spiffe://bodh.internal/human/ann", &named(b"enrolment"), at)
    }

    #[test]
    fn one_spelling_there_and_back() {
        let all = [
            (change().adding(&passkey()), Change::Add),
            (change().removing([named(b"key")]), Change::Remove),
            (
                KeyChange { invitation: Some("a.b".into()), ..change().adding(&passkey()) }.removing([
                    named(b"one"),
                    named(b"two"),
                    named(b"one"),
                ]),
                Change::Recover,
            ),
        ];
        for (record, kind) in all {
            let bytes = record.to_bytes();
            assert_eq!(KeyChange::parse(&bytes), Ok(record.clone()));
            assert_eq!(record.kind(), Ok(kind));
            let spaced = String::from_utf8(bytes).unwrap().replace(',', ", ");
            assert_eq!(KeyChange::parse(spaced.as_bytes()), Err(EnrolmentError::NotCanonical));
        }
    }

    #[test]
    fn each_bad_field_is_named() {
        type Make = fn(KeyChange) -> KeyChange;
        let cases: [(&str, Make); 9] = [
            ("id", |c| KeyChange { id: "spiffe://bodh.internal/agent/ann".into(), ..c }.adding(&passkey())),
            ("after", |c| KeyChange { after: "00".into(), ..c }.adding(&passkey())),
            ("at", |c| KeyChange { at: "now".into(), ..c }.adding(&passkey())),
            ("list of removed keys", |c| c.removing(["key".to_owned()])),
            ("change", |c| c),
            ("change", |c| c.adding(&passkey()).removing([named(b"key")])),
            ("change", |c| c.removing([named(b"one"), named(b"two")])),
            ("change", |c| KeyChange { invitation: Some("a.b".into()), ..c.adding(&passkey()) }),
            ("passkey", |c| c.adding(&[7; 32])),
        ];
        for (field, make) in cases {
            assert_eq!(KeyChange::parse(&make(change()).to_bytes()), Err(EnrolmentError::Field(field)));
        }
        for bytes in [&b""[..], b"{}", b"[]", &[b' '; 9000]] {
            assert_eq!(KeyChange::parse(bytes), Err(EnrolmentError::Shape));
        }
    }
}
