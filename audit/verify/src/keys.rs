//! Idempotency keys are unique per reporter. Eight bytes are kept per key; only where two of these agree are keys read again.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use bodh_audit_log::Entry;
use bodh_audit_log::tile::{MAX_BUNDLE, Shelf, TilePath, read_bundle};

use crate::Fault;
use crate::bundle::read;
use crate::folder::Folder;

/// Refuses the first entry whose key an earlier entry has. `hashes` are of all keys, by `keyed`.
pub(crate) fn check(folder: Folder<'_>, size: u64, mut hashes: Vec<u64>, keyed: &RandomState) -> Result<(), Fault> {
    hashes.sort_unstable();
    let twice = |pair: &[u64]| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    };
    let suspects: HashSet<u64> = hashes.windows(2).filter_map(twice).collect();
    drop(hashes);
    if suspects.is_empty() {
        return Ok(());
    }
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut index = 0;
    while let Some(path) = TilePath::at(Shelf::Entries, index, size) {
        let bytes = read(folder, &path, MAX_BUNDLE)?;
        for (place, leaf) in read_bundle(&bytes).flatten().enumerate() {
            let Ok(entry) = Entry::parse(leaf) else { continue };
            if !suspects.contains(&keyed.hash_one(entry.key())) {
                continue;
            }
            let here = path.first_entry() + place as u64;
            if let Some(first) = seen.insert(entry.key(), here) {
                return Err(Fault::at(&path, place, format!("the entry has the idempotency key of entry {first}")));
            }
        }
        index += 1;
    }
    Ok(())
}
