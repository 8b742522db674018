//! The commands, one file each.

mod amend;
mod audit;
mod bench;
mod decide;
mod demo;
mod diagnose;
mod human;
pub(crate) mod inbox;
mod incident;
mod knowledge;
mod later;
mod options;
mod policy;
mod revoke;
mod rules;
mod signer;
mod standing;
mod status;
mod trust;
mod up;
mod verify;
mod visit;

use crate::failure::Outcome;
use clap::{Parser, Subcommand};

/// A diagnostic panel of six agents, each with its own identity, whose every step is on a log that anyone can verify.
///
/// Not a medical device. Not clinically validated.
#[derive(Debug, Parser)]
#[command(name = "bodh", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
First steps:
  bodh diagnose deploy/samples/tall_with_dislocated_lenses.json          one case, nothing kept
  bodh diagnose case.json --state ~/panel                 the same, kept in a state folder
  bodh audit verify ~/panel/log                           is its record whole?
  bodh demo --state ~/demo                                the same in a browser, with sample cases

Exit codes: 0 concluded · 1 failed · 2 bad usage or unreadable input · 3 waiting for a physician · 4 verification failed";

#[derive(Debug, Subcommand)]
enum Command {
    /// Diagnose one case on a panel started for it
    Diagnose(diagnose::Args),
    /// Start the panel and keep it running until it is stopped
    Up(up::Args),
    /// Verify or read the audit log
    Audit(audit::Args),
    /// The knowledge that reasoning rests on: its version, sources and checks
    Knowledge(knowledge::Args),
    /// Enrol and list the people who may use the panel
    Human(human::Args),
    /// What waits for a physician
    Inbox(inbox::Args),
    /// Read an escalation and decide it, signed with your own key
    Decide(decide::Args),
    /// Correct findings of a session, or add what you learned; the panel reasons again
    Amend(amend::Args),
    /// Mark a claim of a session as false
    Incident(incident::Args),
    /// Review rules that came from incidents; reverse one
    Rules(rules::Args),
    /// How the panel is: services, sessions, dwell time, coverage
    Status(status::Args),
    /// Trust the executables as they are now
    Trust(trust::Args),
    /// The signed policy bundle
    Policy(policy::Args),
    /// Revoke an identity at once, everywhere
    Revoke(revoke::Args),
    /// Measure accuracy and speed
    Bench(bench::Args),
    /// Start the panel with sample cases and a link for a first physician
    Demo(demo::Args),
    #[command(hide = true)]
    Agent(later::Anything),
}

/// Runs what was asked for.
pub(crate) fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Diagnose(args) => diagnose::run(&args),
        Command::Up(args) => up::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Knowledge(args) => knowledge::run(args),
        Command::Human(args) => human::run(args),
        Command::Inbox(args) => inbox::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Amend(args) => amend::run(&args),
        Command::Incident(args) => incident::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Status(args) => status::run(&args),
        Command::Trust(args) => trust::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Revoke(args) => revoke::run(&args),
        Command::Bench(args) => bench::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Agent(_) => Err(later::refusal("`bodh agent`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn code(line: &[&str]) -> u8 {
        match Cli::try_parse_from(line) {
            Ok(cli) => run(cli).err().map_or(0, |failure| failure.code()),
            Err(usage) => u8::try_from(usage.exit_code()).unwrap(),
        }
    }

    #[test]
    fn the_argument_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_of_later_versions_are_refused_with_2() {
        for line in [
            vec!["bodh", "agent", "new", "x"],
            vec!["bodh", "bench", "revocation"],
            vec!["bodh", "bench", "appends", "--json"],
        ] {
            assert_eq!(code(&line), 2, "{line:?}");
            assert!(Cli::try_parse_from(&line).is_ok(), "{line:?} is refused by us, with a line saying so");
        }
    }

    #[test]
    fn bad_usage_is_2() {
        for line in [
            vec!["bodh", "audit", "export", "x"],
            vec!["bodh", "audit", "access", "x"],
            vec!["bodh", "audit", "access", " ", "--state", "x"],
            vec!["bodh", "audit", "access", "x", "--state", "x", "--from", "yesterday"],
            vec!["bodh", "audit", "replay", "x", "--state", "y"],
            vec!["bodh", "audit", "review", "0123456789abcdef0123456789abcdef"],
            vec!["bodh"],
            vec!["bodh", "nonsense"],
            vec!["bodh", "diagnose"],
            vec!["bodh", "diagnose", "/nonexistent/case.json"],
            vec!["bodh", "diagnose", "x", "--budget", "-1"],
            vec!["bodh", "diagnose", "x", "--budget", "0"],
            vec!["bodh", "diagnose", "x", "--budget", "0.00"],
            vec!["bodh", "diagnose", "x", "--budget", "NaN"],
            vec!["bodh", "diagnose", "x", "--budget", "1e3"],
            vec!["bodh", "diagnose", "x", "--budget", ""],
            vec!["bodh", "inbox"],
            vec!["bodh", "decide", "e", "approve", "--state", "x"],
            vec!["bodh", "amend", "s", "--state", "x"],
            vec!["bodh", "amend", "s", "--state", "x", "--set", "HP:1=perhaps"],
            vec!["bodh", "amend", "s", "--state", "x", "--set", "HP:1=present", "--about", "ct_chest"],
            vec!["bodh", "decide", "e", "maybe", "--state", "x", "--reason", "r"],
        ] {
            assert_eq!(code(&line), 2, "{line:?}");
        }
    }

    #[test]
    fn every_command_teaches_by_example() {
        fn check(command: &clap::Command) {
            if command.is_hide_set() {
                return;
            }
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
            } else if command.get_name() != "help" {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("bodh "), "`{}` has no example", command.get_name());
            }
        }
        check(&Cli::command());
    }
}
