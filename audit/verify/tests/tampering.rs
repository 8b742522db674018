//! Every way to alter a published log is found, and the first bad entry named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bodh_audit_log::tile::{read_bundle, write_bundle, write_tile};
use bodh_audit_log::{Checkpoint, SigningKey, leaf_hash};
use bodh_audit_verify::{Fault, verify, verify_interrupted};
use support::{entry, honest, key, publish, put};
use tempfile::TempDir;

const SIZE: u64 = 700;
const BUNDLES: [&str; 3] = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"];
const TILES: [&str; 3] = ["tile/0/000", "tile/0/001", "tile/0/002.p/188"];

fn log() -> TempDir {
    let dir = TempDir::new().unwrap();
    publish(dir.path(), &honest(SIZE), &key());
    dir
}

fn fault(dir: &Path) -> Fault {
    let pinned = verify(dir, Some(key().verifier())).expect_err("must be found with the key pinned");
    let unpinned = verify(dir, None).expect_err("must be found without a pinned key");
    assert_eq!(pinned.first_bad_index.is_some(), unpinned.first_bad_index.is_some());
    pinned
}

#[track_caller]
fn found_at(dir: &Path, index: u64, place: &str) {
    let fault = fault(dir);
    assert_eq!((fault.first_bad_index, fault.place.as_str()), (Some(index), place), "{fault}");
    assert!(fault.to_string().starts_with(&format!("first bad entry {index}: {place}: ")));
}

#[test]
fn whole_logs_of_every_shape_are_accepted() {
    for size in [0, 1, 2, 255, 256, 257, 512, SIZE] {
        let dir = TempDir::new().unwrap();
        publish(dir.path(), &honest(size), &key());
        let pinned = verify(dir.path(), Some(key().verifier())).unwrap();
        assert_eq!((pinned.size, pinned.pinned, pinned.leftovers), (size, true, 0));
        assert_eq!(pinned.last, size.checked_sub(1).map(|last| entry(last).time));
        let unpinned = verify(dir.path(), None).unwrap();
        assert!(!unpinned.pinned);
        assert_eq!(unpinned.fingerprint(), key().verifier().fingerprint());
        assert_eq!(unpinned.root, pinned.root);
    }
}

/// Which entry a byte of a bundle belongs to, its length included.
fn entry_at(bundle: &[u8], byte: usize) -> u64 {
    let mut end = 0;
    let ends = read_bundle(bundle).map(|leaf| {
        end += leaf.unwrap().len() + 2;
        end
    });
    ends.take_while(|end| *end <= byte).count() as u64
}

#[test]
fn any_flipped_byte_is_found() {
    let dir = log();
    let flip = |path: &str, stride: usize, expected: &dyn Fn(&[u8], usize) -> u64| {
        let whole = fs::read(dir.path().join(path)).unwrap();
        for at in (0..whole.len()).step_by(stride) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            put(dir.path(), path, &altered);
            let fault = verify(dir.path(), Some(key().verifier())).expect_err(path);
            assert_eq!(fault.first_bad_index, Some(expected(&whole, at)), "{path} byte {at}: {fault}");
        }
        put(dir.path(), path, &whole);
    };
    flip("checkpoint", 1, &|_, _| 0);
    flip("key", 1, &|_, _| 0);
    flip("tile/1/000.p/2", 1, &|_, at| at as u64 / 32 * 256);
    for (path, first) in TILES.into_iter().zip([0, 256, 512]) {
        flip(path, 127, &|_, at| first + at as u64 / 32);
    }
    for (path, first) in BUNDLES.into_iter().zip([0, 256, 512]) {
        flip(path, 797, &|bundle, at| first + entry_at(bundle, at));
    }
    verify(dir.path(), None).unwrap();
}

#[test]
fn an_unpinned_key_still_binds_the_checkpoint() {
    let dir = log();
    for path in ["checkpoint", "key"] {
        let whole = fs::read(dir.path().join(path)).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            put(dir.path(), path, &altered);
            assert_eq!(verify(dir.path(), None).expect_err(path).first_bad_index, Some(0), "{path} byte {at}");
        }
        put(dir.path(), path, &whole);
    }
}

#[test]
fn any_truncation_is_found() {
    let dir = log();
    let cut = |path: &str, first: u64, expected: &dyn Fn(&[u8], usize) -> u64| {
        let whole = fs::read(dir.path().join(path)).unwrap();
        for length in [0, 1, 33, whole.len() / 2, whole.len() - 1].into_iter().filter(|l| *l < whole.len()) {
            put(dir.path(), path, &whole[..length]);
            found_at(dir.path(), first + expected(&whole, length), path);
        }
        put(dir.path(), path, &whole);
    };
    for (path, first) in TILES.into_iter().zip([0, 256, 512]) {
        cut(path, first, &|_, length| length as u64 / 32);
    }
    for (path, first) in BUNDLES.into_iter().zip([0, 256, 512]) {
        cut(path, first, &|bundle, length| entry_at(bundle, length));
    }
    cut("tile/1/000.p/2", 0, &|_, length| length as u64 / 32 * 256);
    cut("checkpoint", 0, &|_, _| 0);
    cut("key", 0, &|_, _| 0);
}

