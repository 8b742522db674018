//! Keys outside the state folder: the unlock key, and where people's keys are.

use super::files::{cannot_read, cannot_write, read_bounded, write_private};
use super::folder::Folder;
use crate::failure::{Failure, Outcome};
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::Identity;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// The services that seal keys of their own.
const SEALERS: [&str; 3] = ["guardian", "audit", "orchestrator"];

/// The folder of one state folder's keys: `$XDG_STATE_HOME/bodh/ID`, or nowhere for a run that keeps nothing.
#[derive(Debug, Clone)]
pub(crate) struct KeyHome(Option<PathBuf>);

impl KeyHome {
    /// Where the keys of `folder` are; never inside it.
    pub(crate) fn of(folder: &Folder) -> Outcome<Self> {
        if folder.is_passing() {
            return Ok(Self(None));
        }
        let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self::under(folder, variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state"))))
    }

    fn under(folder: &Folder, base: Option<PathBuf>) -> Outcome<Self> {
        let Some(base) = base else {
            return Err(Failure::input("neither XDG_STATE_HOME nor HOME is set: there is no place for keys; set one"));
        };
        let home = base.join("bodh").join(folder.id());
        if home.starts_with(folder.path()) {
            return Err(Failure::input(format!(
                "{}: keys would lie inside the state folder; set XDG_STATE_HOME to a place outside it",
                folder.path().display()
            )));
        }
        Ok(Self(Some(home)))
    }

    /// Nothing is kept.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        Self(None)
    }

    #[cfg(test)]
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// The folder of the console's certificate, made when missing; `None` when nothing is kept.
    pub(crate) fn console(&self) -> Outcome<Option<PathBuf>> {
        self.made("console")
    }

    /// The folder of people's keys, made when missing; `None` when nothing is kept.
    pub(crate) fn people(&self) -> Outcome<Option<PathBuf>> {
        self.made("people")
    }

    fn made(&self, name: &str) -> Outcome<Option<PathBuf>> {
        let Some(home) = &self.0 else { return Ok(None) };
        let folder = home.join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|cause| cannot_write(&folder, &cause))?;
        Ok(Some(folder))
    }

    fn unlock_file(&self) -> Outcome<Option<PathBuf>> {
        Ok(self.people()?.and_then(|people| people.parent().map(|home| home.join("unlock"))))
    }
}

/// One age identity per service that seals: each receives only its own.
#[derive(Debug)]
pub(crate) struct Unlock(Vec<(&'static str, SecretString)>);

impl Unlock {
    /// Fresh keys, in memory only.
    pub(crate) fn fresh() -> Self {
        Self(SEALERS.map(|name| (name, Identity::generate().to_string())).into())
    }

    /// The keys of `folder`: read, or made at its first start.
    pub(crate) fn of(folder: &Folder, home: &KeyHome, given: Option<&Path>) -> Outcome<Self> {
        let path = match given {
            Some(path) => {
                refuse_inside(folder, path)?;
                Some(path.to_owned())
            }
            None => home.unlock_file()?,
        };
        let Some(path) = path else { return Ok(Self::fresh()) };
        if path.exists() {
            return Self::read(&path);
        }
        if folder.is_initialised() {
            return Err(Failure::input(format!(
                "{}: the unlock key of {} is missing; restore it from a backup or name it with --unlock-file: without it the folder stays closed for ever",
                path.display(),
                folder.path().display()
            )));
        }
        let fresh = Self::fresh();
        // Durable before anything is sealed with it: a crash after this leaves a key that fits.
        write_private(&path, fresh.text().as_bytes())?;
        Ok(fresh)
    }

    /// The identity of one service.
    pub(crate) fn for_service(&self, name: &str) -> Option<&SecretString> {
        self.0.iter().find(|(service, _)| *service == name).map(|(_, key)| key)
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("# Opens one bodh state folder. Keep a copy; keep it secret.\n"));
        for (service, key) in &self.0 {
            text.push_str(service);
            text.push(' ');
            text.push_str(key.expose_secret());
            text.push('\n');
        }
        text
    }

    fn read(path: &Path) -> Outcome<Self> {
        let shown = path.display();
        let mode = std::fs::metadata(path).map_err(|cause| cannot_read(path, &cause))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Failure::input(format!(
                "{shown}: the unlock key is open to other users; run `chmod 600 {shown}`"
            )));
        }
        let bytes = Zeroizing::new(read_bounded(path, 4096)?);
        let damaged = || Failure::input(format!("{shown}: not an unlock key of bodh; restore it from a backup"));
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged())?;
        let mut keys = Vec::new();
        for service in SEALERS {
            let line = text.lines().find_map(|line| line.strip_prefix(service)?.strip_prefix(' '));
            // The others are there: whole, and of a version in which this service sealed nothing.
            let older = || {
                Failure::input(format!(
                    "{shown}: has no key of the {service}: this folder was made by an earlier version of bodh; use the program that made it"
                ))
            };
            let line = line.ok_or_else(|| if keys.is_empty() { damaged() } else { older() })?;
            let key = Some(line.trim()).filter(|key| Identity::from_str(key).is_ok()).ok_or_else(damaged)?;
            keys.push((service, SecretString::from(key.to_owned())));
        }
        Ok(Self(keys))
    }
}

