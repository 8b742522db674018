//! The one clock of the record, injected so that tests own it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bodh_audit_log::Time;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The system's clock. A clock before 1970 counts as 1970: the log's time increases all the same.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        Time::from_unix_ns(ns).unwrap_or(Time::EPOCH)
    })
}
