//! What every agent's `main` shares: the host that receives questions, and the cell that answers them.
//!
//! An agent is one pure function from a question and the pack to an opinion. Its process plays one of two parts. As a
//! *host* it accepts the orchestrator's questions over mutual TLS through its gate and never looks at their content. As
//! a *cell* (the same executable started again, sandboxed before it reads a byte) it answers them for one session.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     bodh_agent_runtime::run(bodh_clinical::Member::Supervisor, |question, _pack| {
//!         let _ = question;
//!         Err(bodh_agent_runtime::REFUSED)
//!     })
//! }
//! ```
//!
//! [`routes`] is the service alone, behind whatever gate and with whatever cells it is given: `run` serves it, and so do
//! the tests that attack it.
//!
//! Out of scope: reasoning, and any client of another agent.

mod cells;
mod error;
mod host;
mod inside;
mod service;

pub use cells::Cells;
pub use host::run;
pub use service::{Versions, routes};

/// The code of an agent's refusal to answer.
pub const REFUSED: u8 = 1;
/// The code for a question that is not a well-formed question.
pub const MALFORMED: u8 = 2;
