//! What a cell cannot do, and how its host learns of the attempt.
#![allow(clippy::panic, clippy::unwrap_used, reason = "in a test they are the refusal")]

use std::time::{Duration, Instant};

use bodh_cell::{Cell, CellError, Ending, Launcher, Limits, SealedPack};

mod people;
use people::{PROBE, alive, assert_gone, ordinary_user};

const SYSTEM_CALL: CellError = CellError::Died(Ending::Signal(libc::SIGSYS));

/// Every attempt that must end in the death of the cell by the system-call filter.
fn forbidden(parent: u32) -> Vec<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut all: Vec<String> = [
        "open /etc/passwd",
        "open /proc/self/environ",
        "open /nowhere",
        "list /proc/self/fd",
        "list /",
        "create /tmp/bodh-cell-was-here",
        "execute /bin/true",
        "thread",
        "socket",
        "socketpair",
        "fork",
        "clone3",
        "io_uring",
        "namespace",
        "memfd",
        "dumpable",
        "duplicate",
        "code",
        "shared",
        "stack",
        "x32",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("connect {port}"));
    all.extend(["ptrace", "signal", "abort_other"].map(|word| format!("{word} {parent}")));
    all
}

fn launcher(limits: Limits) -> Launcher {
    Launcher::new(PROBE, Some(SealedPack::new(b"the pack").unwrap()), limits)
}

async fn started(limits: Limits) -> Cell {
    Cell::start(&launcher(limits)).await.unwrap()
}

async fn failure(cell: &mut Cell, question: &str) -> String {
    format!("{:?}", cell.ask(question.as_bytes()).await.unwrap_err())
}

#[tokio::test]
async fn a_cell_answers_refuses_and_stays() {
    let mut cell = started(Limits::default()).await;
    assert_eq!(cell.ask(b"echo one").await.unwrap(), b"one");
    assert_eq!(cell.ask(b"pack").await.unwrap(), b"the pack");
    assert_eq!(failure(&mut cell, "refuse 42").await, "Refused(42)");
    assert_eq!(cell.ask(b"environment").await.unwrap(), b"0");
    assert_eq!(cell.ask(b"count").await.unwrap(), b"5", "one process answered all of them");
    let big = cell.ask(b"zeros 1048576").await.unwrap();
    assert_eq!(big.len(), 1 << 20, "an answer may be as long as the limit");
    let pid = cell.pid();
    assert!(alive(pid));
    drop(cell);
    assert_gone(pid).await;
}

#[tokio::test]
async fn every_forbidden_attempt_kills_the_cell() {
    let launcher = launcher(Limits::default());
    for attempt in forbidden(std::process::id()) {
        let mut cell = Cell::start(&launcher).await.unwrap();
        let outcome = cell.ask(attempt.as_bytes()).await;
        assert_eq!(format!("{outcome:?}"), format!("{:?}", Err::<(), _>(SYSTEM_CALL)), "{attempt}");
        assert_eq!(failure(&mut cell, "echo").await, "Ended", "{attempt}");
        assert_gone(cell.pid()).await;
    }
    assert!(!std::path::Path::new("/tmp/bodh-cell-was-here").exists());
}

#[test]
fn being_another_user_gives_no_extra_path() {
    let Some(user) = ordinary_user() else { return };
    for attempt in forbidden(std::process::id()) {
        let told = user.run(&["ask", &attempt]);
        assert_eq!(told.trim(), format!("{:?}", Err::<(), _>(SYSTEM_CALL)), "{attempt}");
    }
    assert_eq!(user.run(&["ask", "echo still working"]).trim(), format!("Ok({:?})", b"still working"));
}

#[tokio::test]
async fn memory_is_bounded_beside_the_pack() {
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::default() };
    let pack = SealedPack::new(&vec![7; 100 << 20]).unwrap();
    let launcher = Launcher::new(PROBE, Some(pack), limits);
    let mut cell = Cell::start(&launcher).await.unwrap();
    assert_eq!(
        cell.ask(b"allocate 33554432").await.unwrap(),
        b"33554432",
        "a large pack leaves the memory to the work"
    );
    assert_eq!(failure(&mut cell, "allocate 100000000").await, format!("Died(Signal({}))", libc::SIGABRT));
    let mut cell = Cell::start(&launcher).await.unwrap();
    assert_eq!(failure(&mut cell, "allocate 10000000000").await, format!("Died(Signal({}))", libc::SIGABRT));
}

