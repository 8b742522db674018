//! What cannot be changed, what survives, and what stops the service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::time::Duration;

use bodh_audit::{Error, Log};
use bodh_audit_log::proof::{Levels, consistency, verify_consistency};
use bodh_audit_log::{Entry, leaf_hash};
use bodh_audit_verify::verify;
use common::{State, WRITER, all, append, draft, fill};
use tokio::runtime::Runtime;

#[tokio::test]
async fn other_connections_cannot_change_or_remove_an_entry() {
    let state = State::new();
    let log = state.start().await.unwrap();
    fill(&log, 0, 3).await;
    let row = "'k', '', x'00', zeroblob(32)";
    for (statement, said) in [
        ("UPDATE entries SET leaf = x'00' WHERE idx = 1", "not changed"),
        ("UPDATE entries SET idx = 9 WHERE idx = 2", "not changed"),
        ("DELETE FROM entries", "not removed"),
        ("DELETE FROM entries WHERE idx = 2", "not removed"),
        (&format!("INSERT OR REPLACE INTO entries VALUES (1, {row})"), "at the end"),
        (
            "INSERT OR REPLACE INTO entries VALUES (3, 'spiffe://example.com/service/writer key/1', '', x'00', zeroblob(32))",
            "at the end",
        ),
        (&format!("INSERT INTO entries VALUES (7, {row})"), "at the end"),
        (&format!("INSERT INTO entries VALUES (-1, {row})"), "at the end"),
    ] {
        let refused = state.run_sql(&[statement]).await.unwrap_err().to_string();
        assert!(refused.contains(said), "{statement}: {refused}");
    }
    assert_eq!(all(&log).await.len(), 3);
    log.close().await;
}

/// Acknowledged, not yet published, and the process is gone: nothing is lost and the log goes on from there.
#[test]
fn a_crash_between_commit_and_publication_loses_nothing() {
    let state = State::new();
    let (before, old, key) = {
        let runtime = Runtime::new().unwrap();
        let crashed = runtime.block_on(async {
            let log = state.start().await.unwrap();
            fill(&log, 0, 300).await;
            let old = log.checkpoint(300).await.unwrap();
            fill(&log, 300, 900).await;
            append(&log, "last").await;
            (all(&log).await, old, log.key().clone())
        });
        // No orderly end: tasks stop at their next await. Only a write that is under way is waited for, because this
        // process goes on, and what is planted below must not become part of it.
        runtime.shutdown_timeout(Duration::from_secs(30));
        crashed
    };
    assert_eq!(before.len(), 901);
    // What a killed process may leave behind.
    fs::write(state.path().join("log/.checkpoint.tmp"), "half").unwrap();
    fs::write(state.path().join("log/tile/0/.003.tmp"), "half").unwrap();
    Runtime::new().unwrap().block_on(async {
        let log = loop {
            // In this test the dying service shares the process: its last write may still be under way.
            match state.start().await {
                Err(Error::Busy) => tokio::time::sleep(Duration::from_millis(10)).await,
                started => break started.unwrap(),
            }
        };
        assert_eq!(all(&log).await, before);
        let now = state.verified(&log);
        assert_eq!((now.size, now.leftovers, &now.key), (901, 0, &key));
        let leaves: Levels = before.iter().map(|(_, entry)| leaf_hash(&entry.encode().unwrap())).collect();
        let old = old.checkpoint();
        let proof = consistency(&leaves, old.size, now.size).unwrap();
        verify_consistency((old.size, old.root), (now.size, now.root), &proof).unwrap();
        assert_eq!(append(&log, "next").await, 901);
        log.close().await;
    });
}

#[tokio::test]
async fn one_service_at_a_time() {
    let state = State::new();
    let log = state.start().await.unwrap();
    assert!(matches!(stopped(&state).await, Error::Busy));
    append(&log, "a").await;
    log.close().await;
    state.start().await.unwrap().close().await;
}

