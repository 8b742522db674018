//! Key files: `people/NAME.key`, mode 0600, outside the state folder.
//!
//! A file is an Ed25519 key in PKCS#8, as PEM (RFC 7468), or the same sealed to a passphrase by age (scrypt).

use super::{LOCAL, check_name, passphrase};
use crate::failure::{Failure, Outcome};
use crate::state::{KeyHome, read_bounded, write_private};
use bodh_identity::signing::PersonKey;
use data_encoding::BASE64;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// First bytes of an age file (age-encryption.org/v1).
const SEALED: &[u8] = b"age-encryption.org/v1";
const MAX_KEY_FILE: u64 = 8 * 1024;

/// The keys of people on this machine, for one state folder.
#[derive(Debug)]
pub(crate) struct KeyRing {
    home: KeyHome,
    passphrase_file: Option<PathBuf>,
    /// Opened once: a passphrase is asked for once per command.
    local: OnceLock<Arc<PersonKey>>,
}

impl KeyRing {
    pub(crate) fn of(home: KeyHome, passphrase_file: Option<&Path>) -> Self {
        Self { home, passphrase_file: passphrase_file.map(Path::to_owned), local: OnceLock::new() }
    }

    /// The key of `local`: made at the first start without asking, in memory only when nothing is kept.
    pub(crate) fn local(&self, must_exist: bool) -> Outcome<Arc<PersonKey>> {
        if let Some(key) = self.local.get() {
            return Ok(Arc::clone(key));
        }
        let key = match self.file(LOCAL)? {
            None => fresh()?,
            Some(path) if path.exists() => self.open_file(LOCAL, &path)?,
            Some(path) if must_exist => return Err(missing(LOCAL, &path)),
            Some(path) => {
                let key = fresh()?;
                write_private(&path, &pem(&key))?;
                key
            }
        };
        Ok(Arc::clone(self.local.get_or_init(|| Arc::new(key))))
    }

    /// The key of an enrolled person.
    pub(crate) fn open(&self, name: &str) -> Outcome<Arc<PersonKey>> {
        check_name(name)?;
        if name == LOCAL {
            return self.local(true);
        }
        match self.file(name)? {
            Some(path) if path.exists() => self.open_file(name, &path).map(Arc::new),
            Some(path) => Err(missing(name, &path)),
            None => Err(Failure::input("without --state no key is kept, so only `local` can act")),
        }
    }

    /// The key for a new person; one left by an enrolment that did not arrive is used again.
    pub(crate) fn open_or_make(&self, name: &str) -> Outcome<Arc<PersonKey>> {
        check_name(name)?;
        let Some(path) = self.file(name)? else {
            return Err(Failure::input("people are enrolled in a state folder; give --state DIR"));
        };
        if path.exists() {
            return self.open_file(name, &path).map(Arc::new);
        }
        let passphrase = passphrase::for_new(name, self.passphrase_file.as_deref())?;
        let key = fresh()?;
        let mut bytes = pem(&key);
        if let Some(passphrase) = passphrase {
            let sealed = age::encrypt(&age::scrypt::Recipient::new(passphrase), &bytes);
            bytes = Zeroizing::new(sealed.map_err(|cause| Failure::failed(format!("the key of {name}: {cause}")))?);
        }
        write_private(&path, &bytes)?;
        Ok(Arc::new(key))
    }

    /// Everybody whose key file is here.
    pub(crate) fn names(&self) -> Outcome<Vec<String>> {
        let Some(people) = self.home.people()? else { return Ok(vec![LOCAL.to_owned()]) };
        let entries = std::fs::read_dir(&people);
        let entries = entries.map_err(|cause| Failure::input(format!("{}: {cause}", people.display())))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".key")?.to_owned()))
            .filter(|name| check_name(name).is_ok())
            .collect();
        names.sort();
        Ok(names)
    }

    fn file(&self, name: &str) -> Outcome<Option<PathBuf>> {
        Ok(self.home.people()?.map(|people| people.join(format!("{name}.key"))))
    }

    fn open_file(&self, name: &str, path: &Path) -> Outcome<PersonKey> {
        let shown = path.display();
        let mode = std::fs::metadata(path).map_err(|cause| Failure::input(format!("{shown}: {cause}")))?;
        if mode.permissions().mode() & 0o077 != 0 {
            return Err(Failure::input(format!("{shown}: a key open to other users; run `chmod 600 {shown}`")));
        }
        let mut bytes = Zeroizing::new(read_bounded(path, MAX_KEY_FILE)?);
        if bytes.starts_with(SEALED) {
            let passphrase = passphrase::for_opening(name, self.passphrase_file.as_deref())?;
            let opened = age::decrypt(&age::scrypt::Identity::new(passphrase), &bytes);
            let wrong = |_| Failure::input(format!("{shown}: not opened; is the passphrase right?"));
            bytes = Zeroizing::new(opened.map_err(wrong)?);
        }
        read_pem(&bytes).ok_or_else(|| Failure::input(format!("{shown}: not a key of bodh; restore it from a backup")))
    }
}

