//! `bodh audit export`: the evidence of one session, in one file.

use super::session;
use crate::commands::options::{StartOptions, StateOptions, WhoOption};
use crate::commands::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::state::write_private;
use crate::terminal;
use bodh_evidence::{Evidence, verify};
use bodh_panel_api::pb;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit export 0123456789abcdef0123456789abcdef --state ~/panel --as cleo
  bodh audit verify bodh-evidence-0123456789abcdef0123456789abcdef.html --key 'bodh.internal/log+1a2b3c4d+Ab…'

The file opens in any browser and is checked without any server. It holds a patient's findings, neither the note nor
identifiers; taking it is an entry in the log. A session at work has no evidence yet.")]
pub(super) struct Args {
    /// The session's id: 32 hexadecimal digits
    #[arg(value_name = "SESSION", value_parser = session)]
    session: String,
    /// Where to write it; a file that is there already is not replaced [default: bodh-evidence-SESSION.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    let out = args.out.clone().unwrap_or_else(|| format!("bodh-evidence-{}.html", args.session).into());
    let out = std::path::absolute(&out).map_err(|cause| Failure::input(format!("{}: {cause}", out.display())))?;
    if out.exists() {
        return Err(Failure::input(format!("{}: there is such a file; name another with --out", out.display())));
    }
    let evidence = visit(&args.state, &args.start, args.who.or_local(), async |access, visitor| {
        let request = pb::ExportRequest { session: args.session.clone(), access: visitor.access(&args.session)? };
        let reply = visitor.panel()?.export(request).await;
        let reply = reply.map_err(|status| at("the orchestrator", &status))?.into_inner();
        let content = String::from_utf8(reply.content_json);
        let content = content.map_err(|_| Failure::failed("the evidence does not read".to_owned()))?;
        let log = access.folder.path().join("log");
        let evidence = Evidence::assemble(&log, reply.page, content, reply.entry);
        evidence.map_err(|fault| Failure::failed(format!("{}: {fault}", log.display())))
    })?;
    let text = evidence.to_text();
    // What does not hold here holds nowhere: it is not handed out.
    let whole = verify(text.as_bytes(), None).map_err(|fault| Failure::unverified(format!("the evidence: {fault}")))?;
    write_private(&out, text.as_bytes())?;
    if args.json {
        return print_json(&json!({
            "session": args.session, "bundle": out, "entry": evidence.entry, "entries": whole.log.entries.len(),
            "size": whole.log.size, "root": whole.log.root.to_string(), "key": whole.log.key.to_string(),
            "decisions": whole.decisions.len(),
        }));
    }
    let said = format!(
        "{}\n  {} entries with their proofs, {} signed statement(s); entry {} commits to it\n  bodh audit verify {} --key '{}'\n",
        out.display(),
        whole.log.entries.len(),
        whole.decisions.len(),
        evidence.entry,
        out.display(),
        whole.log.key,
    );
    terminal::print(&said).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
