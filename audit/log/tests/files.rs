//! The published files: paths, bundles, tiles, notes and checkpoints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_audit_log::note::{Note, NoteFault};
use bodh_audit_log::tile::{CutShort, Shelf, TilePath, read_bundle, read_tile, write_bundle, write_tile};
use bodh_audit_log::{
    Checkpoint, CheckpointFault, Edge, Hash, SignedCheckpoint, SigningKey, Tree, VerifierKey, leaf_hash, root_of,
};
use proptest::prelude::*;

#[test]
fn paths_of_the_specification() {
    for (path, shelf, index, width) in [
        ("tile/0/000", Shelf::Hashes(0), 0, 256),
        ("tile/0/000.p/1", Shelf::Hashes(0), 0, 1),
        ("tile/3/x001/x234/067", Shelf::Hashes(3), 1_234_067, 256),
        ("tile/entries/x001/000.p/255", Shelf::Entries, 1_000, 255),
        ("tile/entries/999", Shelf::Entries, 999, 256),
    ] {
        let tile = TilePath { shelf, index, width };
        assert_eq!(tile.to_string(), path);
        assert_eq!(TilePath::parse(path), Some(tile));
    }
    for path in [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/00/000",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/0/+01",
        "tile/0",
        "tile",
        "tile/data/000",
        "tile/entries/-01",
        "tile/0/x001",
        "tile/0/.tmp",
        "tile/0/000/",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(TilePath::parse(path), None, "{path}");
    }
}

#[test]
fn tiles_of_a_size() {
    let at = |shelf, index, size| TilePath::at(shelf, index, size).map(|t| t.width);
    assert_eq!(at(Shelf::Hashes(0), 0, 0), None);
    assert_eq!(at(Shelf::Hashes(0), 0, 255), Some(255));
    assert_eq!(at(Shelf::Entries, 1, 256), None);
    assert_eq!(at(Shelf::Entries, 1, 257), Some(1));
    assert_eq!(at(Shelf::Hashes(1), 0, 255), None);
    assert_eq!(at(Shelf::Hashes(1), 0, 70_000), Some(256));
    assert_eq!(at(Shelf::Hashes(1), 1, 70_000), Some(17));
    assert_eq!(at(Shelf::Hashes(2), 0, 70_000), Some(1));
    assert_eq!(at(Shelf::Hashes(0), u64::MAX, u64::MAX), None);
    assert_eq!(TilePath::parse("tile/1/003").unwrap().first_entry(), 3 * 65_536);
    assert_eq!(TilePath { shelf: Shelf::Hashes(7), index: 1, width: 1 }.first_entry(), u64::MAX);
}

#[test]
fn bundles_say_where_they_are_cut() {
    let leaves: [&[u8]; 3] = [b"one", b"", b"three"];
    let bytes = write_bundle(leaves).unwrap();
    assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
    assert_eq!(read_bundle(&bytes).collect::<Result<Vec<_>, _>>().unwrap(), leaves);
    for end in 0..bytes.len() {
        let read: Vec<_> = read_bundle(&bytes[..end]).collect();
        let whole = read.iter().filter(|r| r.is_ok()).count();
        assert_eq!(read.last() == Some(&Err(CutShort)), ![0, 5, 7].contains(&end), "cut at {end}");
        assert_eq!(whole, [5, 7].iter().filter(|boundary| end >= **boundary).count());
    }
    assert_eq!(write_bundle([vec![0; 65_536].as_slice()]), None);
    assert_eq!(read_tile(&[0; 33]), None);
}

/// The C2SP `signed-note` example is signed by a key whose secret is not published; this seed is the test's own.
fn key() -> SigningKey {
    SigningKey::from_seed("example.com/log", &[7; 32]).unwrap()
}

#[test]
fn the_specifications_note_verifies() {
    // golang.org/x/mod/sumdb/note, package documentation.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key = VerifierKey::parse(vkey).unwrap();
    assert_eq!(key.to_string(), vkey);
    let parsed = Note::parse(note).unwrap();
    assert_eq!(key.verify(&parsed), Ok(()));
    let altered = Note::parse(&note.replace("think", "thing")).unwrap();
    assert_eq!(key.verify(&altered), Err(NoteFault::Signature));
}

#[test]
fn only_canonical_keys_are_keys() {
    let vkey = key().verifier().to_string();
    let parsed = VerifierKey::parse(&vkey).unwrap();
    assert_eq!(&parsed, key().verifier());
    for at in 0..vkey.len() {
        let mut altered = vkey.clone().into_bytes();
        altered[at] ^= 1;
        let read = String::from_utf8(altered).ok().and_then(|text| VerifierKey::parse(&text).ok());
        assert_eq!(read, None, "flipped at {at}");
    }
    for text in ["", "a", "a+b", "a+00000000+", &format!("{vkey}\n"), &vkey.to_uppercase()] {
        assert_eq!(VerifierKey::parse(text), Err(NoteFault::Key));
    }
    assert!(VerifierKey::new("two words", [0; 32]).is_err());
    let secret = SigningKey::secret_text("example.com/log", &[7; 32]).unwrap();
    assert_eq!(SigningKey::from_secret_text(&secret).unwrap().verifier(), &parsed);
    assert!(SigningKey::from_secret_text(&secret.replace("example", "examplf")).is_err());
    assert!(!format!("{:?}", key()).contains("PRIVATE"));
}

