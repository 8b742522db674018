//! How fast this machine appends, beside what its disk does in the same run.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use bodh_audit_log::{Draft, Kind};
use tokio::task::JoinSet;

use crate::{Error, Log};

/// What was measured.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Figures {
    /// Callers that wait at the same time, one draft each.
    pub in_flight: usize,
    /// Acknowledged appends.
    pub appends: u64,
    /// Acknowledged appends per second.
    pub appends_per_second: f64,
    /// Median time to an acknowledgement, in microseconds.
    pub p50_us: u64,
    /// 99th percentile of the same.
    pub p99_us: u64,
    /// Write and `fdatasync` of 512 bytes, one after another, per second, on the same disk in the same run.
    pub fdatasync_per_second: f64,
}

/// Appends to a running log for `time` with `in_flight` callers; `dir` is a folder on the log's disk for the baseline.
///
/// # Errors
/// When an append is not acknowledged, or the disk fails.
pub async fn appends(log: &Log, dir: &Path, in_flight: usize, time: Duration) -> Result<Figures, Error> {
    let path = dir.join(".fdatasync.tmp");
    let baseline = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || fdatasync(&path, Duration::from_secs(1))).await
    };
    let fdatasync_per_second = baseline.map_err(|_| Error::Unavailable)?.map_err(Error::file(&path))?;
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..in_flight.max(1) {
        callers.spawn(append_until(log.clone(), start, time, caller));
    }
    let mut waits = Vec::new();
    while let Some(done) = callers.join_next().await {
        waits.extend(done.map_err(|_| Error::Unavailable)??);
    }
    let took = start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    let appends = waits.len() as u64;
    Ok(Figures {
        in_flight,
        appends,
        appends_per_second: per_second(appends, took),
        p50_us: at(50),
        p99_us: at(99),
        fdatasync_per_second,
    })
}

async fn append_until(log: Log, start: Instant, time: Duration, caller: usize) -> Result<Vec<u64>, Error> {
    let run = log.size();
    let mut waits = Vec::new();
    while start.elapsed() < time {
        let asked = Instant::now();
        let mut draft = Draft::new(Kind::Note, "bench", format!("bench/{run}/{caller}/{}", waits.len()));
        draft.session = "0".repeat(32);
        draft.policies = vec!["p".repeat(100)];
        log.append(vec![draft], "spiffe://bench.internal/service/bench".to_owned()).await?;
        waits.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(waits)
}

fn fdatasync(path: &Path, time: Duration) -> std::io::Result<f64> {
    let mut file = File::create(path)?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        file.write_all(&[0; 512])?;
        file.sync_data()?;
        count += 1;
    }
    let rate = per_second(count, start.elapsed().as_secs_f64());
    std::fs::remove_file(path)?;
    Ok(rate)
}

fn per_second(count: u64, seconds: f64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a rate for people; counts stay far below 2^52")]
    let count = count as f64;
    count / seconds.max(f64::MIN_POSITIVE)
}
