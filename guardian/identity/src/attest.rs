//! Who is at the other end of a Unix socket, as the kernel tells it.
//!
//! The kernel names the process that connected (`SO_PEERCRED`); a pidfd then holds it, so its number cannot come to
//! mean another. The executable is measured through `/proc/PID/exe` *where the kernel allows*: it does not when the
//! caller is non-dumpable and we are an ordinary user, nor ever when we are confined by landlock ourselves
//! (`ptrace_may_access`, landlock(7) "Ptrace restrictions"). Then [`Caller::executable`] is `None`, and the one who
//! started the caller vouches for it: a launcher measures the file it executes, reads [`Process::of`] its child, and
//! tells both to the issuer, which compares them with [`Caller::process`].

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{Context, SHA256};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

/// The largest executable that is measured.
const MAX_EXECUTABLE: u64 = 1 << 30;

/// Why a caller could not be named.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The socket does not say who connected.
    #[error("the socket does not say which process connected")]
    NoPeer,
    /// The process that connected has ended.
    #[error("the process that connected has ended")]
    Gone,
    /// The process began after it was said to have connected: its number was taken over.
    #[error("the process began after the connection was made")]
    Younger,
    /// The executable was removed or replaced since it was started.
    #[error("the caller's executable was removed or replaced since it was started")]
    Replaced,
    /// The executable is larger than any of ours.
    #[error("the caller's executable is too large to be measured")]
    TooLarge,
    /// The kernel's answer could not be read.
    #[error("the caller could not be looked at: {0}")]
    Io(#[from] io::Error),
}

/// One process for as long as the machine runs: its number and when it began (clock ticks after boot, field 22 of
/// `/proc/PID/stat`). The number alone is used again after it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The process number.
    pub pid: i32,
    /// When it began.
    pub started: u64,
}

/// A file that a process executes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Its path, as the kernel gives it.
    pub path: PathBuf,
    /// SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// A process that connected to a Unix socket.
#[derive(Debug, Clone)]
pub struct Caller {
    inner: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    process: Process,
    parent: i32,
    uid: u32,
    gid: u32,
    executable: Option<Executable>,
    pidfd: OwnedFd,
}

/// Names the process at the other end of a socket that was just accepted. Reads its executable: call it where blocking
/// is allowed.
pub fn caller(stream: &UnixStream) -> Result<Caller, AttestError> {
    let accepted = ticks_since_boot()?;
    let peer = stream.peer_cred()?;
    let pid = peer.pid().ok_or(AttestError::NoPeer)?;
    let pidfd = pidfd_open(Pid::from_raw(pid).ok_or(AttestError::NoPeer)?, PidfdFlags::empty()).map_err(gone)?;
    let stat = Stat::of(pid)?;
    if stat.started > accepted {
        return Err(AttestError::Younger);
    }
    let executable = executable(pid)?;
    // Alive still: so everything above was read of the process that the pidfd holds, not of a successor to its number.
    if !running(&pidfd) {
        return Err(AttestError::Gone);
    }
    let process = Process { pid, started: stat.started };
    let held = Held { process, parent: stat.parent, uid: peer.uid(), gid: peer.gid(), executable, pidfd };
    Ok(Caller { inner: Arc::new(held) })
}

impl Caller {
    /// The process.
    pub fn process(&self) -> Process {
        self.inner.process
    }

    /// The number of its parent when it connected.
    pub fn parent(&self) -> i32 {
        self.inner.parent
    }

    /// The user it ran as when it connected.
    pub fn uid(&self) -> u32 {
        self.inner.uid
    }

    /// The group it ran as when it connected.
    pub fn gid(&self) -> u32 {
        self.inner.gid
    }

    /// What it executes, where the kernel lets us look.
    pub fn executable(&self) -> Option<&Executable> {
        self.inner.executable.as_ref()
    }

    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        running(&self.inner.pidfd)
    }
}

impl Process {
    /// The process that has this number now; exact for a child that was not waited for.
    pub fn of(pid: i32) -> Result<Self, AttestError> {
        Ok(Self { pid, started: Stat::of(pid)?.started })
    }
}

/// SHA-256 of a file's content.
pub fn measure(file: &mut File) -> Result<[u8; 32], AttestError> {
    let (mut context, mut buffer, mut total) = (Context::new(&SHA256), vec![0; 64 * 1024], 0_u64);
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        total += chunk.len() as u64;
        if total > MAX_EXECUTABLE {
            return Err(AttestError::TooLarge);
        }
        context.update(chunk);
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(context.finish().as_ref());
    Ok(sha256)
}

fn executable(pid: i32) -> Result<Option<Executable>, AttestError> {
    let link = PathBuf::from(format!("/proc/{pid}/exe"));
    let path = match std::fs::read_link(&link) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        other => other.map_err(missing)?,
    };
    // Opening the link opens the very file that runs, whatever its path now holds.
    let mut file = match File::open(&link) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        other => other.map_err(missing)?,
    };
    if file.metadata()?.nlink() == 0 || !same_file(&file, &path) {
        return Err(AttestError::Replaced);
    }
    let sha256 = measure(&mut file)?;
    Ok(Some(Executable { path, sha256 }))
}

/// Whether the path still names the file that runs; a path that ends in " (deleted)" does not.
fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

struct Stat {
    parent: i32,
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Result<Self, AttestError> {
        let text = std::fs::read(format!("/proc/{pid}/stat")).map_err(missing)?;
        Self::parse(&String::from_utf8_lossy(&text)).ok_or(AttestError::Io(io::ErrorKind::InvalidData.into()))
    }

    /// proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted from the last one.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(") ")?;
        let mut fields = rest.split(' ');
        let parent = fields.nth(1)?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self { parent, started })
    }
}

/// Now, in the unit of `/proc/PID/stat`: the kernel gives it to user space in hundredths of a second (USER_HZ), boot
/// time included in sleep. Rounded up, so that a process cannot seem younger than a connection it made in the same
/// tick.
fn ticks_since_boot() -> io::Result<u64> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).map_err(|_| io::ErrorKind::InvalidData)?;
    let hundredths = u64::try_from(now.tv_nsec).map_err(|_| io::ErrorKind::InvalidData)? / 10_000_000;
    Ok(seconds * 100 + hundredths + 1)
}

/// A pidfd becomes readable when its process ends (pidfd_open(2)).
fn running(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
}

fn gone(error: rustix::io::Errno) -> AttestError {
    if error == rustix::io::Errno::SRCH { AttestError::Gone } else { AttestError::Io(error.into()) }
}

fn missing(error: io::Error) -> AttestError {
    if error.kind() == io::ErrorKind::NotFound { AttestError::Gone } else { AttestError::Io(error) }
}
