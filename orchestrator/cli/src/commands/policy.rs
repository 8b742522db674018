//! `bodh policy`: the signed bundle.

use super::options::KeyOptions;
use super::standing::Standing;
use super::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::launch::{check_policy, sign_policy};
use crate::terminal;
use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign the kernel's policies with the built-in ones of the domain, or with your own
    Sign(SignArgs),
    /// The bundle that is in force: its hash and its files
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh policy sign --state ~/panel                        after an upgrade
  bodh policy sign --state ~/panel --policies ./policies  your own, in place of deploy/policies

The bundle is validated against its schema first; nothing is signed that does not load.")]
struct SignArgs {
    /// The panel's state folder
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// A folder of .cedar and .cedarschema files, in place of the built-in ones of the medical domain
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh policy show --state ~/panel
  bodh policy show --state ~/panel --text                 the policies themselves")]
struct ShowArgs {
    /// The panel's state folder
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The files' text too
    #[arg(long)]
    text: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    keys: KeyOptions,
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.what {
        What::Sign(args) => sign(&args),
        What::Show(args) => show(&args),
    }
}

fn sign(args: &SignArgs) -> Outcome {
    let standing = Standing::of(&args.state, &args.keys)?;
    let bundle = standing.exclusively(|folder, operator| sign_policy(folder, operator, args.policies.as_deref()))?;
    let text = format!("Signed; in force from the next start on: {}\n", HEXLOWER.encode(&bundle.hash()));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn show(args: &ShowArgs) -> Outcome {
    let standing = Standing::of(&args.state, &args.keys)?;
    let bundle = check_policy(&standing.folder, &standing.operator())?;
    let hash = HEXLOWER.encode(&bundle.hash());
    if args.json {
        let files: serde_json::Map<_, _> = bundle.files().map(|(name, text)| (name.to_owned(), json!(text))).collect();
        return print_json(&json!({ "sha256": hash, "signer": standing.operator().id.to_string(), "files": files }));
    }
    let mut text = format!("{hash}, signed by {}\n", standing.operator().id);
    for (name, source) in bundle.files() {
        text.push_str(&format!("  {name}  {} lines\n", source.lines().count()));
        if args.text {
            source.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
