//! Reading files that somebody else may have prepared.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error("the file is missing")]
    Missing,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("the file is larger than it can be")]
    TooLarge,
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// A published folder.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'a>(pub(crate) &'a Path);

impl Folder<'_> {
    /// The whole of a regular file of at most `max` bytes. A link, a device or a pipe is not opened.
    pub(crate) fn read(&self, path: &str, max: usize) -> Result<Vec<u8>, Unread> {
        let path = self.0.join(path);
        let about = match fs::symlink_metadata(&path) {
            Ok(about) => about,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(Unread::Missing);
            }
            Err(error) => return Err(error.into()),
        };
        if !about.is_file() {
            return Err(Unread::NotAFile);
        }
        if about.len() > max as u64 {
            return Err(Unread::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
        File::open(path)?.take(max as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > max { Err(Unread::TooLarge) } else { Ok(bytes) }
    }

    /// Every name in a folder inside this one; nothing when it is not there.
    pub(crate) fn list(&self, path: &str) -> io::Result<Vec<(String, Sort)>> {
        let folder: PathBuf = self.0.join(path);
        let mut found = Vec::new();
        let items = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            items => items?,
        };
        for item in items {
            let item = item?;
            let sort = match item.file_type()? {
                sort if sort.is_dir() => Sort::Folder,
                sort if sort.is_file() => Sort::File,
                _ => Sort::Other,
            };
            found.push((item.file_name().to_string_lossy().into_owned(), sort));
        }
        found.sort();
        Ok(found)
    }
}

/// What a name stands for, links not followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sort {
    Folder,
    File,
    Other,
}
