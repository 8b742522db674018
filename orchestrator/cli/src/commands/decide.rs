//! `bodh decide`: an escalation, read, and decided when a verdict is given: signed with the physician's own key over
//! exactly what was shown.

use super::options::{StartOptions, StateOptions, WhoOption, reason};
use super::signer::physician;
use super::visit::{print_json, reach};
use crate::failure::{Failure, Outcome};
use crate::people::{Visitor, at, random_hex};
use crate::report::{self, Shape};
use crate::terminal;
use bodh_clinical::{TestId, Usd};
use bodh_identity::{client::Channel, signing::Context};
use bodh_panel::{Decision, Escalation, Verdict};
use bodh_panel_api::pb::{self, panel_client::PanelClient};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

/// What the signature says of itself (21 CFR 11.50: the meaning of a signature is part of it).
const MEANING: &str = "decision on an escalation";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh decide 0123456789abcdef-1 --state ~/panel             shows it; nothing is decided
  bodh decide 0123456789abcdef-1 approve --reason \"agrees with the examination\" --state ~/panel --as ann
  bodh decide 0123456789abcdef-1 deny --reason \"already done elsewhere\" --state ~/panel
  bodh decide 0123456789abcdef-1 ask --test ct_chest --reason \"rule out an embolism first\" --state ~/panel
  bodh decide 0123456789abcdef-1 ask --reason \"what did the biopsy of 2019 show?\" --state ~/panel

Asking for something else approves nothing. What it names is priced and ordered under the same policy as any test; where
a limit stands in its way, another physician is asked. What only words can say goes to whoever convened the session.
What is decided on is printed first; the signature covers the hash of exactly that.
Nobody decides on what they asked for themselves. Where policy wants two different people, the first approval is kept
and does nothing; the second, of the same record, decides.")]
pub(crate) struct Args {
    /// The escalation, as `bodh inbox` lists it
    #[arg(value_name = "ESCALATION")]
    escalation: String,
    /// approve: go on as proposed; deny: do not; amend: go on with your reservation; ask: something else first. Without
    /// one it is only shown
    #[arg(value_name = "VERDICT", value_enum, requires = "reason")]
    verdict: Option<Choice>,
    /// Why; it stands in the record beside your name
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "verdict")]
    reason: Option<String>,
    /// With `ask`: the test or the question that is asked for; `bodh decide ESCALATION --json` lists them all
    #[arg(long, value_name = "TEST", value_parser = |text: &str| TestId::parse(text), requires = "verdict")]
    test: Option<TestId>,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object: the report, or without a verdict the escalation (what was decided on goes to stderr)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Choice {
    Approve,
    Deny,
    Amend,
    Ask,
}

impl From<Choice> for Verdict {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Approve => Verdict::Approve,
            Choice::Deny => Verdict::Deny,
            Choice::Amend => Verdict::Amend,
            Choice::Ask => Verdict::Ask,
        }
    }
}

pub(crate) fn run(args: &Args) -> Outcome {
    if args.test.is_some() && !matches!(args.verdict, Some(Choice::Ask)) {
        return Err(Failure::input("--test names what is asked for: it goes with the verdict `ask`"));
    }
    let report = reach(&args.state, &args.start, async |access| {
        let name = physician(access, args.who.actor.as_deref()).await?;
        let visitor = Visitor::enter(access.running(), &access.ring, &name).await?;
        let mut panel = visitor.panel()?;
        let session = session_of(&mut panel, &args.escalation).await?;
        let (escalation, access) = (args.escalation.clone(), visitor.access(&session)?);
        let opened = panel.open(pb::OpenRequest { escalation, access }).await;
        let opened = opened.map_err(|status| at("the orchestrator", &status))?.into_inner();
        let shown = read(&opened.record_json, &args.escalation)?;
        let Some((verdict, reason)) = args.verdict.zip(args.reason.as_deref()) else {
            show_only(&shown, &opened, args.json)?;
            return Ok(None);
        };
        show(&shown, args.json)?;
        if opened.status != "open" {
            return Err(Failure::input(format!("{}: already {}", args.escalation, terminal::shown(&opened.status))));
        }
        let decision = decision(
            (verdict.into(), args.test.clone(), reason),
            &opened.record_json,
            &shown,
            visitor.id().to_string(),
        )?;
        let bytes = decision.to_bytes();
        let signature = visitor.sign(Context::Decision, &bytes)?;
        let (escalation, access) = (args.escalation.clone(), visitor.access(&session)?);
        let request = pb::DecideRequest { escalation, decision_json: bytes, signature, access };
        let events = panel.decide(request).await.map_err(|status| at("the orchestrator", &status))?;
        let progress = terminal::spinner("the session goes on");
        let report = super::diagnose::follow(&visitor, events.into_inner(), &args.escalation, &progress).await;
        progress.finish_and_clear();
        report.map(Some)
    })?;
    let shape = Shape { json: args.json, state: Some(&args.state.state), named: &args.escalation };
    report.map_or(Ok(()), |report| report::show(&report, shape))
}