#[test]
fn any_addition_is_found() {
    let dir = log();
    let more = |path: &str, index: u64, extra: &[u8]| {
        let whole = fs::read(dir.path().join(path)).unwrap();
        put(dir.path(), path, &[whole.as_slice(), extra].concat());
        found_at(dir.path(), index, path);
        put(dir.path(), path, &whole);
    };
    more(BUNDLES[2], SIZE, b"\0\x01x");
    more(BUNDLES[0], 256, b"\xff");
    more(TILES[2], SIZE, &[0; 32]);
    more(TILES[0], 256, &[0]);
    more("tile/1/000.p/2", 512, &[0]);
    more("checkpoint", 0, b"\n");
    more("key", 0, b"\n");
}

#[test]
fn any_deletion_is_found() {
    for (path, index) in [
        (BUNDLES[0], 0),
        (BUNDLES[1], 256),
        (BUNDLES[2], 512),
        (TILES[0], 0),
        (TILES[1], 256),
        (TILES[2], 512),
        ("tile/1/000.p/2", 0),
        ("checkpoint", 0),
        ("key", 0),
    ] {
        let dir = log();
        fs::remove_file(dir.path().join(path)).unwrap();
        found_at(dir.path(), index, path);
    }
}

#[test]
fn swapped_files_are_found() {
    let dir = log();
    let swap = |a: &str, b: &str| {
        let (a, b) = (dir.path().join(a), dir.path().join(b));
        let (x, y) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
        fs::write(a, y).unwrap();
        fs::write(b, x).unwrap();
    };
    swap(BUNDLES[0], BUNDLES[1]);
    found_at(dir.path(), 0, BUNDLES[0]);
    // With their tiles, the level above tells.
    swap(TILES[0], TILES[1]);
    found_at(dir.path(), 0, "tile/1/000.p/2");
}

/// Entries changed, and everything but the signature made to agree.
#[test]
fn a_rebuilt_log_is_found() {
    let signed = log();
    let checkpoint = fs::read(signed.path().join("checkpoint")).unwrap();
    let rebuilt = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let dir = TempDir::new().unwrap();
        let mut leaves = honest(SIZE);
        change(&mut leaves);
        publish(dir.path(), &leaves, &key());
        dir
    };
    // The signature of the true log does not fit.
    let altered = rebuilt(&|leaves| leaves[300] = entry(300_000).encode().unwrap());
    put(altered.path(), "checkpoint", &checkpoint);
    assert_eq!(
        fault(altered.path()).first_bad_index,
        Some(0).filter(|_| false).or(Some(301)),
        "time gives it away first"
    );
    let altered = rebuilt(&|leaves| {
        let mut other = entry(300);
        other.draft.count = 1;
        leaves[300] = other.encode().unwrap();
    });
    put(altered.path(), "checkpoint", &checkpoint);
    found_at(altered.path(), 0, "checkpoint");
    // Signed again by another key.
    let forger = SigningKey::from_seed("example.com/log", &[8; 32]).unwrap();
    publish(altered.path(), &honest(SIZE), &forger);
    let fault = verify(altered.path(), Some(key().verifier())).unwrap_err();
    assert_eq!((fault.first_bad_index, fault.place.as_str()), (Some(0), "key"));
    assert!(!verify(altered.path(), None).unwrap().pinned);
    put(altered.path(), "key", format!("{}\n", key().verifier()).as_bytes());
    found_at(altered.path(), 0, "checkpoint");

    // Signed by the log's own key, but not a log: the entries themselves are wrong.
    found_at(rebuilt(&|leaves| leaves.swap(10, 11)).path(), 11, BUNDLES[0]);
    found_at(rebuilt(&|leaves| leaves.swap(255, 256)).path(), 256, "tile/entries");
    found_at(rebuilt(&|leaves| leaves[600] = b"{}".to_vec()).path(), 600, BUNDLES[2]);
    found_at(rebuilt(&|leaves| leaves[40].push(b' ')).path(), 40, BUNDLES[0]);
    let same_key = |leaves: &mut Vec<Vec<u8>>| {
        let mut other = entry(650);
        other.draft.key = "key/12".to_owned();
        leaves[650] = other.encode().unwrap();
    };
    found_at(rebuilt(&same_key).path(), 650, BUNDLES[2]);
}

#[test]
fn entries_swapped_inside_a_bundle_are_found() {
    let dir = log();
    let mut leaves = honest(256);
    leaves.swap(20, 200);
    put(dir.path(), BUNDLES[0], &write_bundle(leaves.iter().map(Vec::as_slice)).unwrap());
    found_at(dir.path(), 20, BUNDLES[0]);
}

