//! Options that several commands share.

use crate::failure::{Failure, Outcome};
use crate::launch::Settings;
use bodh_clinical::Usd;
use std::path::PathBuf;

/// The state folder of a panel, and its keys.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct StateOptions {
    /// The panel's state folder
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
}

/// Where keys are, when not in their usual place outside the state folder.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct KeyOptions {
    /// The unlock key of the state folder [default: $XDG_STATE_HOME/bodh/ID/unlock]
    #[arg(long, value_name = "FILE")]
    pub(crate) unlock_file: Option<PathBuf>,
    /// The passphrase of your own key, instead of asking on the terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// How a panel is started, where the defaults do not suit.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct StartOptions {
    /// Fixed ports, how long escalations wait, and the collector that spans go to (`otlp = "http://127.0.0.1:4317"`), as
    /// TOML; deploy/samples/panel.toml shows all [default: free ports, no spans]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Policies (.cedar files) in place of the built-in ones of the medical domain; read at the first start
    #[arg(long, value_name = "DIR")]
    pub(crate) policies: Option<PathBuf>,
}

/// Who acts.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct WhoOption {
    /// Act as this enrolled person, whose key file is on this machine [default: local]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

impl WhoOption {
    pub(crate) fn or_local(&self) -> &str {
        self.actor.as_deref().unwrap_or(crate::people::LOCAL)
    }
}

impl StartOptions {
    pub(crate) fn settings(&self) -> Outcome<Settings> {
        Settings::read(self.config.as_deref(), self.policies.as_deref())
    }
}

/// A budget: more than nothing.
pub(crate) fn budget(text: &str) -> Result<Usd, String> {
    let budget = Usd::parse(text).map_err(|wrong| wrong.to_string())?;
    if budget == Usd::ZERO {
        return Err("a budget of zero orders nothing: leave --sequential out, or give at least 0.01".into());
    }
    Ok(budget)
}

/// A reason that will stand in the record: not empty, and not a book.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a reason is needed: it stands in the record beside your name".into());
    }
    if text.len() > 2000 || text.chars().any(char::is_control) {
        return Err("a reason is one line of at most 2000 bytes".into());
    }
    Ok(text.to_owned())
}

/// A name as a SPIFFE id can carry it.
pub(crate) fn person(text: &str) -> Result<String, String> {
    crate::people::check_name(text).map(|()| text.to_owned()).map_err(|wrong: Failure| wrong.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_more_than_nothing() {
        assert_eq!(budget("0.01"), Ok(Usd::from_cents(1)));
        assert_eq!(budget("2500"), Ok(Usd::from_cents(250_000)));
        for zero in ["0", "0.0", "0.00", "000"] {
            assert!(budget(zero).unwrap_err().contains("--sequential"), "{zero}");
        }
        for bad in ["", "-1", "-0", "NaN", "nan", "inf", "1e3", "12.345", "$5", "99999999999"] {
            assert!(budget(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reason_says_something() {
        assert_eq!(reason(" seen at the bedside "), Ok("seen at the bedside".into()));
        assert!(reason("  ").is_err());
        assert!(reason("two\nlines").is_err());
        assert!(reason(&"x".repeat(2001)).is_err());
    }
}
