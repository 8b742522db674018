//! `bodh audit`: the record, verified from its published files, and read.

mod access;
mod export;
mod replay;
mod review;

use super::options::{StartOptions, StateOptions, WhoOption};
use super::verify;
use super::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::terminal::{self, shown};
use bodh_audit_api::pb;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Verify a published log: truncated, reordered, re-signed or changed anywhere is named and exits 4
    Verify(verify::Args),
    /// Every entry of one session; reading it is an entry too
    Show(ShowArgs),
    /// Who saw what of all sessions of one patient, by the pseudonym
    Access(access::Args),
    /// The evidence of one session in one file: a page to read, and everything that proves it offline
    Export(export::Args),
    /// Put every question of a session again and compare the answers bit for bit; exits 4 where one differs
    Replay(replay::Args),
    /// Sign off the record of a session, or name the entry that went wrong
    Review(review::Args),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit show 0123456789abcdef0123456789abcdef --state ~/panel
  bodh audit show 0123456789abcdef0123456789abcdef --state ~/panel --as cleo --json")]
struct ShowArgs {
    /// The session's id: 32 hexadecimal digits
    #[arg(value_name = "SESSION", value_parser = session)]
    session: String,
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

/// A session's id.
fn session(text: &str) -> Result<String, String> {
    let good = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if good { Ok(text.to_owned()) } else { Err("a session's id is 32 lower-case hexadecimal digits".into()) }
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.what {
        What::Verify(args) => verify::run(&args),
        What::Show(args) => show(&args),
        What::Access(args) => access::run(&args),
        What::Export(args) => export::run(&args),
        What::Replay(args) => replay::run(&args),
        What::Review(args) => review::run(&args),
    }
}

fn show(args: &ShowArgs) -> Outcome {
    let entries = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        let request = pb::ReadRequest { session: args.session.clone(), ..pb::ReadRequest::default() };
        let refused = |status: tonic::Status| at("the audit service", &status);
        let mut replies = visitor.audit()?.read(request).await.map_err(refused)?.into_inner();
        let mut entries = Vec::new();
        while let Some(reply) = replies.message().await.map_err(refused)? {
            let leaf = serde_json::from_slice(&reply.leaf);
            let leaf: Value = leaf.map_err(|cause| Failure::failed(format!("entry {}: {cause}", reply.index)))?;
            entries.push((reply.index, leaf));
        }
        Ok(entries)
    })?;
    if entries.is_empty() {
        return Err(Failure::input(format!("{}: no entry of this session in the record", args.session)));
    }
    if args.json {
        let entries: Vec<_> = entries.iter().map(|(index, leaf)| json!({ "index": index, "entry": leaf })).collect();
        return print_json(&json!({ "session": args.session, "entries": entries }));
    }
    let text: String = entries.iter().map(|(index, leaf)| line(*index, leaf)).collect();
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// One entry on one line: when, who, what, with which verdict.
fn line(index: u64, leaf: &Value) -> String {
    let word = |name: &str| leaf.get(name).and_then(Value::as_str).map(shown).filter(|text| !text.is_empty());
    let words = |name: &str| {
        let list = leaf.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let list: Vec<_> = list.iter().filter_map(Value::as_str).map(short).collect();
        (!list.is_empty()).then(|| list.join(" > "))
    };
    let parts = [
        word("time"),
        word("reporter").as_deref().map(short),
        word("kind"),
        word("action"),
        word("verdict"),
        word("cause"),
        word("resource"),
        words("actors").map(|actors| format!("for {actors}")),
        words("policies").map(|policies| format!("by {policies}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{index:>6}  {}\n", parts.join("  "))
}

/// A SPIFFE id without its trust domain.
fn short(id: &str) -> String {
    let path = id.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/'));
    shown(path.map_or(id, |(_, path)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_on_one_line() {
        let leaf = json!({
            "time": "2026-01-01T00:00:00Z", "reporter": "spiffe://d/agent/intake", "kind": "attempt", "action": "ask",
            "verdict": "allow", "cause": "", "actors": ["spiffe://d/human/ann", "spiffe://d/service/orchestrator"],
            "policies": ["panel-ask"],
        });
        let said = "     7  2026-01-01T00:00:00Z  agent/intake  attempt  ask  allow  for human/ann > service/orchestrator  by panel-ask\n";
        assert_eq!(line(7, &leaf), said);
    }

    #[test]
    fn a_session_id_is_checked() {
        assert!(session(&"0a".repeat(16)).is_ok());
        for bad in ["", "abc", &"0A".repeat(16), &"../".repeat(11)] {
            assert!(session(bad).is_err(), "{bad}");
        }
    }
}