fn fresh() -> Outcome<PersonKey> {
    PersonKey::generate().map_err(|cause| Failure::failed(format!("no key was made: {cause}")))
}

fn missing(name: &str, path: &Path) -> Failure {
    Failure::input(format!(
        "the key of {name} is not at {}; restore it from a backup, or act as another person (--as NAME)",
        path.display()
    ))
}

fn pem(key: &PersonKey) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(BASE64.encode(key.pkcs8()));
    let mut text = Zeroizing::new(Vec::with_capacity(body.len() + 80));
    text.extend_from_slice(BEGIN.as_bytes());
    for line in body.as_bytes().chunks(64) {
        text.push(b'\n');
        text.extend_from_slice(line);
    }
    text.push(b'\n');
    text.extend_from_slice(END.as_bytes());
    text.push(b'\n');
    text
}

fn read_pem(bytes: &[u8]) -> Option<PersonKey> {
    let body = std::str::from_utf8(bytes).ok()?.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let pkcs8 = Zeroizing::new(BASE64.decode(body.as_bytes()).ok()?);
    PersonKey::from_pkcs8(&pkcs8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_identity::signing::Signer;

    fn ring(folder: &tempfile::TempDir, passphrase: Option<&Path>) -> KeyRing {
        KeyRing::of(KeyHome::at(folder.path().join("home")), passphrase)
    }

    #[test]
    fn local_is_made_once_without_a_question() {
        let folder = tempfile::tempdir().unwrap();
        let made = ring(&folder, None).local(false).unwrap();
        let read = ring(&folder, None).local(true).unwrap();
        assert_eq!(made.public_key(), read.public_key());
        let file = folder.path().join("home/people/local.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ring(&folder, None).names().unwrap(), ["local"]);
    }

    #[test]
    fn a_lost_open_or_damaged_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ring(&folder, None).local(true).unwrap_err().to_string().contains("restore it from a backup"));
        ring(&folder, None).local(false).unwrap();
        let file = folder.path().join("home/people/local.key");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(ring(&folder, None).local(true).unwrap_err().to_string().contains("chmod 600"));
        write_private(&file, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(ring(&folder, None).local(true).unwrap_err().to_string().contains("not a key of bodh"));
        assert!(ring(&folder, None).open("../x").is_err());
    }

    #[test]
    fn a_passphrase_seals_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (right, wrong) = (folder.path().join("right"), folder.path().join("wrong"));
        std::fs::write(&right, "correct horse battery").unwrap();
        std::fs::write(&wrong, "incorrect horse").unwrap();
        let made = ring(&folder, Some(&right)).open_or_make("ann").unwrap();
        let bytes = std::fs::read(folder.path().join("home/people/ann.key")).unwrap();
        assert!(bytes.starts_with(SEALED));
        assert_eq!(ring(&folder, Some(&right)).open("ann").unwrap().public_key(), made.public_key());
        assert!(ring(&folder, Some(&wrong)).open("ann").unwrap_err().to_string().contains("passphrase"));
        let again = ring(&folder, Some(&right)).open_or_make("ann").unwrap();
        assert_eq!(again.public_key(), made.public_key(), "a second try does not replace the key");
    }

    #[test]
    fn without_a_state_folder_only_local_acts() {
        let ring = KeyRing::of(KeyHome::nowhere(), None);
        assert_eq!(ring.local(false).unwrap().public_key(), ring.local(false).unwrap().public_key());
        assert!(ring.open("ann").is_err() && ring.open_or_make("ann").is_err());
    }
}
