//! A software authenticator, and each way in which an assertion can be wrong.

use super::*;
use crate::signing::{Context, challenge, verify};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

struct Authenticator {
    pair: EcdsaKeyPair,
}

/// What the authenticator and its browser are told to say.
#[derive(Clone)]
struct Says {
    site: String,
    flags: u8,
    client: String,
}

impl Authenticator {
    fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap() }
    }

    fn spki(&self) -> Vec<u8> {
        [SPKI.as_slice(), self.pair.public_key().as_ref()].concat()
    }

    fn passkey(&self) -> Passkey {
        Passkey::new(&self.spki(), "localhost", b"credential").unwrap()
    }

    fn assert(&self, says: &Says) -> Vec<u8> {
        let mut data = digest(&SHA256, says.site.as_bytes()).as_ref().to_vec();
        data.extend([says.flags, 0, 0, 0, 0]);
        let client_data = says.client.clone().into_bytes();
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        Assertion { authenticator_data: data, client_data, signature }.to_bytes()
    }
}

fn client(kind: &str, challenge: &[u8], origin: &str, more: &str) -> String {
    let challenge = BASE64URL_NOPAD.encode(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#)
}

fn good() -> Says {
    let challenge = challenge(Context::Decision, b"yes");
    let client = client("webauthn.get", &challenge, "https://localhost:8443", r#","crossOrigin":false,"new":1"#);
    Says { site: "localhost".into(), flags: 0x1d, client }
}

#[test]
fn an_assertion_stands_for_a_signature_with_its_purpose_and_payload() {
    let authenticator = Authenticator::new();
    let (key, assertion) = (authenticator.passkey().to_bytes(), authenticator.assert(&good()));
    assert_eq!(verify(&key, Context::Decision, b"yes", &assertion), Ok(()));
    let refused = Err(SigningError::Signature);
    assert_eq!(verify(&key, Context::Decision, b"no", &assertion), refused);
    assert_eq!(verify(&key, Context::Mark, b"yes", &assertion), refused);
    assert_eq!(verify(&Authenticator::new().passkey().to_bytes(), Context::Decision, b"yes", &assertion), refused);
}

#[test]
fn each_part_that_is_wrong_is_refused() {
    let authenticator = Authenticator::new();
    let key = authenticator.passkey();
    let challenge = challenge(Context::Decision, b"yes");
    let from = |origin: &str| Says { client: client("webauthn.get", &challenge, origin, ""), ..good() };
    let more = |more: &str| Says { client: client("webauthn.get", &challenge, "https://localhost", more), ..good() };
    assert_eq!(key.verify(&challenge, &authenticator.assert(&from("https://localhost"))), Ok(()));
    let wrong = [
        ("another site", Says { site: "example.org".into(), ..good() }),
        ("nobody verified", Says { flags: 0x01, ..good() }),
        ("nobody there", Says { flags: 0x04, ..good() }),
        ("a registration", Says { client: client("webauthn.create", &challenge, "https://localhost", ""), ..good() }),
        ("another challenge", Says { client: client("webauthn.get", &[0; 32], "https://localhost", ""), ..good() }),
        ("no TLS", from("http://localhost")),
        ("a longer name", from("https://localhost.example.org")),
        ("a name before", from("https://evil.localhost")),
        ("a user name", from("https://localhost:1@example.org")),
        ("a path", from("https://localhost:1/x")),
        ("no port", from("https://localhost:")),
        ("framed", more(r#","crossOrigin":true"#)),
        ("framed by another", more(r#","topOrigin":"https://example.org""#)),
        ("said twice", more(r#","origin":"https://localhost""#)),
        ("no JSON", Says { client: "type=webauthn.get".into(), ..good() }),
    ];
    for (what, says) in wrong {
        assert_eq!(key.verify(&challenge, &authenticator.assert(&says)), Err(SigningError::Signature), "{what}");
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let authenticator = Authenticator::new();
    let (key, challenge) = (authenticator.passkey(), challenge(Context::Decision, b"yes"));
    let assertion = authenticator.assert(&good());
    for place in 0..assertion.len() {
        for bit in 0..8 {
            let mut bad = assertion.clone();
            bad[place] ^= 1 << bit;
            assert_eq!(key.verify(&challenge, &bad), Err(SigningError::Signature), "byte {place} bit {bit}");
        }
    }
    assert_eq!(key.verify(&challenge, &[b' '; MAX_ASSERTION + 1]), Err(SigningError::Signature));
}

#[test]
fn a_key_has_one_spelling() {
    let passkey = Authenticator::new().passkey();
    let bytes = passkey.to_bytes();
    assert_eq!(Passkey::from_bytes(&bytes).as_ref(), Some(&passkey));
    assert_eq!((passkey.rp_id(), passkey.credential()), ("localhost", b"credential".as_slice()));
    for cut in 0..bytes.len() - passkey.credential().len() + 1 {
        assert_eq!(Passkey::from_bytes(&bytes[..cut]), None, "{cut}");
    }
    let mut compressed = bytes;
    compressed[0] = 2;
    assert_eq!(Passkey::from_bytes(&compressed), None);
    let spki = Authenticator::new().spki();
    for (rp_id, credential) in
        [("", &b"c"[..]), ("Localhost", b"c"), ("a/b", b"c"), ("localhost", b""), ("x", &[0; 256])]
    {
        assert_eq!(Passkey::new(&spki, rp_id, credential), Err(SigningError::Key), "{rp_id}");
    }
    assert_eq!(Passkey::new(&spki[1..], "localhost", b"c"), Err(SigningError::Key));
}

#[test]
fn a_lent_key_signs_in_the_fixed_form() {
    let random = SystemRandom::new();
    let algorithm = &ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap();
    let spki = [SPKI.as_slice(), pair.public_key().as_ref()].concat();
    let signature = pair.sign(&random, b"open").unwrap();
    assert!(is_signed_by(&spki, b"open", signature.as_ref()));
    assert!(!is_signed_by(&spki, b"shut", signature.as_ref()));
    assert!(!is_signed_by(&spki[1..], b"open", signature.as_ref()));
}
