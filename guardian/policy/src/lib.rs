//! Who may do what: Cedar policies, and one question about them, [`Policies::decide`].
//!
//! A [`Bundle`] is an ordered set of `.cedar` and `.cedarschema` files; its hash names the policy in tokens and in the
//! log. [`Policies::load`] accepts it only if every file parses, every policy validates strictly against the schema
//! without a warning, and every annotation is one of four:
//!
//! - `@id("...")`, on every policy: the name that rulings and the log show;
//! - `@ask("role")`, on a `permit`: it does not allow by itself, a person of that role decides;
//! - `@kind("...")`, with `@ask`: which kind of question it is;
//! - `@reason("...")`, with `@ask` and wherever it helps: the sentence shown to people.
//!
//! A request is denied by default, denied if anything about it is unknown, and denied if any policy fails to evaluate:
//! Cedar alone would skip a `forbid` that errors. If any determining `permit` carries `@ask`, the verdict is
//! [`Verdict::Ask`], with all the questions that apply.
//!
//! The crate is pure, and knows nothing about the domain it is used in: [`kernel`] holds the policies of the log, the
//! sessions, the identities and the people; others are merged in by the application ([`Bundle::merge`]). Out of scope:
//! signatures on bundles, and where the facts in a request come from.

#![forbid(unsafe_code)]

mod bundle;
mod decide;
mod kernel;
mod load;
mod problem;
mod request;
mod ruling;

pub use bundle::{Bundle, BundleError};
pub use decide::Policies;
pub use kernel::kernel;
pub use problem::{LoadError, Problem};
pub use request::{Entity, Request};
pub use ruling::{Reason, Ruling, Verdict};
