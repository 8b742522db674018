//! `bodh bench accuracy`: the rank of the right disease, over many cases, in this process.

use super::findings::{self, Told};
use crate::bench::{Answers, Batch, Done, InProcess, read_cases, run_all, truth_file};
use crate::failure::{Failure, Outcome};
use crate::terminal;
use bodh_clinical::Usd;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh bench accuracy cases/                                        a folder of phenopackets
  bodh bench accuracy dev.jsonl.xz --rankings out.jsonl --json
  bodh bench accuracy dev.jsonl.xz --leave-publication-out          without what the case's own paper says
  bodh bench accuracy cases.jsonl --truth truth.tsv                 case id, disease id, name, publication
  bodh bench accuracy dev.jsonl.xz --sequential --charts charts/    two findings open, orders reveal the rest

Every case goes through the panel's own state machine, its members' answers and the built-in policies. The answers in
a case file are taken out first. A case that cannot be used gives a row with its error, and one that contradicts itself is
told with what was not used; the batch goes on. Intervals
are drawn over publications.

With --sequential a first visit costs $300, and the case is also gone through in four other ways: tests at random, a
fixed list, the largest gain whatever it costs, and everything. Where a policy asks a physician about a single dear
test it is approved while the budget lasts; an order beyond the budget is declined.")]
pub(super) struct Args {
    /// A folder, a .json, a .jsonl, or .xz of them
    #[arg(value_name = "CASES")]
    cases: PathBuf,
    /// The answers, tab-separated; without it each case's own
    #[arg(long, value_name = "TSV")]
    truth: Option<PathBuf>,
    /// Start from two findings; orders reveal the rest
    #[arg(long)]
    sequential: bool,
    /// What may be spent on a case, in US dollars, with --sequential
    #[arg(long, value_name = "USD", default_value = "2500")]
    budget: String,
    /// Leave out annotations that come from the case's own publication
    #[arg(long)]
    leave_publication_out: bool,
    /// Write one JSON object per case
    #[arg(long, value_name = "FILE")]
    rankings: Option<PathBuf>,
    /// Draw the reliability diagram (SVG, and its numbers as TSV), and with --sequential accuracy against dollars, into this folder
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let budget = Usd::parse(&args.budget).map_err(|wrong| Failure::input(format!("--budget: {wrong}")))?;
    let truth = args.truth.as_deref().map(truth_file).transpose()?;
    let cases = read_cases(&args.cases)?;
    let members = InProcess::load()?;
    let batch = Batch {
        truth: truth.as_ref(),
        leave_publication_out: args.leave_publication_out,
        sequential: args.sequential,
        budget,
        rivals: args.sequential,
    };
    let done = run_all(&cases, &members, batch);
    if let (Some(path), Some(truth)) = (&args.truth, &truth) {
        strangers(path, truth, &done)?;
    }
    if let Some(path) = &args.rankings {
        write_rankings(path, &done)?;
    }
    let told = Told::of(&done, args.leave_publication_out, args.sequential);
    if let Some(folder) = &args.charts {
        for (name, text) in told.charts(&command(args)) {
            write(&folder.join(name), text.as_bytes())?;
        }
    }
    findings::print(&told, args.json)
}

/// The command that measures the same again. Where the cases lie on this machine is nobody else's concern.
fn command(args: &Args) -> String {
    let mut words = vec!["bodh bench accuracy CASES".to_owned()];
    words.extend(args.truth.as_ref().map(|_| "--truth TSV".to_owned()));
    words.extend(args.leave_publication_out.then(|| "--leave-publication-out".to_owned()));
    words.extend(args.sequential.then(|| format!("--sequential --budget {}", args.budget)));
    words.join(" ")
}

/// Says which cases of a truth file are not among the cases; none at all is another file's truth.
fn strangers(path: &Path, truth: &HashMap<String, Answers>, done: &[Done]) -> Outcome {
    // A case may also be named by its place in the file.
    let known: HashSet<&str> = done.iter().flat_map(|one| [one.row.case.as_str(), one.place.as_str()]).collect();
    let unknown = truth.iter().filter(|(case, _)| !known.contains(case.as_str()));
    let mut unknown: Vec<(usize, &str)> = unknown.map(|(case, answers)| (answers.line, case.as_str())).collect();
    unknown.sort_unstable();
    let Some((line, first)) = unknown.first().map(|(line, first)| (line, terminal::shown(first))) else {
        return Ok(());
    };
    let shown = path.display();
    if unknown.len() == truth.len() {
        return Err(Failure::input(format!(
            "{shown}: names none of the cases (first `{first}`, line {line}); is it another set's?"
        )));
    }
    eprintln!("{shown}: line {line}: `{first}` is not among the cases ({} more such cases)", unknown.len() - 1);
    Ok(())
}

fn cannot(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::input(format!("{}: cannot be written ({cause})", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, bytes));
    made.map_err(|cause| cannot(path, &cause))
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
    write().map_err(|cause| cannot(path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Case;

    #[test]
    fn a_truth_file_of_other_cases_is_told() {
        let cases = [Case { place: "set:1".into(), bytes: b"{".to_vec(), ..Case::default() }];
        let batch =
            Batch { truth: None, leave_publication_out: false, sequential: false, budget: Usd::ZERO, rivals: false };
        let done = run_all(&cases, &InProcess::load().unwrap(), batch);
        let answers = |line| Answers { line, ..Answers::default() };
        let truth = |first: &str| HashMap::from([(first.to_owned(), answers(1)), ("b".to_owned(), answers(2))]);
        let path = Path::new("truth.tsv");
        assert!(strangers(path, &truth("set:1"), &done).is_ok(), "told, and gone on");
        let refused = strangers(path, &truth("a"), &done).unwrap_err();
        assert!(refused.code() == 2, "{refused}");
        assert!(refused.to_string().contains("truth.tsv: names none of the cases (first `a`, line 1)"), "{refused}");
    }

    #[test]
    fn a_rankings_file_has_one_object_per_case() {
        let sample = include_bytes!("../../../../../deploy/samples/tall_with_dislocated_lenses.json");
        let cases = [sample.as_slice(), b"{"].map(|bytes| Case {
            place: "case".into(),
            bytes: bytes.to_vec(),
            ..Case::default()
        });
        let batch =
            Batch { truth: None, leave_publication_out: true, sequential: false, budget: Usd::ZERO, rivals: false };
        let done = run_all(&cases, &InProcess::load().unwrap(), batch);
        let file = tempfile::NamedTempFile::new().unwrap();
        write_rankings(file.path(), &done).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0]["ranked"].as_array().unwrap().len() <= 50 && rows[0]["ranked"][0]["also"].is_array());
        assert!(rows[0]["escalated"].is_boolean() && rows[0]["escalated_for"].is_array());
        assert!(rows[1]["error"].is_string() && rows[1]["ranked"].as_array().unwrap().is_empty());
    }
}