#[test]
fn any_flipped_byte_of_a_checkpoint_is_refused() {
    let checkpoint = Checkpoint { origin: "example.com/log".to_owned(), size: 12, root: leaf_hash(b"x") };
    let signed = checkpoint.sign(&key()).unwrap();
    let open = |note: &str| SignedCheckpoint::open(note, key().verifier());
    assert_eq!(open(signed.note()).unwrap(), signed);
    for at in 0..signed.note().len() {
        for mask in [1, 0x80, 0xff, 0x20] {
            let mut altered = signed.note().to_owned().into_bytes();
            altered[at] ^= mask;
            assert!(String::from_utf8(altered).map_or(true, |note| open(&note).is_err()), "{at} {mask}");
        }
    }
    let other = SigningKey::from_seed("example.com/log", &[8; 32]).unwrap();
    let forged = signed.checkpoint().clone().sign(&other).unwrap();
    assert_eq!(open(forged.note()), Err(CheckpointFault::Note(NoteFault::Unsigned)));
    let elsewhere = SigningKey::from_seed("example.com/other", &[7; 32]).unwrap();
    assert_eq!(signed.checkpoint().clone().sign(&elsewhere), Err(CheckpointFault::Origin));
    // A further signature by a stranger changes nothing; a second line by our own key that is wrong does.
    let stranger = forged.note().rsplit_once("\n\n").unwrap().1.to_owned();
    assert!(open(&format!("{}{stranger}", signed.note())).is_ok());
    let ours = signed.note().rsplit_once("\n\n").unwrap().1;
    let at = ours.len() - 20;
    let other = if &ours[at..=at] == "A" { "B" } else { "A" };
    let wrong = format!("{}{other}{}", &ours[..at], &ours[at + 1..]);
    let both = open(&format!("{}{wrong}", signed.note()));
    assert_eq!(both, Err(CheckpointFault::Note(NoteFault::Signature)));
}

#[test]
fn only_the_canonical_checkpoint_text_is_read() {
    let root = leaf_hash(b"x").to_base64();
    assert!(Checkpoint::parse(&format!("o\n12\n{root}\n")).is_ok());
    for text in [
        format!("o\n012\n{root}\n"),
        format!("o\n+12\n{root}\n"),
        format!("\n12\n{root}\n"),
        format!("o\n12\n{root}\nextension\n"),
        format!("o\n12\n{root}"),
        format!("o\n99999999999999999999\n{root}\n"),
        "o\n12\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointFault::Malformed), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Growing by any steps publishes the same tiles as the tree itself has, and an edge read back goes on the same.
    #[test]
    fn an_edge_writes_every_tile(steps in prop::collection::vec(0_u64..40_000, 1..4)) {
        let (mut edge, mut tree, mut leaves) = (Edge::new(), Tree::new(), Vec::new());
        let mut published = std::collections::BTreeMap::new();
        for step in steps {
            for _ in 0..step {
                let leaf = leaf_hash(&edge.size().to_be_bytes());
                leaves.push(leaf);
                tree.append(leaf);
                edge.append(leaf, |path, row| { published.insert(path, write_tile(row)); });
            }
            for (path, row) in edge.partials() {
                published.insert(path, write_tile(row));
            }
            prop_assert_eq!(edge.root(), tree.root());
            prop_assert_eq!(edge.tree(), Some(tree.clone()));
            let again = Edge::load(edge.size(), |path| read_tile(published.get(path)?)).unwrap();
            prop_assert_eq!(&again, &edge);
        }
        let mut row = leaves;
        for level in 0..3 {
            for (index, hashes) in row.chunks(256).enumerate() {
                let path = TilePath::at(Shelf::Hashes(level), index as u64, edge.size()).unwrap();
                prop_assert_eq!(published.get(&path), Some(&write_tile(hashes)), "{}", path);
            }
            row = row.chunks_exact(256).map(root_of).collect();
        }
    }

    #[test]
    fn hostile_texts_never_panic(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (TilePath::parse(&text), Note::parse(&text).is_ok(), Checkpoint::parse(&text).is_ok());
        let _ = (VerifierKey::parse(&text).is_ok(), SigningKey::from_secret_text(&text).is_ok());
        let _ = (Hash::from_hex(&text), Hash::from_base64(&text), read_bundle(&bytes).count(), read_tile(&bytes));
        let _ = bodh_audit_log::Entry::parse(&bytes).is_ok();
    }
}
