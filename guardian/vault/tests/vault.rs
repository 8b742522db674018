//! What opens, what does not, and what is left after erasure.
#![allow(clippy::unwrap_used, reason = "in a test they are the refusal")]

use bodh_vault::{Envelope, Place, SessionSecret, VaultError, VaultKey, View, ViewKey, ViewKeys, expose};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

const PLACE: Place<'_> = Place { session: "session-1", record: "note", sequence: 3 };

fn keys() -> ViewKeys {
    let (_, recipient) = Envelope::create();
    ViewKeys::create(&recipient).unwrap().0
}

/// Every copy of `bytes` with one byte changed, and every proper prefix, and one byte more.
fn altered(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let flipped = (0..bytes.len()).flat_map(move |at| {
        [1, 0x80].map(|bit| {
            let mut copy = bytes.to_vec();
            copy[at] ^= bit;
            copy
        })
    });
    let cut = (0..bytes.len()).map(move |length| bytes[..length].to_vec());
    let longer = std::iter::once([bytes, &[0]].concat());
    flipped.chain(cut).chain(longer)
}

#[test]
fn a_session_comes_back_from_its_wrapped_secret() {
    let vault = VaultKey::from_secret(&VaultKey::generate().to_secret()).unwrap();
    let (secret, recipient) = Envelope::create();
    let wrapped = vault.wrap(&secret, "session-1").unwrap();
    let (keys, sealed_keys) = ViewKeys::create(&recipient).unwrap();
    let records = View::ALL.map(|view| keys.key(view).seal(PLACE, view.name().as_bytes()).unwrap());

    let again = VaultKey::from_secret(&vault.to_secret()).unwrap().unwrap(&wrapped, "session-1").unwrap();
    assert_eq!(again.recipient(), recipient);
    let carried = SessionSecret::from_secret(&again.to_secret()).unwrap();
    let opened = ViewKeys::open(&carried, &sealed_keys).unwrap();
    for (view, record) in View::ALL.into_iter().zip(&records) {
        assert_eq!(expose(&opened.key(view).open(PLACE, record).unwrap()), view.name().as_bytes());
        let one = ViewKeys::open_one(&carried, view, &sealed_keys).unwrap();
        assert_eq!(one.view(), view);
        assert_eq!(expose(&one.open(PLACE, record).unwrap()), view.name().as_bytes());
        assert_eq!(one.commitment("field", b"value"), keys.key(view).commitment("field", b"value"));
    }
}

#[test]
fn a_wrapped_secret_belongs_to_one_vault_and_one_session() {
    let (vault, other) = (VaultKey::generate(), VaultKey::generate());
    let (secret, _) = Envelope::create();
    let wrapped = vault.wrap(&secret, "session-1").unwrap();
    for session in ["session-2", "", "session-1 ", "Session-1"] {
        assert_eq!(vault.unwrap(&wrapped, session).unwrap_err(), VaultError::WrongWrap);
    }
    assert_eq!(other.unwrap(&wrapped, "session-1").unwrap_err(), VaultError::WrongWrap);
    // Anybody can encrypt to the vault's recipient, if he learns it; only the vault can say that it did.
    let identity: age::x25519::Identity = vault.to_secret().expose_secret().parse().unwrap();
    let forged = age::encrypt(&identity.to_public(), secret.to_secret().expose_secret().as_bytes()).unwrap();
    let forged = [&wrapped[..32], &forged].concat();
    assert_eq!(vault.unwrap(&forged, "session-1").unwrap_err(), VaultError::WrongWrap);
    for wrong in altered(&wrapped) {
        assert_eq!(vault.unwrap(&wrong, "session-1").unwrap_err(), VaultError::WrongWrap);
    }
    assert_eq!(vault.wrap(&secret, &"x".repeat(257)), Err(VaultError::TooLong));
}

