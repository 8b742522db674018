//! An excerpt is checked without its log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use bodh_audit_log::SigningKey;
use bodh_audit_verify::Excerpt;
use support::{entry, honest, key, publish};
use tempfile::TempDir;

#[test]
fn an_excerpt_holds_without_the_log_and_any_change_of_it_is_refused() {
    for size in [1, 255, 256, 257, 700] {
        let dir = TempDir::new().unwrap();
        publish(dir.path(), &honest(size), &key());
        let excerpt = Excerpt::cut(dir.path(), 1_000, |index, _| index % 13 == 0 || index + 1 == size).unwrap();
        let read = excerpt.verify(Some(key().verifier())).unwrap();
        assert_eq!((read.size, read.pinned), (size, true));
        assert!(read.entries.iter().all(|(index, found)| *found == entry(*index)), "{size}");
        assert!(read.entries.iter().any(|(index, _)| index + 1 == size) && read.entries[0].0 == 0);
    }
    let dir = TempDir::new().unwrap();
    publish(dir.path(), &honest(700), &key());
    let whole = Excerpt::cut(dir.path(), 1_000, |index, _| index % 100 == 5).unwrap();
    assert!(Excerpt::cut(dir.path(), 6, |index, _| index % 100 == 5).unwrap_err().what.contains("at most 6"));
    let other = SigningKey::from_seed("example.com/log", &[8; 32]).unwrap();
    assert!(whole.verify(Some(other.verifier())).unwrap_err().what.contains("pinned"));
    type Change = fn(&mut Excerpt);
    let changes: [(Option<u64>, Change); 8] = [
        (Some(5), |e| e.entries[0].leaf = e.entries[0].leaf.replace("key/5", "key/6")),
        (Some(6), |e| e.entries[0].index = 6),
        (Some(5), |e| drop(e.entries[0].proof.pop())),
        (Some(5), |e| e.entries[0].proof[3] = e.entries[1].proof[9].clone()),
        (Some(5), |e| e.entries[0].proof[0] = "no hash".to_owned()),
        (Some(5), |e| e.entries.swap(0, 1)),
        (Some(105), |e| e.entries.insert(2, e.entries[1].clone())),
        (None, |e| e.checkpoint = e.checkpoint.replacen("700", "701", 1)),
    ];
    for (number, (index, change)) in changes.into_iter().enumerate() {
        let mut changed = whole.clone();
        change(&mut changed);
        let fault = changed.verify(None).expect_err(&number.to_string());
        assert_eq!(fault.first_bad_index, index, "change {number}: {fault}");
    }
}
