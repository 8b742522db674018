//! Making and opening a state folder.

use super::files::{cannot_read, cannot_write, read_bounded, write_private};
use crate::failure::{Failure, Outcome};
use data_encoding::HEXLOWER;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The only layout that this version reads and writes.
const FORMAT: &str = "bodh-state 1";
/// What a folder may hold while it is being made: a crash in between is completed by the next start.
const BEGINNINGS: [&str; 2] = ["lock", "id"];
/// The folders inside, each the own place of one service.
const INSIDE: [&str; 6] = ["run", "log", "guardian", "audit", "orchestrator", "logs"];

/// Where a panel's state is.
#[derive(Debug)]
enum Place {
    /// A folder that stays.
    Kept(PathBuf),
    /// A temporary folder, deleted at the end.
    Passing(tempfile::TempDir),
}

/// A state folder whose format has been checked.
#[derive(Debug)]
pub(crate) struct Folder {
    place: Place,
    id: String,
}

impl Folder {
    /// A folder for one run, deleted when this value goes.
    pub(crate) fn passing() -> Outcome<Self> {
        let made = tempfile::Builder::new().prefix("bodh-").permissions(PermissionsExt::from_mode(0o700)).tempdir();
        let folder = made.map_err(|cause| cannot_write(&std::env::temp_dir(), &cause))?;
        let path = folder.path().to_owned();
        let id = make(&path)?;
        Ok(Self { place: Place::Passing(folder), id })
    }

    /// Opens the folder at `path`; makes it when there is nothing, or an empty folder.
    pub(crate) fn open_or_make(path: &Path) -> Outcome<Self> {
        let path = prepare(path)?;
        let id = make(&path)?;
        Ok(Self { place: Place::Kept(path), id })
    }

    /// Opens a folder that must already be one.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        if !path.exists() {
            return Err(Failure::input(format!(
                "{}: no such state folder; `bodh diagnose CASE --state DIR` or `bodh up --state DIR` makes one",
                path.display()
            )));
        }
        Self::open_or_make(path)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        match &self.place {
            Place::Kept(path) => path,
            Place::Passing(folder) => folder.path(),
        }
    }

    /// Deleted at the end.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.place, Place::Passing(_))
    }

    /// Random, made once with the folder: its keys outside are found by it, wherever the folder is moved.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The signed manifest of executables; there once the first start was complete.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.path().join("binaries.json")
    }

    /// The signed policy bundle.
    pub(crate) fn policy(&self) -> PathBuf {
        self.path().join("policy.json")
    }

    /// Where a running panel says its addresses.
    pub(crate) fn panel(&self) -> PathBuf {
        self.path().join("run/panel.json")
    }

    /// The first start has been completed once: its last document is there, or the guardian has begun its database. What
    /// is missing from then on was removed, and is never made anew in silence.
    pub(crate) fn is_initialised(&self) -> bool {
        self.binaries().exists() || self.path().join("guardian/guardian.db").exists()
    }
}

/// Makes the folder if there is none; refuses what cannot be a private state folder.
fn prepare(path: &Path) -> Outcome<PathBuf> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(none) if none.kind() == ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|c| cannot_write(path, &c))?;
        }
        Err(cause) => return Err(cannot_read(path, &cause)),
        Ok(found) if !found.is_dir() => {
            return Err(Failure::input(format!("{shown}: not a folder; --state takes a folder, new or made by bodh")));
        }
        Ok(found) => {
            if found.uid() != rustix::process::geteuid().as_raw() {
                return Err(Failure::input(format!("{shown}: belongs to another user; use a folder of your own")));
            }
        }
    }
    let path = path.canonicalize().map_err(|cause| cannot_read(path, &cause))?;
    if path.join("format").exists() {
        check_format(&path)?;
        refuse_open_modes(&path)?;
    } else {
        refuse_foreign_content(&path)?;
        private(&path)?;
    }
    Ok(path)
}

