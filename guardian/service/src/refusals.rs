//! Refusals at the Unix socket, counted per action, cause and second: a stranger cannot fill the record, nor hide in
//! it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bodh_audit_log::{Draft, Kind, Verdict};

use crate::ledger::Ledger;

/// How often the counts become entries.
pub const EVERY: Duration = Duration::from_secs(1);

/// Counts since they were last written. Actions and causes are codes of this crate, so there are few.
#[derive(Default)]
pub struct Refusals {
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

impl Refusals {
    /// One more.
    pub fn count(&self, action: &'static str, cause: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((action, cause)).or_default();
        *count = count.saturating_add(1);
    }

    /// Makes entries of what was counted. What finds no place in the queue is counted on.
    pub fn write(&self, ledger: &Ledger) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|(action, cause), count| {
            let draft = Draft {
                verdict: Some(Verdict::Deny),
                cause: (*cause).to_owned(),
                count: *count,
                ..Draft::new(Kind::Refusal, *action, ledger.next_key())
            };
            ledger.queue(draft).is_err()
        });
    }
}
