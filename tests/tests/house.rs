//! The house rules: what the shape of this repository promises, checked on its sources, manifests, contracts and pages.
//!
//! Each rule is a function from a [`house::tree::Tree`] (or from Cargo's dependency graph) to its findings, so that it is
//! tested twice: on this repository, where it finds nothing, and on planted text, where it finds what was planted.
//! A rule that is broken says where, which rule, and what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod house {
    mod actions;
    mod crates;
    mod finding;
    mod graph;
    mod handlers;
    mod hygiene;
    mod layout;
    mod members;
    mod network;
    mod proto;
    mod purity;
    mod readme;
    mod shape;
    mod source;
    mod statuses;
    mod storage;
    mod tree;
    mod unsafety;
    mod vocabulary;
    mod words;
}
