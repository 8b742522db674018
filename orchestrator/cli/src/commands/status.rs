//! `bodh status`: how the panel is.

use super::options::{StartOptions, StateOptions, WhoOption};
use super::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::terminal::{self, shown};
use bodh_panel_api::pb;
use serde_json::Value;
use std::fmt::Write;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh status --state ~/panel
  bodh status --state ~/panel --json | jq .coverage")]
pub(crate) struct Args {
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

pub(crate) fn run(args: &Args) -> Outcome {
    let reply = visit(&args.state, &args.start, args.who.or_local(), async |access, visitor| {
        let reply = visitor.panel()?.status(pb::StatusRequest {}).await;
        let reply = reply.map_err(|status| at("the orchestrator", &status))?.into_inner().status_json;
        Ok((reply, access.is_own()))
    })?;
    let (bytes, started) = reply;
    let status: Value = serde_json::from_slice(&bytes)
        .map_err(|cause| Failure::failed(format!("the orchestrator's status is not of this version: {cause}")))?;
    if args.json {
        return print_json(&status);
    }
    let mut text = if started { "No panel was running; one was started to ask.\n".to_owned() } else { String::new() };
    lines(&mut text, &status, 0);
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// `name: value`, indented by depth. The status is bounded by its sender, and so is its depth here.
fn lines(out: &mut String, value: &Value, depth: usize) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let indent = "  ".repeat(depth);
        let name = shown(&name.replace('_', " "));
        // Writing to a String has no failure path.
        let _written = match value {
            Value::Object(_) if depth < 4 => {
                let _heading = writeln!(out, "{indent}{name}:");
                lines(out, value, depth + 1);
                Ok(())
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let _heading = writeln!(out, "{indent}{name}:");
                for item in items {
                    let fields = item.as_object().into_iter().flatten();
                    let fields: Vec<_> =
                        fields.map(|(name, value)| format!("{} {}", shown(name), plain(value))).collect();
                    let _item = writeln!(out, "{indent}  {}", fields.join(", "));
                }
                Ok(())
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(plain).collect();
                writeln!(out, "{indent}{name}: {}", if items.is_empty() { "none".into() } else { items.join(", ") })
            }
            other => writeln!(out, "{indent}{name}: {}", plain(other)),
        };
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unknown".into(),
        Value::String(text) => shown(text),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_in_lines() {
        let mut text = String::new();
        lines(&mut text, &json!({"dwell": {"median_s": null}, "open_escalations": 2, "services": ["a", "b"]}), 0);
        assert_eq!(text, "dwell:\n  median s: unknown\nopen escalations: 2\nservices: a, b\n");
    }
}
