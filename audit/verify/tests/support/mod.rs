//! A log as its service publishes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bodh_audit_log::tile::{Shelf, TilePath, write_bundle, write_tile};
use bodh_audit_log::{Checkpoint, Draft, Edge, Entry, Kind, SigningKey, Time, leaf_hash};

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed("example.com/log", &[7; 32]).unwrap()
}

pub(crate) fn entry(index: u64) -> Entry {
    let mut draft = Draft::new(Kind::Note, "test", format!("key/{index}"));
    draft.step = "x".repeat(usize::try_from(index % 50).unwrap());
    Entry {
        time: Time::from_unix_ns(1_700_000_000_000_000_000 + i64::try_from(index).unwrap()).unwrap(),
        reporter: "spiffe://example.com/service/writer".to_owned(),
        draft,
    }
}

pub(crate) fn honest(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(|index| entry(index).encode().unwrap()).collect()
}

pub(crate) fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Publishes leaves with tiles, bundles and a checkpoint that agree with each other.
pub(crate) fn publish(dir: &Path, leaves: &[Vec<u8>], key: &SigningKey) {
    let mut edge = Edge::new();
    let mut tiles = BTreeMap::new();
    for leaf in leaves {
        edge.append(leaf_hash(leaf), |path, row| drop(tiles.insert(path, write_tile(row))));
    }
    for (path, row) in edge.partials() {
        tiles.insert(path, write_tile(row));
    }
    for (index, bundle) in (0..).zip(leaves.chunks(256)) {
        let path = TilePath::at(Shelf::Entries, index, edge.size()).unwrap();
        tiles.insert(path, write_bundle(bundle.iter().map(Vec::as_slice)).unwrap());
    }
    for (path, bytes) in tiles {
        put(dir, &path.to_string(), &bytes);
    }
    let checkpoint = Checkpoint { origin: "example.com/log".to_owned(), size: edge.size(), root: edge.root() };
    put(dir, "checkpoint", checkpoint.sign(key).unwrap().note().as_bytes());
    put(dir, "key", format!("{}\n", key.verifier()).as_bytes());
}