#[tokio::test]
async fn every_size_publishes_and_older_partial_tiles_go() {
    let state = State::new();
    let mut log = state.start().await.unwrap();
    for size in [1, 255, 256, 257, 511, 512, 700, 5_000] {
        fill(&log, log.size(), size).await;
        log.checkpoint(size).await.unwrap();
        assert_eq!(state.verified(&log).size, size);
        let partial = |shelf: &str| fs::read_dir(state.path().join("log/tile").join(shelf)).unwrap().flatten();
        let stale = partial("0").chain(partial("entries")).filter(|f| f.file_name().to_string_lossy().ends_with(".p"));
        assert!(stale.count() <= 2, "at size {size}");
        log.close().await;
        log = state.start().await.unwrap();
    }
    log.close().await;
}

async fn stopped(state: &State) -> Error {
    match state.start().await {
        Ok(_) => panic!("it must not start"),
        Err(error) => error,
    }
}

async fn filled(state: &State, size: u64) -> Log {
    let log = state.start().await.unwrap();
    fill(&log, log.size(), size).await;
    log.checkpoint(size).await.unwrap();
    log
}

#[tokio::test]
async fn a_rewound_store_is_refused() {
    let state = State::new();
    filled(&state, 300).await.close().await;
    let db = state.path().join("audit/audit.db");
    let older = fs::read(&db).unwrap();
    filled(&state, 600).await.close().await;
    fs::write(&db, older).unwrap();
    for name in ["audit.db-wal", "audit.db-shm"] {
        let _ = fs::remove_file(state.path().join("audit").join(name));
    }
    let error = stopped(&state).await;
    assert!(matches!(error, Error::Rewound { published: 600, stored: 300 }), "{error}");
    assert!(error.to_string().contains("first missing entry 300"));
}

/// Everything a thief of the folder could do to the store, with the triggers taken away first.
#[tokio::test]
async fn an_altered_store_is_refused_with_the_first_bad_index() {
    let changed = |index: u64| {
        let mut draft = draft(format!("key/{index}"));
        draft.count = 7;
        let time = bodh_audit_log::Time::from_unix_ns(1).unwrap();
        let leaf = Entry { time, reporter: WRITER.to_owned(), draft }.encode().unwrap();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        (hex(&leaf), hex(leaf_hash(&leaf).as_bytes()))
    };
    let (leaf, hash) = changed(0);
    for (statement, index) in [
        (format!("UPDATE entries SET leaf = x'{leaf}' WHERE idx = 41"), 41),
        ("UPDATE entries SET leaf_hash = zeroblob(32) WHERE idx = 42".to_owned(), 42),
        ("UPDATE entries SET key = 'another' WHERE idx = 43".to_owned(), 43),
        ("UPDATE entries SET session = 'another' WHERE idx = 44".to_owned(), 44),
        ("DELETE FROM entries WHERE idx = 45".to_owned(), 45),
        // With its hash: only what was published tells.
        (format!("UPDATE entries SET leaf = x'{leaf}', leaf_hash = x'{hash}' WHERE idx = 0"), 0),
    ] {
        let state = State::new();
        filled(&state, 300).await.close().await;
        let triggers = ["entries_are_not_changed", "entries_are_not_removed", "entries_come_at_the_end"];
        let mut statements: Vec<String> = triggers.map(|name| format!("DROP TRIGGER {name}")).into();
        statements.push(statement.clone());
        state.run_sql(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
        match stopped(&state).await {
            Error::NotWhole { index: found, what } => assert_eq!(found, index, "{statement}: {what}"),
            other => panic!("{statement}: {other}"),
        }
    }
}

#[tokio::test]
async fn a_tail_that_was_taken_away_is_refused() {
    let state = State::new();
    filled(&state, 10).await.close().await;
    // One acknowledged entry that is stored and, in this copy, not published.
    let public = state.path().join("log");
    let kept = state.path().join("kept");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    };
    copy(&public, &kept);
    filled(&state, 11).await.close().await;
    fs::remove_dir_all(&public).unwrap();
    copy(&kept, &public);
    state.run_sql(&["DROP TRIGGER entries_are_not_removed", "DELETE FROM entries WHERE idx = 10"]).await.unwrap();
    let error = stopped(&state).await;
    assert!(matches!(error, Error::NotWhole { index: 10, .. }), "{error}");
}