#[tokio::test]
async fn time_is_bounded() {
    let mut cell = started(Limits { wall: Duration::from_millis(300), ..Limits::default() }).await;
    let before = Instant::now();
    assert_eq!(failure(&mut cell, "spin").await, "Deadline");
    assert!(before.elapsed() >= Duration::from_millis(300) && before.elapsed() < Duration::from_secs(5));
    assert_gone(cell.pid()).await;

    let mut cell = started(Limits { cpu_seconds: 1, wall: Duration::from_secs(60), ..Limits::default() }).await;
    assert_eq!(failure(&mut cell, "spin").await, format!("Died(Signal({}))", libc::SIGXCPU));
}

#[tokio::test]
async fn sizes_are_bounded() {
    let limits = Limits { question_bytes: 64, answer_bytes: 100, ..Limits::default() };
    let mut cell = started(limits).await;
    assert_eq!(failure(&mut cell, &"x".repeat(65)).await, "QuestionTooLong { length: 65, limit: 64 }");
    assert_eq!(cell.ask(b"zeros 100").await.unwrap().len(), 100, "a question that was not sent does no harm");
    assert_eq!(failure(&mut cell, "zeros 101").await, "TooLong { limit: 100 }");
    assert_gone(cell.pid()).await;
}

#[tokio::test]
async fn babble_is_not_an_answer() {
    for (bytes, expected) in [
        ("0 0 0 0", "Babbled"),       // a frame without a kind
        ("3 0 0 0 9 1 1", "Babbled"), // an unknown kind
        ("3 0 0 0 1 1 1", "Babbled"), // a refusal with two codes
        ("1 0 0 0 1", "Babbled"),     // a refusal without a code
        ("255 255 255 255", "TooLong { limit: 1048576 }"),
        ("104 101 108 108 111", "TooLong { limit: 1048576 }"), // "hello"
    ] {
        let mut cell = started(Limits::default()).await;
        assert_eq!(failure(&mut cell, &format!("raw {bytes}")).await, expected, "{bytes}");
        assert_eq!(failure(&mut cell, "echo").await, "Ended");
        assert_gone(cell.pid()).await;
    }
}

#[tokio::test]
async fn what_comes_before_the_question_is_not_its_answer() {
    let mut cell = started(Limits::default()).await;
    // A whole answer of its own, and then the true one.
    assert_eq!(cell.ask(b"raw 2 0 0 0 0 33").await.unwrap(), b"!");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(failure(&mut cell, "echo").await, "Babbled");
}

#[tokio::test]
async fn an_end_is_reported_with_its_cause() {
    let mut cell = started(Limits::default()).await;
    assert_eq!(failure(&mut cell, "exit").await, "Died(Code(7))");
    let mut cell = started(Limits::default()).await;
    let error = cell.ask(b"panic").await.unwrap_err();
    assert_eq!(error.to_string(), "the cell died: its program panicked");
}

#[tokio::test]
async fn another_program_never_gets_a_question() {
    let start = |program: &'static str| async move {
        let launcher = Launcher::new(program, None, Limits { wall: Duration::from_secs(2), ..Limits::default() });
        Cell::start(&launcher).await
    };
    assert!(matches!(start("/nowhere/at/all").await.unwrap_err(), CellError::NotStarted(_)));
    assert_eq!(failure(&mut start("/bin/echo").await.unwrap(), "x").await, "Babbled");
    assert_eq!(failure(&mut start("/bin/true").await.unwrap(), "x").await, "Died(Code(0))");
}

#[tokio::test]
async fn an_abandoned_question_ends_the_cell() {
    let mut cell = started(Limits::default()).await;
    let abandoned = tokio::time::timeout(Duration::from_millis(100), cell.ask(b"spin")).await;
    assert!(abandoned.is_err());
    assert_eq!(failure(&mut cell, "echo").await, "Ended", "its answer could be taken for the next one's");
    assert_gone(cell.pid()).await;
}

#[tokio::test]
async fn a_cell_without_a_pack_has_an_empty_one() {
    let mut cell = Cell::start(&Launcher::new(PROBE, None, Limits::default())).await.unwrap();
    assert_eq!(cell.ask(b"pack").await.unwrap(), b"");
}
