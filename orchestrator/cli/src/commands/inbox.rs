//! `bodh inbox`: what waits for a physician, and what was decided of one's own.

use super::options::{StartOptions, StateOptions, WhoOption};
use super::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::report::dollars_of;
use crate::terminal::{self, shown};
use bodh_panel_api::pb;
use serde_json::json;
use std::fmt::Write;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh inbox --state ~/panel --as ann
  bodh inbox --state ~/panel --as ann --all --json   decided and lapsed ones too

Decisions on your own sessions stand first, until you have opened each session.")]
pub(crate) struct Args {
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Decided and lapsed ones too
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let all = args.all;
    let reply = visit(&args.state, &args.start, args.who.or_local(), async move |_, visitor| {
        let reply = visitor.panel()?.inbox(pb::InboxRequest { all }).await;
        Ok(reply.map_err(|status| at("the orchestrator", &status))?.into_inner())
    })?;
    if args.json {
        let items: Vec<_> = reply.items.iter().map(object).collect();
        let decided: Vec<_> = reply.decided.iter().map(decided_object).collect();
        return print_json(&json!({ "items": items, "decided": decided }));
    }
    terminal::print(&format!("{}{}", decided(&reply.decided), text(&reply.items)))
        .map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn object(item: &pb::InboxItem) -> serde_json::Value {
    json!({
        "escalation": item.escalation, "session": item.session, "kind": item.kind, "reason": item.reason,
        "raised": time(item.raised_unix_ms), "status": item.status, "amount_cents": item.amount_cents,
        "requester": item.requester, "action": item.action, "agent": item.agent, "trace": item.trace,
        "signers": item.signers, "first_by": item.first_by,
    })
}

fn decided_object(item: &pb::DecidedItem) -> serde_json::Value {
    json!({
        "escalation": item.escalation, "session": item.session, "kind": item.kind, "action": item.action,
        "verdict": item.verdict, "by": item.by, "at": time(item.at_unix_ms),
    })
}

/// What was decided of one's own sessions, until each is opened.
fn decided(items: &[pb::DecidedItem]) -> String {
    let mut out = String::new();
    for item in items {
        // Writing to a String has no failure path.
        let _written = writeln!(
            out,
            "Decided: {}  {}  {}: {}\n    by {}, {}\n    session {}",
            shown(&item.escalation),
            shown(&item.kind),
            shown(&item.action),
            shown(&item.verdict),
            shown(&item.by),
            time(item.at_unix_ms),
            shown(&item.session)
        );
    }
    out
}

fn text(items: &[pb::InboxItem]) -> String {
    if items.is_empty() {
        return "Nothing waits.\n".into();
    }
    let mut out = String::new();
    for item in items {
        let amount = if item.amount_cents > 0 { format!(", {}", dollars_of(item.amount_cents)) } else { String::new() };
        // Writing to a String has no failure path.
        let _written = writeln!(
            out,
            "{}  {}  {}{amount}  {}\n    {}: {}\n    raised by {}, asked by {}\n    session {}, trace {}",
            shown(&item.escalation),
            time(item.raised_unix_ms),
            shown(&item.kind),
            format_args!("{}{}", shown(&item.status), two(item)),
            shown(&item.action),
            shown(&item.reason),
            shown(&item.agent),
            shown(&item.requester),
            shown(&item.session),
            shown(&item.trace)
        );
    }
    out
}

fn two(item: &pb::InboxItem) -> String {
    let open = Some(item).filter(|item| item.status == "open");
    let pair = open.and_then(|item| crate::report::pair(item.signers, &item.first_by));
    pair.map(|pair| format!(" ({pair})")).unwrap_or_default()
}

/// RFC 3339, UTC.
pub(crate) fn time(unix_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(unix_ms);
    time.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_else(|| "-".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_says_what_it_is_about() {
        assert_eq!(text(&[]), "Nothing waits.\n");
        let item = pb::InboxItem {
            escalation: "e-1".into(),
            kind: "over_budget".into(),
            amount_cents: 300_000,
            raised_unix_ms: 1_780_000_000_000,
            reason: "a\nb".into(),
            ..Default::default()
        };
        let said = text(&[item]);
        assert!(said.starts_with("e-1  2026-05-28T20:26:40Z  over_budget, $3000.00"), "{said}");
        assert!(!said.contains("a\nb"));
    }
}
