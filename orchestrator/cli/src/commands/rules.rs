//! `bodh rules`: review rules, and their reversal.

use super::options::{KeyOptions, StartOptions, StateOptions, WhoOption, reason};
use super::signer::physician;
use super::visit::{print_json, reach, visit};
use crate::failure::{Failure, Outcome};
use crate::people::{Visitor, at, random_hex};
use crate::terminal::{self, shown};
use bodh_identity::signing::Context;
use bodh_panel::{Reversal, ReviewRule};
use bodh_panel_api::pb;
use clap::Subcommand;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  bodh rules --state ~/panel
  bodh rules reverse RULE --reason \"the pattern was too wide\" --state ~/panel --as ann"
)]
pub(crate) struct Args {
    /// The panel's state folder
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Reverse a rule; it stays in the record
    Reverse(ReverseArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  bodh rules reverse RULE --reason \"the pattern was too wide\" --state ~/panel --as ann"
)]
struct ReverseArgs {
    /// The rule, as `bodh rules` lists it
    #[arg(value_name = "RULE")]
    rule: String,
    /// Why; it stands in the record beside your name
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
}

pub(crate) fn run(args: Args) -> Outcome {
    if let Some(What::Reverse(args)) = &args.what {
        return reverse(args);
    }
    list(args)
}

fn list(args: Args) -> Outcome {
    let state = args.state.ok_or_else(|| Failure::input("give --state DIR, the panel's state folder"))?;
    let state = StateOptions { state, keys: args.keys };
    let replies = visit(&state, &args.start, args.who.or_local(), async |_, visitor| {
        let reply = visitor.panel()?.rules(pb::RulesRequest {}).await;
        Ok(reply.map_err(|status| at("the orchestrator", &status))?.into_inner().rule_json)
    })?;
    let rules: Result<Vec<ReviewRule>, _> = replies.iter().map(|json| serde_json::from_slice(json)).collect();
    let rules = rules.map_err(|cause| Failure::failed(format!("a rule is not of this version: {cause}")))?;
    if args.json {
        return print_json(&json!({ "rules": rules }));
    }
    let now = chrono::Utc::now().timestamp_millis();
    terminal::print(&text(&rules, now)).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn text(rules: &[ReviewRule], now_unix_ms: i64) -> String {
    if rules.is_empty() {
        return "No review rule.\n".into();
    }
    let mut out = String::new();
    for rule in rules {
        let standing = if rule.in_force(now_unix_ms) {
            format!("until {}", super::inbox::time(rule.expires_unix_ms))
        } else if rule.reversed {
            rule.reversal.as_ref().map_or_else(
                || "reversed".into(),
                |r| {
                    format!(
                        "reversed {} by {}: {}",
                        super::inbox::time(r.at_unix_ms),
                        shown(&r.signer),
                        shown(&r.reason)
                    )
                },
            )
        } else {
            "lapsed".into()
        };
        // Writing to a String has no failure path.
        let _written = writeln!(
            out,
            "{}  {standing}\n    cases like one with {} finding(s), {} likely, from similarity {:.2} ({:.2} where that is considered)\n    claim {}, incident {}, by {}",
            shown(&rule.id),
            rule.pattern.len(),
            rule.disease,
            rule.similarity,
            rule.similarity_if_considered,
            rule.claim,
            shown(&rule.incident),
            shown(&rule.signer)
        );
    }
    out
}

fn reverse(args: &ReverseArgs) -> Outcome {
    reach(&args.state, &args.start, async |access| {
        let name = physician(access, args.who.actor.as_deref()).await?;
        let visitor = Visitor::enter(access.running(), &access.ring, &name).await?;
        let reversal = Reversal {
            rule: args.rule.clone(),
            reason: args.reason.clone(),
            signer: visitor.id().to_string(),
            nonce: random_hex()?,
            at_unix_ms: chrono::Utc::now().timestamp_millis(),
        };
        let reversal_json = reversal.to_bytes();
        let signature = visitor.sign(Context::Reversal, &reversal_json)?;
        let reply = visitor
            .panel()?
            .reverse_rule(pb::ReverseRuleRequest { rule: reversal.rule, reversal_json, signature })
            .await;
        reply.map(|_| ()).map_err(|status| at("the orchestrator", &status))
    })?;
    let text = format!("Rule {} is reversed; it stays in the record.\n", shown(&args.rule));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_whether_it_is_in_force() {
        let mut rule: ReviewRule = serde_json::from_value(json!({
            "id": "r1", "incident": "i1", "claim": "OMIM:1/HP:2", "disease": "OMIM:1", "pattern": ["HP:2"],
            "similarity": 0.6, "similarity_if_considered": 0.4, "signer": "spiffe://d/human/ann", "made_unix_ms": 0, "expires_unix_ms": 1000, "reversed": false,
            "reversal": null,
        }))
        .unwrap();
        assert!(text(&[rule.clone()], 0).contains("until 1970-01-01T00:00:01Z"));
        assert!(text(&[rule.clone()], 1000).contains("lapsed"));
        rule.reversed = true;
        rule.reversal = Some(bodh_panel::Reversed {
            signer: "spiffe://d/human/bob".into(),
            reason: "too wide".into(),
            at_unix_ms: 0,
        });
        assert!(text(&[rule], 0).contains("reversed 1970-01-01T00:00:00Z by spiffe://d/human/bob: too wide"));
        assert_eq!(text(&[], 0), "No review rule.\n");
    }
}
