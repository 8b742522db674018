//! The record: takes entries in, orders them, keeps them, and publishes them so that anyone can verify them.
//!
//! [`Log`] is the whole service without the network: [`Log::start`] opens the store, checks it against what was
//! published, and starts two tasks. The *sequencer* gives each entry its index and time and acknowledges after the
//! commit; the *publisher* writes tiles and signed checkpoints. [`handlers::Handlers`] puts gRPC around it.
//!
//! An acknowledged entry is durable and keeps its index for ever. When a write fails the log stops acknowledging, says
//! why, and is to be started again. Out of scope: what entries mean, who may do what (policies), verification by others
//! (`bodh-audit-verify`).

pub mod admission;
pub mod bench;
mod clock;
pub mod config;
mod error;
pub mod handlers;
mod key;
mod log;
mod publish;
mod reading;
mod recover;
mod sequencer;
mod shared;
mod store;

pub use clock::{Clock, system_clock};
pub use error::Error;
pub use log::{Batch, Log, Settings, make_folders};
pub use store::read::Filter;
