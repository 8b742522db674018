//! C2SP `signed-note` with Ed25519: a text, a blank line, and signature lines.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::Hash;

/// The longest note that is read.
pub const MAX_NOTE: usize = 65_536;
/// The most signature lines that are read.
const MAX_SIGNATURES: usize = 64;
/// The algorithm byte of Ed25519 in `signed-note`.
const ED25519_NOTE: u8 = 0x01;
const DASH: &str = "\u{2014} ";
const SECRET: &str = "PRIVATE+KEY+";

/// Why a note or key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteFault {
    /// Not a signed note.
    #[error("not a signed note: a text, a blank line and signature lines")]
    Malformed,
    /// Not `NAME+KEYID+BASE64`, or the key id does not belong to the key.
    #[error("not a key in the form NAME+KEYID+BASE64 with its own key id")]
    Key,
    /// No signature by this key.
    #[error("no signature by the expected key")]
    Unsigned,
    /// A signature by this key does not verify.
    #[error("the signature does not verify")]
    Signature,
}

/// A key that verifies notes: `NAME+KEYID+BASE64(0x01 || key)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    key: [u8; 32],
}

impl VerifierKey {
    /// A named Ed25519 public key.
    ///
    /// # Errors
    /// When the name is empty, longer than 200 bytes, or holds a space, a plus sign or a control character.
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteFault> {
        if is_name(name) { Ok(Self { name: name.to_owned(), key }) } else { Err(NoteFault::Key) }
    }

    /// Reads exactly what `Display` writes.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, NoteFault> {
        let (name, rest) = text.split_once('+').ok_or(NoteFault::Key)?;
        let (_, encoded) = rest.split_once('+').ok_or(NoteFault::Key)?;
        let key = keyed(encoded)?;
        let parsed = Self::new(name, key)?;
        if parsed.to_string() == text { Ok(parsed) } else { Err(NoteFault::Key) }
    }

    /// The log's (or witness's) name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of what the key id is taken from, whole: the id itself is too short to be compared by a person.
    #[must_use]
    pub fn fingerprint(&self) -> Hash {
        Hash::of(&[self.name.as_bytes(), b"\n", &[ED25519_NOTE], &self.key].concat())
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || 0x01 || key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = *self.fingerprint().as_bytes();
        [a, b, c, d]
    }

    /// Whether the note carries a good signature by this key, and none by it that is bad.
    ///
    /// # Errors
    /// When there is none, or one does not verify.
    pub fn verify(&self, note: &Note) -> Result<(), NoteFault> {
        let id = self.id();
        let mut ours = note.signatures.iter().filter(|s| s.name == self.name && s.id == id).peekable();
        ours.peek().ok_or(NoteFault::Unsigned)?;
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        ours.try_for_each(|s| key.verify(note.text.as_bytes(), &s.bytes).map_err(|_| NoteFault::Signature))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = BASE64.encode(&[&[ED25519_NOTE], self.key.as_slice()].concat());
        write!(f, "{}+{}+{encoded}", self.name, HEXLOWER.encode(&self.id()))
    }
}

/// A key that signs notes.
pub struct SigningKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key of a 32-byte seed, which the caller takes from a cryptographic source.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteFault> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteFault::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| NoteFault::Key)?;
        Ok(Self { verifier: VerifierKey::new(name, public)?, pair })
    }

    /// The text to seal: `PRIVATE+KEY+NAME+KEYID+BASE64(0x01 || seed)`. It is the secret.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn secret_text(name: &str, seed: &[u8; 32]) -> Result<String, NoteFault> {
        let id = HEXLOWER.encode(&Self::from_seed(name, seed)?.verifier.id());
        Ok(format!("{SECRET}{name}+{id}+{}", BASE64.encode(&[&[ED25519_NOTE], seed.as_slice()].concat())))
    }

    /// Reads exactly what [`secret_text`](Self::secret_text) gives.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn from_secret_text(text: &str) -> Result<Self, NoteFault> {
        let rest = text.strip_prefix(SECRET).ok_or(NoteFault::Key)?;
        let (name, rest) = rest.split_once('+').ok_or(NoteFault::Key)?;
        let (id, encoded) = rest.split_once('+').ok_or(NoteFault::Key)?;
        let key = Self::from_seed(name, &keyed(encoded)?)?;
        if HEXLOWER.encode(&key.verifier.id()) == id { Ok(key) } else { Err(NoteFault::Key) }
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text that ends with a newline; the note.
    ///
    /// # Errors
    /// When the text is empty or does not end with a newline.
    pub fn sign(&self, text: &str) -> Result<String, NoteFault> {
        if !text.ends_with('\n') {
            return Err(NoteFault::Malformed);
        }
        let signature = self.pair.sign(text.as_bytes());
        let encoded = BASE64.encode(&[self.verifier.id().as_slice(), signature.as_ref()].concat());
        Ok(format!("{text}\n{DASH}{} {encoded}\n", self.verifier.name))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

/// A signed note, read but not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What is signed, with its last newline.
    pub text: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Note {
    /// Splits a note into its text and signatures. Signatures by unknown keys are kept and mean nothing.
    ///
    /// # Errors
    /// When the bytes do not have the form of a note.
    pub fn parse(note: &str) -> Result<Self, NoteFault> {
        let control = |c: char| c.is_control() && c != '\n';
        if note.len() > MAX_NOTE || note.contains(control) {
            return Err(NoteFault::Malformed);
        }
        let (text, block) = note.rsplit_once("\n\n").ok_or(NoteFault::Malformed)?;
        let lines = block.strip_suffix('\n').ok_or(NoteFault::Malformed)?.split('\n');
        let signatures: Vec<Signature> = lines.take(MAX_SIGNATURES + 1).map(signature).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteFault::Malformed);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

fn signature(line: &str) -> Result<Signature, NoteFault> {
    let (name, encoded) = line.strip_prefix(DASH).and_then(|l| l.split_once(' ')).ok_or(NoteFault::Malformed)?;
    let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| NoteFault::Malformed)?;
    match bytes.split_first_chunk::<4>() {
        Some((id, rest)) if is_name(name) && !rest.is_empty() => {
            Ok(Signature { name: name.to_owned(), id: *id, bytes: rest.to_vec() })
        }
        _ => Err(NoteFault::Malformed),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The 32 bytes after the algorithm byte.
fn keyed(encoded: &str) -> Result<[u8; 32], NoteFault> {
    let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| NoteFault::Key)?;
    match bytes.split_first() {
        Some((&ED25519_NOTE, key)) => key.try_into().map_err(|_| NoteFault::Key),
        _ => Err(NoteFault::Key),
    }
}
