//! Files that appear whole or not at all: a temporary file beside the place, synced, renamed, and the folder synced.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use bodh_audit_log::tile::TilePath;

use crate::Error;

/// Files to be written together.
#[derive(Default)]
pub(crate) struct Staging(Vec<(String, Vec<u8>)>);

/// Files that are written and synced under their temporary names.
pub(crate) struct Staged(Vec<PathBuf>);

impl Staging {
    /// A file, by its path below the folder.
    pub(crate) fn add(&mut self, path: String, bytes: Vec<u8>) {
        self.0.push((path, bytes));
    }

    /// Writes and syncs all of them under temporary names.
    pub(crate) fn write(self, dir: &Path) -> Result<Staged, Error> {
        let mut staged = Vec::with_capacity(self.0.len());
        for (path, bytes) in self.0 {
            let path = dir.join(path);
            make_folders(dir, &path)?;
            let temporary = temporary(&path);
            let written =
                OpenOptions::new().write(true).create(true).truncate(true).open(&temporary).and_then(|mut file| {
                    file.write_all(&bytes)?;
                    file.sync_all()
                });
            written.map_err(Error::file(&temporary))?;
            staged.push(path);
        }
        Ok(Staged(staged))
    }
}

impl Staged {
    /// Gives each file its name, then syncs the folders.
    pub(crate) fn rename(self, dir: &Path) -> Result<(), Error> {
        let mut folders = BTreeSet::new();
        for path in &self.0 {
            fs::rename(temporary(path), path).map_err(Error::file(path))?;
            folders.insert(path.parent().unwrap_or(dir));
        }
        folders.into_iter().try_for_each(sync)
    }
}

/// Makes the folders above `path` that are missing below `dir`, and syncs the one each is new in.
fn make_folders(dir: &Path, path: &Path) -> Result<(), Error> {
    let missing: Vec<&Path> = path.ancestors().skip(1).take_while(|f| *f != dir && !f.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder).map_err(Error::file(folder))?;
        folder.parent().map_or(Ok(()), sync)?;
    }
    Ok(())
}

pub(crate) fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

/// `.NAME.tmp` beside the file. There is one publisher, so the name is free.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

/// Removes partial tiles that fuller ones took the place of. They agree with them, so what remains does no harm.
pub(crate) fn remove(dir: &Path, stale: &[TilePath]) {
    for path in stale {
        let path = dir.join(path.to_string());
        if let Err(error) = fs::remove_file(&path) {
            tracing::debug!(path = %path.display(), %error, "an older partial tile stays");
        }
        // The folder `N.p` goes with its last file.
        let _ = path.parent().map(fs::remove_dir);
    }
}

/// Removes temporary files that an interrupted publication left.
pub(crate) fn sweep(dir: &Path) -> Result<(), Error> {
    for item in fs::read_dir(dir).map_err(Error::file(dir))? {
        let item = item.map_err(Error::file(dir))?;
        let (path, sort) = (item.path(), item.file_type().map_err(Error::file(dir))?);
        let name = item.file_name().to_string_lossy().into_owned();
        if sort.is_dir() {
            sweep(&path)?;
        } else if sort.is_file() && name.starts_with('.') && name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}
