//! What a session was, word for word, with the keys of its commitments.

use bodh_audit_log::{Entry, Hash, leaf_hash};
use bodh_panel::{Event, Panel, Report, StepError, fold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of this content.
pub(crate) const FORM: u32 = 1;

/// A session, as its orchestrator tells it. Its hash is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The form: 1.
    pub form: u32,
    /// The session.
    pub session: String,
    /// Its trace.
    pub trace: String,
    /// SPIFFE id of who convened it.
    pub requester: String,
    /// When, milliseconds since 1970 UTC.
    pub opened_unix_ms: i64,
    /// What could be spent without asking.
    pub budget_cents: u64,
    /// Whether orders were committed and their results awaited.
    pub sequential: bool,
    /// Age and sex: JSON, exactly as it was committed to.
    pub subject: String,
    /// What happened, in order.
    pub events: Vec<Happened>,
    /// The keys that the commitments to coded facts and to reasoning were made with, in hex. They open nothing.
    pub findings_key: String,
    /// As above.
    pub reasoning_key: String,
    /// What people signed in this session.
    pub signed: Vec<Signed>,
    /// Everybody who signed, and who let them in, the first operator first.
    pub people: Vec<Let>,
    /// The signed policy bundle in force at the export: a signed document as JSON.
    pub policy: String,
    /// What the reader should know of the input.
    pub warnings: Vec<String>,
    /// Versions and hashes when this was exported.
    pub versions: BTreeMap<String, String>,
    /// The session's entries in the log.
    pub entries: Listed,
    /// Who asked for the export: SPIFFE id.
    pub exported_by: String,
    /// When, milliseconds since 1970 UTC.
    pub exported_unix_ms: i64,
}

/// An event as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happened {
    /// When, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
    /// JSON, exactly as it was committed to: without what people wrote in their own words; empty for a session that nobody decided on in time.
    pub json: String,
}

/// A statement that a person signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// For which purpose: `decision`, `mark` or `review`.
    pub purpose: String,
    /// JSON, exactly as it was signed.
    pub json: String,
    /// The signature, base64: Ed25519, or a passkey's assertion.
    pub signature: String,
}

/// An enrolment: who was let in, by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Let {
    /// The record, exactly as it was signed.
    pub record: String,
    /// The signature, base64.
    pub signature: String,
    /// The changes of their keys since, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Changed>,
}

/// A change of somebody's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The record, exactly as it was signed.
    pub record: String,
    /// The signature of a key that the person kept, base64; empty where an operator invited.
    pub by_own: String,
    /// The signature of the key that came, base64; empty where none did.
    pub by_new: String,
}

/// The session's entries in the log, up to the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// How many.
    pub count: u64,
    /// The last one's place in the log.
    pub last: u64,
    /// SHA-256 over their leaf hashes in order, in hex.
    pub sha256: String,
}

impl Listed {
    /// The list of these entries, in order.
    #[must_use]
    pub fn of(entries: &[(u64, Entry)]) -> Self {
        let hashes = entries.iter().flat_map(|(_, entry)| match entry.encode() {
            Ok(leaf) => leaf_hash(&leaf).as_bytes().to_vec(),
            // An entry that was read is one that can be written.
            Err(_) => Vec::new(),
        });
        Self {
            count: entries.len() as u64,
            last: entries.last().map_or(0, |(index, _)| *index),
            sha256: Hash::of(&hashes.collect::<Vec<u8>>()).to_hex(),
        }
    }
}

/// The name under which an event, or a record of a session, is committed to.
#[must_use]
pub fn plain_name(record: &str, sequence: u64) -> String {
    format!("{record}/{sequence}")
}

/// Why a session cannot be told from its events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untold {
    #[error("event {0} is not an event")]
    Event(usize),
    #[error("the age and sex are not readable")]
    Subject,
    #[error("event {0} does not follow from what was before: {1}")]
    Step(usize, StepError),
}

impl Content {
    /// The panel that the events lead to.
    pub(crate) fn panel(&self) -> Result<Panel, Untold> {
        let subject = serde_json::from_str(&self.subject).map_err(|_| Untold::Subject)?;
        let mut events = Vec::with_capacity(self.events.len());
        for (index, happened) in self.events.iter().enumerate() {
            let event = match happened.json.as_str() {
                "" => Event::Expired,
                json => serde_json::from_str(json).map_err(|_| Untold::Event(index + 1))?,
            };
            events.push((happened.at_unix_ms, event));
        }
        let budget = bodh_clinical::Usd::from_cents(self.budget_cents);
        let (session, trace) = (self.session.clone(), self.trace.clone());
        let opened = Panel::convene(session, trace, self.requester.clone(), budget, self.sequential, subject);
        fold(&opened, &events).map_err(|(index, error)| Untold::Step(index + 1, error))
    }

    /// The report that follows.
    pub(crate) fn report(&self, panel: &Panel) -> Report {
        let mut report = Report::of(panel);
        report.warnings.clone_from(&self.warnings);
        report.versions.clone_from(&self.versions);
        report
    }
}
