//! Descriptors that a parent left open for this process.

use std::{
    io,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    sync::atomic::{AtomicU64, Ordering},
};

/// The numbers handed out, one bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Takes over descriptor `fd`, 3 to 63, that the parent left open, and marks it to be closed at exec. Each can be taken once.
/// What this process opened itself is refused: the standard library marks all its descriptors, an inherited one comes unmarked.
pub fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    if !(3..64).contains(&fd) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("descriptor {fd} is not one that a parent passes: 3 to 63"),
        ));
    }
    // SAFETY: asking for the flags of any number is harmless.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    if flags < 0 {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("the parent left no descriptor {fd}; it must pass it"),
        ));
    }
    if flags & libc::FD_CLOEXEC != 0 || TAKEN.fetch_or(1 << fd, Ordering::Relaxed) & (1 << fd) != 0 {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("descriptor {fd} is in use here already; take it once"),
        ));
    }
    // SAFETY: only flags of an open descriptor change.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is open, came through exec unmarked so nothing in this process made it, and this is the only time it is
    // handed out.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
