//! What hosts and cells both do to themselves.

use std::io;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

/// No core dump, no way for another process of the same user to read this one's memory, no privilege by exec.
pub(crate) fn keep_to_oneself() -> io::Result<()> {
    bound(Resource::Core, 0)?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// This process dies with the thread that forked it. If `parent` is gone already, or was never the parent, that is an error:
/// the signal would not come. Async-signal-safe.
pub(crate) fn bind_to_parent(parent: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if parent_id() == parent { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
}

/// The parent's process id; 0 when the parent is outside this process id namespace.
pub(crate) fn parent_id() -> u32 {
    rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get().unsigned_abs())
}

/// Sets a soft and hard limit at once.
pub(crate) fn bound(resource: Resource, limit: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?)
}

/// Closes every descriptor from `first` on, or marks them to be closed at exec. Async-signal-safe.
pub(crate) fn close_from(first: i32, at_exec: bool) -> io::Result<()> {
    let flags = if at_exec { libc::CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: three numbers. When closing at once the caller promises that it owns nothing from `first` on (see its callers:
    // a forked child marks them only; a cell's main has opened nothing that it still uses).
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
