//! `bodh bench sessions`: many sessions at once through the whole panel.

use super::load::{LoadOptions, Times, sessions};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use serde_json::json;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh bench sessions deploy/samples/boy_who_falls.json --count 200 --at-once 8

Each session is complete: its own token and key, sealed views, cells, and a durable record.")]
pub(super) struct Args {
    #[command(flatten)]
    load: LoadOptions,
    /// How many sessions
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// How many at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    at_once: u32,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (seen, all) = sessions(&args.load, args.count, args.at_once, async |_| Ok(()))?;
    let times = Times::of(seen.iter().map(|one| one.took.as_secs_f64() * 1000.0).collect());
    let times = times.ok_or_else(|| Failure::failed("no session was measured"))?;
    let rate = f64::from(args.count) / all.as_secs_f64();
    let entries: u64 = seen.iter().map(|one| one.report.audit.entries).sum();
    let machine = args.load.machine();
    if args.load.json {
        return print_json(&json!({
            "sessions": args.count, "at_once": args.at_once, "per_second": rate, "times": times,
            "audit_entries": entries, "machine": machine,
        }));
    }
    let text = format!(
        "{} sessions, {} at a time: {rate:.1} per second\n  p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, longest {:.1} ms\n  \
         {entries} entries in the record\n  {machine}\n",
        args.count, args.at_once, times.p50_ms, times.p90_ms, times.p99_ms, times.max_ms
    );
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
