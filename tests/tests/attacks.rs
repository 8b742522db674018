//! Attacks, each by somebody who has got as far as the attack supposes: a process on the same machine, a stranger with
//! certificates of their own, an enrolled person, a service with a stolen token. Each is refused for its own reason,
//! and each refusal is in the record.
//!
//! Against the running panel: `network`, `callers`, `decisions`, `amendments`, `reversals`, `rest`. Against the agents' own service behind a gate of
//! the tests' own, because nobody but the orchestrator itself can hold its identity: `tokens`, `gates`, `questions`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

mod attacks {
    mod amendments;
    mod callers;
    mod decisions;
    mod forgery;
    mod gates;
    mod guarded;
    mod network;
    mod probe;
    mod questions;
    mod rest;
    mod reversals;
    mod tokens;
    mod visitor;
}
