//! `bodh audit verify`: a log, from its published files alone.

use super::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::state::read_bounded;
use crate::terminal::{self, Paint, shown};
use bodh_audit_log::VerifierKey;
use bodh_audit_verify::{Fault, Verified, verify};
use bodh_evidence::{Verified as Evidenced, is_evidence};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit verify ~/panel/log --key 'bodh.internal/log+1a2b3c4d+Ab…'   pinned: nobody else can have signed it
  bodh audit verify ~/panel/log                                          consistent with the key in the folder
  bodh audit verify /mnt/copy --json
  bodh audit verify bodh-evidence-0123456789abcdef0123456789abcdef.html --key 'bodh.internal/log+1a2b3c4d+Ab…'

Every entry is hashed again and every tile compared, so that nothing is taken on trust.
Exit code 4 names the first bad entry. Times are the service's own word until witnesses cosign.")]
pub(super) struct Args {
    /// The published log, a state folder, or a file of evidence that `bodh audit export` wrote
    #[arg(value_name = "PATH")]
    path: String,
    /// The log's key, as you know it from elsewhere (the folder's `key` file shows its form)
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Outcome {
    if args.path.starts_with("http://") || args.path.starts_with("https://") {
        return Err(Failure::NotThereYet("`bodh audit verify` of a URL"));
    }
    let pin = args.key.as_deref().map(VerifierKey::parse).transpose();
    let pin = pin.map_err(|wrong| Failure::input(format!("--key: {wrong}")))?;
    if let Some(bytes) = evidence(Path::new(&args.path))? {
        return verify_evidence(args, &bytes, pin.as_ref());
    }
    let folder = log_folder(Path::new(&args.path))?;
    let progress = terminal::spinner("verifying");
    let found = verify(&folder, pin.as_ref());
    progress.finish_and_clear();
    match found {
        Ok(whole) => show(&whole, args.json),
        Err(fault) => {
            if args.json {
                print_json(&object_of_fault(&fault))?;
            }
            Err(Failure::unverified(format!("{}: {fault}", folder.display())))
        }
    }
}

/// The largest file that is read as evidence.
const MAX_EVIDENCE: u64 = 256 << 20;

/// The bytes of a file of evidence; nothing where it is none, whole or damaged.
fn evidence(path: &Path) -> Outcome<Option<Vec<u8>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read_bounded(path, MAX_EVIDENCE)?;
    Ok(is_evidence(&bytes).then_some(bytes))
}

fn verify_evidence(args: &Args, bytes: &[u8], pin: Option<&VerifierKey>) -> Outcome {
    match bodh_evidence::verify(bytes, pin) {
        Ok(whole) => show_evidence(&whole, args.json),
        Err(fault) => {
            if args.json {
                print_json(&json!({
                    "verified": false, "first_bad_index": fault.entry, "place": fault.step, "what": fault.what,
                }))?;
            }
            let at = fault.entry.map_or_else(String::new, |entry| format!("entry {entry}: "));
            Err(Failure::unverified(format!("{}: {at}{fault}", args.path)))
        }
    }
}

