//! `bodh knowledge`: what reasoning rests on.

use super::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::state::{read_bounded, write_private};
use crate::terminal;
use bodh_knowledge::{COMMITTED, Pack, build, inflate, with_general};
use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::{Path, PathBuf};

mod general;

use general::{coverage, texts, told};

/// Most bytes of one file of a release; the annotations of 2025 have 35 MB.
const MAX_SOURCE: u64 = 512 << 20;
/// Most bytes of a compressed pack.
const MAX_PACK: u64 = 128 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Versions, sources, counts and hashes of the packs
    Info(InfoArgs),
    /// Build the pack from the texts of general medicine and a release of the Human Phenotype Ontology
    Build(BuildArgs),
    /// Check a pack, and the texts of general medicine and the list of tests against it; coverage by specialty
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bodh knowledge info --json")]
struct InfoArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh knowledge build --general agents/knowledge/general --out bodh.pack          after a text was corrected
  bodh knowledge build --general agents/knowledge/general --out bodh.pack \\
      --obo hp.obo --hpoa phenotype.hpoa --genes genes_to_phenotype.txt            with another release

Without a release the one inside this program is used. The same inputs give the same bytes.")]
struct BuildArgs {
    /// The folder of texts of general medicine
    #[arg(long, value_name = "DIR")]
    general: PathBuf,
    /// The ontology
    #[arg(long, value_name = "FILE", requires_all = ["hpoa", "genes"])]
    obo: Option<PathBuf>,
    /// The annotations
    #[arg(long, value_name = "FILE", requires = "obo")]
    hpoa: Option<PathBuf>,
    /// Genes and phenotypes
    #[arg(long, value_name = "FILE", requires = "obo")]
    genes: Option<PathBuf>,
    /// Where the pack goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh knowledge check
  bodh knowledge check bodh.pack                                 one that you built
  bodh knowledge check --general agents/knowledge/general        the texts: every fault, with file and line")]
struct CheckArgs {
    /// A compressed pack; without it the one inside this program
    #[arg(value_name = "PACK")]
    pack: Option<PathBuf>,
    /// Also check this folder of texts against the pack's ontology
    #[arg(long, value_name = "DIR")]
    general: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.what {
        What::Info(args) => info(args.json),
        What::Build(args) => make(&args),
        What::Check(args) => check(args.pack.as_deref(), args.general.as_deref()),
    }
}

/// The pack inside this program.
fn committed() -> Outcome<Pack> {
    open("the built-in pack", COMMITTED)
}

fn open(name: &str, compressed: &[u8]) -> Outcome<Pack> {
    let pack = inflate(compressed).and_then(Pack::open);
    pack.map_err(|wrong| Failure::unverified(format!("{name}: {wrong}; build it again")))
}

fn info(as_json: bool) -> Outcome {
    let pack = committed()?;
    let tests = pack.tests().count();
    let hash = HEXLOWER.encode(&pack.sha256());
    if as_json {
        return print_json(&json!({
            "rare": {
                "release": pack.release(), "sha256": hash, "bytes": pack.size(),
                "diseases": pack.disease_count() - pack.general_count(),
                "terms": pack.term_count(), "annotations": pack.annotation_count(), "attribution": pack.attribution(),
            },
            "general": { "conditions": pack.general_count() },
            "tests": { "count": tests },
        }));
    }
    let text = format!(
        "General medicine, curated in this project\n  {} conditions\nRare disease, release {}\n  {} diseases, {} terms, {} annotations, {} bytes\n  SHA-256 {hash}\n  {}\n\
         Tests\n  {tests}, with approximate prices in US dollars and their sources\n{}\n",
        pack.general_count(),
        pack.release(),
        pack.disease_count() - pack.general_count(),
        pack.term_count(),
        pack.annotation_count(),
        pack.size(),
        pack.attribution(),
        crate::report::NOT_A_DEVICE
    );
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn make(args: &BuildArgs) -> Outcome {
    let progress = terminal::spinner("building");
    let base = match (&args.obo, &args.hpoa, &args.genes) {
        (Some(obo), Some(hpoa), Some(genes)) => {
            let (obo, hpoa) = (read_bounded(obo, MAX_SOURCE)?, read_bounded(hpoa, MAX_SOURCE)?);
            let genes = read_bounded(genes, MAX_SOURCE)?;
            open("the release", &build(&obo, &hpoa, &genes).map_err(|wrong| Failure::input(wrong.to_string()))?)?
        }
        _ => committed()?,
    };
    let packed = with_general(&base, &texts(&args.general)?).map_err(|faults| told(&faults))?;
    let pack = open(&args.out.display().to_string(), &packed)?;
    write_private(&args.out, &packed)?;
    progress.finish_and_clear();
    let text = format!(
        "{}: {} conditions of general medicine, {} rare diseases, release {}, SHA-256 {}\n",
        args.out.display(),
        pack.general_count(),
        pack.disease_count() - pack.general_count(),
        pack.release(),
        HEXLOWER.encode(&pack.sha256())
    );
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn check(path: Option<&Path>, general: Option<&Path>) -> Outcome {
    let pack = match path {
        Some(path) => open(&path.display().to_string(), &read_bounded(path, MAX_PACK)?)?,
        None => committed()?,
    };
    let pack = match general {
        Some(folder) => {
            let packed = with_general(&pack, &texts(folder)?).map_err(|faults| told(&faults))?;
            open(&folder.display().to_string(), &packed)?
        }
        None => pack,
    };
    let mut text = format!(
        "Sound: {} rare diseases, {} conditions of general medicine, {} terms, {} annotations, {} tests; SHA-256 {}\n",
        pack.disease_count() - pack.general_count(),
        pack.general_count(),
        pack.term_count(),
        pack.annotation_count(),
        pack.tests().count(),
        HEXLOWER.encode(&pack.sha256())
    );
    text.push_str(&coverage(&pack));
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

#[cfg(test)]
mod tests_of_the_samples {
    use super::*;

    /// Each sample is read, and each of its terms is one that the pack knows under that label.
    #[test]
    fn every_sample_is_usable() {
        let pack = committed().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "toml") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let case = bodh_formats::read(&bytes).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display())).case;
            assert!(!case.coded.is_empty() || !case.note.is_empty(), "{}", path.display());
            for feature in &case.coded {
                assert!(pack.term(feature.term.as_str()).is_some(), "{}: {}", path.display(), feature.term);
            }
            read += 1;
        }
        assert_eq!(read, 13);
    }

    #[test]
    fn a_damaged_pack_is_named_and_exits_4() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = COMMITTED.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file.path(), bytes).unwrap();
        let refused = check(Some(file.path()), None).unwrap_err();
        assert_eq!(refused.code(), 4, "{refused}");
        assert!(check(None, None).is_ok());
    }
}
