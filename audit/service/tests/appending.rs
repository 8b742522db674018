//! Order, idempotency, and what a request may hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bodh_audit::Error;
use bodh_audit_log::Time;
use common::{State, WRITER, all, append, draft, fill, stopped_clock};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_get_one_order() {
    let state = State::new();
    let log = state.start_at(stopped_clock()).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..40 {
        let log = log.clone();
        callers.spawn(async move {
            let mut indexes = Vec::new();
            for number in 0..10 {
                let drafts = (0..3).map(|part| draft(format!("{caller}/{number}/{part}"))).collect();
                let placed = log.append(drafts, WRITER.to_owned()).await.unwrap();
                assert_eq!(placed, [placed[0], placed[0] + 1, placed[0] + 2], "a request's entries lie together");
                assert!(indexes.last().is_none_or(|last| *last < placed[0]), "a caller's own order is kept");
                indexes.extend(placed);
            }
            indexes
        });
    }
    let mut indexes = BTreeSet::new();
    while let Some(placed) = callers.join_next().await {
        for index in placed.unwrap() {
            assert!(indexes.insert(index), "an index is given once");
        }
    }
    assert!(indexes.into_iter().eq(0..1_200));
    let entries = all(&log).await;
    assert_eq!(entries.len(), 1_200);
    let times: Vec<Time> = entries.iter().map(|(_, entry)| entry.time).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "time increases though the clock stands still");
    assert!(entries.iter().all(|(_, entry)| entry.reporter == WRITER));

    log.checkpoint(1_200).await.unwrap();
    let verified = state.verified(&log);
    assert_eq!((verified.size, verified.last), (1_200, times.last().copied()));
    log.close().await;
}

#[tokio::test]
async fn time_increases_when_the_clock_goes_back() {
    let state = State::new();
    let now = Arc::new(Mutex::new(2_000_000_000_i64));
    let clock = {
        let now = Arc::clone(&now);
        Arc::new(move || Time::from_unix_ns(*now.lock().unwrap()).unwrap())
    };
    let log = state.start_at(clock.clone()).await.unwrap();
    append(&log, "a").await;
    *now.lock().unwrap() = 1_000_000_000;
    append(&log, "b").await;
    log.close().await;
    let log = state.start_at(clock).await.unwrap();
    append(&log, "c").await;
    let times: Vec<i64> = all(&log).await.iter().map(|(_, entry)| entry.time.unix_ns()).collect();
    assert_eq!(times, [2_000_000_000, 2_000_000_001, 2_000_000_002]);
    log.close().await;
}

#[tokio::test]
async fn a_repeated_key_answers_with_the_first_index() {
    let state = State::new();
    let log = state.start().await.unwrap();
    fill(&log, 0, 5).await;
    assert_eq!(append(&log, "key/3").await, 3);
    // In one request: known, new, the same again, known.
    let mixed = ["key/1", "new", "new", "key/0"].map(draft).to_vec();
    assert_eq!(log.append(mixed, WRITER.to_owned()).await.unwrap(), [1, 5, 5, 0]);
    // The reporter's clock is not content: a retry reads it again.
    let mut later = draft("key/2");
    later.observed = Time::from_unix_ns(1);
    assert_eq!(log.append(vec![later], WRITER.to_owned()).await.unwrap(), [2]);
    // At the same time, in one commit.
    let (a, b) = tokio::join!(append(&log, "twin"), append(&log, "twin"));
    assert_eq!((a, b), (6, 6));
    assert_eq!(log.size(), 7);
    // After a restart too.
    log.close().await;
    let log = state.start().await.unwrap();
    assert_eq!(append(&log, "key/4").await, 4);
    log.close().await;
}

#[tokio::test]
async fn a_key_is_not_used_for_something_else() {
    let state = State::new();
    let log = state.start().await.unwrap();
    fill(&log, 0, 2).await;
    let mut other = draft("key/1");
    other.count = 1;
    let refused = |result: Result<Vec<u64>, Error>| match result {
        Err(Error::KeyReused { place }) => place,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(log.append(vec![other.clone()], WRITER.to_owned()).await), 0);
    // A refused request leaves nothing, not even its good drafts.
    assert_eq!(refused(log.append(vec![draft("good"), other.clone()], WRITER.to_owned()).await), 1);
    let mut twice = draft("fresh");
    twice.count = 2;
    assert_eq!(refused(log.append(vec![draft("fresh"), twice], WRITER.to_owned()).await), 1);
    assert_eq!(log.size(), 2);
    // And it does not harm those who share its commit.
    let (bad, good) =
        tokio::join!(log.append(vec![other], WRITER.to_owned()), log.append(vec![draft("good")], WRITER.to_owned()));
    assert_eq!((refused(bad), good.unwrap()), (0, vec![2]));
    log.close().await;
}

#[tokio::test]
async fn nobody_uses_up_another_reporters_key() {
    let state = State::new();
    let log = state.start().await.unwrap();
    let squatter = "spiffe://example.com/service/squatter";
    let mut squatted = draft("key/1");
    squatted.count = 7;
    assert_eq!(log.append(vec![squatted.clone()], squatter.to_owned()).await.unwrap(), [0]);
    assert_eq!(append(&log, "key/1").await, 1, "the key is still its reporter's to use");
    // Each finds its own again, in one commit and after it.
    assert_eq!(log.append(vec![squatted], squatter.to_owned()).await.unwrap(), [0]);
    assert_eq!(append(&log, "key/1").await, 1);
    log.checkpoint(2).await.unwrap();
    assert_eq!(state.verified(&log).size, 2, "and the verifier takes them for two entries");
    log.close().await;
}

#[tokio::test]
async fn a_request_is_bounded() {
    let state = State::new();
    let log = state.start().await.unwrap();
    assert_eq!(log.append(Vec::new(), WRITER.to_owned()).await.unwrap(), Vec::<u64>::new());
    let many = (0..513).map(|i| draft(i.to_string())).collect();
    assert!(matches!(log.append(many, WRITER.to_owned()).await, Err(Error::TooMuch(_))));
    let bad = vec![draft("a"), draft("two words")];
    assert!(
        matches!(log.append(bad, WRITER.to_owned()).await, Err(Error::Draft { place: 1, invalid }) if invalid.field == "key")
    );
    let nobody = log.append(vec![draft("a")], "nobody".to_owned()).await;
    assert!(matches!(nobody, Err(Error::Draft { place: 0, invalid }) if invalid.field == "reporter"));
    assert_eq!(log.size(), 0);
    log.close().await;
}

#[tokio::test]
async fn a_checkpoint_is_published_when_asked_for() {
    let state = State::new();
    let log = state.start().await.unwrap();
    assert_eq!(state.verified(&log).size, 0, "a new log is published at once");
    for round in 1..20 {
        append(&log, round.to_string()).await;
        let signed = log.checkpoint(round).await.unwrap();
        assert_eq!(signed.checkpoint().size, round);
        assert_eq!(state.verified(&log).note, signed.note());
    }
    assert!(matches!(log.checkpoint(20).await, Err(Error::NotYet)));
    log.close().await;
}
