//! The gate: the only way from a message on the wire to a handler that does something.
//!
//! [`Gate::admit`] checks, in this order: the trust feed is fresh; the TLS peer is not revoked; it is a named caller
//! of this action; its token chain narrows, belongs to it and matches the decoded arguments, and was not used before;
//! the policy says Allow. Then it records the attempt and gives a [`Permit`]: nothing else can build one, and a handler
//! that reads or changes anything takes one. [`Gate::settle`] records the outcome; the response may leave only after it.
//!
//! For an action with an effect the attempt is durable before the permit exists. For pure reasoning the attempt is
//! written while the work is done, and both entries are durable before the response is released. No record, no act.
//!
//! Out of scope: transport (`bodh-identity`), what tokens and policies mean (`bodh-token`, `bodh-policy`), and the
//! record itself (`bodh-audit-api`).

mod action;
mod caller;
mod feed;
mod gate;
mod permit;
mod record;
mod refusal;
mod tally;
mod trust;

pub use action::{Action, Allowed, Facts};
pub use caller::Caller;
pub use feed::{follow, view};
pub use gate::{Gate, Judgement};
pub use permit::{Outcome, Permit};
pub use record::{Record, RecordError};
pub use refusal::Refusal;
pub use tally::Tally;
pub use trust::{Clock, Person, STALE_AFTER, Trust, View, now_ms};

pub use bodh_policy::{Entity, Reason, Ruling, Verdict};
