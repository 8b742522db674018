//! Inclusion and consistency proofs: made as RFC 6962, section 2.1, defines them, verified as RFC 9162, sections
//! 2.1.3.2 and 2.1.4.2, describe.

use crate::{Hash, empty_root, node_hash};

/// Hashes of perfect subtrees, from wherever they are stored.
pub trait Nodes {
    /// The root of the perfect subtree over leaves `index * 2^level .. (index + 1) * 2^level`; nothing when it is not
    /// there.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// Leaf hashes in memory, with every perfect subtree above them.
#[derive(Clone, Debug, Default)]
pub struct Levels(Vec<Vec<Hash>>);

impl Levels {
    /// All subtrees over the leaves given so far: none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf's hash and the subtrees it completes.
    pub fn append(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.0.len() == level {
                self.0.push(Vec::new());
            }
            let Some(row) = self.0.get_mut(level) else { return };
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len() % 2 == 0 => hash = node_hash(left, right),
                _ => return,
            }
        }
    }
}

impl FromIterator<Hash> for Levels {
    fn from_iter<T: IntoIterator<Item = Hash>>(leaves: T) -> Self {
        let mut levels = Self::new();
        leaves.into_iter().for_each(|leaf| levels.append(leaf));
        levels
    }
}

impl Nodes for Levels {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        self.0.get(usize::try_from(level).ok()?)?.get(usize::try_from(index).ok()?).copied()
    }
}

/// Why a proof does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofFault {
    /// The index is not in the tree, or the sizes run backwards.
    #[error("the sizes of the proof are impossible")]
    Sizes,
    /// Too many or too few hashes for these sizes.
    #[error("the proof has the wrong length")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// The root of the tree over the first `size` leaves; nothing when a subtree is not there.
#[must_use]
pub fn root(nodes: &impl Nodes, size: u64) -> Option<Hash> {
    if size == 0 { Some(empty_root()) } else { subtree(nodes, 0, size) }
}

/// The path from leaf `index` to the root of the tree of `size` leaves: RFC 6962, PATH(m, D[n]).
#[must_use]
pub fn inclusion(nodes: &impl Nodes, index: u64, size: u64) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let (mut start, mut count, mut path) = (0, size, Vec::new());
    while count > 1 {
        let left = split(count);
        if index - start < left {
            path.push(subtree(nodes, start + left, count - left)?);
            count = left;
        } else {
            path.push(subtree(nodes, start, left)?);
            start += left;
            count -= left;
        }
    }
    path.reverse();
    Some(path)
}

/// That the tree of `old` leaves is a prefix of the tree of `new` leaves: RFC 6962, PROOF(m, D[n]). Empty when `old`
/// is 0 or `new`.
#[must_use]
pub fn consistency(nodes: &impl Nodes, old: u64, new: u64) -> Option<Vec<Hash>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut start, mut count, mut proof) = (0, new, Vec::new());
    // RFC 6962, SUBPROOF: `whole` is its flag b, true while the old root is this very subtree.
    let mut whole = true;
    while old - start < count {
        let left = split(count);
        if old - start <= left {
            proof.push(subtree(nodes, start + left, count - left)?);
            count = left;
        } else {
            proof.push(subtree(nodes, start, left)?);
            start += left;
            count -= left;
            whole = false;
        }
    }
    if !whole {
        proof.push(subtree(nodes, start, count)?);
    }
    proof.reverse();
    Some(proof)
}

/// RFC 9162, section 2.1.3.2.
///
/// # Errors
/// Why the leaf is not shown to be in the tree.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> Result<(), ProofFault> {
    if index >= size {
        return Err(ProofFault::Sizes);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last == 0, hash == root) {
        (false, _) => Err(ProofFault::Length),
        (true, false) => Err(ProofFault::Root),
        (true, true) => Ok(()),
    }
}

/// RFC 9162, section 2.1.4.2. The empty tree is a prefix of every tree and needs no hashes.
///
/// # Errors
/// Why the old tree is not shown to be a prefix of the new one.
pub fn verify_consistency(
    (old, old_root): (u64, Hash),
    (new, new_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), ProofFault> {
    if old > new {
        return Err(ProofFault::Sizes);
    }
    if old == new || old == 0 {
        let same = if old == new { old_root == new_root } else { old_root == empty_root() };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofFault::Length),
            (true, false) => Err(ProofFault::Root),
            (true, true) => Ok(()),
        };
    }
    // Where the old tree is one perfect subtree, its root is the first hash and is not repeated in the proof.
    let mut hashes = old.is_power_of_two().then_some(&old_root).into_iter().chain(proof);
    let first = *hashes.next().ok_or(ProofFault::Length)?;
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (first, first);
    for hash in hashes {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(hash, &from_old);
            from_new = node_hash(hash, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last == 0, from_old == old_root && from_new == new_root) {
        (false, _) => Err(ProofFault::Length),
        (true, false) => Err(ProofFault::Root),
        (true, true) => Ok(()),
    }
}

/// The largest power of two smaller than `count`, for `count` above 1.
const fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// MTH over `count` leaves from `start`, where `start` is where RFC 6962 would split a larger tree.
fn subtree(nodes: &impl Nodes, start: u64, count: u64) -> Option<Hash> {
    if count.is_power_of_two() {
        return nodes.node(count.trailing_zeros(), start >> count.trailing_zeros());
    }
    let left = split(count);
    Some(node_hash(&subtree(nodes, start, left)?, &subtree(nodes, start + left, count - left)?))
}
