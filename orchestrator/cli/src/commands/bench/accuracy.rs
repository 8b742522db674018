//! `bodh bench accuracy`: the rank of the right disease, over many cases, in this process.

use crate::bench::{Answers, Case, Ranker, Row, rank, read_cases, truth_file};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::report::NOT_A_DEVICE;
use crate::terminal;
use bodh_inference::accuracy::{self, Share};
use serde_json::json;
use std::collections::HashMap;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh bench accuracy cases/                                        a folder of phenopackets
  bodh bench accuracy dev.jsonl.xz --rankings out.jsonl --json
  bodh bench accuracy dev.jsonl.xz --leave-publication-out          without what the case's own paper says
  bodh bench accuracy cases.jsonl --truth truth.tsv                 case id, disease id, name, publication

The answers in a case file are taken out before the case is ranked. A case that cannot be used gives a row with
its error; the batch goes on. Intervals are drawn over publications.")]
pub(super) struct Args {
    /// A folder, a .json, a .jsonl, or .xz of them
    #[arg(value_name = "CASES")]
    cases: PathBuf,
    /// The answers, tab-separated; without it each case's own
    #[arg(long, value_name = "TSV")]
    truth: Option<PathBuf>,
    /// Reveal findings by committed orders only
    #[arg(long)]
    sequential: bool,
    /// Leave out annotations that come from the case's own publication
    #[arg(long)]
    leave_publication_out: bool,
    /// Write one JSON object per case
    #[arg(long, value_name = "FILE")]
    rankings: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Of the bootstrap: the interval belongs to the cases and not to the run.
const SEED: u64 = 0x0b0d;

/// One case, ranked.
struct Done {
    row: Row,
    scored: Option<accuracy::Outcome>,
    took_ms: Option<f64>,
}

pub(super) fn run(args: &Args) -> Outcome {
    if args.sequential {
        return Err(Failure::NotThereYet("`bodh bench accuracy --sequential`"));
    }
    let truth = args.truth.as_deref().map(truth_file).transpose()?;
    let cases = read_cases(&args.cases)?;
    let ranker = Ranker::load()?;
    let done = rank_all(&cases, &ranker, truth.as_ref(), args.leave_publication_out);
    if let Some(path) = &args.rankings {
        write_rankings(path, &done)?;
    }
    report(args, &done)
}

/// Every case gives one result, in the cases' order, on all processors.
fn rank_all(
    cases: &[Case],
    ranker: &Ranker,
    truth: Option<&HashMap<String, Answers>>,
    leave_publication_out: bool,
) -> Vec<Done> {
    let bar = terminal::bar(cases.len() as u64, "cases");
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(cases.len())));
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let (place, Some(case)) = take(&next, cases) {
                    let done = one(case, ranker, truth, leave_publication_out);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((place, done));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, done)| done).collect()
}

fn take<'a>(next: &AtomicUsize, cases: &'a [Case]) -> (usize, Option<&'a Case>) {
    let place = next.fetch_add(1, Ordering::Relaxed);
    (place, cases.get(place))
}

fn one(case: &Case, ranker: &Ranker, truth: Option<&HashMap<String, Answers>>, leave_out: bool) -> Done {
    let refused =
        |name: &str, error: String| Done { row: Row::refused(name.to_owned(), error), scored: None, took_ms: None };
    let parsed = match bodh_formats::read(&case.bytes) {
        Ok(parsed) => parsed,
        Err(wrong) => return refused(&case.place, wrong.to_string()),
    };
    let name = parsed.case_id.clone().unwrap_or_else(|| case.place.clone());
    let own = bodh_formats::truth(&case.bytes).map(|truth| Answers::of_case(&truth)).unwrap_or_default();
    let answers = truth.map_or(Some(&own), |truth| truth.get(&name).or_else(|| truth.get(&case.place)));
    let publication = answers.and_then(|a| a.publication.clone()).or_else(|| own.publication.clone());
    let begun = Instant::now();
    let ranking = match ranker.rank(&parsed.case, publication.as_deref().filter(|_| leave_out)) {
        Ok(ranking) => ranking,
        Err(wrong) => return refused(&name, wrong),
    };
    let took_ms = Some(begun.elapsed().as_secs_f64() * 1000.0);
    let leading = ranking.ranked.first().map_or(0.0, |first| first.probability);
    let scored = answers.filter(|answers| !answers.is_empty()).map(|answers| accuracy::Outcome {
        case: name.clone(),
        publication: publication.unwrap_or_else(|| name.clone()),
        rank: rank(&ranking.ranked, answers),
        leading,
    });
    let row =
        Row { case: name, ranked: ranking.ranked, cost_usd: 0.0, orders: 0, escalated: ranking.escalated, error: None };
    Done { row, scored, took_ms }
}

