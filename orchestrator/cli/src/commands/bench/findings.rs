//! What a batch of cases amounts to: in words, as JSON, and as pictures.

use crate::bench::chart::{self, Line};
use crate::bench::{Done, Rival, Stage, with_visit};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::report::NOT_A_DEVICE;
use crate::terminal;
use bodh_inference::accuracy::{self, Share, Summary};
use bodh_pictures::{measured::Measured, reliability};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Of the bootstrap: the interval belongs to the cases and not to the run.
const SEED: u64 = 0x0b0d;
/// The kind of question that is told apart from the others.
const RARE: &str = "rare_diagnosis";
/// Refused and contradictory cases that are told in words.
const LISTED: usize = 5;
/// Points of a curve.
const POINTS: u32 = 24;

/// One way through the cases.
#[derive(Debug, Serialize)]
struct Way {
    name: &'static str,
    /// At its end.
    top_1: f64,
    mean_usd: f64,
    mean_orders: f64,
    /// Mean dollars under a cap, and the share that is right then.
    curve: Vec<(f64, f64)>,
}

/// What escalating below a confidence would do.
#[derive(Debug, Serialize)]
struct Trade {
    /// A leading diagnosis less probable than this is escalated.
    below: f64,
    escalated: f64,
    wrong_and_not: f64,
}

/// Everything that is told of a batch.
pub(super) struct Told<'a> {
    done: &'a [Done],
    leave_out: bool,
    sequential: bool,
    summary: Summary,
    ways: Vec<Way>,
    trades: Vec<Trade>,
    /// By kind, the cases whose conclusion a physician sees for it.
    kinds: BTreeMap<&'a str, usize>,
    /// Cases that a physician sees for more than rarity, and those with a wrong lead that nobody sees.
    beyond_rarity: usize,
    wrong_and_unseen: usize,
    wrong_and_only_rare: usize,
}

impl<'a> Told<'a> {
    pub(super) fn of(done: &'a [Done], leave_out: bool, sequential: bool) -> Self {
        let summary = accuracy::evaluate(done.iter().filter_map(|one| one.scored.clone()), SEED);
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for kind in done.iter().flat_map(|one| &one.row.escalated_for) {
            *kinds.entry(kind).or_default() += 1;
        }
        let beyond = |one: &&Done| one.row.escalated_for.iter().any(|kind| kind != RARE);
        let wrong = |one: &&Done| one.scored.as_ref().is_some_and(|scored| scored.rank != Some(1));
        Self {
            leave_out,
            sequential,
            summary,
            ways: if sequential { ways(done) } else { Vec::new() },
            trades: trades(done),
            kinds,
            beyond_rarity: done.iter().filter(beyond).count(),
            wrong_and_unseen: done.iter().filter(wrong).filter(|one| !one.row.escalated).count(),
            wrong_and_only_rare: done.iter().filter(wrong).filter(|o| o.row.escalated && !beyond(o)).count(),
            done,
        }
    }

    /// File names, and pictures with the numbers that they are drawn from. `command` is what was called, without its paths.
    pub(super) fn charts(&self, command: &str) -> Vec<(&'static str, String)> {
        let of = format!("{} cases", self.summary.n);
        let bin = |bin: &accuracy::Bin| reliability::Bin { n: bin.n, stated: bin.stated, seen: bin.seen };
        let measured = Measured {
            command: command.to_owned(),
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            cases: self.summary.n,
            bins: self.summary.reliability.iter().map(bin).collect(),
        };
        let picture = reliability::file(&format!("Stated and right: the leading diagnosis, {of}"), &measured.bins);
        let mut charts = vec![("reliability.svg", picture), ("reliability.tsv", measured.to_text())];
        if !self.ways.is_empty() {
            let line = |(place, way): (usize, &Way)| Line {
                label: way.name.to_owned(),
                points: way.curve.clone(),
                leads: place == 0,
                mark: (place == 0).then_some((way.mean_usd, way.top_1)),
            };
            let lines: Vec<Line> = self.ways.iter().enumerate().map(line).collect();
            charts.push(("dollars.svg", chart::dollars(&format!("What accuracy costs, {of}"), &lines)));
        }
        charts
    }