fn refuse_inside(folder: &Folder, path: &Path) -> Outcome {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().map_err(|cause| cannot_read(parent, &cause))?;
    if parent.starts_with(folder.path()) {
        return Err(Failure::input(format!(
            "{}: an unlock key inside the state folder protects nothing; put it elsewhere",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder, KeyHome) {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_make(&parent.path().join("s")).unwrap();
        let home = KeyHome::under(&folder, Some(parent.path().join("home"))).unwrap();
        (parent, folder, home)
    }

    fn initialise(folder: &Folder) {
        std::fs::write(folder.binaries(), "{}").unwrap();
        std::fs::write(folder.policy(), "{}").unwrap();
    }

    #[test]
    fn the_unlock_key_is_made_once_outside_the_folder() {
        let (_parent, folder, home) = folder();
        let made = Unlock::of(&folder, &home, None).unwrap();
        let read = Unlock::of(&folder, &home, None).unwrap();
        let key = |unlock: &Unlock| unlock.for_service("guardian").unwrap().expose_secret().to_owned();
        assert_eq!(key(&made), key(&read));
        let of = |name| made.for_service(name).unwrap().expose_secret().to_owned();
        assert!(key(&made) != of("audit") && key(&made) != of("orchestrator") && of("audit") != of("orchestrator"));
        assert!(made.for_service("console").is_none());
    }

    #[test]
    fn a_lost_unlock_key_is_said_plainly_and_not_replaced() {
        let (_parent, folder, home) = folder();
        initialise(&folder);
        let refused = Unlock::of(&folder, &home, None).unwrap_err();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().contains("is missing"), "{refused}");
        assert!(!home.unlock_file().unwrap().unwrap().exists());
    }

    #[test]
    fn an_unlock_key_inside_or_open_or_damaged_is_refused() {
        let (parent, folder, home) = folder();
        let inside = folder.path().join("unlock");
        assert!(Unlock::of(&folder, &home, Some(&inside)).unwrap_err().to_string().contains("protects nothing"));
        let outside = parent.path().join("unlock");
        Unlock::of(&folder, &home, Some(&outside)).unwrap();
        std::fs::set_permissions(&outside, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(Unlock::of(&folder, &home, Some(&outside)).unwrap_err().to_string().contains("chmod 600"));
        write_private(&outside, b"guardian x\naudit y\n").unwrap();
        assert!(Unlock::of(&folder, &home, Some(&outside)).unwrap_err().to_string().contains("not an unlock key"));
        let key = Identity::generate().to_string();
        let two = format!("guardian {0}\naudit {0}\n", key.expose_secret());
        write_private(&outside, two.as_bytes()).unwrap();
        let refused = Unlock::of(&folder, &home, Some(&outside)).unwrap_err().to_string();
        assert!(refused.contains("no key of the orchestrator") && !refused.contains("AGE-SECRET"), "{refused}");
    }

    #[test]
    fn keys_never_lie_in_the_state_folder() {
        let (_parent, folder, _home) = folder();
        assert!(KeyHome::under(&folder, Some(folder.path().join("x"))).is_err());
        assert!(KeyHome::under(&folder, None).unwrap_err().to_string().contains("XDG_STATE_HOME"));
    }
}