#[tokio::test]
async fn an_altered_published_folder_is_refused() {
    for (path, index) in [("tile/0/000", 2), ("tile/entries/000", 0), ("checkpoint", 0), ("tile/1/000.p/1", 0)] {
        let state = State::new();
        filled(&state, 300).await.close().await;
        let path = state.path().join("log").join(path);
        let mut bytes = fs::read(&path).unwrap();
        bytes[70 % 64 + if path.ends_with("000") { 64 } else { 0 }] ^= 1;
        fs::write(&path, bytes).unwrap();
        match stopped(&state).await {
            Error::NotWhole { index: found, what } => assert_eq!(found, index, "{}: {what}", path.display()),
            other => panic!("{}: {other}", path.display()),
        }
    }
}

#[tokio::test]
async fn another_key_is_refused() {
    let state = State::new();
    filled(&state, 3).await.close().await;
    let sealed = state.path().join("audit/key.sealed");
    let kept = fs::read(&sealed).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("PRIVATE"));

    fs::remove_file(&sealed).unwrap();
    assert!(matches!(stopped(&state).await, Error::Key(what) if what.contains("restore it")));
    fs::write(&sealed, &kept[..kept.len() - 1]).unwrap();
    assert!(matches!(stopped(&state).await, Error::Key(_)));
    fs::write(&sealed, &kept).unwrap();
    let renamed = state.start_as("example.com/another", bodh_audit::system_clock()).await;
    assert!(matches!(renamed, Err(Error::Key(what)) if what.contains("another")));
    fs::write(state.path().join("log/key"), "example.com/log+00000000+AAAA\n").unwrap();
    assert!(matches!(stopped(&state).await, Error::Key(what) if what.contains("another key")));
}

#[tokio::test]
async fn a_store_that_cannot_write_fails_closed() {
    let state = State::new();
    let log = state.start().await.unwrap();
    fill(&log, 0, 5).await;
    // The store refuses as a full disk makes it refuse.
    let full =
        "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    state.run_sql(&[full]).await.unwrap();
    let refused = log.append(vec![draft("lost")], WRITER.to_owned()).await;
    assert!(matches!(refused, Err(Error::Unavailable)), "{refused:?}");
    assert!(log.failed().await.contains("disk is full"));
    // It stays closed although the cause is gone: a new start looks at what is stored first.
    state.run_sql(&["DROP TRIGGER full"]).await.unwrap();
    assert!(matches!(log.append(vec![draft("later")], WRITER.to_owned()).await, Err(Error::Unavailable)));
    assert!(matches!(log.checkpoint(0).await, Err(Error::Unavailable)));
    log.close().await;
    let log = state.start().await.unwrap();
    assert_eq!(all(&log).await.len(), 5, "what was acknowledged, and nothing else");
    log.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_published_to_fails_closed() {
    let state = State::new();
    let log = state.start().await.unwrap();
    append(&log, "a").await;
    log.checkpoint(1).await.unwrap();
    let (public, moved) = (state.path().join("log"), state.path().join("moved"));
    fs::rename(&public, &moved).unwrap();
    fs::write(&public, "a file where the folder was").unwrap();
    assert_eq!(append(&log, "b").await, 1, "acknowledged: it is in the store");
    log.failed().await;
    assert!(matches!(log.append(vec![draft("c")], WRITER.to_owned()).await, Err(Error::Unavailable)));
    log.close().await;
    fs::remove_file(&public).unwrap();
    fs::rename(&moved, &public).unwrap();
    let log = state.start().await.unwrap();
    assert_eq!(verify(&public, Some(log.key())).unwrap().size, 2, "and published after the restart");
    log.close().await;
}
