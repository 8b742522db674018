//! `bodh bench tax`: what zero trust costs one call, and one session step by step.

use super::load::{LoadOptions, Times, sessions};
use crate::bench::plain::Plain;
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use bodh_agent_api::pb;
use bodh_clinical::{Case, Question};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh bench tax deploy/samples/boy_who_falls.json --count 50

One call: intake's, which a session asks alone. Gated: mutual TLS, token, policy, a cell of its own (started for the session),
attempt and outcome durable in the record. Plain: the same question to the same code over plain gRPC in another process,
between the sessions of the same run. The steps are the orchestrator's own times; `client` is seen from outside.")]
pub(super) struct Args {
    #[command(flatten)]
    load: LoadOptions,
    /// How many sessions, one after the other
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
}

/// The step that is measured both ways.
const STEP: &str = "extract";
/// Plain calls after each session.
const PLAIN_CALLS: u32 = 5;

pub(super) fn run(args: &Args) -> Outcome {
    let (mut plain, mut plain_ms) = (None, Vec::new());
    let (seen, _) = sessions(&args.load, args.count, 1, async |case| {
        if plain.is_none() {
            plain = Some(Plain::start().await?);
        }
        let Some(plain) = &mut plain else { return Ok(()) };
        for _ in 0..PLAIN_CALLS {
            plain_ms.push(plain.ask(&question(case)).await?.as_secs_f64() * 1000.0);
        }
        Ok(())
    })?;
    let outside = Times::of(seen.iter().map(|one| one.took.as_secs_f64() * 1000.0).collect());
    let plain = Times::of(plain_ms);
    let (Some(outside), Some(plain)) = (outside, plain) else { return Err(Failure::failed("no session was measured")) };
    let mut by_step: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (step, ms) in seen.iter().flat_map(|one| &one.report.timings_ms) {
        by_step.entry(step).or_default().push(*ms);
    }
    let steps: BTreeMap<_, _> = by_step.into_iter().filter_map(|(step, ms)| Some((step, Times::of(ms)?))).collect();
    let gated = steps.get(STEP).cloned().ok_or_else(|| Failure::failed("no session asked intake"))?;
    let added = gated.p50_ms - plain.p50_ms;
    let machine = args.load.machine();
    if args.load.json {
        return print_json(&json!({
            "sessions": args.count, "call": { "step": STEP, "gated": gated, "plain": plain, "added_p50_ms": added },
            "client": outside, "steps": steps, "machine": machine,
        }));
    }
    let mut text = String::new();
    let mut line = |name: &str, times: &Times| {
        // Writing to a String has no failure path.
        let _written = writeln!(text, "  {name:<28} p50 {:>8.2} ms   p99 {:>8.2} ms", times.p50_ms, times.p99_ms);
    };
    line("one call, gated", &gated);
    line("the same call, plain", &plain);
    line("a session, from outside", &outside);
    for (step, times) in &steps {
        line(&format!("  {}", terminal::shown(step)), times);
    }
    text.push_str(&format!("  added to one call: p50 {added:.2} ms\n"));
    text.push_str(&format!("  {} sessions, one after the other; {machine}\n", args.count));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// What the orchestrator asks intake about this case.
fn question(case: &Case) -> pb::Question {
    let Case { subject, note, coded, .. } = case.clone();
    pb::Question::from(&Question::Extract { subject, note, coded })
}
