//! One entry bundle against its tile of leaf hashes.

use std::hash::{BuildHasher, RandomState};

use bodh_audit_log::tile::{MAX_BUNDLE, Shelf, TILE_BYTES, TilePath, read_bundle};
use bodh_audit_log::{Entry, Hash, Time, leaf_hash, root_of};

use crate::Fault;
use crate::folder::{Folder, Unread};

/// What the rest of the verification needs to know of a bundle that is good in itself.
pub(crate) struct Piece {
    pub(crate) hashes: Vec<Hash>,
    /// The root over the hashes.
    pub(crate) root: Hash,
    pub(crate) first: Option<Time>,
    pub(crate) last: Option<Time>,
    /// A keyed hash of each idempotency key.
    pub(crate) keys: Vec<u64>,
}

/// Reads a tile or bundle, naming its first entry when it is not there.
pub(crate) fn read(folder: Folder<'_>, path: &TilePath, max: usize) -> Result<Vec<u8>, Fault> {
    folder.read(&path.to_string(), max).map_err(|unread| {
        let fault = Fault::at(path, 0, unread.to_string());
        if matches!(unread, Unread::Missing) { fault.passing() } else { fault }
    })
}

/// Checks bundle `index` of a log of `size` entries: each entry hashes to what the tile records, is an entry in the one
/// encoding, and is later than the one before.
pub(crate) fn check(folder: Folder<'_>, index: u64, size: u64, keyed: &RandomState) -> Result<Piece, Fault> {
    let beyond = || Fault::new(None, "checkpoint", "its size does not reach this far");
    let path = TilePath::at(Shelf::Entries, index, size).ok_or_else(beyond)?;
    let tile_path = TilePath { shelf: Shelf::Hashes(0), ..path };
    let width = usize::from(path.width);
    let bytes = read(folder, &path, MAX_BUNDLE)?;
    let tile = read(folder, &tile_path, TILE_BYTES + Hash::LEN)?;
    let mut recorded = tile.chunks_exact(Hash::LEN);
    let mut leaves = read_bundle(&bytes);
    let mut piece =
        Piece { hashes: Vec::with_capacity(width), root: Hash::default(), first: None, last: None, keys: Vec::new() };
    for place in 0..width {
        let leaf = match leaves.next() {
            Some(Ok(leaf)) => leaf,
            Some(Err(cut)) => return Err(Fault::at(&path, place, cut.to_string())),
            None => return Err(Fault::at(&path, place, format!("the bundle ends after {place} of {width} entries"))),
        };
        let hash = leaf_hash(leaf);
        match recorded.next() {
            Some(recorded) if recorded == hash.as_bytes() => {}
            Some(_) => {
                return Err(Fault::at(&path, place, format!("the entry does not hash to what {tile_path} records")));
            }
            None => return Err(Fault::at(&tile_path, place, format!("the tile ends after {place} of {width} hashes"))),
        }
        let entry = Entry::parse(leaf).map_err(|fault| Fault::at(&path, place, fault.to_string()))?;
        if piece.last.is_some_and(|last| entry.time <= last) {
            return Err(Fault::at(&path, place, "the entry is not later than the one before"));
        }
        piece.first = piece.first.or(Some(entry.time));
        piece.last = Some(entry.time);
        piece.keys.push(keyed.hash_one(entry.key()));
        piece.hashes.push(hash);
    }
    if leaves.next().is_some() {
        return Err(Fault::at(&path, width, format!("the bundle goes on after {width} entries")));
    }
    if tile.len() > width * Hash::LEN {
        return Err(Fault::at(&tile_path, width, format!("the tile goes on after {width} hashes")));
    }
    piece.root = root_of(&piece.hashes);
    Ok(piece)
}
