//! The time as the gate's clock gives it, in the forms that others want.

use std::time::{Duration, SystemTime};

use bodh_gate::Clock;

/// Now, for certificates.
pub(crate) fn system_time(clock: &Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(unix_ms(clock))
}

/// Now, for tokens: Unix milliseconds. A clock before 1970 reads as 1970, when nothing is valid.
pub(crate) fn unix_ms(clock: &Clock) -> u64 {
    u64::try_from(clock()).unwrap_or(0)
}
