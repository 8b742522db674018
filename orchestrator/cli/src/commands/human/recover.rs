//! `bodh human recover`: a link for somebody whose passkeys are lost.

use super::super::options::{StartOptions, StateOptions, WhoOption, person};
use super::super::visit::{print_json, visit};
use super::{on_console, signed};
use crate::failure::{Failure, Outcome};
use crate::people::{at_guardian, random_hex};
use crate::terminal;
use bodh_guardian_api::Invitation;
use serde_json::json;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh human recover ann --state ~/panel

Be sure that it is they who ask: whoever has the link becomes that person. It works once, on the console of `bodh up`.
When it is used, all passkeys that they had end, and whoever is signed in with one is out at once. Somebody who still
has one of their passkeys needs no link: they remove the lost one and add another by themselves, under their name.")]
pub(super) struct Args {
    /// Whose passkeys are lost
    #[arg(value_name = "NAME", value_parser = person)]
    name: String,
    /// How long the link works
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
    hours: u16,
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
    let name = args.start.settings()?.console_name;
    let link = visit(&args.state, &args.start, args.who.or_local(), async |access, operator| {
        let people = operator.guardian()?.people().await.map_err(at_guardian)?;
        let lost = people.iter().find(|person| person.name == args.name && !person.revoked);
        let lost =
            lost.ok_or_else(|| Failure::input(format!("nobody is enrolled as {}; see `bodh human list`", args.name)))?;
        if lost.assurance != "webauthn" {
            return Err(Failure::input(format!(
                "{} signs with a key file, which is not replaced; revoke it (`bodh revoke`) and enrol them under another name",
                args.name
            )));
        }
        let until = chrono::Utc::now() + chrono::TimeDelta::hours(i64::from(args.hours));
        let roles: Vec<_> = lost.roles.iter().map(String::as_str).collect();
        let (domain, by) = (access.running().trust_domain.as_str(), operator.id().to_string());
        let invitation = Invitation::new((&args.name, domain), &roles, &by, &random_hex()?, until);
        let path = signed(operator, &Invitation { replaces: Some(lost.keys_head.clone()), ..invitation })?;
        Ok(on_console(access, &name, &path))
    })?;
    if args.json {
        return print_json(&json!({ "name": args.name, "link": link }));
    }
    terminal::print(&format!("{link}\n")).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