#[test]
fn a_sealed_key_belongs_to_one_session_and_one_view() {
    let (secret, recipient) = Envelope::create();
    let (stranger, _) = Envelope::create();
    let (_, sealed) = ViewKeys::create(&recipient).unwrap();
    assert_eq!(ViewKeys::open(&stranger, &sealed).unwrap_err(), VaultError::WrongKey);
    for (i, view) in View::ALL.into_iter().enumerate() {
        for j in (0..4).filter(|j| *j != i) {
            let mut swapped = sealed.clone();
            swapped.swap(i, j);
            assert_eq!(ViewKeys::open_one(&secret, view, &swapped).unwrap_err(), VaultError::WrongKey);
            assert_eq!(ViewKeys::open(&secret, &swapped).unwrap_err(), VaultError::WrongKey);
        }
    }
    for wrong in altered(&sealed[2]) {
        let [a, b, _, d] = sealed.clone();
        let wrong = [a, b, wrong, d];
        assert_eq!(ViewKeys::open_one(&secret, View::Findings, &wrong).unwrap_err(), VaultError::WrongKey);
    }
    assert_eq!(ViewKeys::create("age1nonsense").unwrap_err(), VaultError::NotARecipient);
    let text = SecretString::from("AGE-SECRET-KEY-1NONSENSE".to_owned());
    assert_eq!(SessionSecret::from_secret(&text).unwrap_err(), VaultError::NotAnIdentity);
    assert_eq!(VaultKey::from_secret(&text).unwrap_err(), VaultError::NotAnIdentity);
}

#[test]
fn a_record_that_was_moved_does_not_open() {
    let (keys, others) = (keys(), keys());
    let key = keys.key(View::Findings);
    let sealed = key.seal(PLACE, b"text").unwrap();
    let moves = [
        Place { session: "session-2", ..PLACE },
        Place { record: "other", ..PLACE },
        Place { sequence: 4, ..PLACE },
        Place { sequence: u64::MAX, ..PLACE },
        // The same letters with the border between the names elsewhere.
        Place { session: "session-", record: "1note", sequence: 3 },
        Place { session: "session-1n", record: "ote", sequence: 3 },
    ];
    for place in moves {
        assert_eq!(key.open(place, &sealed).unwrap_err(), VaultError::WrongRecord);
    }
    for view in View::ALL.into_iter().filter(|view| *view != View::Findings) {
        assert_eq!(keys.key(view).open(PLACE, &sealed).unwrap_err(), VaultError::WrongRecord);
    }
    assert_eq!(others.key(View::Findings).open(PLACE, &sealed).unwrap_err(), VaultError::WrongRecord);
    assert_eq!(expose(&key.open(PLACE, &sealed).unwrap()), b"text");
}

#[test]
fn equal_records_do_not_look_equal() {
    let keys = keys();
    let key = keys.key(View::Reasoning);
    assert_ne!(key.seal(PLACE, b"text").unwrap(), key.seal(PLACE, b"text").unwrap());
}

#[test]
fn a_commitment_says_nothing_without_its_key() {
    let (keys, others) = (keys(), keys());
    let commitment = |key: &ViewKey| key.commitment("answer", b"yes");
    let all: std::collections::BTreeSet<[u8; 32]> =
        View::ALL.iter().flat_map(|view| [commitment(keys.key(*view)), commitment(others.key(*view))]).collect();
    assert_eq!(all.len(), 8, "the same value under eight keys gives eight commitments");
    let key = keys.key(View::Findings);
    assert_eq!(commitment(key), commitment(key));
    assert_ne!(commitment(key), key.commitment("answer", b"no"));
    assert_ne!(key.commitment("ab", b"c"), key.commitment("a", b"bc"));
}

