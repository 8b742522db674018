//! The launcher binds every listener itself and passes it on: a service never chooses where it is reached, and its
//! address outlives its restarts.

use super::members::{CONSOLE, GUARDIAN, Process};
use super::settings::Settings;
use crate::failure::{Failure, Outcome};
use crate::state::{Folder, Running};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// `sun_path` holds 108 bytes with its end mark (unix(7)); a margin is left for other clients' own limits.
const MAX_SOCKET_PATH: usize = 100;

/// Where the console is, unless that is taken or another is configured.
const CONSOLE_PORT: u16 = 8443;

/// Everything bound, and where.
#[derive(Debug)]
pub(crate) struct Listeners {
    tcp: BTreeMap<&'static str, TcpListener>,
    workload: UnixListener,
    workload_path: PathBuf,
    addresses: BTreeMap<String, SocketAddr>,
    /// Holds the socket when the state folder's path is too long for one.
    _private: Option<tempfile::TempDir>,
}

impl Listeners {
    pub(crate) fn bind(folder: &Folder, settings: &Settings) -> Outcome<Self> {
        let mut tcp = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for process in Process::of_panel(settings.with_console) {
            let port = settings.ports.get(process.name).copied();
            let at = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            let bound = match port {
                // An address that people keep, where it is free.
                None if process.name == CONSOLE => at(CONSOLE_PORT).or_else(|_| at(0)),
                port => at(port.unwrap_or(0)),
            };
            let port = port.unwrap_or(0);
            let listener = bound.map_err(|cause| refused(process.name, port, &cause))?;
            let address = listener.local_addr().map_err(|cause| refused(process.name, port, &cause))?;
            addresses.insert(process.name.to_owned(), address);
            tcp.insert(process.name, listener);
        }
        let (workload_path, private) = socket_path(folder)?;
        let workload = bind_socket(&workload_path)?;
        Ok(Self { tcp, workload, workload_path, addresses, _private: private })
    }

    /// Copies for one start of a process: the TCP listener, and the Workload API's socket for the guardian.
    pub(crate) fn copies(&self, name: &str) -> std::io::Result<(OwnedFd, Option<OwnedFd>)> {
        let listener = self.tcp.get(name).ok_or_else(|| std::io::Error::from(ErrorKind::NotFound))?;
        let workload = if name == GUARDIAN { Some(OwnedFd::from(self.workload.try_clone()?)) } else { None };
        Ok((OwnedFd::from(listener.try_clone()?), workload))
    }

    /// What `run/panel.json` will say.
    pub(crate) fn running(&self, trust_domain: &str) -> Running {
        Running {
            pid: std::process::id(),
            trust_domain: trust_domain.to_owned(),
            workload_socket: self.workload_path.clone(),
            addresses: self.addresses.clone(),
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        // A socket file without a listener would only mislead; a failure leaves one that the next start replaces.
        let _gone = std::fs::remove_file(&self.workload_path);
    }
}

fn refused(name: &str, port: u16, cause: &std::io::Error) -> Failure {
    Failure::input(match cause.kind() {
        ErrorKind::AddrInUse => format!("port {port} of {name} is in use; give another in --config, or leave it out"),
        ErrorKind::PermissionDenied => format!("port {port} of {name} is not open to this user; give one above 1023"),
        _ => format!("no listener on 127.0.0.1 for {name}: {cause}"),
    })
}

fn socket_path(folder: &Folder) -> Outcome<(PathBuf, Option<tempfile::TempDir>)> {
    let usual = folder.path().join("run/workload.sock");
    if usual.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok((usual, None));
    }
    let private = tempfile::Builder::new().prefix("bodh-run-").permissions(PermissionsExt::from_mode(0o700)).tempdir();
    let private = private.map_err(|cause| Failure::failed(format!("no temporary folder for a socket: {cause}")))?;
    let path = private.path().join("workload.sock");
    if path.as_os_str().len() > MAX_SOCKET_PATH {
        return Err(Failure::input(
            "both the state folder's and the temporary folder's path are too long for a socket; set TMPDIR=/tmp",
        ));
    }
    Ok((path, Some(private)))
}

fn bind_socket(path: &Path) -> Outcome<UnixListener> {
    let cannot =
        |cause: std::io::Error| Failure::input(format!("{}: no socket can be made here ({cause})", path.display()));
    match std::fs::remove_file(path) {
        Err(none) if none.kind() == ErrorKind::NotFound => {}
        // Left by a panel that was killed: the folder's lock, which we hold, says that it is gone.
        other => other.map_err(cannot)?,
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let folder = Folder::passing().unwrap();
        let settings = Settings { ports: BTreeMap::from([("audit".into(), port)]), ..Settings::default() };
        let refused = Listeners::bind(&folder, &settings).unwrap_err();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().contains(&format!("port {port} of audit is in use")), "{refused}");
    }

    #[test]
    fn every_process_has_its_own_address_and_a_stale_socket_is_replaced() {
        let folder = Folder::passing().unwrap();
        drop(UnixListener::bind(folder.path().join("run/workload.sock")).unwrap());
        let bound = Listeners::bind(&folder, &Settings::default()).unwrap();
        let running = bound.running("bodh.internal");
        assert_eq!(running.addresses.len(), Process::of_panel(false).len());
        assert!(running.addresses.values().all(|a| a.ip().is_loopback() && a.port() != 0));
        assert!(bound.copies("guardian").unwrap().1.is_some());
        assert!(bound.copies("audit").unwrap().1.is_none());
        let socket = running.workload_socket;
        assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok());
        drop(bound);
        assert!(!socket.exists());
    }

    #[test]
    fn a_long_path_moves_the_socket_to_a_private_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_make(&parent.path().join("x".repeat(120))).unwrap();
        let bound = Listeners::bind(&folder, &Settings::default()).unwrap();
        let socket = bound.running("d").workload_socket;
        assert!(socket.as_os_str().len() <= MAX_SOCKET_PATH && !socket.starts_with(folder.path()));
        let mode = std::fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
