//! Small files: written whole or not at all, read with a bound.

use crate::failure::{Failure, Outcome};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file of mode 0600, whole or not at all.
///
/// The bytes are durable under a temporary name before the rename, and the rename before this returns: a crash leaves
/// the old file or the new one.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Outcome {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return Err(Failure::input(format!("{}: not a file's path", path.display())));
    };
    let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map_err(|cause| {
        // Best effort: a left-over temporary file is ignored by every reader.
        let _gone = std::fs::remove_file(&temporary);
        cannot_write(path, &cause)
    })
}

/// Reads at most `limit` bytes; more is refused.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Outcome<Vec<u8>> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|cause| cannot_read(path, &cause))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::input(format!("{}: larger than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// One line about a file that cannot be read.
pub(crate) fn cannot_read(path: &Path, cause: &std::io::Error) -> Failure {
    let path = path.display();
    Failure::input(match cause.kind() {
        ErrorKind::NotFound => format!("{path}: no such file"),
        ErrorKind::PermissionDenied => format!("{path}: not readable by this user"),
        ErrorKind::IsADirectory => format!("{path}: a folder, where a file is expected"),
        _ => format!("{path}: cannot be read ({cause})"),
    })
}

/// One line about a place that cannot be written.
pub(crate) fn cannot_write(path: &Path, cause: &std::io::Error) -> Failure {
    let path = path.display();
    Failure::input(match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("{path}: the disk is full; free some space, or choose another state folder")
        }
        ErrorKind::ReadOnlyFilesystem => format!("{path}: on a read-only file system; choose another place"),
        ErrorKind::PermissionDenied => format!("{path}: not writable by this user; choose another place"),
        _ => format!("{path}: cannot be written ({cause})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn private_files_are_private_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn reading_is_bounded_and_its_refusals_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        std::fs::write(&path, [0; 11]).unwrap();
        assert_eq!(read_bounded(&path, 11).unwrap().len(), 11);
        assert!(read_bounded(&path, 10).unwrap_err().to_string().contains("larger than 10 bytes"));
        assert!(read_bounded(&folder.path().join("none"), 10).unwrap_err().to_string().contains("no such file"));
        assert_eq!(read_bounded(folder.path(), 10).unwrap_err().code(), 2);
    }
}