    fn errors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.done.iter().filter_map(|one| Some((one.row.case.as_str(), one.row.error.as_deref()?)))
    }

    fn contradictions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.done.iter().filter_map(|one| Some((one.row.case.as_str(), one.contradiction.as_deref()?)))
    }
}

/// The panel and its rivals on the scored cases.
fn ways(done: &[Done]) -> Vec<Way> {
    let scored: Vec<&Done> = done.iter().filter(|one| one.scored.is_some()).collect();
    let of_rival = |rival: Rival| {
        let stages = |one: &&Done| one.rivals.iter().find(|r| r.0 == rival).map_or(Vec::new(), |r| r.1.clone());
        (rival.name(), scored.iter().map(stages).collect::<Vec<_>>())
    };
    let panel = ("the panel", scored.iter().map(|one| one.stages.clone()).collect::<Vec<_>>());
    [panel].into_iter().chain(Rival::ALL.map(of_rival)).map(|(name, all)| way(name, &all)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "counts of cases and orders")]
fn way(name: &'static str, all: &[Vec<Stage>]) -> Way {
    let n = all.len().max(1) as f64;
    let under = |cap: f64| {
        let reached = all.iter().filter_map(|stages| stages.iter().take_while(|s| with_visit(**s) <= cap).last());
        let (mut usd, mut right) = (0.0, 0.0);
        for stage in reached {
            usd += with_visit(*stage);
            right += if stage.rank == Some(1) { 1.0 } else { 0.0 };
        }
        (usd / n, right / n)
    };
    let (mean_usd, top_1) = under(f64::INFINITY);
    let (first, most) = (300.0_f64, all.iter().flatten().map(|s| with_visit(*s)).fold(300.0, f64::max));
    let cap = |point: u32| first * (most / first).powf(f64::from(point) / f64::from(POINTS));
    let mut curve: Vec<(f64, f64)> = (0..POINTS).map(|point| under(cap(point))).collect();
    curve.push((mean_usd, top_1));
    curve.dedup_by(|a, b| (a.0 - b.0).abs() < 0.005);
    let orders = all.iter().map(|stages| stages.len().saturating_sub(1)).sum::<usize>();
    Way { name, top_1, mean_usd, mean_orders: orders as f64 / n, curve }
}

#[allow(clippy::cast_precision_loss, reason = "counts of cases")]
fn trades(done: &[Done]) -> Vec<Trade> {
    let scored: Vec<_> = done.iter().filter_map(|one| one.scored.as_ref()).collect();
    let share = |count: usize| count as f64 / scored.len().max(1) as f64;
    let one = |tenth: u8| {
        let below = f64::from(tenth) / 10.0;
        let unseen = || scored.iter().filter(|s| s.leading >= below);
        Trade {
            below,
            escalated: 1.0 - share(unseen().count()),
            wrong_and_not: share(unseen().filter(|s| s.rank != Some(1)).count()),
        }
    };
    (1..=9).map(one).collect()
}

