//! `bodh revoke`: an identity, at once, everywhere.

use super::options::{StartOptions, StateOptions, WhoOption, reason};
use super::visit::visit;
use crate::failure::{Failure, Outcome};
use crate::people::{at_guardian, trace};
use crate::terminal;
use bodh_identity::SpiffeId;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh revoke human/ann --reason \"left the hospital\" --state ~/panel
  bodh revoke spiffe://bodh.internal/agent/diagnostician --reason \"under investigation\" --state ~/panel

Its live connections are closed and every gate refuses it. A revoked identity does not come back.")]
pub(crate) struct Args {
    /// A SPIFFE id, or its last two parts: human/NAME, agent/NAME, service/NAME
    #[arg(value_name = "ID")]
    id: String,
    /// Why; it stands in the record
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let (id, epoch) = visit(&args.state, &args.start, args.who.or_local(), async |access, operator| {
        let id = full(&args.id, &access.running().trust_domain)?;
        let epoch = operator.guardian()?.revoke(&id, &args.reason, &trace()?).await.map_err(at_guardian)?;
        Ok((id, epoch))
    })?;
    terminal::print(&format!("{id} is revoked (epoch {epoch}).\n"))
        .map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn full(id: &str, trust_domain: &str) -> Outcome<String> {
    let full = if id.contains("://") { id.to_owned() } else { format!("spiffe://{trust_domain}/{id}") };
    let parsed = SpiffeId::parse(&full).map_err(|wrong| Failure::input(format!("{id}: {wrong}")))?;
    if parsed.name().is_none() {
        return Err(Failure::input(format!("{id}: names nobody; expected human/NAME, agent/NAME or service/NAME")));
    }
    if parsed.trust_domain() != trust_domain {
        return Err(Failure::input(format!("{id}: not of this panel's trust domain, {trust_domain}")));
    }
    Ok(parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_full_ids() {
        assert_eq!(full("human/ann", "d.internal").unwrap(), "spiffe://d.internal/human/ann");
        assert_eq!(full("spiffe://d.internal/agent/intake", "d.internal").unwrap(), "spiffe://d.internal/agent/intake");
        assert!(full("spiffe://other/agent/intake", "d.internal").unwrap_err().to_string().contains("trust domain"));
        for bad in ["", "ann", "human/", "human/Ann Lee", "https://d.internal/human/ann"] {
            assert_eq!(full(bad, "d.internal").unwrap_err().code(), 2, "{bad}");
        }
    }
}