/// The session that the escalation belongs to: what the physician asks to have opened.
async fn session_of(panel: &mut PanelClient<Channel>, escalation: &str) -> Outcome<String> {
    let items = panel.inbox(pb::InboxRequest { all: true }).await;
    let items = items.map_err(|status| at("the orchestrator", &status))?.into_inner().items;
    let item = items.into_iter().find(|item| item.escalation == escalation);
    item.map(|item| item.session).ok_or_else(|| {
        Failure::input(format!("{}: no such escalation; see `bodh inbox --all`", terminal::shown(escalation)))
    })
}

/// The record, which must be the one that was asked for.
fn read(record: &[u8], escalation: &str) -> Outcome<Escalation> {
    let shown: Escalation = serde_json::from_slice(record)
        .map_err(|cause| Failure::failed(format!("the escalation's record is not of this version: {cause}")))?;
    if shown.id != escalation {
        return Err(Failure::failed("the orchestrator showed another escalation; nothing was signed"));
    }
    Ok(shown)
}

fn show(escalation: &Escalation, json: bool) -> Outcome {
    let text = report::escalation(escalation);
    if json {
        eprint!("{text}");
        return Ok(());
    }
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// The escalation and where it stands; nothing is decided.
fn show_only(escalation: &Escalation, opened: &pb::OpenReply, json: bool) -> Outcome {
    if json {
        let askable = opened.askable.iter().map(|one| {
            let kind = if one.is_question { "question" } else { "test" };
            let price_usd = Usd::from_cents(one.price_cents).dollars();
            serde_json::json!({ "test": one.test, "label": one.label, "kind": kind, "price_usd": price_usd })
        });
        let askable: Vec<_> = askable.collect();
        return print_json(
            &serde_json::json!({ "escalation": escalation, "status": opened.status, "askable": askable }),
        );
    }
    let first: Option<Decision> = opened.first.as_ref().and_then(|first| Decision::from_bytes(&first.json).ok());
    let by = first.as_ref().map(|first| first.signer.as_str()).unwrap_or_default();
    let pair = report::pair(escalation.signers, by).map(|pair| format!(" ({pair})")).unwrap_or_default();
    let text = format!("{}Status: {}{pair}\n", report::escalation(escalation), terminal::shown(&opened.status));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn decision(
    (verdict, asked, reason): (Verdict, Option<TestId>, &str),
    record: &[u8],
    shown: &Escalation,
    signer: String,
) -> Outcome<Decision> {
    Ok(Decision {
        escalation: shown.id.clone(),
        session: shown.session.clone(),
        record_sha256: HEXLOWER.encode(digest(&SHA256, record).as_ref()),
        verdict,
        asked,
        kind: shown.kind.clone(),
        action: shown.action.clone(),
        amount_cents: shown.amount_cents,
        reason: reason.to_owned(),
        meaning: MEANING.to_owned(),
        signer,
        nonce: random_hex()?,
        at_unix_ms: chrono::Utc::now().timestamp_millis(),
    })
}
