//! The tree against RFC 6962's own recursive definition, and against Certificate Transparency's well-known vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_audit_log::proof::{
    Levels, Nodes, ProofFault, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
use bodh_audit_log::{Hash, Tree, empty_root, leaf_hash, node_hash, root_of};
use proptest::prelude::*;

/// The leaves of certificate-transparency's `merkle_tree_test`.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
/// The root after each of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// MTH(D[n]) as RFC 6962, section 2.1, writes it.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            node_hash(&naive_root(&many[..k]), &naive_root(&many[k..]))
        }
    }
}

/// PATH(m, D[n]).
fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) =
        if m < k { (naive_path(m, left), naive_root(right)) } else { (naive_path(m - k, right), naive_root(left)) };
    path.push(sibling);
    path
}

/// SUBPROOF(m, D[n], b).
fn naive_subproof(m: usize, leaves: &[Hash], b: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if b { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if m <= k {
        (naive_subproof(m, left, b), naive_root(right))
    } else {
        (naive_subproof(m - k, right, false), naive_root(left))
    };
    proof.push(other);
    proof
}

#[test]
fn well_known_roots() {
    assert_eq!(empty_root().to_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(Tree::new().root(), empty_root());
    let mut tree = Tree::new();
    let mut levels = Levels::new();
    for (size, (leaf, expected)) in (1..).zip(LEAVES.iter().zip(ROOTS)) {
        tree.append(leaf_hash(leaf));
        levels.append(leaf_hash(leaf));
        assert_eq!(tree.root().to_hex(), expected);
        assert_eq!(root(&levels, size).unwrap().to_hex(), expected);
    }
}

#[test]
fn well_known_proofs() {
    let levels: Levels = LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    let hex = |hashes: Vec<Hash>| hashes.iter().map(Hash::to_hex).collect::<Vec<_>>();
    assert_eq!(
        hex(inclusion(&levels, 5, 8).unwrap()),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        hex(consistency(&levels, 2, 5).unwrap()),
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]
    );
}

#[test]
fn every_proof_of_small_trees_is_the_rfcs() {
    let all = leaves(40);
    let levels: Levels = all.iter().copied().collect();
    for size in 1..=all.len() {
        let whole = &all[..size];
        let expected = naive_root(whole);
        assert_eq!(root(&levels, size as u64), Some(expected));
        assert_eq!(root_of(whole), expected);
        for (m, leaf) in whole.iter().enumerate() {
            let path = inclusion(&levels, m as u64, size as u64).unwrap();
            assert_eq!(path, naive_path(m, whole));
            assert_eq!(verify_inclusion(*leaf, m as u64, size as u64, &path, expected), Ok(()));
        }
        for old in 1..=size {
            let proof = consistency(&levels, old as u64, size as u64).unwrap();
            assert_eq!(proof, naive_subproof(old, whole, true));
            let from = (old as u64, naive_root(&all[..old]));
            assert_eq!(verify_consistency(from, (size as u64, expected), &proof), Ok(()));
        }
    }
}

#[test]
fn impossible_questions_have_no_proof() {
    let levels: Levels = leaves(5).into_iter().collect();
    assert_eq!(inclusion(&levels, 5, 5), None);
    assert_eq!(inclusion(&levels, 0, 0), None);
    assert_eq!(inclusion(&levels, 0, 6), None, "a tree that is not there");
    assert_eq!(consistency(&levels, 4, 3), None);
    assert_eq!(consistency(&levels, 3, 9), None);
    assert_eq!(levels.node(70, 0), None);
    assert_eq!(verify_inclusion(empty_root(), 0, 0, &[], empty_root()), Err(ProofFault::Sizes));
    let (one, two) = (leaf_hash(b"1"), leaf_hash(b"2"));
    assert_eq!(verify_consistency((2, one), (1, one), &[]), Err(ProofFault::Sizes));
    assert_eq!(verify_consistency((1, one), (1, two), &[]), Err(ProofFault::Root));
    assert_eq!(verify_consistency((1, one), (2, two), &[]), Err(ProofFault::Length));
    assert_eq!(verify_consistency((3, one), (4, two), &[]), Err(ProofFault::Length));
    assert_eq!(verify_consistency((0, one), (2, two), &[]), Err(ProofFault::Root));
    assert_eq!(verify_consistency((0, empty_root()), (2, two), &[]), Ok(()));
    assert_eq!(verify_consistency((0, empty_root()), (2, two), &[one]), Err(ProofFault::Length));
}

proptest! {
    #[test]
    fn a_tree_is_its_peaks(size in 0_u64..3_000) {
        let all = leaves(size);
        let mut tree = Tree::new();
        all.iter().for_each(|leaf| tree.append(*leaf));
        prop_assert_eq!(tree.root(), naive_root(&all));
        let stored = Tree::from_peaks(tree.size(), tree.peaks().to_vec()).unwrap();
        prop_assert_eq!(&stored, &tree);
        prop_assert!(Tree::from_peaks(size + 1, tree.peaks().to_vec()).is_none_or(|t| t.peaks().len() == tree.peaks().len()));
    }

    #[test]
    fn a_changed_inclusion_proof_fails(size in 1_u64..600, pick in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let index = pick.index(all.len());
        let levels: Levels = all.iter().copied().collect();
        let (root, m) = (naive_root(&all), index as u64);
        let path = inclusion(&levels, m, size).unwrap();
        prop_assert_eq!(verify_inclusion(all[index], m, size, &path, root), Ok(()));

        let flip = |hash: Hash| { let mut b = *hash.as_bytes(); let at = bit.index(256); b[at / 8] ^= 1 << (at % 8); Hash::new(b) };
        prop_assert!(verify_inclusion(flip(all[index]), m, size, &path, root).is_err());
        prop_assert!(verify_inclusion(all[index], m, size, &path, flip(root)).is_err());
        prop_assert!(verify_inclusion(all[index], m ^ 1, size, &path, root).is_err());
        let longer = [path.clone(), vec![root]].concat();
        prop_assert!(verify_inclusion(all[index], m, size, &longer, root).is_err());
        for at in 0..path.len() {
            let mut altered = path.clone();
            altered[at] = flip(altered[at]);
            prop_assert_eq!(verify_inclusion(all[index], m, size, &altered, root), Err(ProofFault::Root));
            prop_assert!(verify_inclusion(all[index], m, size, &path[..at], root).is_err());
        }
    }

    #[test]
    fn a_changed_consistency_proof_fails(new in 2_u64..600, pick in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let all = leaves(new);
        let old = pick.index(all.len() - 1) + 1;
        let levels: Levels = all.iter().copied().collect();
        let (from, to) = ((old as u64, naive_root(&all[..old])), (new, naive_root(&all)));
        let proof = consistency(&levels, from.0, new).unwrap();
        prop_assert_eq!(verify_consistency(from, to, &proof), Ok(()));

        let flip = |hash: Hash| { let mut b = *hash.as_bytes(); let at = bit.index(256); b[at / 8] ^= 1 << (at % 8); Hash::new(b) };
        prop_assert!(verify_consistency((from.0, flip(from.1)), to, &proof).is_err());
        prop_assert!(verify_consistency(from, (new, flip(to.1)), &proof).is_err());
        prop_assert!(verify_consistency(from, to, &[proof.clone(), vec![to.1]].concat()).is_err());
        for at in 0..proof.len() {
            let mut altered = proof.clone();
            altered[at] = flip(altered[at]);
            prop_assert_eq!(verify_consistency(from, to, &altered), Err(ProofFault::Root));
            prop_assert!(verify_consistency(from, to, &proof[..at]).is_err());
        }
    }
}
