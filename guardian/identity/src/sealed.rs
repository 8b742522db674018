//! Secrets at rest: sealed with age (X25519, or a passphrase through scrypt), in files only their owner can read.
//!
//! A wrapped secret names what it is (its label), so one sealed file put in another's place does not open.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use age::{Decryptor, Encryptor, scrypt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use age::x25519::{Identity, Recipient};

/// The largest secret that is sealed or opened.
pub const MAX_SECRET: usize = 16 * 1024 * 1024;
/// What sealing adds, at most: header, nonce, and 16 bytes for each 64 KiB (age specification).
const OVERHEAD: usize = 16 * 1024;
/// log2 of scrypt's N when sealing with a passphrase: 128 MiB and about half a second.
const WORK_FACTOR: u8 = 17;
/// The largest accepted when opening, so that a planted file cannot hold the machine: 1 GiB.
const MAX_WORK_FACTOR: u8 = 20;

/// Why a secret could not be sealed or opened. Says nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The bytes are not sealed to this identity, or were altered.
    #[error("this key does not open it, or it was altered")]
    WrongKey,
    /// The passphrase is wrong, or the bytes were altered.
    #[error("this passphrase does not open it, or it was altered")]
    WrongPassphrase,
    /// Opening would take more work than is allowed.
    #[error("opening it asks for more work than is allowed")]
    TooMuchWork,
    /// It opens, but is the secret of something else.
    #[error("it holds another secret than the one asked for: was the file renamed?")]
    WrongLabel,
    /// Too large to be one of ours.
    #[error("a sealed secret has at most 16 MiB")]
    TooLarge,
    /// The text is not an age X25519 identity.
    #[error("not an age X25519 identity (AGE-SECRET-KEY-1…)")]
    Identity,
    /// Sealing failed.
    #[error("it could not be sealed")]
    Sealing,
    /// The file could not be read or written.
    #[error("the sealed file could not be read or written: {0}")]
    Io(#[from] io::Error),
}

/// Wraps the secrets of one service: an age identity in memory here, a security module elsewhere.
pub trait KeyWrap: Send + Sync {
    /// Seals a secret under a label.
    fn wrap(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, SealedError>;
    /// Opens a secret that was sealed under this label.
    fn unwrap(&self, label: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedError>;
}

/// Wraps with an age X25519 identity, as the launcher hands it to a service.
pub struct AgeKey(Identity);

impl AgeKey {
    /// Wraps with this identity.
    pub fn new(identity: Identity) -> Self {
        Self(identity)
    }

    /// A fresh identity.
    pub fn generate() -> Self {
        Self(Identity::generate())
    }

    /// Reads `AGE-SECRET-KEY-1…`.
    pub fn parse(text: &str) -> Result<Self, SealedError> {
        text.trim().parse().map(Self).map_err(|_: &str| SealedError::Identity)
    }

    /// The identity as text, for the unlock file. Secret.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }
}

impl KeyWrap for AgeKey {
    fn wrap(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, SealedError> {
        let labelled = Zeroizing::new([label.as_bytes(), b"\0", secret].concat());
        seal(&self.0.to_public(), &labelled)
    }

    fn unwrap(&self, label: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedError> {
        let labelled = open(&self.0, wrapped)?;
        let secret = labelled.strip_prefix(label.as_bytes()).and_then(|rest| rest.strip_prefix(b"\0"));
        secret.map(|secret| Zeroizing::new(secret.to_vec())).ok_or(SealedError::WrongLabel)
    }
}

/// Seals to a recipient.
pub fn seal(recipient: &Recipient, secret: &[u8]) -> Result<Vec<u8>, SealedError> {
    if secret.len() > MAX_SECRET {
        return Err(SealedError::TooLarge);
    }
    age::encrypt(recipient, secret).map_err(|_| SealedError::Sealing)
}

/// Opens what was sealed to this identity.
pub fn open(identity: &Identity, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    decrypt(identity, sealed).map_err(|error| match error {
        age::DecryptError::ExcessiveWork { .. } => SealedError::TooMuchWork,
        _ => SealedError::WrongKey,
    })
}

/// Seals with a person's passphrase. Takes about half a second and 128 MiB, on purpose.
pub fn seal_with_passphrase(passphrase: &SecretString, secret: &[u8]) -> Result<Vec<u8>, SealedError> {
    seal_with_work(passphrase, secret, WORK_FACTOR)
}

fn seal_with_work(passphrase: &SecretString, secret: &[u8], work: u8) -> Result<Vec<u8>, SealedError> {
    if secret.len() > MAX_SECRET {
        return Err(SealedError::TooLarge);
    }
    let mut recipient = scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(work);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as _)).map_err(|_| SealedError::Sealing)?;
    let mut sealed = Vec::with_capacity(secret.len() + OVERHEAD);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|_| SealedError::Sealing)?;
    writer.write_all(secret).and_then(|()| writer.finish().map(drop)).map_err(|_| SealedError::Sealing)?;
    Ok(sealed)
}

/// Opens what was sealed with this passphrase.
pub fn open_with_passphrase(passphrase: &SecretString, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    let mut identity = scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    decrypt(&identity, sealed).map_err(|error| match error {
        age::DecryptError::ExcessiveWork { .. } => SealedError::TooMuchWork,
        _ => SealedError::WrongPassphrase,
    })
}

fn decrypt(identity: &dyn age::Identity, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    if sealed.len() > MAX_SECRET + OVERHEAD {
        return Err(age::DecryptError::InvalidHeader);
    }
    let mut reader = Decryptor::new_buffered(sealed)?.decrypt(std::iter::once(identity))?;
    // Reserved in full: the plaintext is never longer than its sealed form, so no copy is left behind by growing.
    let mut secret = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut secret)?;
    Ok(secret)
}

