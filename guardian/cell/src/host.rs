//! What a service does to itself at the start of `main`, while it has one thread.
//!
//! ```no_run
//! use bodh_cell::host::{self, Confinement};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! host::harden()?;
//! let listener = std::net::TcpListener::from(host::inherited(3)?);
//! let enforced = host::confine(&Confinement {
//!     write: vec!["/var/lib/example".into()],
//!     execute: host::own_program()?,
//!     connect_ports: vec![4317],
//!     ..Confinement::default()
//! })?;
//! # Ok(()) }
//! ```
//!
//! What confinement costs, so that nobody finds out late: a hardened process cannot be looked at by others of the same user
//! (`/proc/PID/exe`, `/proc/PID/fd`), and a confined one can look at its own children only. It can connect to any Unix socket
//! that file permissions allow: landlock has no rule for that before Linux 7.

mod inherit;
mod landlock;

pub(crate) use self::landlock::forbid_everything;
pub use self::{
    inherit::inherited,
    landlock::{ConfineError, Confinement, Enforced, confine, own_program},
};

use std::io;

use rustix::{fs::Mode, process::umask};

use crate::sandbox;

/// Non-dumpable, no core, no privilege by exec, files for the owner only, and dead when the parent dies. Call it first in
/// `main`.
///
/// The parent is whoever forked this process *and the thread that did*: a parent with several threads must start children with
/// [`spawn`](crate::spawn). If the parent changed while this ran it is gone already, and that is an error.
pub fn harden() -> io::Result<()> {
    sandbox::keep_to_oneself()?;
    umask(Mode::RWXG | Mode::RWXO);
    sandbox::bind_to_parent(sandbox::parent_id())
}
