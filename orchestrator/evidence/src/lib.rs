//! Evidence of one session, in one file: a page that people read, and everything that proves it.
//!
//! The file is an HTML page with the proof in a data block after it. [`verify`] needs nothing else but, better, the log's
//! key as it is known from elsewhere. It goes down from the log's signature: the checkpoint is signed by the log; each
//! entry is in the tree under it; one entry commits to the page and to the [`Content`]; the session's entries are all
//! there; each event's words are those that its entry committed to when it happened; from the events follow the report
//! and every question that was shown; each decision is signed by the person's own key over exactly such a question, and
//! that key was let in by an operator, on record.
//!
//! Beside it, [`accesses`]: who saw what of sessions, as their entries tell it.
//!
//! What it rests on beyond the log's key: that the orchestrator told the log everything of the session (it writes the
//! entry that the list of entries is checked against), and the system's clock. It holds the case as the panel coded it
//! and what the panel made of it; neither the note nor the patient's identifiers.

mod access;
mod check;
mod content;
mod file;
mod page;

pub use access::{Access, Ending, Reader, accesses, readers};
pub use check::{Check, Decided, Fault, Verified, verify};
pub use content::{Changed, Content, Happened, Let, Listed, Signed, plain_name};
pub use file::{Evidence, is_evidence};
pub use page::page;