/// Two stores, as bytes, and what an intruder could try after the wrapped secret was destroyed.
#[test]
fn without_the_wrapped_secret_nothing_opens() {
    let vault = VaultKey::generate();
    let (secret, recipient) = Envelope::create();
    let (neighbour, _) = Envelope::create();
    let kept_wrapped = vault.wrap(&neighbour, "session-2").unwrap();
    let wrapped = vault.wrap(&secret, "session-1").unwrap();
    let (keys, sealed_keys) = ViewKeys::create(&recipient).unwrap();
    let canary = b"canary-5f1c";
    let records = View::ALL.map(|view| keys.key(view).seal(PLACE, canary).unwrap());
    drop((keys, secret));

    // Before: the guardian's store gives it back.
    assert!(ViewKeys::open(&vault.unwrap(&wrapped, "session-1").unwrap(), &sealed_keys).is_ok());
    // Erasure.
    drop(wrapped);
    let stored: Vec<&[u8]> = sealed_keys
        .iter()
        .chain(&records)
        .map(Vec::as_slice)
        .chain([kept_wrapped.as_slice(), recipient.as_bytes()])
        .collect();

    // Even the vault's own key, every other session's, and every stored byte taken for a wrapped secret, a key or a record.
    let identities = [SessionSecret::from_secret(&vault.to_secret()).unwrap(), neighbour];
    for bytes in &stored {
        assert!(vault.unwrap(bytes, "session-1").is_err());
        assert!(!bytes.windows(canary.len()).any(|window| window == canary));
        let as_keys = [(); 4].map(|()| bytes.to_vec());
        for (identity, view) in identities.iter().flat_map(|identity| View::ALL.map(|view| (identity, view))) {
            assert!(ViewKeys::open_one(identity, view, &as_keys).is_err());
        }
    }
    let (_, fresh) = Envelope::create();
    let (strange, _) = ViewKeys::create(&fresh).unwrap();
    for (record, view) in records.iter().flat_map(|record| View::ALL.map(|view| (record, view))) {
        assert!(strange.key(view).open(PLACE, record).is_err());
    }
}

#[test]
fn nothing_secret_is_printed() {
    let vault = VaultKey::generate();
    let (secret, recipient) = Envelope::create();
    let (keys, _) = ViewKeys::create(&recipient).unwrap();
    let key = keys.key(View::FreeText);
    let opened = key.open(PLACE, &key.seal(PLACE, b"canary-5f1c").unwrap()).unwrap();
    assert_eq!(format!("{vault:?} {secret:?} {key:?}"), "VaultKey SessionSecret ViewKey(free_text)");
    assert!(!format!("{opened:?}").contains("canary") && !format!("{opened:?}").contains("99, 97"));
}

#[test]
fn view_names_are_those_of_json() {
    for view in View::ALL {
        assert_eq!(serde_json::to_value(view).unwrap(), view.name());
    }
    assert!(serde_json::from_str::<View>("\"everything\"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn every_record_comes_back_and_no_altered_one_does(
        session in ".{0,20}", record in ".{0,20}", sequence: u64, text in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let keys = keys();
        let key = keys.key(View::Identifiers);
        let place = Place { session: &session, record: &record, sequence };
        let sealed = key.seal(place, &text).unwrap();
        prop_assert_eq!(sealed.len(), text.len() + 29);
        let opened = key.open(place, &sealed).unwrap();
        prop_assert_eq!(expose(&opened), text.as_slice());
        for wrong in altered(&sealed) {
            prop_assert_eq!(key.open(place, &wrong).unwrap_err(), VaultError::WrongRecord);
        }
    }

    #[test]
    fn every_session_id_comes_back(session in ".{0,64}", other in ".{0,64}") {
        let vault = VaultKey::generate();
        let (secret, recipient) = Envelope::create();
        let wrapped = vault.wrap(&secret, &session).unwrap();
        prop_assert_eq!(vault.unwrap(&wrapped, &session).unwrap().recipient(), recipient);
        prop_assert_eq!(vault.unwrap(&wrapped, &other).is_ok(), session == other);
    }
}
