//! bodh-guardian: issues identities and session tokens, keeps session keys wrapped, serves signed policy, enrols and
//! revokes, and tells every gate at once.
//!
//! - [`start::open`] turns a [`config::Config`] into a [`state::State`], or says in one line why not.
//! - [`sessions`], [`people`], [`passkeys`], [`door`], [`issuer`]: what it does, as functions over the state and the caller.
//! - [`serve`]: the same over the wire, behind the gate. [`tend`]: what goes on beside the calls.
//!
//! Nothing with an effect happens before it is in the record ([`ledger`]); only the certificates that services start
//! with may wait in a bounded queue, because the audit service itself begins with one.
//!
//! Out of scope: what policies say, what a session is about, and keeping the record.

pub mod authority;
mod clock;
pub mod config;
pub mod delegates;
pub mod documents;
pub mod door;
pub mod error;
pub mod issuer;
pub mod keys;
pub mod ledger;
pub mod passkeys;
pub mod people;
pub mod person;
mod random;
pub mod refusals;
pub mod registry;
pub mod serve;
pub mod sessions;
pub mod start;
pub mod state;
pub mod statement;
pub mod store;
pub mod tend;
mod trust;
pub mod watch;
