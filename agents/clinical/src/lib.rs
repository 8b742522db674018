//! The words of the domain: what a case is, what a finding is, and what the panel says of them.
//!
//! Pure data. No clock, no randomness, no input or output. Everything that crosses a process boundary as
//! `agent.proto` has its typed form here, and nothing here can approve, sign or change a record.
//!
//! Out of scope: how a case file is read (`bodh-formats`), what is known of diseases (`bodh-knowledge`), how a
//! posterior is computed (`bodh-inference`), and what a session does next (`bodh-panel`).

mod case;
mod differential;
mod finding;
mod ids;
mod money;
mod order;
mod question;
mod supervision;
mod verification;

pub use case::{Case, CodedFeature, Identifiers, Sex, Subject};
pub use differential::{Claim, Differential, Expected, Hypothesis, Prevalence};
pub use finding::{Finding, Ignored, IgnoredCause, Intake, Origin, Presence, Span};
pub use ids::{ClaimId, DiseaseId, IdError, TermId, TestId};
pub use money::{MoneyError, Usd};
pub use order::{Plan, PriceLine, Pricing, Proposal};
pub use question::{Member, Opinion, Question};
pub use supervision::{Step, Supervision};
pub use verification::{Refutation, RefutationCause, Verification};
