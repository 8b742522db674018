//! The levels above the leaf hashes: each tile of subtree roots, compared hash by hash as the roots become known.

use bodh_audit_log::tile::{Shelf, TILE_BYTES, TOP, TilePath};
use bodh_audit_log::{Edge, Hash, root_of};

use crate::Fault;
use crate::bundle::read;
use crate::folder::Folder;

/// The rightmost tile of each level so far. Level 0 is the last, partial row of leaf hashes.
pub(crate) struct Climb<'a> {
    folder: Folder<'a>,
    size: u64,
    leaves: Vec<Hash>,
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    index: u64,
    hashes: Vec<Hash>,
    recorded: Vec<u8>,
}

impl<'a> Climb<'a> {
    pub(crate) fn new(folder: Folder<'a>, size: u64) -> Self {
        Self { folder, size, leaves: Vec::new(), rows: Vec::new() }
    }

    /// The next row of leaf hashes, 256 of them unless it is the last.
    pub(crate) fn add(&mut self, leaves: Vec<Hash>, root: Hash) -> Result<(), Fault> {
        if leaves.len() < bodh_audit_log::tile::WIDTH {
            self.leaves = leaves;
            return Ok(());
        }
        let mut hash = root;
        for level in 1..=TOP {
            match self.push(level, hash)? {
                Some(full) => hash = full,
                None => break,
            }
        }
        Ok(())
    }

    /// Adds the root of a subtree to its level; the root of the tile that this fills.
    fn push(&mut self, level: u8, hash: Hash) -> Result<Option<Hash>, Fault> {
        let place = usize::from(level) - 1;
        if self.rows.len() == place {
            self.rows.push(Row::default());
        }
        let Some(row) = self.rows.get_mut(place) else { return Ok(None) };
        let shelf = Shelf::Hashes(level);
        let beyond = || Fault::new(None, "checkpoint", "its size does not reach this far");
        let path = TilePath::at(shelf, row.index, self.size).ok_or_else(beyond)?;
        if row.hashes.is_empty() {
            row.recorded = read(self.folder, &path, TILE_BYTES + Hash::LEN)?;
            let (length, width) = (row.recorded.len(), usize::from(path.width));
            if length > width * Hash::LEN {
                return Err(Fault::at(&path, width, format!("the tile goes on after {width} hashes")));
            }
        }
        let item = row.hashes.len();
        match row.recorded.chunks_exact(Hash::LEN).nth(item) {
            Some(recorded) if recorded == hash.as_bytes() => row.hashes.push(hash),
            Some(_) => return Err(Fault::at(&path, item, "the hash is not the root of the entries below it")),
            None => return Err(Fault::at(&path, item, format!("the tile ends after {item} of {} hashes", path.width))),
        }
        if row.hashes.len() < bodh_audit_log::tile::WIDTH {
            return Ok(None);
        }
        let root = root_of(&row.hashes);
        *row = Row { index: row.index + 1, ..Row::default() };
        Ok(Some(root))
    }

    /// The root over all rows. The levels were complete: every subtree that the size has was added.
    pub(crate) fn root(&self) -> Result<Hash, Fault> {
        let row = |path: &TilePath| match path.shelf {
            Shelf::Hashes(0) => Some(self.leaves.clone()),
            Shelf::Hashes(level) => self.rows.get(usize::from(level) - 1).map(|row| row.hashes.clone()),
            Shelf::Entries => None,
        };
        let edge = Edge::load(self.size, row).map_err(|path| Fault::at(&path, 0, "the tile is not complete"))?;
        Ok(edge.root())
    }
}