fn show_evidence(whole: &Evidenced, as_json: bool) -> Outcome {
    let log = &whole.log;
    let fingerprint = log.key.fingerprint().to_string();
    if as_json {
        let signed = whole.decisions.iter().map(|d| {
            json!({
                "purpose": d.purpose, "about": d.about, "verdict": d.verdict, "by": d.by, "assurance": d.assurance,
                "meaning": d.meaning, "at_unix_ms": d.at_unix_ms, "entry": d.entry,
            })
        });
        return print_json(&json!({
            "verified": true, "pinned": log.pinned, "origin": log.origin, "size": log.size, "root": log.root.to_string(),
            "key": log.key.to_string(), "fingerprint": fingerprint, "session": whole.session,
            "status": whole.report.status, "released": whole.report.released, "standing": whole.report.standing,
            "signed": signed.collect::<Vec<_>>(),
            "checks": whole.checks.iter().map(|c| json!({ "what": c.what, "found": c.found })).collect::<Vec<_>>(),
        }));
    }
    let paint = Paint::stdout();
    let head = if log.pinned {
        paint.good("verified down to each signature, against the pinned key")
    } else {
        paint.attention(&format!("internally consistent; key not pinned: {fingerprint}"))
    };
    let checks: String = whole.checks.iter().map(|c| format!("  {:<10} {}\n", c.what, shown(&c.found))).collect();
    let signed = whole.decisions.iter().map(|d| {
        let (by, with) = (shown(&d.by), if d.assurance == "webauthn" { "passkey" } else { "key file" });
        let at = super::inbox::time(d.at_unix_ms);
        format!("  signed     {} on {} by {by} with a {with}, {at}, entry {}\n", d.verdict, shown(&d.about), d.entry)
    });
    let text = format!("{head}\n  session    {}\n{checks}{}", whole.session, signed.collect::<String>());
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// The folder itself, or the log of a state folder. What was never a log is bad usage, not a bad log.
fn log_folder(path: &Path) -> Outcome<PathBuf> {
    let is_log = |folder: &Path| ["checkpoint", "key", "tile"].iter().any(|name| folder.join(name).exists());
    if path.is_file() {
        return Err(Failure::input(format!("{}: a file; give the folder of a published log", path.display())));
    }
    let inside = path.join("log");
    if is_log(path) {
        Ok(path.to_owned())
    } else if is_log(&inside) || (path.join("format").exists() && inside.is_dir()) {
        Ok(inside)
    } else {
        let what = if path.is_dir() { "no published log (checkpoint, key, tile/) in it" } else { "no such folder" };
        Err(Failure::input(format!("{}: {what}", path.display())))
    }
}

fn object_of_fault(fault: &Fault) -> serde_json::Value {
    json!({
        "verified": false, "first_bad_index": fault.first_bad_index, "place": fault.place, "what": fault.what,
    })
}

fn show(whole: &Verified, as_json: bool) -> Outcome {
    let fingerprint = whole.fingerprint().to_string();
    if as_json {
        return print_json(&json!({
            "verified": true, "pinned": whole.pinned, "origin": whole.origin, "size": whole.size,
            "root": whole.root.to_string(), "key": whole.key.to_string(), "fingerprint": fingerprint,
            "checkpoint": whole.note, "leftovers": whole.leftovers,
        }));
    }
    let paint = Paint::stdout();
    let head = if whole.pinned {
        paint.good("verified against the pinned key")
    } else {
        paint.attention(&format!("internally consistent; key not pinned: {fingerprint}"))
    };
    let mut text = format!(
        "{head}\n  log {}\n  {} entries, root {}\n  key {}\n",
        shown(&whole.origin),
        whole.size,
        whole.root,
        whole.key
    );
    if whole.leftovers > 0 {
        text.push_str(&format!(
            "  {} temporary file(s) of an interrupted write, which nobody reads\n",
            whole.leftovers
        ));
    }
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(path: &Path, key: Option<&str>) -> Args {
        Args { path: path.display().to_string(), key: key.map(str::to_owned), json: false }
    }

    #[test]
    fn what_was_never_a_log_is_bad_usage() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        for path in [folder.path(), &file, &folder.path().join("none")] {
            assert_eq!(run(&args(path, None)).unwrap_err().code(), 2, "{}", path.display());
        }
        assert_eq!(run(&args(folder.path(), Some("rubbish"))).unwrap_err().code(), 2);
        assert_eq!(run(&args(Path::new("https://example.org/log"), None)).unwrap_err().code(), 2);
    }

    #[test]
    fn a_log_that_lost_its_files_is_a_bad_log() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tile")).unwrap();
        assert_eq!(run(&args(folder.path(), None)).unwrap_err().code(), 4);
        std::fs::write(folder.path().join("key"), "x\n").unwrap();
        let refused = run(&args(folder.path(), None)).unwrap_err();
        assert_eq!(refused.code(), 4);
        assert!(refused.to_string().contains("first bad entry 0"), "{refused}");
    }
}
