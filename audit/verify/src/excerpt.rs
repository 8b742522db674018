//! An excerpt: some entries of a log, each proved to be in the tree under one signed checkpoint.
//!
//! Anybody can check it without the log. What it leaves out it does not show: whoever needs a list to be whole has it
//! committed to by an entry.

use std::cell::RefCell;
use std::collections::{HashMap, hash_map::Entry as Slot};
use std::path::Path;
use std::thread;

use bodh_audit_log::proof::{Nodes, inclusion, verify_inclusion};
use bodh_audit_log::tile::{MAX_BUNDLE, Shelf, TILE_BYTES, TilePath, WIDTH, read_bundle, read_tile};
use bodh_audit_log::{Entry, Hash, SignedCheckpoint, VerifierKey, leaf_hash, root_of};
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::bundle::read;
use crate::folder::Folder;
use crate::verify::{PAUSE, TRIES, checkpoint, key};

/// Entries of a log with their proofs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// The log's public key, as in its file `key`.
    pub key: String,
    /// The signed checkpoint, as in its file `checkpoint`.
    pub checkpoint: String,
    /// The entries, in order.
    pub entries: Vec<Proved>,
}

/// One entry and the way from it to the checkpoint's root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proved {
    /// Its place in the log.
    pub index: u64,
    /// The entry in its one encoding.
    pub leaf: String,
    /// RFC 6962, PATH(m, D[n]): hashes in base64, the entry's sibling first.
    pub proof: Vec<String>,
}

/// An excerpt that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpted {
    /// The log's name.
    pub origin: String,
    /// The size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Whether the caller gave the key. If not, compare the fingerprint.
    pub pinned: bool,
    /// The key that signed.
    pub key: VerifierKey,
    /// The entries with their places, in order.
    pub entries: Vec<(u64, Entry)>,
}

impl Excerpt {
    /// The entries of the log published in `dir` that are `wanted`, at most `most` of them. The whole log is read.
    ///
    /// # Errors
    /// When the log's files cannot be read, or there are more.
    pub fn cut(dir: &Path, most: usize, wanted: impl Fn(u64, &Entry) -> bool) -> Result<Self, Fault> {
        let folder = Folder(dir);
        for _ in 1..TRIES {
            match once(folder, most, &wanted) {
                // A publication at the same time replaces what ends the tree.
                Err(fault) if fault.passing => thread::sleep(PAUSE),
                result => return result,
            }
        }
        once(folder, most, &wanted)
    }

    /// Checks the checkpoint's signature and each entry's proof.
    ///
    /// # Errors
    /// The first fault.
    pub fn verify(&self, pin: Option<&VerifierKey>) -> Result<Excerpted, Fault> {
        let fault = |place: &str, what: String| Fault::new(None, place, what);
        let key = VerifierKey::parse(&self.key).map_err(|cause| fault("key", cause.to_string()))?;
        if pin.is_some_and(|pin| *pin != key) {
            return Err(fault("key", "the excerpt's key is not the pinned key".to_owned()));
        }
        let signed = SignedCheckpoint::open(&self.checkpoint, &key);
        let signed = signed.map_err(|cause| fault("checkpoint", cause.to_string()))?;
        let stated = signed.checkpoint();
        let mut entries: Vec<(u64, Entry)> = Vec::with_capacity(self.entries.len());
        for proved in &self.entries {
            let wrong = |what: String| Fault::new(Some(proved.index), "entries", what);
            let path: Option<Vec<Hash>> = proved.proof.iter().map(|hash| Hash::from_base64(hash)).collect();
            let path = path.ok_or_else(|| wrong("its proof is not a list of hashes".to_owned()))?;
            let leaf = proved.leaf.as_bytes();
            verify_inclusion(leaf_hash(leaf), proved.index, stated.size, &path, stated.root)
                .map_err(|cause| wrong(cause.to_string()))?;
            let entry = Entry::parse(leaf).map_err(|cause| wrong(cause.to_string()))?;
            if entries.last().is_some_and(|(index, last)| *index >= proved.index || last.time >= entry.time) {
                return Err(wrong("the entry is not later than the one before".to_owned()));
            }
            entries.push((proved.index, entry));
        }
        Ok(Excerpted {
            origin: stated.origin.clone(),
            size: stated.size,
            root: stated.root,
            pinned: pin.is_some(),
            key,
            entries,
        })
    }
}

fn once(folder: Folder<'_>, most: usize, wanted: &impl Fn(u64, &Entry) -> bool) -> Result<Excerpt, Fault> {
    let key = key(folder, None)?;
    let signed = checkpoint(folder, &key)?;
    let size = signed.checkpoint().size;
    let tiles = Tiles { folder, size, read: RefCell::default() };
    let mut entries = Vec::new();
    for index in 0..size.div_ceil(WIDTH as u64) {
        let beyond = || Fault::new(None, "checkpoint", "its size does not reach this far");
        let path = TilePath::at(Shelf::Entries, index, size).ok_or_else(beyond)?;
        let bundle = read(folder, &path, MAX_BUNDLE)?;
        for (place, leaf) in read_bundle(&bundle).enumerate() {
            let leaf = leaf.map_err(|cut| Fault::at(&path, place, cut.to_string()))?;
            let entry = Entry::parse(leaf).map_err(|fault| Fault::at(&path, place, fault.to_string()))?;
            let here = path.first_entry() + place as u64;
            if !wanted(here, &entry) {
                continue;
            }
            if entries.len() >= most {
                return Err(Fault::new(Some(here), "entries", format!("an excerpt has at most {most} entries")));
            }
            let proof = inclusion(&tiles, here, size);
            let proof = proof.ok_or_else(|| Fault::at(&path, place, "a tile above the entry is missing").passing())?;
            let leaf = String::from_utf8_lossy(leaf).into_owned();
            entries.push(Proved { index: here, leaf, proof: proof.iter().map(Hash::to_base64).collect() });
        }
    }
    Ok(Excerpt { key: key.to_string(), checkpoint: signed.note().to_owned(), entries })
}

/// The log's tiles, each read once.
struct Tiles<'a> {
    folder: Folder<'a>,
    size: u64,
    read: RefCell<HashMap<TilePath, Vec<Hash>>>,
}

impl Nodes for Tiles<'_> {
    /// A tile of level L holds roots over 256^L entries; what lies between two levels is hashed from it.
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let shelf = Shelf::Hashes(u8::try_from(level / 8).ok()?);
        let (count, first) = (1u64 << (level % 8), index << (level % 8));
        let path = TilePath::at(shelf, first / WIDTH as u64, self.size)?;
        let mut tiles = self.read.borrow_mut();
        let hashes = match tiles.entry(path) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => slot.insert(read_tile(&read(self.folder, &path, TILE_BYTES).ok()?)?),
        };
        let from = usize::try_from(first % WIDTH as u64).ok()?;
        hashes.get(from..from + usize::try_from(count).ok()?).map(root_of)
    }
}
