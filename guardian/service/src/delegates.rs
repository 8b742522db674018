//! Keys that people lend to their clients: the key of the certificate that a passkey proved at the door. A passkey signs with
//! a touch each time, so for reading the client signs with what it was lent, for as long as the certificate lasts. A decision
//! is never signed so.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bodh_identity::{SpiffeId, passkey::is_signed_by, signing::Context};

/// Most lent keys of one person: browsers signed in at once.
const MAX_EACH: usize = 8;

/// The keys lent since the start. They are in memory only: after a restart people sign in again.
#[derive(Default)]
pub struct Delegates {
    lent: Mutex<BTreeMap<SpiffeId, Vec<Lent>>>,
}

struct Lent {
    spki: Vec<u8>,
    from_ms: i64,
    until_ms: i64,
}

impl Delegates {
    /// `id` lends the key in `spki` from one time until another; the oldest of too many is taken back.
    pub fn lend(&self, id: &SpiffeId, spki: &[u8], (from_ms, until_ms): (i64, i64), now_ms: i64) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        lent.retain(|_, keys| {
            keys.retain(|key| key.until_ms > now_ms);
            !keys.is_empty()
        });
        let keys = lent.entry(id.clone()).or_default();
        if keys.len() >= MAX_EACH {
            keys.remove(0);
        }
        keys.push(Lent { spki: spki.to_vec(), from_ms, until_ms });
    }

    /// Whether a key that `id` lends now, and has lent since they last lost a key, signed this request to open a session.
    pub fn signed_access(
        &self,
        id: &SpiffeId,
        statement: &[u8],
        signature: &[u8],
        (since_ms, now_ms): (i64, i64),
    ) -> bool {
        let message = Context::Access.signed_bytes(statement);
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |key: &&Lent| key.until_ms > now_ms && key.from_ms >= since_ms;
        let mut keys = lent.get(id).into_iter().flatten().filter(good);
        keys.any(|key| is_signed_by(&key.spki, &message, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };

    fn key() -> (EcdsaKeyPair, Vec<u8>) {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let spki = [data_encoding::HEXLOWER.decode(prefix.as_bytes()).unwrap(), pair.public_key().as_ref().to_vec()];
        (pair, spki.concat())
    }

    #[test]
    fn a_lent_key_opens_for_its_person_until_its_time() {
        let id = SpiffeId::parse("spiffe://d/human/ann").unwrap();
        let other = SpiffeId::parse("spiffe://d/human/bob").unwrap();
        let (delegates, (pair, spki)) = (Delegates::default(), key());
        let sign = |context: Context| pair.sign(&SystemRandom::new(), &context.signed_bytes(b"open")).unwrap();
        let access = sign(Context::Access);
        assert!(!delegates.signed_access(&id, b"open", access.as_ref(), (0, 0)));
        delegates.lend(&id, &spki, (0, 10), 0);
        assert!(delegates.signed_access(&id, b"open", access.as_ref(), (0, 9)));
        assert!(!delegates.signed_access(&id, b"open", access.as_ref(), (0, 10)), "its time is over");
        assert!(!delegates.signed_access(&id, b"open", access.as_ref(), (1, 9)), "they lost a key since");
        assert!(!delegates.signed_access(&other, b"open", access.as_ref(), (0, 9)), "another person");
        assert!(!delegates.signed_access(&id, b"shut", access.as_ref(), (0, 9)), "another statement");
        assert!(!delegates.signed_access(&id, b"open", sign(Context::Decision).as_ref(), (0, 9)), "another purpose");
        for _ in 0..MAX_EACH {
            delegates.lend(&id, &key().1, (0, 10), 0);
        }
        assert!(
            !delegates.signed_access(&id, b"open", access.as_ref(), (0, 9)),
            "the oldest of too many is taken back"
        );
    }
}
