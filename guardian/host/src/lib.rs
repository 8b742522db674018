//! What every service's `main` shares: configuration, confinement, identity, gate, telemetry, and an orderly end.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     bodh_host::run("example", |_| Ok(bodh_host::Confinement::default()), |host| async move {
//!         let (joined, _audit) = host.join().await?;
//!         joined.serve(host, tonic::service::Routes::default()).await
//!     })
//! }
//! ```
//!
//! `main` stays synchronous until the process is hardened and confined: landlock must precede any thread. A service
//! inherits its listener (fd 3) and its whole configuration (fd 4) and prints `ready` on standard output once it serves.
//!
//! Out of scope: what a service does, and who starts it.

mod config;
mod fatal;
mod join;
mod run;
mod telemetry;
mod trace;

pub use bodh_audit_api::TRACE_METADATA;
pub use bodh_cell::host::Confinement;
pub use config::Config;
pub use fatal::{Fatal, FatalKind};
pub use join::{Joined, announce, serve};
pub use run::{Host, run};
pub use trace::{Carrying, first_span, later_span, trace_metadata};