/// Seals a secret into a file. Its label is the file's name.
pub fn write_sealed(path: &Path, key: &dyn KeyWrap, secret: &[u8]) -> Result<(), SealedError> {
    write_private(path, &key.wrap(label(path)?, secret)?)?;
    Ok(())
}

/// Opens a sealed file. An absent file is [`SealedError::Io`] with [`io::ErrorKind::NotFound`].
pub fn read_sealed(path: &Path, key: &dyn KeyWrap) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    let mut sealed = Vec::new();
    let limit = MAX_SECRET + OVERHEAD + 1;
    File::open(path)?.take(limit as u64).read_to_end(&mut sealed)?;
    if sealed.len() == limit {
        return Err(SealedError::TooLarge);
    }
    key.unwrap(label(path)?, &sealed)
}

/// Writes a file that only its owner can read (0600, folder 0700 if made here). When this returns the new content is
/// durable; a crash before leaves the old content whole, and at worst a temporary file beside it.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    let temporary = folder.join(format!(".{name}.{}", data_encoding::HEXLOWER.encode(&random)));
    let written = write_new(&temporary, content).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the error that matters is the one returned.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn label(path: &Path) -> Result<&str, SealedError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.ok_or_else(|| SealedError::Io(io::ErrorKind::InvalidInput.into()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_identity_it_was_sealed_to_opens_it() {
        let (mine, other) = (Identity::generate(), Identity::generate());
        let sealed = seal(&mine.to_public(), b"secret").unwrap();
        assert_eq!(&**open(&mine, &sealed).unwrap(), b"secret");
        assert!(matches!(open(&other, &sealed), Err(SealedError::WrongKey)));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&mine, &altered).is_err(), "byte {at}");
        }
        assert!(matches!(open(&mine, &sealed[..sealed.len() - 1]), Err(SealedError::WrongKey)));
    }

    #[test]
    fn a_passphrase_opens_its_own_and_work_is_bounded() {
        let (right, wrong) = (SecretString::from("right".to_owned()), SecretString::from("wrong".to_owned()));
        let sealed = seal_with_work(&right, b"secret", 4).unwrap();
        assert_eq!(&**open_with_passphrase(&right, &sealed).unwrap(), b"secret");
        assert!(matches!(open_with_passphrase(&wrong, &sealed), Err(SealedError::WrongPassphrase)));
        // The work factor is text in the header; asking for more is refused before any work is done.
        let at = sealed.windows(7).position(|w| w == b"scrypt ").unwrap();
        let space = sealed[at + 7..].iter().position(|b| *b == b' ').unwrap() + at + 8;
        let heavy = [&sealed[..space], b"30", &sealed[space + 1..]].concat();
        assert!(matches!(open_with_passphrase(&right, &heavy), Err(SealedError::TooMuchWork)));
    }

    #[test]
    fn a_sealed_file_is_private_durable_and_bound_to_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("keys/ca.sealed"), folder.path().join("keys/other.sealed"));
        let key = AgeKey::generate();
        write_sealed(&path, &key, b"one").unwrap();
        write_sealed(&path, &key, b"two").unwrap();
        let same = AgeKey::parse(&key.to_secret_text()).unwrap();
        assert_eq!(&**read_sealed(&path, &same).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::rename(&path, &moved).unwrap();
        assert!(matches!(read_sealed(&moved, &key), Err(SealedError::WrongLabel)));
        assert!(matches!(read_sealed(&path, &key), Err(SealedError::Io(e)) if e.kind() == io::ErrorKind::NotFound));
        assert!(AgeKey::parse("AGE-SECRET-KEY-1QQ").is_err());
    }
}