pub(super) fn print(told: &Told<'_>, as_json: bool) -> Outcome {
    let times = super::load::Times::of(told.done.iter().filter_map(|one| one.took_ms).collect());
    if as_json {
        let errors: Vec<_> = told.errors().map(|(case, error)| json!({ "case": case, "error": error })).collect();
        let against = |(case, says): (&str, &str)| json!({ "case": case, "says": says });
        let contradictions: Vec<_> = told.contradictions().map(against).collect();
        return print_json(&json!({
            "cases": told.done.len(), "scored": told.summary, "errors": errors, "contradictions": contradictions, "times": times,
            "escalated": told.done.iter().filter(|one| one.row.escalated).count(),
            "escalated_for": told.kinds, "escalated_beyond_rarity": told.beyond_rarity,
            "wrong_and_not_escalated": told.wrong_and_unseen,
            "wrong_and_escalated_as_rare_alone": told.wrong_and_only_rare,
            "by_confidence": told.trades, "ways": told.ways,
            "leave_publication_out": told.leave_out, "sequential": told.sequential,
        }));
    }
    let text = words(told, times.as_ref());
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn words(told: &Told<'_>, times: Option<&super::load::Times>) -> String {
    let (summary, refused) = (&told.summary, told.errors().count());
    let mut text = format!("{} cases: {} scored, {refused} refused\n", told.done.len(), summary.n);
    if summary.n > 0 {
        let what = if told.leave_out { "own publication left out" } else { "all annotations" };
        let _ = writeln!(text, "  {what}; 95 % intervals over {} publications", summary.publications);
        let shares = [summary.top_1, summary.top_3, summary.top_5, summary.top_10];
        for (name, share) in ["top-1", "top-3", "top-5", "top-10"].into_iter().zip(shares) {
            text.push_str(&line(name, share));
        }
        let _ = writeln!(text, "  Brier {:.3}, calibration error {:.3}", summary.brier, summary.calibration_error);
        text.push_str(&escalations(told));
    }
    for way in &told.ways {
        let _ = writeln!(
            text,
            "  {:<16} top-1 {:>5.1} %   mean ${:>8.0}   {:>5.1} orders",
            way.name,
            way.top_1 * 100.0,
            way.mean_usd,
            way.mean_orders
        );
    }
    if let Some(times) = times {
        let _ = writeln!(text, "  per case p50 {:.2} ms, p99 {:.2} ms", times.p50_ms, times.p99_ms);
    }
    listed(&mut text, "refused", told.errors().collect());
    listed(&mut text, "contradicts itself:", told.contradictions().collect());
    let _ = writeln!(text, "{NOT_A_DEVICE}");
    text
}

/// The first of the cases of which something is to be said.
fn listed(text: &mut String, what: &str, cases: Vec<(&str, &str)>) {
    let more = cases.len().saturating_sub(LISTED);
    for (case, says) in cases.into_iter().take(LISTED) {
        let _ = writeln!(text, "  {what} {}: {}", terminal::shown(case), terminal::shown(says));
    }
    if more > 0 {
        let _ = writeln!(text, "  and {more} more; --json and --rankings have every one");
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of cases")]
fn escalations(told: &Told<'_>) -> String {
    let percent = |count: usize| 100.0 * count as f64 / told.done.len().max(1) as f64;
    let mut text = format!(
        "  to a physician for more than rarity {:.1} %; wrong and not escalated {:.1} % (and {:.1} % for rarity alone)\n",
        percent(told.beyond_rarity),
        percent(told.wrong_and_unseen),
        percent(told.wrong_and_only_rare)
    );
    let kinds: Vec<String> = told.kinds.iter().map(|(kind, n)| format!("{kind} {:.1} %", percent(*n))).collect();
    if !kinds.is_empty() {
        let _ = writeln!(text, "    {}", kinds.join(", "));
    }
    text.push_str("  escalating by confidence alone:   below   escalated   wrong and not\n");
    for trade in &told.trades {
        let _ = writeln!(
            text,
            "                                    {:>3.0} %     {:>5.1} %         {:>5.1} %",
            trade.below * 100.0,
            trade.escalated * 100.0,
            trade.wrong_and_not * 100.0
        );
    }
    text
}

fn line(name: &str, share: Share) -> String {
    let percent = |share: f64| share * 100.0;
    format!("  {name:<7} {:>5.1} %   ({:.1} to {:.1})\n", percent(share.value), percent(share.low), percent(share.high))
}

#[cfg(test)]
#[path = "tests/findings.rs"]
mod tests;
