//! Which sessions are of one patient: found by the pseudonym, without opening any of them.
//!
//! Beside a session the store keeps a tag of its pseudonym: HMAC-SHA256 under a key of this service's own, which is sealed
//! to its unlock identity. So the state folder alone tells neither a pseudonym nor which sessions belong together, and lets
//! nobody try pseudonyms. The tag is in no entry of the log: that is published, and would tell it to every reader for ever.

use crate::{error::Error, store::Found};
use bodh_clinical::Identifiers;
use bodh_gate::Facts;
use bodh_host::Fatal;
use bodh_identity::sealed::{AgeKey, SealedError, read_sealed, write_sealed};
use bodh_panel_api::pb;
use ring::hmac::{Context, HMAC_SHA256, Key};
use serde::{Deserialize, Deserializer};
use std::{io, path::Path};
use zeroize::Zeroizing;

/// The identifier that a clinician gave the patient for a session.
pub(crate) const PSEUDONYM: &str = "pseudonym";
/// Its most characters.
const MOST_PSEUDONYM: usize = 64;
/// Sessions that one search finds, at most; the newest.
pub(crate) const MOST_FOUND: usize = 1_000;

/// The sealed key's file in this service's folder.
const FILE: &str = "patients.sealed";
/// What each use of the key begins with (NIST SP 800-108 calls it the label): one cannot stand for the other.
const TAG: &[u8] = b"bodh/orchestrator/patient-tag/v1\0";
const SEARCH: &[u8] = b"bodh/orchestrator/patient-search/v1\0";

/// What only this service is told for it.
#[derive(Deserialize)]
struct Own {
    /// The age identity that opens `patients.sealed`. Secret.
    #[serde(deserialize_with = "secret")]
    unlock: Zeroizing<String>,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// The key of the tags.
pub(crate) struct Patients(Key);

impl Patients {
    /// Opens the key in `folder` with the identity in the launcher's `document`, or makes one where there is no session
    /// yet: with another key the sessions that are there would never be found again, and nobody would be told.
    pub(crate) fn open(folder: &Path, document: &[u8], fresh: bool) -> Result<Self, Fatal> {
        // Never what was there: the document holds secrets.
        let own: Own = serde_json::from_slice(document)
            .map_err(|_| Fatal::usage("configuration: `unlock` of the orchestrator is missing or mistyped"))?;
        let unlock =
            AgeKey::parse(&own.unlock).map_err(|cause| Fatal::usage(format!("configuration: `unlock`: {cause}")))?;
        let path = folder.join(FILE);
        let bad = |cause: &dyn std::fmt::Display| Fatal::usage(format!("{}: {cause}", path.display()));
        let secret = match read_sealed(&path, &unlock) {
            Ok(secret) => secret,
            Err(SealedError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound && fresh => {
                let secret = crate::grant::random::<32>().map_err(|cause| bad(&cause))?;
                let secret = Zeroizing::new(secret.to_vec());
                // Durable before the first tag: none is ever made under a key that a crash could lose.
                write_sealed(&path, &unlock, &secret).map_err(|cause| bad(&cause))?;
                secret
            }
            Err(SealedError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(bad(&"is gone, and there are sessions that only it finds by their patient: restore it"));
            }
            Err(cause) => return Err(bad(&cause)),
        };
        if secret.len() != 32 {
            return Err(bad(&"is not the key that it should be: restore it"));
        }
        Ok(Self(Key::new(HMAC_SHA256, &secret)))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = Context::with_key(&self.0);
        parts.iter().for_each(|part| context.update(part));
        let mut mac = [0; 32];
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }

    /// The tag of a pseudonym as it was entered: without the spaces around it, and otherwise letter by letter.
    pub(crate) fn tag(&self, pseudonym: &str) -> [u8; 32] {
        self.mac(&[TAG, pseudonym.trim().as_bytes()])
    }

    /// The tag of the patient whose identifiers these are, where a pseudonym is among them.
    pub(crate) fn tag_of(&self, identifiers: &Identifiers) -> Option<[u8; 32]> {
        let pseudonym = identifiers.entries.iter().find(|(name, _)| name == PSEUDONYM);
        pseudonym.map(|(_, pseudonym)| self.tag(pseudonym))
    }

    /// What the record holds of a search: a commitment under this key that no other search repeats, be it for the same
    /// patient. Whoever has the key can tell later, of a pseudonym, whether that search was for it.
    pub(crate) fn search(&self, asked: &pb::FindPatientRequest) -> Result<Facts, Error> {
        let mut facts = crate::actions::panel();
        let key = crate::grant::random_id()?;
        // Whatever was sent: it is looked at once the gate has admitted the caller.
        facts
            .commitments
            .insert("search".to_owned(), self.mac(&[SEARCH, key.as_bytes(), asked.pseudonym.trim().as_bytes()]));
        facts.key = Some(key);
        Ok(facts)
    }
}

/// A pseudonym as it may be: without the spaces around it.
pub(crate) fn read(pseudonym: &str) -> Result<&str, Error> {
    let pseudonym = pseudonym.trim();
    if pseudonym.chars().count() > MOST_PSEUDONYM || pseudonym.chars().any(char::is_control) {
        return Err(Error::Invalid(format!("the pseudonym has at most {MOST_PSEUDONYM} characters, none a control")));
    }
    Ok(pseudonym)
}

impl crate::runner::Runner {
    /// The sessions of one patient, the newest first, for a caller whom the gate has admitted. An unknown pseudonym and
    /// one of whom nothing is left answer alike: with none.
    pub(crate) async fn find_patient(&self, asked: pb::FindPatientRequest) -> Result<pb::FindPatientReply, Error> {
        let pseudonym = read(&asked.pseudonym)?;
        if pseudonym.is_empty() {
            return Err(Error::Invalid("give the pseudonym that the sessions were begun with".to_owned()));
        }
        let Found { sessions, more } = self.store.find_patient(&self.patients.tag(pseudonym), MOST_FOUND).await?;
        let trust = self.gate.trust().current()?;
        let mut people: Vec<pb::Enrolled> = trust
            .people
            .iter()
            .map(|(id, person)| pb::Enrolled { id: id.to_string(), roles: person.roles.clone() })
            .collect();
        people.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(pb::FindPatientReply { items: sessions.into_iter().map(crate::reading::item).collect(), more, people })
    }