/// Completes the folder's layout; each step is harmless to repeat.
fn make(path: &Path) -> Outcome<String> {
    for inside in INSIDE {
        match DirBuilder::new().mode(0o700).create(path.join(inside)) {
            Err(there) if there.kind() == ErrorKind::AlreadyExists => {}
            other => other.map_err(|cause| cannot_write(&path.join(inside), &cause))?,
        }
    }
    let id_file = path.join("id");
    if !id_file.exists() {
        if path.join("format").exists() && path.join("binaries.json").exists() {
            return Err(Failure::input(format!(
                "{}: missing, so the folder's keys cannot be found; restore it from a backup",
                id_file.display()
            )));
        }
        let mut random = [0_u8; 16];
        crate::people::fill_random(&mut random)?;
        write_private(&id_file, format!("{}\n", HEXLOWER.encode(&random)).as_bytes())?;
    }
    let id = read_bounded(&id_file, 64)?;
    let id = String::from_utf8_lossy(&id).trim().to_owned();
    // The id becomes part of a path: nothing but its 32 hexadecimal digits may pass.
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(Failure::input(format!("{}: damaged; restore it from a backup", id_file.display())));
    }
    if !path.join("format").exists() {
        write_private(&path.join("format"), format!("{FORMAT}\n").as_bytes())?;
    }
    Ok(id)
}

fn check_format(path: &Path) -> Outcome {
    let found = read_bounded(&path.join("format"), 256)?;
    let found = String::from_utf8_lossy(&found).trim().to_owned();
    if found == FORMAT {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::input(if found.starts_with("bodh-state ") {
        format!("{shown}: made by another version ({found}); this one reads {FORMAT}; use the bodh that made it")
    } else {
        format!("{shown}: its `format` file is not one of bodh's; use a new folder")
    }))
}

fn refuse_open_modes(path: &Path) -> Outcome {
    let mode = std::fs::metadata(path).map_err(|c| cannot_read(path, &c))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Failure::input(format!(
        "{shown}: open to other users (mode {mode:o}); run `chmod 700 {shown}` if that is right"
    )))
}

fn refuse_foreign_content(path: &Path) -> Outcome {
    let entries = std::fs::read_dir(path).map_err(|cause| cannot_read(path, &cause))?;
    for entry in entries {
        let name = entry.map_err(|cause| cannot_read(path, &cause))?.file_name();
        let name = name.to_string_lossy();
        let own = BEGINNINGS.contains(&&*name) || INSIDE.contains(&&*name) || name.ends_with(".tmp");
        if !own {
            return Err(Failure::input(format!(
                "{}: not empty and not a state folder; use a new or an empty folder",
                path.display()
            )));
        }
    }
    Ok(())
}

fn private(path: &Path) -> Outcome {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).map_err(|cause| cannot_write(path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        let failure = Folder::open_or_make(path).unwrap_err();
        assert_eq!(failure.code(), 2);
        failure.to_string()
    }

    #[test]
    fn a_new_folder_is_private_and_keeps_its_id() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let first = Folder::open_or_make(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_to_string(path.join("format")).unwrap(), "bodh-state 1\n");
        assert!(!first.is_initialised());
        assert_eq!(Folder::open(&path).unwrap().id(), first.id());
    }

    #[test]
    fn an_interrupted_first_start_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lock"), "").unwrap();
        std::fs::create_dir(folder.path().join("run")).unwrap();
        assert_eq!(Folder::open_or_make(folder.path()).unwrap().id().len(), 32);
    }

    #[test]
    fn what_is_not_a_state_folder_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(refused(&file).contains("not a folder"));
        assert!(refused(parent.path()).contains("not empty and not a state folder"));
        assert!(Folder::open(&parent.path().join("none")).unwrap_err().to_string().contains("no such state folder"));
    }

    #[test]
    fn another_version_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("s");
        Folder::open_or_make(&path).unwrap();
        std::fs::write(path.join("format"), "bodh-state 2\n").unwrap();
        assert!(refused(&path).contains("another version (bodh-state 2)"));
        std::fs::write(path.join("format"), "anything\n").unwrap();
        assert!(refused(&path).contains("not one of bodh's"));
    }

    #[test]
    fn a_folder_open_to_others_and_a_damaged_id_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("s");
        Folder::open_or_make(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(refused(&path).contains("chmod 700"));
        private(&path).unwrap();
        std::fs::write(path.join("id"), "../../../etc").unwrap();
        assert!(refused(&path).contains("damaged"));
    }

    #[test]
    fn a_passing_folder_goes_away() {
        let folder = Folder::passing().unwrap();
        let path = folder.path().to_owned();
        assert!(path.join("format").exists() && folder.is_passing());
        drop(folder);
        assert!(!path.exists());
    }
}
