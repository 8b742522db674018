//! `bodh audit replay`: every question of a session put again, the answers compared bit for bit.

use super::session;
use crate::commands::options::{StartOptions, StateOptions, WhoOption};
use crate::commands::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::at;
use crate::terminal::{self, Paint, shown};
use bodh_panel::{Changed, Difference, Replay};
use bodh_panel_api::pb;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit replay 0123456789abcdef0123456789abcdef --state ~/panel
  bodh audit replay 0123456789abcdef0123456789abcdef --state ~/panel --as cleo --json

The agents are asked again from the sealed inputs, each question with a token of its own and its entries in the log;
nothing in the session changes. Exit code 4 names what came out differently, and which program, pack or policy is
another one now.")]
pub(super) struct Args {
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

pub(super) fn run(args: &Args) -> Outcome {
    let progress = terminal::spinner("asking again");
    let replay = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        let request = pb::ReplayRequest { session: args.session.clone(), access: visitor.access(&args.session)? };
        let reply = visitor.panel()?.replay(request).await;
        let reply = reply.map_err(|status| at("the orchestrator", &status))?.into_inner();
        serde_json::from_slice::<Replay>(&reply.replay_json)
            .map_err(|cause| Failure::failed(format!("the replay does not read: {cause}")))
    });
    progress.finish_and_clear();
    let replay = replay?;
    if args.json {
        print_json(&serde_json::to_value(&replay).unwrap_or_default())?;
    } else {
        terminal::print(&text(&replay)).map_err(|cause| Failure::failed(format!("stdout: {cause}")))?;
    }
    if replay.same { Ok(()) } else { Err(Failure::unverified("the session does not come out as it did".to_owned())) }
}

fn text(replay: &Replay) -> String {
    let paint = Paint::stdout();
    let differs = replay.differs.iter().map(difference);
    let changed = replay.changed.iter().map(version);
    let lines: String = differs.chain(changed).map(|line| format!("  {line}\n")).collect();
    let head = if replay.same { paint.good("the same, bit for bit") } else { paint.attention("not as it was") };
    format!("{head}: {} opinions and {} rulings compared\n{lines}", replay.opinions, replay.rulings)
}

fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Opinion { call, agent, tool, what } => {
            format!("question {call}: {agent}/{}: {}", shown(tool), shown(what))
        }
        Difference::Ruling { event } => format!("event {event}: policy or the review rules rule otherwise now"),
    }
}

fn version(changed: &Changed) -> String {
    let now = if changed.now.is_empty() { "none" } else { &changed.now };
    format!("{}: {} was {} and is {}", shown(&changed.of), shown(&changed.name), shown(&changed.then), shown(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let changed = Changed { of: "intake".into(), name: "pack".into(), then: "a".into(), now: "b".into() };
        let tool = "extract".to_owned();
        let differs = vec![
            Difference::Opinion { call: 3, agent: bodh_clinical::Member::Intake, tool, what: "changed".into() },
            Difference::Ruling { event: 9 },
        ];
        let replay =
            Replay { session: "s".into(), same: false, opinions: 7, rulings: 1, differs, changed: vec![changed] };
        let said = text(&replay);
        for part in ["7 opinions", "question 3: intake/extract: changed", "event 9", "intake: pack was a and is b"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
