//! `bodh amend`: findings corrected, results and answers added to a session; the panel reasons again.

use super::options::{StartOptions, StateOptions, WhoOption};
use super::visit::visit;
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::report::{self, Shape};
use crate::terminal;
use bodh_clinical::{TermId, TestId};
use bodh_panel_api::pb::{self, correction::Said};
use std::io::Read;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh amend 0123456789abcdef0123456789abcdef --set HP:0001083=excluded --state ~/panel
  echo 'temperature 38.9, denies travel' | bodh amend 0123456789abcdef0123456789abcdef --text - --state ~/panel
  bodh amend 0123456789abcdef0123456789abcdef --text xray.txt --about ct_chest --state ~/panel --as ann

A statement stands in the record beside your name. It decides nothing, and spends nothing.")]
pub(crate) struct Args {
    /// The session's id
    #[arg(value_name = "SESSION")]
    session: String,
    /// A finding of the chart, and what is right: present, excluded, or not_said
    #[arg(long = "set", value_name = "TERM=SAID", value_parser = correction, required_unless_present = "text")]
    set: Vec<pb::Correction>,
    /// What was learned, in your words: a text file of at most 4 KiB, - for stdin
    #[arg(long, value_name = "FILE")]
    text: Option<String>,
    /// The test whose result, or the question whose answer, the text is
    #[arg(long, value_name = "TEST", value_parser = |text: &str| TestId::parse(text), requires = "text")]
    about: Option<TestId>,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object: the report
    #[arg(long)]
    json: bool,
}

fn correction(text: &str) -> Result<pb::Correction, String> {
    let (term, said) = text.split_once('=').ok_or("expected TERM=present, TERM=excluded or TERM=not_said")?;
    let term = TermId::parse(term).map_err(|wrong| wrong.to_string())?;
    let said = match said {
        "present" => Said::Present,
        "excluded" => Said::Excluded,
        "not_said" => Said::NotSaid,
        _ => return Err("a finding is present, excluded or not_said".into()),
    };
    Ok(pb::Correction { term: term.into(), said: said.into() })
}

pub(crate) fn run(args: &Args) -> Outcome {
    let text = args.text.as_deref().map_or_else(|| Ok(String::new()), read)?;
    let report = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        let (session, about) = (args.session.clone(), args.about.clone().map(Into::into).unwrap_or_default());
        let (corrections, access) = (args.set.clone(), visitor.access(&session)?);
        let request = pb::AmendRequest { session, corrections, text, about, access, rounds: 0 };
        let events = visitor.panel()?.amend(request).await.map_err(|status| at("the orchestrator", &status))?;
        let progress = terminal::spinner("the panel reasons again");
        let report = super::diagnose::follow(visitor, events.into_inner(), &args.session, &progress).await;
        progress.finish_and_clear();
        report
    })?;
    report::show(&report, Shape { json: args.json, state: Some(&args.state.state), named: &args.session })
}

fn read(name: &str) -> Outcome<String> {
    let mut text = String::new();
    let most = bodh_panel::MOST_TEXT as u64 + 1;
    let input: Box<dyn Read> = match name {
        "-" => Box::new(std::io::stdin()),
        name => Box::new(std::fs::File::open(name).map_err(|cause| Failure::input(format!("{name}: {cause}")))?),
    };
    input.take(most).read_to_string(&mut text).map_err(|cause| Failure::input(format!("{name}: {cause}")))?;
    Ok(text.replace("\r\n", "\n"))
}
