//! The published files: C2SP `tlog-tiles` with tiles of height 8.
//!
//! `tile/<L>/<N>` holds 256 hashes of perfect subtrees of height 8·L; `tile/entries/<N>` the 256 entries below
//! `tile/0/<N>`. The rightmost one of a level is partial, `<N>.p/<W>`, while it holds only W of them.

use std::fmt;

use crate::tree::{fold, peaks_of};
use crate::{Hash, MAX_LEAF, Tree, empty_root, root_of};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: usize = 256;
/// Bytes of a full hash tile.
pub const TILE_BYTES: usize = WIDTH * Hash::LEN;
/// Bytes that no entry bundle exceeds.
pub const MAX_BUNDLE: usize = WIDTH * (2 + MAX_LEAF);
/// The highest level of hash tiles that a 64-bit size can need.
pub const TOP: u8 = 7;

const WIDTH_U64: u64 = WIDTH as u64;

/// What a file of the log holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Shelf {
    /// Entries themselves.
    Entries,
    /// Hashes of perfect subtrees of height 8 times the level.
    Hashes(u8),
}

/// The name of one tile or bundle. `Display` is its path in the published folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TilePath {
    /// What it holds.
    pub shelf: Shelf,
    /// Its position, counted in full tiles.
    pub index: u64,
    /// How many hashes or entries: 1 to 256; less than 256 is a partial tile.
    pub width: u16,
}

impl TilePath {
    /// The tile or bundle at `index` in a tree of `size` leaves; nothing when it would be empty.
    #[must_use]
    pub fn at(shelf: Shelf, index: u64, size: u64) -> Option<Self> {
        let start = index.checked_mul(WIDTH_U64)?;
        let width = shelf.items(size).checked_sub(start)?.min(WIDTH_U64);
        (width > 0).then(|| Self { shelf, index, width: u16::try_from(width).unwrap_or(u16::MAX) })
    }

    /// The index of the first entry at or below this tile; saturates where no log can reach.
    #[must_use]
    pub fn first_entry(&self) -> u64 {
        let bits = 8 * (u32::from(self.shelf.level()) + 1);
        if bits >= u64::BITS || self.index.leading_zeros() < bits { u64::MAX } else { self.index << bits }
    }

    /// Whether it is partial.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        (self.width as usize) < WIDTH
    }

    /// Reads a path as `Display` writes it; another spelling is nothing.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("tile/")?.split('/');
        let shelf = match parts.next()? {
            "entries" => Shelf::Entries,
            level => Shelf::Hashes(level.parse().ok().filter(|level| *level <= TOP)?),
        };
        let (mut index, mut width) = (0_u64, WIDTH_U64);
        for part in parts.by_ref() {
            let (digits, partial) = match part.strip_suffix(".p") {
                Some(digits) => (digits, true),
                None => (part.strip_prefix('x').unwrap_or(part), false),
            };
            index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
            if partial {
                width = parts.next()?.parse().ok().filter(|width| (1..WIDTH_U64).contains(width))?;
                break;
            }
        }
        let tile = Self { shelf, index, width: u16::try_from(width).ok()? };
        // Signs, leading zeros, wrong groups and trailing parts: only the canonical spelling comes back the same.
        (tile.to_string() == path).then_some(tile)
    }
}

impl Shelf {
    /// How many hashes or entries this shelf has in a tree of `size` leaves.
    #[must_use]
    pub const fn items(self, size: u64) -> u64 {
        size >> (8 * self.level() as u32)
    }

    const fn level(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) if level > TOP => TOP,
            Self::Hashes(level) => level,
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shelf {
            Shelf::Entries => f.write_str("tile/entries")?,
            Shelf::Hashes(level) => write!(f, "tile/{level}")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        for (place, group) in groups.iter().enumerate().rev() {
            write!(f, "/{}{group:03}", if place > 0 { "x" } else { "" })?;
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The bytes of an entry bundle: each leaf after its length, 16 bits big-endian. Nothing when a leaf is longer than
/// [`MAX_LEAF`].
#[must_use]
pub fn write_bundle<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        bytes.extend_from_slice(&u16::try_from(leaf.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    Some(bytes)
}

/// The leaves of an entry bundle, in order; a last item of `Err` when the bytes end inside a leaf.
pub fn read_bundle(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], CutShort>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.filter(|bytes| !bytes.is_empty())?;
        let leaf = bytes.split_at_checked(2).and_then(|(length, tail)| {
            let length = u16::from_be_bytes(length.try_into().ok()?);
            tail.split_at_checked(usize::from(length))
        });
        rest = leaf.map(|(_, tail)| tail);
        Some(leaf.map(|(leaf, _)| leaf).ok_or(CutShort))
    })
}

/// An entry bundle that ends inside a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the entry bundle ends inside an entry")]
pub struct CutShort;

/// The hashes of a tile's bytes; nothing when they are not whole.
#[must_use]
pub fn read_tile(bytes: &[u8]) -> Option<Vec<Hash>> {
    bytes.chunks(Hash::LEN).map(Hash::from_slice).collect()
}

/// The bytes of a tile.
#[must_use]
pub fn write_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The right edge of a log as its partial tiles: what a publisher needs to write the tiles of every larger size.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edge {
    size: u64,
    /// Per level, the hashes of the tile that is not yet full.
    rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of the empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a published log, from its partial tiles.
    ///
    /// # Errors
    /// The path of the tile that `read` did not give whole.
    pub fn load(size: u64, mut read: impl FnMut(&TilePath) -> Option<Vec<Hash>>) -> Result<Self, TilePath> {
        let mut rows = Vec::new();
        for level in 0..=TOP {
            let shelf = Shelf::Hashes(level);
            let items = shelf.items(size);
            if items == 0 {
                break;
            }
            rows.push(match TilePath::at(shelf, items / WIDTH_U64, size) {
                None => Vec::new(),
                Some(path) => read(&path).filter(|row| row.len() == usize::from(path.width)).ok_or(path)?,
            });
        }
        Ok(Self { size, rows })
    }

    /// Adds a leaf's hash; `full` is given each tile that this completes.
    pub fn append(&mut self, leaf: Hash, mut full: impl FnMut(TilePath, &[Hash])) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..=TOP {
            if self.rows.len() == usize::from(level) {
                self.rows.push(Vec::new());
            }
            let Some(row) = self.rows.get_mut(usize::from(level)) else { return };
            row.push(hash);
            if row.len() < WIDTH {
                return;
            }
            let shelf = Shelf::Hashes(level);
            let index = shelf.items(self.size) / WIDTH_U64 - 1;
            full(TilePath { shelf, index, width: 256 }, row);
            hash = root_of(row);
            row.clear();
        }
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The partial tiles of this size.
    pub fn partials(&self) -> impl Iterator<Item = (TilePath, &[Hash])> {
        (0..=TOP).zip(&self.rows).filter_map(|(level, row)| {
            let shelf = Shelf::Hashes(level);
            let path = TilePath::at(shelf, shelf.items(self.size) / WIDTH_U64, self.size)?;
            Some((path, row.as_slice()))
        })
    }

    /// The same log as its peaks: the highest level holds the largest subtrees.
    #[must_use]
    pub fn tree(&self) -> Option<Tree> {
        let peaks = self.rows.iter().rev().flat_map(|row| peaks_of(row).peaks().to_vec()).collect();
        Tree::from_peaks(self.size, peaks)
    }

    /// The Merkle tree hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        let right = self.rows.iter().fold(None, |right, row| fold(peaks_of(row).peaks().iter().copied(), right));
        right.unwrap_or_else(empty_root)
    }
}
