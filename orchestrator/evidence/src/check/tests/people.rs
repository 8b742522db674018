use super::*;
use bodh_audit_log::{Draft, Kind, Time};
use bodh_guardian_api::{Invitation, SignedInvitation, named};
use bodh_identity::{
    passkey::{Assertion, Passkey},
    signing::{PersonKey, Signer, challenge},
};
use chrono::{DateTime, Utc};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

const DOMAIN: &str = "test.internal";

/// A passkey in software.
struct Device(EcdsaKeyPair);

impl Device {
    fn new() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let random = SystemRandom::new();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    fn key(&self) -> Vec<u8> {
        let prefix = HEXLOWER.decode(b"3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        let spki = [prefix, self.0.public_key().as_ref().to_vec()].concat();
        Passkey::new(&spki, "localhost", b"credential").unwrap().to_bytes()
    }

    fn sign(&self, context: Context, payload: &[u8]) -> Vec<u8> {
        let challenge = BASE64URL_NOPAD.encode(&challenge(context, payload));
        let client = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://localhost:1"}}"#);
        let data = [digest(&SHA256, b"localhost").as_ref(), &[5, 0, 0, 0, 0]].concat();
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.0.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        Assertion { authenticator_data: data, client_data: client.into_bytes(), signature }.to_bytes()
    }
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn id(name: &str) -> String {
    format!("spiffe://{DOMAIN}/human/{name}")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A log that the guardian writes, and what a file tells of the people in it.
struct World {
    operator: PersonKey,
    ann: Device,
    told: Vec<Let>,
    all: Vec<(u64, Entry)>,
    head: String,
}

impl World {
    /// The first operator, and ann with a passkey on their invitation.
    fn new() -> Self {
        let (operator, ann) = (PersonKey::generate().unwrap(), Device::new());
        let mut world = Self { operator, ann, told: Vec::new(), all: Vec::new(), head: String::new() };
        let key = world.operator.public_key();
        let first = Enrolment::new("local", DOMAIN, &["operator"], &key, "local_key", &id("local"), at()).to_bytes();
        let signature = world.operator.sign(Context::Enrolment, &first).unwrap().to_vec();
        world.enter("bootstrap", Kind::Decision, &id("local"), &first);
        world.told.push(Let { record: text(&first), signature: BASE64.encode(&signature), changes: Vec::new() });
        let invitation = Some(world.invite(None));
        let record = Enrolment::new("ann", DOMAIN, &["physician"], &world.ann.key(), "webauthn", &id("local"), at());
        let record = Enrolment { invitation, ..record }.to_bytes();
        let signature = world.ann.sign(Context::Enrolment, &record);
        world.enter("accept_invitation", Kind::Decision, &id("ann"), &record);
        world.told.push(Let { record: text(&record), signature: BASE64.encode(&signature), changes: Vec::new() });
        world.head = named(&record);
        world
    }

    fn invite(&self, replaces: Option<String>) -> String {
        let invitation = Invitation::new(("ann", DOMAIN), &["physician"], &id("local"), &"0".repeat(32), at());
        let invitation = Invitation { replaces, ..invitation }.to_bytes();
        let signature = self.operator.sign(Context::Invitation, &invitation).unwrap().to_vec();
        SignedInvitation { invitation, signature }.to_link()
    }

    fn enter(&mut self, action: &str, kind: Kind, whom: &str, record: &[u8]) -> u64 {
        let index = self.all.len() as u64 + 1;
        let mut draft = Draft::new(kind, action, format!("{action}/{index}"));
        draft.resource = whom.to_owned();
        draft.commitments.insert("record".to_owned(), *Hash::of(record).as_bytes());
        let time = Time::from_unix_ns(1_780_000_000_000_000_000 + i64::try_from(index).unwrap()).unwrap();
        let reporter = format!("spiffe://{DOMAIN}/service/guardian");
        self.all.push((index, Entry { time, reporter, draft }));
        index
    }

    /// Takes a change into the log and the file; its entry.
    fn change(&mut self, change: &KeyChange, own: Option<&Device>, new: Option<&Device>) -> u64 {
        let record = change.to_bytes();
        let by =
            |key: Option<&Device>| BASE64.encode(&key.map(|key| key.sign(Context::Keys, &record)).unwrap_or_default());
        let changed = Changed { record: text(&record), by_own: by(own), by_new: by(new) };
        self.told[1].changes.push(changed);
        self.head = named(&record);
        self.enter("keys", Kind::State, &id("ann"), &record)
    }

    fn next(&self) -> KeyChange {
        KeyChange::new(&id("ann"), &self.head, at())
    }

    fn read(&self) -> Result<People, String> {
        read(&self.told, &self.all, u64::MAX).map(|(people, _)| people).map_err(|fault| fault.what)
    }
}

#[test]
fn a_signature_counts_by_the_keys_at_its_entry() {
    let mut world = World::new();
    let (second, third) = (Device::new(), Device::new());
    let ann = std::mem::replace(&mut world.ann, Device::new());
    let added = world.change(&world.next().adding(&second.key()), Some(&ann), Some(&second));
    let removed = world.change(&world.next().removing([named(&second.key())]), Some(&ann), None);
    let link = world.invite(Some(world.head.clone()));
    let replacing = world.next().adding(&third.key()).removing([named(&ann.key())]);
    let replaced = world.change(&KeyChange { invitation: Some(link), ..replacing }, None, Some(&third));
    let people = world.read().unwrap();
    let known = people.get(&id("ann")).unwrap();
    let holds =
        |entry: u64, key: &Device| known.signed(entry, Context::Decision, b"yes", &key.sign(Context::Decision, b"yes"));
    for (entry, by_ann, by_second, by_third) in [
        (added, true, false, false),
        (added + 1, true, true, false),
        (removed, true, true, false),
        (removed + 1, true, false, false),
        (replaced, true, false, false),
        (replaced + 1, false, false, true),
    ] {
        let found = (holds(entry, &ann), holds(entry, &second), holds(entry, &third));
        assert_eq!(found, (by_ann, by_second, by_third), "at entry {entry}");
    }
    assert!(!holds(1, &ann), "before she came");
    assert!(!known.signed(added, Context::Mark, b"yes", &ann.sign(Context::Decision, b"yes")), "for another purpose");
}

#[test]
fn a_change_that_is_left_out_forged_or_elsewhere_is_found() {
    let added = || {
        let (mut world, second) = (World::new(), Device::new());
        let ann = std::mem::replace(&mut world.ann, Device::new());
        world.change(&world.next().adding(&second.key()), Some(&ann), Some(&second));
        world.change(&world.next().removing([named(&second.key())]), Some(&ann), None);
        (world, ann, second)
    };
    let (world, ..) = added();
    assert!(world.read().is_ok());
    let fault = |spoil: fn(&mut World)| {
        let (mut world, ..) = added();
        spoil(&mut world);
        world.read().map(drop).unwrap_err()
    };
    let missing = "a change of the keys of spiffe://test.internal/human/ann is missing here";
    assert_eq!(fault(|w| drop(w.told[1].changes.pop())), missing, "the removal");
    assert_eq!(fault(|w| w.told[1].changes.clear()), missing);
    assert_eq!(fault(|w| w.told[1].changes.swap(0, 1)), missing);
    assert!(fault(|w| drop(w.all.pop())).contains("is not on record"));
    let unsigned = "a change of the keys of spiffe://test.internal/human/ann does not hold: ";
    assert!(fault(|w| w.told[1].changes[0].by_own.clear()).starts_with(unsigned));
    assert!(fault(|w| w.told[1].changes[0].by_new.clear()).starts_with(unsigned));
    assert!(fault(|w| w.told[1].changes[1].by_own = w.told[1].changes[0].by_new.clone()).starts_with(unsigned));
    assert!(fault(|w| w.told[1].signature.clear()).contains("enrolment 2 does not hold"));
    assert!(
        fault(|w| w.told.swap(0, 1)).contains("enrolment 1 does not hold"),
        "nobody comes before the first operator"
    );
    // What the guardian did after the file was made is not in it.
    let (mut world, ann, _) = added();
    let until = world.all.len() as u64 + 1;
    let third = Device::new();
    let kept = world.told.clone();
    world.change(&world.next().adding(&third.key()), Some(&ann), Some(&third));
    assert!(read(&kept, &world.all, until).is_ok());
    assert_eq!(read(&kept, &world.all, u64::MAX).map(drop).unwrap_err().what, missing);
}
