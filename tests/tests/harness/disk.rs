//! What is on the disk: files, bytes, and the entries of a published log.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The entries of a published log: bundles of leaves, each after its length in two bytes
/// (<https://c2sp.org/tlog-tiles>, "Log Entries").
#[track_caller]
pub fn entries(log: &Path) -> Vec<Value> {
    let bundles = log.join("tile/entries");
    let mut found = Vec::new();
    for n in 0.. {
        let full = bundles.join(format!("{n:03}"));
        let partial = bundles.join(format!("{n:03}.p"));
        let width = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        let bundle = if full.exists() {
            Some(full)
        } else if partial.exists() {
            files(&partial).into_iter().max_by_key(width)
        } else {
            None
        };
        let Some(bundle) = bundle else { break };
        // A log that grows meanwhile: after a bundle that was not full, nothing more belongs to this reading.
        let is_last = bundle.starts_with(&partial);
        let Ok(bytes) = fs::read(bundle) else { return entries(log) };
        let mut rest = bytes.as_slice();
        while let [high, low, after @ ..] = rest {
            let (leaf, left) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            found.push(serde_json::from_slice(leaf).unwrap());
            rest = left;
        }
        if is_last {
            break;
        }
    }
    found
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The bytes occur in there.
pub fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
