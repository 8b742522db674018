//! One panel per state folder: the lock, and what a running panel says of itself.

use super::files::{cannot_write, read_bounded};
use super::folder::Folder;
use crate::failure::{Failure, Outcome};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Held for the life of the panel; the kernel releases it however the holder ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// What `run/panel.json` says: where a running panel is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Running {
    /// The launcher.
    pub(crate) pid: u32,
    /// Of every SPIFFE id of this panel.
    pub(crate) trust_domain: String,
    /// The Unix socket of the Workload API and the door.
    pub(crate) workload_socket: PathBuf,
    /// Service or member name to address.
    pub(crate) addresses: BTreeMap<String, SocketAddr>,
}

/// What taking the lock found.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Nobody had it.
    Free(Lock),
    /// A panel is running on this folder and can be used.
    By(Running),
}

impl Lock {
    /// Takes the folder's lock, or finds the panel that has it.
    pub(crate) fn take(folder: &Folder) -> Outcome<Taken> {
        let path = folder.path().join("lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(|cause| cannot_write(&path, &cause))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return running(folder).map(Taken::By);
        }
        // The holder's number is for people; the lock itself is the kernel's.
        let noted = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .and_then(|()| file.sync_all());
        noted.map_err(|cause| cannot_write(&path, &cause))?;
        Ok(Taken::Free(Self { _file: file }))
    }
}

/// The panel that holds the lock, if it is ready to be used.
fn running(folder: &Folder) -> Outcome<Running> {
    let panel = folder.panel();
    if panel.exists() {
        let found = read_bounded(&panel, 64 * 1024)?;
        let found: Option<Running> = serde_json::from_slice(&found).ok();
        if let Some(running) = found.filter(is_reachable) {
            return Ok(running);
        }
    }
    let holder = read_bounded(&folder.path().join("lock"), 64).unwrap_or_default();
    let holder = String::from_utf8_lossy(&holder).trim().to_owned();
    let holder = if holder.is_empty() || !holder.bytes().all(|b| b.is_ascii_digit()) { "?".into() } else { holder };
    Err(Failure::input(format!(
        "{}: state folder in use by process {holder}; wait for it to be ready, or stop it",
        folder.path().display()
    )))
}

fn is_reachable(running: &Running) -> bool {
    std::os::unix::net::UnixStream::connect(&running.workload_socket).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_names_its_process() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_make(&parent.path().join("s")).unwrap();
        let Taken::Free(held) = Lock::take(&folder).unwrap() else { panic!("free") };
        let refused = Lock::take(&folder).unwrap_err();
        assert_eq!(refused.code(), 2);
        let said = refused.to_string();
        assert!(said.contains(&format!("state folder in use by process {}", std::process::id())), "{said}");
        drop(held);
        assert!(matches!(Lock::take(&folder), Ok(Taken::Free(_))));
    }

    #[test]
    fn a_running_panel_is_found_only_while_it_answers() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_make(&parent.path().join("s")).unwrap();
        let socket = folder.path().join("run/workload.sock");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let said = Running {
            pid: 7,
            trust_domain: "bodh.internal".into(),
            workload_socket: socket,
            addresses: BTreeMap::from([("guardian".into(), "127.0.0.1:1".parse().unwrap())]),
        };
        std::fs::write(folder.panel(), serde_json::to_vec(&said).unwrap()).unwrap();
        let _held = Lock::take(&folder).unwrap();
        match Lock::take(&folder) {
            Ok(Taken::By(found)) => assert_eq!(found, said),
            other => panic!("{other:?}"),
        }
        drop(listener);
        assert!(Lock::take(&folder).is_err(), "a panel that no longer answers is not used");
    }
}
