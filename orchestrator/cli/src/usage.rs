//! Mistakes in the arguments: one line each, like every other failure.

use crate::commands::Cli;
use clap::{CommandFactory, error::ErrorKind};
use std::process::ExitCode;

/// Says what is wrong with the arguments, or shows the help that was asked for.
pub(crate) fn exit(error: &clap::Error) -> ExitCode {
    if is_help(error.kind()) {
        // 0 for --help and --version, 2 for a command without arguments.
        let code = u8::try_from(error.exit_code()).unwrap_or(2);
        return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
    }
    let command = command(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()));
    eprintln!("bodh: {}; see `{command} --help`", line(&error.render().to_string()));
    ExitCode::from(2)
}

fn is_help(kind: ErrorKind) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(kind, DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion)
}

/// The command that the arguments name, as far as there is one.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let (mut here, mut named) = (Cli::command(), "bodh".to_owned());
    for word in arguments {
        let Some(next) = here.find_subcommand(&word).cloned() else { break };
        named = format!("{named} {word}");
        here = next;
    }
    named
}

/// What clap says over several lines, in one: the mistake and its tips.
fn line(rendered: &str) -> String {
    let said = rendered.split_once("\nUsage:").map_or(rendered, |(said, _)| said);
    let said = said.split_once("\nFor more information").map_or(said, |(said, _)| said);
    let parts = said.lines().map(str::trim).filter(|part| !part.is_empty());
    let mut line = String::new();
    for part in parts {
        if part.starts_with("tip:") || part.starts_with("[possible") {
            line.push_str("; ");
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(part.trim_start_matches("error:").trim_start());
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn said(arguments: &[&str]) -> String {
        let line = line(&Cli::try_parse_from(arguments).unwrap_err().render().to_string());
        assert!(!line.contains('\n'), "{line}");
        let named = command(arguments.iter().skip(1).map(|word| (*word).to_owned()));
        format!("{line}; see `{named} --help`")
    }

    #[test]
    fn each_mistake_is_one_line_with_its_place() {
        let budget = said(&["bodh", "diagnose", "x", "--budget", "-1"]);
        assert!(budget.contains("'-1' for '--budget <USD>'") && budget.ends_with("`bodh diagnose --help`"), "{budget}");
        let missing = said(&["bodh", "inbox"]);
        assert!(missing.contains("--state <DIR>") && missing.contains("`bodh inbox --help`"), "{missing}");
        let unknown = said(&["bodh", "diagnos", "x"]);
        assert!(unknown.contains("'diagnos'") && unknown.contains("tip:"), "{unknown}");
        let verdict = said(&["bodh", "decide", "e", "maybe", "--state", "x", "--reason", "r"]);
        assert!(verdict.contains("'maybe'") && verdict.contains("[possible values"), "{verdict}");
        let option = said(&["bodh", "up", "--port", "1"]);
        assert!(option.contains("'--port'") && option.contains("see `bodh up --help`"), "{option}");
    }

    #[test]
    fn an_argument_cannot_forge_a_line() {
        let line =
            line(&Cli::try_parse_from(["bodh", "x\nbodh: concluded\u{1b}[2J"]).unwrap_err().render().to_string());
        assert!(!line.contains(['\n', '\u{1b}']), "{line:?}");
    }
}
