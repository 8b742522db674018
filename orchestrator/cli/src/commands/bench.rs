//! `bodh bench`: accuracy and speed.

use super::later::{Anything, refusal};
use crate::bench::{plain, plain_page};
use crate::failure::Outcome;
use clap::Subcommand;

mod accuracy;
mod findings;
mod load;
mod pages;
mod reasoning;
mod sessions;
mod tax;
mod viewers;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Rank the diseases of many cases in this process, and compare with the answers
    Accuracy(accuracy::Args),
    /// What identity, tokens, policy, cells and the record cost: one session through the panel, step by step
    Tax(tax::Args),
    /// What one step of reasoning takes on one core, and what the pack takes to load
    Reasoning(reasoning::Args),
    /// Many sessions at once through the whole panel
    Sessions(sessions::Args),
    /// The console's pages: how long and how heavy; and many people who watch one session
    Pages(pages::Args),
    #[command(hide = true, name = plain::WORD)]
    PlainAgent,
    #[command(hide = true, name = plain_page::WORD)]
    PlainPage,
    #[command(hide = true)]
    Appends(Anything),
    #[command(hide = true)]
    Revocation(Anything),
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.what {
        What::Accuracy(args) => accuracy::run(&args),
        What::Tax(args) => tax::run(&args),
        What::Sessions(args) => sessions::run(&args),
        What::Pages(args) => pages::run(&args),
        What::PlainAgent => plain::serve(),
        What::PlainPage => plain_page::serve(),
        What::Appends(_) => Err(refusal("`bodh bench appends`")),
        What::Revocation(_) => Err(refusal("`bodh bench revocation`")),
        What::Reasoning(args) => reasoning::run(&args),
    }
}