/// What an older checkpoint leaves behind, and what an interrupted publication does.
#[test]
fn files_beyond_the_checkpoint_are_found() {
    let dir = TempDir::new().unwrap();
    publish(dir.path(), &honest(300), &key());
    let older = fs::read(dir.path().join("checkpoint")).unwrap();
    publish(dir.path(), &honest(SIZE), &key());
    let now = verify(dir.path(), Some(key().verifier())).unwrap();
    assert_eq!(now.size, SIZE, "older partial tiles that agree are fine");
    put(dir.path(), "checkpoint", &older);
    let fault = fault(dir.path());
    assert_eq!(fault.first_bad_index, Some(300), "{fault}");
    assert!(fault.what.contains("beyond the checkpoint's 300 entries"));
    assert_eq!(verify_interrupted(dir.path(), key().verifier()).unwrap().size, 300);
}

#[test]
fn older_partial_tiles_have_to_agree() {
    let dir = log();
    let leaves = honest(SIZE);
    let older = |range: std::ops::Range<usize>| write_bundle(leaves[range].iter().map(Vec::as_slice)).unwrap();
    let row: Vec<_> = leaves[512..].iter().map(|leaf| leaf_hash(leaf)).collect();
    put(dir.path(), "tile/entries/002.p/100", &older(512..612));
    put(dir.path(), "tile/0/002.p/100", &write_tile(&row[..100]));
    put(dir.path(), "tile/entries/000.p/9", &older(0..9));
    verify(dir.path(), None).unwrap();

    put(dir.path(), "tile/entries/002.p/100", &older(513..613));
    found_at(dir.path(), 512, "tile/entries/002.p/100");
    put(dir.path(), "tile/entries/002.p/100", &older(512..611));
    found_at(dir.path(), 611, "tile/entries/002.p/100");
    put(dir.path(), "tile/entries/002.p/100", &older(512..612));
    let mut hashes = write_tile(&row[..100]);
    hashes[50 * 32] ^= 1;
    put(dir.path(), "tile/0/002.p/100", &hashes);
    found_at(dir.path(), 562, "tile/0/002.p/100");
}

#[test]
fn strays_and_hostile_files_are_refused() {
    let refused = |prepare: &dyn Fn(&Path), place: &str| {
        let dir = log();
        prepare(dir.path());
        let fault = fault(dir.path());
        assert_eq!(fault.place, place, "{fault}");
    };
    refused(&|dir| put(dir, "notes.txt", b"x"), "notes.txt");
    refused(&|dir| put(dir, "tile/0/000.bak", b"x"), "tile/0/000.bak");
    refused(&|dir| put(dir, "tile/9/000", b"x"), "tile/9/000");
    refused(&|dir| put(dir, "tile/entries/003", b"x"), "tile/entries/003");
    refused(&|dir| put(dir, "tile/2/000.p/1", &[0; 32]), "tile/2/000.p/1");
    refused(&|dir| put(dir, "tile/0/x999/x999/x999/x999/x999/999", b""), "tile/0/x999/x999/x999/x999/x999/999");
    let elsewhere = |dir: &Path, path: &str| -> PathBuf {
        let target = dir.parent().unwrap().join(format!("{}.moved", dir.file_name().unwrap().to_string_lossy()));
        fs::rename(dir.join(path), &target).unwrap();
        target
    };
    for path in ["checkpoint", "key", BUNDLES[1], TILES[2], "tile/1/000.p/2"] {
        refused(&|dir| symlink(elsewhere(dir, path), dir.join(path)).unwrap(), path);
        refused(
            &|dir| {
                fs::remove_file(dir.join(path)).unwrap();
                fs::create_dir(dir.join(path)).unwrap();
            },
            path,
        );
        refused(
            &|dir| fs::OpenOptions::new().write(true).open(dir.join(path)).unwrap().set_len(1 << 40).unwrap(),
            path,
        );
    }
    refused(
        &|dir| {
            let target = elsewhere(dir, "tile");
            symlink(target, dir.join("tile")).unwrap();
        },
        "tile",
    );
    let nowhere = TempDir::new().unwrap();
    assert_eq!(fault(&nowhere.path().join("absent")).first_bad_index, Some(0));
}

#[test]
fn leftovers_of_an_interrupted_write_are_counted() {
    let dir = log();
    put(dir.path(), ".checkpoint.tmp", b"half a check");
    put(dir.path(), "tile/0/.000.tmp", b"");
    assert_eq!(verify(dir.path(), None).unwrap().leftovers, 2);
}

#[test]
fn a_claimed_size_costs_nothing() {
    let dir = log();
    let checkpoint = Checkpoint { origin: "example.com/log".to_owned(), size: u64::MAX, root: leaf_hash(b"") };
    put(dir.path(), "checkpoint", checkpoint.sign(&key()).unwrap().note().as_bytes());
    assert_eq!(fault(dir.path()).first_bad_index, Some(0), "such a log would have a full tile one level up");
}
