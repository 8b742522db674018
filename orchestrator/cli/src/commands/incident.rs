//! `bodh incident mark`: a claim of a session is false, says a physician.

use super::options::{StartOptions, StateOptions, WhoOption, reason};
use super::signer::physician;
use super::visit::{print_json, reach};
use crate::failure::{Failure, Outcome};
use crate::people::{Visitor, at, random_hex};
use crate::terminal::{self, shown};
use bodh_clinical::ClaimId;
use bodh_identity::signing::Context;
use bodh_panel::{Mark, ReviewRule};
use bodh_panel_api::pb;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Mark a claim as false: the session goes back before it, and a review rule watches for similar cases
    Mark(MarkArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh incident mark 0123456789abcdef0123456789abcdef OMIM:154700/HP:0001083 \\
      --reason \"the lens is in place\" --state ~/panel --as ann")]
struct MarkArgs {
    /// The session's id
    #[arg(value_name = "SESSION")]
    session: String,
    /// The claim's id, DISEASE/FINDING, as the report's --json gives it
    #[arg(value_name = "CLAIM", value_parser = claim)]
    claim: ClaimId,
    /// Why it is false; it stands in the record beside your name
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
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

fn claim(text: &str) -> Result<ClaimId, String> {
    ClaimId::parse(text).map_err(|wrong| wrong.to_string())
}

pub(crate) fn run(args: Args) -> Outcome {
    let What::Mark(args) = args.what;
    let reply = reach(&args.state, &args.start, async |access| {
        let name = physician(access, args.who.actor.as_deref()).await?;
        let visitor = Visitor::enter(access.running(), &access.ring, &name).await?;
        let mark = Mark {
            session: args.session.clone(),
            claim: args.claim.to_string(),
            reason: args.reason.clone(),
            signer: visitor.id().to_string(),
            nonce: random_hex()?,
            at_unix_ms: chrono::Utc::now().timestamp_millis(),
        };
        let mark_json = mark.to_bytes();
        let signature = visitor.sign(Context::Mark, &mark_json)?;
        let access = visitor.access(&mark.session)?;
        let Mark { session, claim, .. } = mark;
        let request = pb::MarkIncidentRequest { session, claim, mark_json, signature, access };
        let reply = visitor.panel()?.mark_incident(request).await;
        Ok(reply.map_err(|status| at("the orchestrator", &status))?.into_inner())
    })?;
    let rule: Option<ReviewRule> = serde_json::from_slice(&reply.rule_json).ok();
    if args.json {
        return print_json(&json!({ "incident": reply.incident, "rule": rule }));
    }
    let rule = rule.map_or_else(
        || shown(&reply.rule),
        |rule| format!("{}, until {}", shown(&rule.id), super::inbox::time(rule.expires_unix_ms)),
    );
    let text = format!(
        "Incident {}: {} no longer counts.\nReview rule {rule}: similar cases go to a physician (`bodh rules --state {}`).\n",
        shown(&reply.incident),
        args.claim,
        args.state.state.display()
    );
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
