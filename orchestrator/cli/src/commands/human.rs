//! `bodh human`: the people who may use the panel.

mod recover;

use super::options::{StartOptions, StateOptions, WhoOption, person};
use super::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::launch::Access;
use crate::people::{Visitor, at_guardian, random_hex, trace};
use crate::terminal::{self, shown};
use bodh_guardian_api::{Enrolment, Invitation, SignedInvitation, pb};
use bodh_identity::signing::{Context, Signer};
use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde_json::json;
use std::fmt::Write;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a person's key on this machine and enrol them, signed by an operator
    Enroll(EnrollArgs),
    /// Make a link with which a person enrols a passkey of their own, once
    Invite(InviteArgs),
    /// Make a link with which somebody whose passkeys are lost makes a new one, once
    Recover(recover::Args),
    /// Everybody who was ever enrolled
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh human enroll ann --role physician --state ~/panel
  bodh human enroll cleo --role compliance --passphrase-file cleo.txt --state ~/panel

The key stays outside the state folder, in $XDG_STATE_HOME/bodh/ID/people/NAME.key, sealed to a passphrase.")]
struct EnrollArgs {
    /// A short name: lower-case letters, digits, `_`, `-`, `.`
    #[arg(value_name = "NAME", value_parser = person)]
    name: String,
    /// What they may do; several with several --role
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
}

/// The roles that the built-in policies know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Asks for sessions
    Clinician,
    /// Decides escalations, marks incidents
    Physician,
    /// Reads the record
    Compliance,
    /// Enrols and revokes
    Operator,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Clinician => "clinician",
            Role::Physician => "physician",
            Role::Compliance => "compliance",
            Role::Operator => "operator",
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh human invite ann --role physician --state ~/panel
  bodh human invite cleo --role compliance --hours 2 --state ~/panel

Whoever has the link becomes that person: give it to nobody else. It works once, on the console of `bodh up`.")]
struct InviteArgs {
    /// A short name: lower-case letters, digits, `_`, `-`, `.`
    #[arg(value_name = "NAME", value_parser = person)]
    name: String,
    /// What they may do; several with several --role
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
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

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bodh human list --state ~/panel")]
struct ListArgs {
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

pub(crate) fn run(args: Args) -> Outcome {
    match args.what {
        What::Enroll(args) => enroll(&args),
        What::Invite(args) => invite(&args),
        What::Recover(args) => recover::run(&args),
        What::List(args) => list(&args),
    }
}

fn enroll(args: &EnrollArgs) -> Outcome {
    if args.name == crate::people::LOCAL {
        return Err(Failure::input("`local` is enrolled by the first start of the state folder; give another name"));
    }
    let person = visit(&args.state, &args.start, args.who.or_local(), async |access, operator| {
        let key = access.ring.open_or_make(&args.name)?;
        let roles: Vec<_> = args.roles.iter().map(|role| role.name()).collect();
        let (domain, by) = (&access.running().trust_domain, operator.id().to_string());
        let now = chrono::Utc::now();
        let record = Enrolment::new(&args.name, domain, &roles, &key.public_key(), "local_key", &by, now).to_bytes();
        let signature = operator.sign(Context::Enrolment, &record)?;
        operator.guardian()?.enroll(record, signature, &trace()?).await.map_err(at_guardian)
    })?;
    terminal::print(&format!("Enrolled {}", text(std::slice::from_ref(&person))))
        .map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn invite(args: &InviteArgs) -> Outcome {
    let roles: Vec<_> = args.roles.iter().map(|role| role.name()).collect();
    let name = args.start.settings()?.console_name;
    let link = visit(&args.state, &args.start, args.who.or_local(), async |access, operator| {
        let path = invitation(operator, &access.running().trust_domain, &args.name, &roles, args.hours)?;
        Ok(on_console(access, &name, &path))
    })?;
    if args.json {
        return print_json(&json!({ "name": args.name, "roles": roles, "link": link }));
    }
    terminal::print(&format!("{link}\n")).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// The address of a page of the console; its path alone where no console runs.
fn on_console(access: &Access, name: &str, path: &str) -> String {
    let site = access.running().addresses.get(crate::launch::CONSOLE);
    format!("{}{path}", site.map(|at| format!("https://{name}:{}", at.port())).unwrap_or_default())
}

/// The path of an invitation's page, signed by an operator.
pub(super) fn invitation(
    operator: &Visitor,
    trust_domain: &str,
    name: &str,
    roles: &[&str],
    hours: u16,
) -> Outcome<String> {
    let until = chrono::Utc::now() + chrono::TimeDelta::hours(i64::from(hours));
    let by = operator.id().to_string();
    signed(operator, &Invitation::new((name, trust_domain), roles, &by, &random_hex()?, until))
}

fn signed(operator: &Visitor, invitation: &Invitation) -> Outcome<String> {
    let invitation = invitation.to_bytes();
    let signature = operator.sign(Context::Invitation, &invitation)?;
    Ok(format!("/enrol/{}", SignedInvitation { invitation, signature }.to_link()))
}

fn list(args: &ListArgs) -> Outcome {
    let people = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        visitor.guardian()?.people().await.map_err(at_guardian)
    })?;
    if args.json {
        let people: Vec<_> = people.iter().map(object).collect();
        return print_json(&json!({ "people": people }));
    }
    terminal::print(&text(&people)).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn object(person: &pb::Person) -> serde_json::Value {
    json!({
        "id": person.id, "name": person.name, "roles": person.roles, "assurance": person.assurance,
        "keys": person.keys.iter().map(|held| json!({ "key": HEXLOWER.encode(&held.key), "since": held.since })).collect::<Vec<_>>(),
        "enrolled": super::inbox::time(person.enrolled_unix_ms),
        "enrolled_by": person.enrolled_by, "revoked": person.revoked,
    })
}

fn text(people: &[pb::Person]) -> String {
    let mut out = String::new();
    for person in people {
        let revoked = if person.revoked { "  REVOKED" } else { "" };
        let keys = if person.keys.len() > 1 { format!(" ({} keys)", person.keys.len()) } else { String::new() };
        // Writing to a String has no failure path.
        let _written = writeln!(
            out,
            "{}  {}  {}{keys}  since {}, by {}{revoked}",
            shown(&person.name),
            shown(&person.roles.join(", ")),
            shown(&person.assurance),
            super::inbox::time(person.enrolled_unix_ms),
            shown(&person.enrolled_by)
        );
    }
    out
}