    /// A session whose key the guardian has destroyed is of nobody any more: its tag goes as soon as that is known.
    pub(crate) async fn forget_erased(&self, session: &str, error: &bodh_guardian_api::Error) {
        let bodh_guardian_api::Error::Refused { code: tonic::Code::FailedPrecondition, reason } = error else { return };
        if reason != ERASED {
            return;
        }
        if let Err(error) = self.store.forget_patient(session).await {
            tracing::error!(%error, session, "the tag of an erased session could not be removed yet");
        }
    }
}

/// How the guardian says that a session's key is destroyed.
const ERASED: &str = "the session is erased";

#[cfg(test)]
mod tests {
    use super::*;

    fn document(unlock: &AgeKey) -> Vec<u8> {
        serde_json::to_vec(&serde_json::json!({ "unlock": unlock.to_secret_text().as_str() })).unwrap()
    }

    #[test]
    fn the_key_is_made_once_sealed_and_never_replaced() {
        let (folder, unlock) = (tempfile::tempdir().unwrap(), AgeKey::generate());
        let open = |fresh| Patients::open(folder.path(), &document(&unlock), fresh);
        let why = |opened: Result<Patients, Fatal>| opened.err().unwrap().line;
        assert!(why(open(false)).contains("restore it"), "there are sessions");
        let made = open(true).unwrap();
        assert_eq!(made.tag("K-2041"), open(false).unwrap().tag("K-2041"));
        assert_eq!(made.tag("K-2041"), open(true).unwrap().tag("K-2041"), "what is there is never written over");
        let other = Patients::open(folder.path(), &document(&AgeKey::generate()), true);
        assert!(why(other).contains(FILE), "another unlock key opens nothing");
        let unlock_missing = why(Patients::open(folder.path(), br#"{"unlock":["AGE-SECRET-KEY-1X"]}"#, true));
        assert!(unlock_missing.contains("unlock") && !unlock_missing.contains("SECRET"), "{unlock_missing}");
    }

    #[test]
    fn a_tag_is_of_one_pseudonym_as_it_was_entered() {
        let (folder, unlock) = (tempfile::tempdir().unwrap(), AgeKey::generate());
        let patients = Patients::open(folder.path(), &document(&unlock), true).unwrap();
        let tag = |pseudonym| patients.tag(pseudonym);
        assert_eq!(tag("K-2041"), tag(" K-2041\t"));
        let others = ["k-2041", "K-2042", "K 2041", "K-2041 b", "", "K\u{2011}2041"];
        assert!(others.iter().all(|other| tag(other) != tag("K-2041")));
        let entries = vec![(PSEUDONYM.to_owned(), "K-2041".to_owned()), ("name".to_owned(), "x".to_owned())];
        assert_eq!(patients.tag_of(&Identifiers { entries }), Some(tag("K-2041")));
        assert_eq!(patients.tag_of(&Identifiers { entries: Vec::new() }), None);
        let elsewhere = tempfile::tempdir().unwrap();
        let elsewhere = Patients::open(elsewhere.path(), &document(&unlock), true).unwrap();
        assert_ne!(elsewhere.tag("K-2041"), tag("K-2041"), "each panel has a key of its own");
    }

    #[test]
    fn the_record_of_a_search_repeats_nothing() {
        let (folder, unlock) = (tempfile::tempdir().unwrap(), AgeKey::generate());
        let patients = Patients::open(folder.path(), &document(&unlock), true).unwrap();
        let asked = pb::FindPatientRequest { pseudonym: "K-2041".to_owned() };
        let (one, two) = (patients.search(&asked).unwrap(), patients.search(&asked).unwrap());
        let said = [&one, &two].map(|facts| facts.commitments["search"]);
        assert!(said[0] != said[1] && !said.contains(&patients.tag("K-2041")));
        assert!(!format!("{one:?}").contains("2041"));
    }

    #[test]
    fn a_pseudonym_is_short_and_plain() {
        assert_eq!(read("  K-2041 ").unwrap(), "K-2041");
        assert_eq!(read(&"ä".repeat(64)).unwrap().chars().count(), 64);
        for bad in ["a\nb", "a\u{0}", &"ä".repeat(65)] {
            assert!(matches!(read(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }
}
