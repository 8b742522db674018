//! The state folder: one panel's databases, sealed keys, signed documents and published log.
//!
//! The folder alone reveals nothing: its unlock key and people's keys live outside it (`keys`).

mod files;
mod folder;
mod keys;
mod lock;

pub(crate) use files::{cannot_read, read_bounded, write_private};
pub(crate) use folder::Folder;
pub(crate) use keys::{KeyHome, Unlock};
pub(crate) use lock::{Lock, Running, Taken};
