//! Sandboxed processes: the host that confines itself, and the *cell* that works for it.
//!
//! A **host** is a service's process. Before it has a second thread it hardens itself, takes the descriptors it was given and
//! gives up everything it was not configured to touch (module [`host`]).
//!
//! A **cell** is one process for one piece of work: it has a pipe for questions, a pipe for answers, one read-only pack, and
//! nothing else. It is sandboxed before it reads the first byte of input ([`serve`]), and its host holds it to its limits
//! ([`Launcher`], [`Cell`]): a cell that dies, babbles, exceeds its answer or its time is killed, and the error says which.
//!
//! ```no_run
//! # async fn work() -> Result<(), Box<dyn std::error::Error>> {
//! // At the top of `main`, before anything else:
//! if bodh_cell::is_cell() {
//!     bodh_cell::serve(|pack| pack.len(), |length, question| Ok(format!("{length} {}", question.len()).into_bytes()));
//! }
//! // In the host, inside its runtime:
//! let pack = bodh_cell::SealedPack::new(b"what every cell may read")?;
//! let launcher = bodh_cell::Launcher::new(bodh_cell::OWN_PROGRAM, Some(pack), bodh_cell::Limits::default());
//! launcher.warm();
//! let mut cell = bodh_cell::Cell::start(&launcher).await?;
//! let answer = cell.ask(b"question").await?;
//! # Ok(()) }
//! ```
//!
//! Out of scope: what the questions mean, and what a cell keeps between two questions (that is for the answering function).
//! Linux only. The one crate of the workspace with `unsafe`.
#![allow(unsafe_code, reason = "system calls between fork and exec, and the mapping of the pack, have no safe form")]

mod child;
mod error;
mod filter;
mod frame;
pub mod host;
mod inside;
mod launcher;
mod limits;
mod nursery;
mod pack;
mod sandbox;

pub use child::Cell;
pub use error::{CellError, Ending};
pub use inside::{is_cell, serve};
pub use launcher::{Launcher, OWN_PROGRAM};
pub use limits::Limits;
pub use nursery::spawn;
pub use pack::SealedPack;
