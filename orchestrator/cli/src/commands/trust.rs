//! `bodh trust binaries`: the executables are right as they are now.

use super::options::KeyOptions;
use super::standing::Standing;
use crate::failure::{Failure, Outcome};
use crate::launch::Siblings;
use crate::terminal;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign the hashes of the executables beside this one, after an upgrade that you made yourself
    Binaries(BinariesArgs),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  bodh trust binaries --state ~/panel      after `deploy/try` has built a newer version"
)]
struct BinariesArgs {
    /// The panel's state folder
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    #[command(flatten)]
    keys: KeyOptions,
}

pub(crate) fn run(args: Args) -> Outcome {
    let What::Binaries(args) = args.what;
    let standing = Standing::of(&args.state, &args.keys)?;
    let siblings = Siblings::hash(&standing.trust_domain)?;
    standing.exclusively(|folder, operator| siblings.trust(folder, operator))?;
    let text = format!("{} executables are trusted from the next start on.\n", siblings.count());
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
