//! `bodh audit review`: a compliance officer signs off a session's record.

use super::session;
use crate::commands::options::{StartOptions, StateOptions, WhoOption, reason};
use crate::commands::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::{at, random_hex};
use crate::terminal;
use bodh_audit_api::pb::ReadRequest;
use bodh_identity::signing::Context;
use bodh_panel::{Review, ReviewVerdict};
use bodh_panel_api::pb;
use serde_json::json;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit review 0123456789abcdef0123456789abcdef --reason \"read to the end\" --state ~/panel --as cleo
  bodh audit review 0123456789abcdef0123456789abcdef --fault 217 --reason \"asked twice\" --state ~/panel --as cleo

Signed with your key, and an entry in the log; the words stay sealed with the session and go into its evidence.")]
pub(super) struct Args {
    /// The session's id: 32 hexadecimal digits
    #[arg(value_name = "SESSION", value_parser = session)]
    session: String,
    /// The entry that went wrong; without it the record is in order
    #[arg(long, value_name = "ENTRY")]
    fault: Option<u64>,
    /// What you found, in your words
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

pub(super) fn run(args: &Args) -> Outcome {
    let review = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        let request = ReadRequest { session: args.session.clone(), ..ReadRequest::default() };
        let refused = |status: tonic::Status| at("the audit service", &status);
        let mut replies = visitor.audit()?.read(request).await.map_err(refused)?.into_inner();
        let mut up_to = None;
        while let Some(reply) = replies.message().await.map_err(refused)? {
            up_to = Some(reply.index);
        }
        let none = || Failure::input(format!("{}: no entry of this session in the record", args.session));
        let review = Review {
            session: args.session.clone(),
            verdict: if args.fault.is_some() { ReviewVerdict::Fault } else { ReviewVerdict::InOrder },
            up_to: up_to.ok_or_else(none)?,
            entry: args.fault,
            reason: args.reason.clone(),
            meaning: bodh_panel::REVIEW_MEANING.to_owned(),
            signer: visitor.id().to_string(),
            nonce: random_hex()?,
            at_unix_ms: chrono::Utc::now().timestamp_millis(),
        };
        let review_json = review.to_bytes();
        let signature = visitor.sign(Context::Review, &review_json)?;
        let (session, access) = (args.session.clone(), visitor.access(&args.session)?);
        let reply = visitor.panel()?.review(pb::ReviewRequest { session, review_json, signature, access }).await;
        reply.map_err(|status| at("the orchestrator", &status))?;
        Ok(review)
    })?;
    if args.json {
        return print_json(&json!({ "session": args.session, "verdict": review.verdict, "up_to": review.up_to }));
    }
    let said = format!("Signed: {} up to entry {}.\n", review.verdict.word().replace('_', " "), review.up_to);
    terminal::print(&said).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
