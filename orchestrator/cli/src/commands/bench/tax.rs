//! `bodh bench tax`: what zero trust costs one session, step by step.

use super::load::{LoadOptions, Times, sessions};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh bench tax deploy/samples/boy_who_falls.json --count 50

The steps are the orchestrator's own times; `total` is the session's, the client's time is seen from outside.")]
pub(super) struct Args {
    #[command(flatten)]
    load: LoadOptions,
    /// How many sessions, one after the other
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
}

pub(super) fn run(args: &Args) -> Outcome {
    let (seen, _) = sessions(&args.load, args.count, 1)?;
    let outside = Times::of(seen.iter().map(|one| one.took.as_secs_f64() * 1000.0).collect());
    let outside = outside.ok_or_else(|| Failure::failed("no session was measured"))?;
    let mut by_step: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (step, ms) in seen.iter().flat_map(|one| &one.report.timings_ms) {
        by_step.entry(step).or_default().push(*ms);
    }
    let steps: BTreeMap<_, _> = by_step.into_iter().filter_map(|(step, ms)| Some((step, Times::of(ms)?))).collect();
    let machine = args.load.machine();
    if args.load.json {
        return print_json(&json!({ "sessions": args.count, "client": outside, "steps": steps, "machine": machine }));
    }
    let mut text = String::new();
    let mut line = |name: &str, times: &Times| {
        // Writing to a String has no failure path.
        let _written = writeln!(text, "  {name:<28} p50 {:>8.2} ms   p99 {:>8.2} ms", times.p50_ms, times.p99_ms);
    };
    line("client", &outside);
    for (step, times) in &steps {
        line(&terminal::shown(step), times);
    }
    text.push_str(&format!("  {} sessions, one after the other; {machine}\n", args.count));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
