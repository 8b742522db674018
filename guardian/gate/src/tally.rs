//! Refusals before authentication, counted per cause and second and logged as one entry each: a stranger cannot fill
//! the log, and cannot hide in it either.

use crate::Record;
use bodh_audit_log::{Draft, Kind, Verdict};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Counts by cause. Causes are the few codes of `bodh-identity`, so the table stays small.
#[derive(Clone, Default)]
pub struct Tally {
    counts: Arc<Mutex<HashMap<&'static str, u64>>>,
}

impl Tally {
    /// One more.
    pub fn count(&self, cause: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(cause).or_default();
        *count = count.saturating_add(1);
    }

    fn take(&self) -> HashMap<&'static str, u64> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes what was counted, once a second, for ever. What the record does not take is counted on.
    pub async fn keep(self, record: Arc<dyn Record>) {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        loop {
            every.tick().await;
            self.write(record.as_ref()).await;
        }
    }

    /// Writes what was counted since the last time.
    pub async fn write(&self, record: &dyn Record) {
        for (cause, count) in self.take() {
            let draft = Draft {
                verdict: Some(Verdict::Deny),
                cause: cause.to_owned(),
                count,
                ..Draft::new(Kind::Refusal, "connect", format!("tally/{}", crate::gate::random_hex()))
            };
            if record.append(draft).await.is_err() {
                let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = counts.entry(cause).or_default();
                *kept = kept.saturating_add(count);
            }
        }
    }
}
