//! `bodh diagnose`: one case, on a panel started for it.

use super::options::{KeyOptions, StartOptions, budget};
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, until_stopped};
use crate::people::{LOCAL, Visitor, at};
use crate::report::{self, Shape};
use crate::state::Folder;
use crate::terminal;
use bodh_clinical::Usd;
use bodh_panel::Status;
use bodh_panel_api::pb;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a session may spend without asking a physician (the policy's own threshold per session).
const DEFAULT_BUDGET: &str = "2500";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh diagnose patient.json                         a Phenopacket v2; nothing is kept
  bodh diagnose note.txt --state ~/panel             a plain note; the session is kept and can be decided
  cat patient.json | bodh diagnose - --json          from standard input; one JSON object
  bodh diagnose osce.json --sequential --budget 800  the case file answers what the panel orders

CASE is a Phenopacket v2 (JSON), an OSCE case (JSON) or a plain note (text), at most 4 MiB. FHIR is not read yet.
Exit code 3 means that a physician has to decide: common for rare diseases, and no error.")]
pub(crate) struct Args {
    /// The case file; `-` reads standard input
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// What may be spent on tests, in US dollars
    #[arg(long, value_name = "USD", value_parser = budget, default_value = DEFAULT_BUDGET, allow_negative_numbers = true)]
    budget: Usd,
    /// Start from two findings; each committed order reveals what the case file says of it
    #[arg(long)]
    sequential: bool,
    /// Keep the session in this folder; without it everything is deleted at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    start: StartOptions,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let named = if args.case.as_os_str() == "-" { "standard input".into() } else { args.case.display().to_string() };
    let bytes = read_case(&args.case, &named)?;
    // Read here first, so that a file that cannot be used is refused before anything is started.
    let parsed = bodh_formats::read(&bytes).map_err(|wrong| Failure::input(format!("{named}: {wrong}")))?;
    let settings = args.start.settings()?;
    let folder = match &args.state {
        Some(path) => Folder::open_or_make(path)?,
        None => Folder::passing()?,
    };
    let keys = &args.keys;
    let report = until_stopped(async {
        let progress = terminal::spinner("starting the panel");
        let unlock = keys.unlock_file.as_deref();
        let mut access = Access::to(folder, unlock, keys.passphrase_file.as_deref(), &settings).await?;
        let visitor = Visitor::enter(access.running(), &access.ring, LOCAL).await?;
        let request = pb::ConveneRequest {
            case: bytes,
            pseudonym: parsed.case_id.clone().unwrap_or_default(),
            budget_cents: args.budget.cents(),
            sequential: args.sequential,
        };
        let report = tokio::select! {
            report = convene(&visitor, request, &named, &progress) => report,
            failure = access.gave_up() => Err(failure),
        };
        progress.set_message("stopping the panel");
        drop(access);
        progress.finish_and_clear();
        report
    })?;
    report::show(&report, Shape { json: args.json, state: args.state.as_deref(), named: &named })
}

async fn convene(
    visitor: &Visitor,
    request: pb::ConveneRequest,
    named: &str,
    progress: &indicatif::ProgressBar,
) -> Outcome<Vec<u8>> {
    let events = visitor.panel()?.convene(request).await.map_err(|status| refused(named, &status))?;
    follow(visitor, events.into_inner(), named, progress).await
}

/// What is wrong with the request is said of what was given: its sender can mend that.
fn refused(named: &str, status: &tonic::Status) -> Failure {
    match status.code() {
        tonic::Code::InvalidArgument => Failure::input(format!("{named}: {}", status.message())),
        _ => at("the orchestrator", status),
    }
}

/// How long an interrupted session is waited for: its orchestrator is started again within seconds and carries it on.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(300);

/// Follows a session to its report, through a restart of the orchestrator if need be.
pub(crate) async fn follow(
    visitor: &Visitor,
    mut events: tonic::Streaming<pb::SessionEvent>,
    named: &str,
    progress: &indicatif::ProgressBar,
) -> Outcome<Vec<u8>> {
    let mut session = String::new();
    loop {
        let event = match events.message().await {
            Ok(Some(event)) => event.event,
            Ok(None) => {
                return Err(Failure::failed("the orchestrator ended without a report; see logs/orchestrator.log"));
            }
            Err(status) if session.is_empty() || !is_outage(&status) => return Err(refused(named, &status)),
            Err(_) => return wait_for(visitor, &session, progress).await,
        };
        match event {
            Some(pb::session_event::Event::Progress(now)) => {
                progress.set_message(format!("round {}: {}", now.round, terminal::shown(&now.step)));
                session = now.session;
            }
            Some(pb::session_event::Event::ReportJson(bytes)) => return Ok(bytes),
            None => {}
        }
    }
}

fn is_outage(status: &tonic::Status) -> bool {
    use tonic::Code;
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal | Code::DeadlineExceeded
    )
}

/// Asks for the report until the session is at rest. Nothing is lost: the session is stored, step by step.
async fn wait_for(visitor: &Visitor, session: &str, progress: &indicatif::ProgressBar) -> Outcome<Vec<u8>> {
    progress.set_message("interrupted; waiting for the session to be carried on");
    let deadline = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
        let request = pb::ReportRequest { session: session.to_owned(), access: visitor.access(session)? };
        match visitor.panel()?.report(request).await {
            Ok(reply) => {
                let bytes = reply.into_inner().report_json;
                let report: bodh_panel::Report = serde_json::from_slice(&bytes)
                    .map_err(|cause| Failure::failed(format!("the report does not read: {cause}")))?;
                if !matches!(report.status, Status::Deliberating | Status::AwaitingResults) {
                    return Ok(bytes);
                }
            }
            Err(status) if is_outage(&status) && visitor.panel_stands() => last = Some(status),
            Err(status) if is_outage(&status) => break,
            Err(status) => return Err(at("the orchestrator", &status)),
        }
    }
    let cause = last.map(|status| format!(": {}", status.message())).unwrap_or_default();
    Err(Failure::failed(format!(
        "session {session} was interrupted and is kept; it goes on when the panel does{cause}"
    )))
}

fn read_case(path: &std::path::Path, named: &str) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than is read tells that there is more: nothing larger ever enters memory.
    let limit = bodh_formats::MAX_BYTES as u64 + 1;
    if path.as_os_str() == "-" {
        let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
        read.map_err(|cause| Failure::input(format!("{named}: {cause}")))?;
    } else {
        let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        read.map_err(|cause| crate::state::cannot_read(path, &cause))?;
    }
    Ok(bytes)
}
