//! Who is signed in: a person's certificate and the key that their passkey lent, in memory, for a quarter of an hour.

use crate::session::nonce;
use bodh_audit_api::Client as Audit;
use bodh_guardian_api::{Access, Client as Guardian, Credential};
use bodh_host::Config;
use bodh_identity::{Bundle, Source, SpiffeId, Svid, client, signing::Context};
use bodh_panel::Report;
use bodh_panel_api::pb::{Statement, panel_client::PanelClient};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// The largest message of the panel: a session's evidence, of at most 64 MiB.
const MAX_MESSAGE: usize = 65 << 20;
/// People signed in at once.
const MOST: usize = 4096;
/// Things of one kind that one person has open at once; the oldest makes room.
const MOST_OPEN: usize = 16;

/// One person's sign-in.
pub(crate) struct SignedIn {
    pub(crate) id: SpiffeId,
    pub(crate) name: String,
    pub(crate) csrf: String,
    /// When the certificate was made.
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    pub(crate) panel: PanelClient<client::Channel>,
    pub(crate) guardian: Guardian,
    pub(crate) audit: Audit,
    lent: EcdsaKeyPair,
    /// Reports as last seen, by session: what a live page is drawn from.
    pub(crate) reports: Open<(u64, Arc<Report>)>,
    /// Notes and pseudonyms, by session.
    pub(crate) notes: Open<Arc<Words>>,
    /// Records as shown, by escalation.
    pub(crate) records: Open<Arc<Vec<u8>>>,
    /// Pseudonyms that were searched for, by the name that the address has.
    pub(crate) patients: Open<Arc<str>>,
    /// What a physician noted before the panel's differential was shown, by escalation.
    pub(crate) own: Open<String>,
}

/// The words of a case.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// The note that was read first.
    pub(crate) note: String,
    /// The patient's pseudonym.
    pub(crate) pseudonym: String,
    /// The text of each amendment; empty where one only corrects.
    pub(crate) added: Vec<String>,
}

/// A few things by name; the oldest makes room.
pub(crate) struct Open<T>(Mutex<Vec<(String, T)>>);

impl<T: Clone> Open<T> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    pub(crate) fn put(&self, name: &str, what: T) {
        Self::place(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), name, what);
    }

    fn place(kept: &mut Vec<(String, T)>, name: &str, what: T) {
        kept.retain(|(other, _)| other != name);
        if kept.len() >= MOST_OPEN {
            kept.remove(0);
        }
        kept.push((name.to_owned(), what));
    }

    pub(crate) fn get(&self, name: &str) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(other, _)| other == name).map(|(_, what)| what.clone())
    }
}

impl SignedIn {
    /// From what the guardian gave for a proof, and the key it was given for.
    pub(crate) fn new(
        (config, csrf): (&Config, &hmac::Key),
        name: &str,
        given: Credential,
        key: Zeroizing<Vec<u8>>,
    ) -> Result<Self, String> {
        let said = |cause: &dyn std::fmt::Display| cause.to_string();
        let lent = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &SystemRandom::new());
        let lent = lent.map_err(|cause| said(&cause))?;
        let svid = Svid::new(given.chain.into_iter().map(Into::into).collect(), key).map_err(|cause| said(&cause))?;
        let id = SpiffeId::human(&config.trust_domain, name).map_err(|cause| said(&cause))?;
        if *svid.id() != id {
            return Err("the certificate is somebody else's".to_owned());
        }
        let ms = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        let (from_ms, until_ms) = (ms(svid.certified()), ms(svid.not_after()));
        let bundle = given.bundle.into_iter().map(Into::into).collect();
        let bundle = Bundle::new(&config.trust_domain, bundle).map_err(|cause| said(&cause))?;
        let source = Source::fixed(svid, bundle).map_err(|cause| said(&cause))?;
        let channel = |at: SocketAddr, name: &str| {
            let expected = SpiffeId::service(&config.trust_domain, name).map_err(|cause| said(&cause))?;
            Ok::<_, String>(client::channel(at, expected, source.clone()))
        };
        let panel = PanelClient::new(channel(config.orchestrator, "orchestrator")?);
        Ok(Self {
            name: name.to_owned(),
            csrf: data_encoding::BASE64URL_NOPAD.encode(hmac::sign(csrf, id.as_str().as_bytes()).as_ref()),
            id,
            from_ms,
            until_ms,
            panel: panel.max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE),
            guardian: Guardian::new(channel(config.guardian, "guardian")?),
            audit: Audit::new(channel(config.audit, "audit")?),
            lent,
            reports: Open::new(),
            notes: Open::new(),
            records: Open::new(),
            patients: Open::new(),
            own: Open::new(),
        })
    }

    /// The person's request to open one session, signed with the key that they lent.
    pub(crate) fn access(&self, session: &str) -> Option<Statement> {
        let at_unix_ms = chrono::Utc::now().timestamp_millis();
        let asked = Access { session: session.to_owned(), signer: self.id.to_string(), nonce: nonce()?, at_unix_ms };
        let json = asked.to_bytes();
        let signature = self.lent.sign(&SystemRandom::new(), &Context::Access.signed_bytes(&json)).ok()?;
        Some(Statement { json, signature: signature.as_ref().to_vec() })
    }
}

impl<T: Clone> Open<(u64, T)> {
    /// Unless a newer one is there: a tab that hears late does not take back what another was told.
    pub(crate) fn put_newer(&self, name: &str, version: u64, what: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().all(|(other, (had, _))| other != name || *had <= version) {
            Self::place(&mut kept, name, (version, what));
        }
    }
}

/// Everybody who is signed in, by their cookie.
#[derive(Default)]
pub(crate) struct People(Mutex<HashMap<String, Arc<SignedIn>>>);

impl People {
    /// Somebody has signed in. The one whose time ends first makes room.
    pub(crate) fn add(&self, cookie: String, who: SignedIn, now_ms: i64) {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, who| who.until_ms > now_ms);
        if people.len() >= MOST {
            let first = people.iter().min_by_key(|(_, who)| who.until_ms).map(|(cookie, _)| cookie.clone());
            first.and_then(|first| people.remove(&first));
        }
        people.insert(cookie, Arc::new(who));
    }

    /// Whose cookie it is, while their time lasts.
    pub(crate) fn get(&self, cookie: &str, now_ms: i64) -> Option<Arc<SignedIn>> {
        let mut people = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let who = people.get(cookie).cloned()?;
        if who.until_ms > now_ms {
            return Some(who);
        }
        people.remove(cookie);
        None
    }

    /// Somebody has signed out.
    pub(crate) fn remove(&self, cookie: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let open = Open::new();
        for n in 0..=MOST_OPEN {
            open.put(&n.to_string(), n);
        }
        assert_eq!((open.get("0"), open.get("1"), open.get("16")), (None, Some(1), Some(16)));
        open.put("1", 7);
        assert_eq!(open.get("1"), Some(7));
    }

    #[test]
    fn the_older_does_not_take_the_newers_place() {
        let open = Open::new();
        for (version, what) in [(3, "three"), (5, "five"), (4, "four"), (5, "five again"), (0, "none")] {
            open.put_newer("s", version, what);
        }
        assert_eq!(open.get("s"), Some((5, "five again")));
        open.put_newer("t", 0, "first");
        assert_eq!(open.get("t"), Some((0, "first")));
    }
}