fn write_rankings(path: &Path, done: &[Done]) -> Outcome {
    let write = || -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for one in done {
            serde_json::to_writer(&mut file, &one.row)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    };
    write().map_err(|cause| Failure::input(format!("{}: cannot be written ({cause})", path.display())))
}

fn report(args: &Args, done: &[Done]) -> Outcome {
    let scored: Vec<_> = done.iter().filter_map(|one| one.scored.clone()).collect();
    let errors: Vec<_> = done.iter().filter(|one| one.row.error.is_some()).collect();
    let times: Vec<_> = done.iter().filter_map(|one| one.took_ms).collect();
    let times = super::load::Times::of(times);
    let escalated = done.iter().filter(|one| one.row.escalated).count();
    let (count, summary) = (scored.len(), accuracy::evaluate(scored, SEED));
    if args.json {
        let errors: Vec<_> = errors.iter().map(|one| json!({ "case": one.row.case, "error": one.row.error })).collect();
        return print_json(&json!({
            "cases": done.len(), "scored": summary, "errors": errors, "times": times, "escalated": escalated,
            "leave_publication_out": args.leave_publication_out,
        }));
    }
    let mut text = format!("{} cases: {} scored, {} refused\n", done.len(), count, errors.len());
    if count > 0 {
        let what = if args.leave_publication_out { "own publication left out" } else { "all annotations" };
        text.push_str(&format!("  {what}; 95 % intervals over {} publications\n", summary.publications));
        for (name, share) in [("top-1", summary.top_1), ("top-3", summary.top_3), ("top-10", summary.top_10)] {
            text.push_str(&line(name, share));
        }
        text.push_str(&format!("  Brier {:.3}, calibration error {:.3}\n", summary.brier, summary.calibration_error));
    }
    if let Some(times) = times {
        text.push_str(&format!("  per case p50 {:.2} ms, p99 {:.2} ms\n", times.p50_ms, times.p99_ms));
    }
    for one in errors.iter().take(5) {
        let error = one.row.error.as_deref().unwrap_or_default();
        text.push_str(&format!("  refused {}: {}\n", terminal::shown(&one.row.case), terminal::shown(error)));
    }
    if errors.len() > 5 {
        text.push_str(&format!("  and {} more; --rankings has every row\n", errors.len() - 5));
    }
    text.push_str(&format!("{NOT_A_DEVICE}\n"));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn line(name: &str, share: Share) -> String {
    let percent = |share: f64| share * 100.0;
    format!("  {name:<7} {:>5.1} %   ({:.1} to {:.1})\n", percent(share.value), percent(share.low), percent(share.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Vec<Case> {
        let sample = include_bytes!("../../../../../deploy/samples/tall_with_dislocated_lenses.json");
        let good = Case { place: "good".into(), bytes: sample.to_vec() };
        let bad = Case { place: "bad".into(), bytes: b"{".to_vec() };
        vec![good.clone(), bad, good]
    }

    #[test]
    fn every_case_gives_a_row_in_its_place_and_a_bad_one_stops_nothing() {
        let truth = HashMap::from([(
            "sample-tall-with-dislocated-lenses".to_owned(),
            Answers { ids: vec![bodh_clinical::DiseaseId::parse("OMIM:154700").unwrap()], ..Answers::default() },
        )]);
        let ranker = Ranker::load().unwrap();
        let done = rank_all(&cases(), &ranker, Some(&truth), false);
        let names: Vec<_> = done.iter().map(|one| one.row.case.as_str()).collect();
        assert_eq!(names, ["sample-tall-with-dislocated-lenses", "bad", "sample-tall-with-dislocated-lenses"]);
        assert_eq!(done[0].scored.as_ref().unwrap().rank, Some(1));
        assert!(done[1].row.error.as_ref().unwrap().contains("JSON") && done[1].scored.is_none());
        assert_eq!(done[0].row, done[2].row, "deterministic");
    }

    #[test]
    fn a_rankings_file_has_one_object_per_case() {
        let done = rank_all(&cases(), &Ranker::load().unwrap(), None, true);
        let file = tempfile::NamedTempFile::new().unwrap();
        write_rankings(file.path(), &done).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 3);
        assert!(rows[0]["ranked"].as_array().unwrap().len() <= 50 && rows[0]["ranked"][0]["also"].is_array());
        assert!(rows[1]["error"].is_string() && rows[1]["ranked"].as_array().unwrap().is_empty());
    }
}
