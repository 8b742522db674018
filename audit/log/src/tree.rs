//! The Merkle tree of RFC 6962, section 2.1, grown one leaf at a time.

use crate::{Hash, empty_root, node_hash};

/// The right edge of a tree: the roots of its perfect subtrees, largest first. At most 64 hashes for any size, and
/// all that is needed to append and to name the root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree with no leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree stored earlier as its [`size`](Self::size) and [`peaks`](Self::peaks); nothing when the count of peaks
    /// does not belong to that size.
    #[must_use]
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (u64::from(size.count_ones()) == peaks.len() as u64).then_some(Self { size, peaks })
    }

    /// Adds a leaf's hash. O(log n), O(1) on average.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            rest >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The Merkle tree hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(self.peaks.iter().copied(), None).unwrap_or_else(empty_root)
    }
}

/// The Merkle tree hash over some leaf (or subtree) hashes.
#[must_use]
pub fn root_of(hashes: &[Hash]) -> Hash {
    peaks_of(hashes).root()
}

pub(crate) fn peaks_of(hashes: &[Hash]) -> Tree {
    let mut tree = Tree::new();
    hashes.iter().for_each(|hash| tree.append(*hash));
    tree
}

/// Joins subtrees from the right: `right` is what lies to the right of all of them.
pub(crate) fn fold(peaks: impl DoubleEndedIterator<Item = Hash>, right: Option<Hash>) -> Option<Hash> {
    peaks.rev().fold(right, |right, left| {
        Some(match right {
            Some(right) => node_hash(&left, &right),
            None => left,
        })
    })
}
