//! Sessions through the whole panel, timed from outside.

use super::super::options::{KeyOptions, StartOptions};
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, until_stopped};
use crate::people::{LOCAL, Visitor, at};
use crate::state::{Folder, read_bounded};
use bodh_clinical::{Case, Usd};
use bodh_panel::Report;
use bodh_panel_api::pb;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The budget of a measured session; nothing is spent without --sequential.
const BUDGET: Usd = Usd::from_cents(250_000);

/// What both measurements take.
#[derive(Debug, clap::Args)]
pub(super) struct LoadOptions {
    /// The case that every session is about
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// On this state folder's panel; without it on one that is deleted at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

/// One session as its client saw it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) took: Duration,
    pub(super) report: Report,
}

/// Percentiles of times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Times {
    /// Nearest rank; nothing of nothing.
    pub(super) fn of(mut ms: Vec<f64>) -> Option<Self> {
        ms.sort_by(f64::total_cmp);
        let at = |percent: usize| ms.get((ms.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { p50_ms: at(50)?, p90_ms: at(90)?, p99_ms: at(99)?, max_ms: at(100)? })
    }
}

/// Runs `count` sessions, `at_once` of them at a time, and `after` each of them what else is measured. Gives what each took,
/// and the time of all.
pub(super) fn sessions(
    options: &LoadOptions,
    count: u32,
    at_once: u32,
    mut after: impl AsyncFnMut(&Case) -> Outcome,
) -> Outcome<(Vec<Seen>, Duration)> {
    let case = read_bounded(&options.case, bodh_formats::MAX_BYTES as u64)?;
    let read = bodh_formats::read(&case);
    let parsed = read.map_err(|wrong| Failure::input(format!("{}: {wrong}", options.case.display())))?.case;
    let settings = options.start.settings()?;
    let folder = options.state.as_deref().map_or_else(Folder::passing, Folder::open_or_make)?;
    let bar = crate::terminal::bar(u64::from(count), "sessions");
    until_stopped(async {
        let keys = &options.keys;
        let (unlock, passphrase) = (keys.unlock_file.as_deref(), keys.passphrase_file.as_deref());
        let mut access = Access::to(folder, unlock, passphrase, &settings).await?;
        let visitor = Visitor::enter(access.running(), &access.ring, LOCAL).await?;
        let all = async {
            let begun = Instant::now();
            let (mut running, mut seen, mut started) = (JoinSet::new(), Vec::new(), 0);
            loop {
                while started < count && running.len() < at_once as usize {
                    running.spawn(one(visitor.panel()?, case.clone()));
                    started += 1;
                }
                let Some(done) = running.join_next().await else { return Ok((seen, begun.elapsed())) };
                seen.push(done.map_err(|cause| Failure::failed(format!("a session's client: {cause}")))??);
                after(&parsed).await?;
                bar.inc(1);
            }
        };
        let measured = tokio::select! {
            all = all => all,
            failure = access.gave_up() => Err(failure),
        };
        bar.finish_and_clear();
        measured
    })
}

async fn one(mut panel: pb::panel_client::PanelClient<bodh_identity::client::Channel>, case: Vec<u8>) -> Outcome<Seen> {
    let begun = Instant::now();
    let request =
        pb::ConveneRequest { case, pseudonym: String::new(), budget_cents: BUDGET.cents(), sequential: false };
    let refused = |status: tonic::Status| at("the orchestrator", &status);
    let mut events = panel.convene(request).await.map_err(refused)?.into_inner();
    let mut report = None;
    while let Some(event) = events.message().await.map_err(refused)? {
        if let Some(pb::session_event::Event::ReportJson(bytes)) = event.event {
            report = Some(bytes);
        }
    }
    let took = begun.elapsed();
    let report = report.ok_or_else(|| Failure::failed("a session ended without a report"))?;
    let report = serde_json::from_slice(&report);
    let report = report.map_err(|cause| Failure::failed(format!("a report is not of this version: {cause}")))?;
    Ok(Seen { took, report })
}

/// Where the measurement was made: figures mean nothing without it.
pub(super) fn machine(state: Option<&Path>) -> serde_json::Value {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    serde_json::json!({
        "processors": processors, "fsync_ms": fsync(state), "build": if cfg!(debug_assertions) { "debug" } else { "release" },
    })
}

/// The time of one durable write of 4 KiB, the median of 32: the floor under every durable figure.
fn fsync(state: Option<&Path>) -> Option<f64> {
    use std::io::Write;
    let folder = state.map_or_else(std::env::temp_dir, Path::to_owned);
    let mut file = tempfile::tempfile_in(folder).ok()?;
    let mut ms = Vec::new();
    for _ in 0..32 {
        let begun = Instant::now();
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).ok()?;
        ms.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Times::of(ms).map(|times| times.p50_ms)
}

impl LoadOptions {
    pub(super) fn machine(&self) -> serde_json::Value {
        machine(self.state.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(Times::of(vec![]), None);
        let one = Times::of(vec![3.0]).unwrap();
        assert!((one.p50_ms - 3.0).abs() < 1e-9 && (one.max_ms - 3.0).abs() < 1e-9);
        let many = Times::of((1..=100).rev().map(f64::from).collect()).unwrap();
        assert!((many.p50_ms - 50.0).abs() < 1e-9 && (many.p99_ms - 99.0).abs() < 1e-9);
    }

    #[test]
    fn the_floor_is_measured() {
        assert!(fsync(None).unwrap() > 0.0);
    }
}
