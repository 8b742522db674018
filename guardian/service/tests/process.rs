//! The process itself: confined, with its descriptors, and its exit status.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::fd::OwnedFd,
    os::unix::net::UnixListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bodh_guardian_api::{Binary, Door};
use bodh_identity::{
    Source,
    attest::{Process, measure},
};
use command_fds::{CommandFdExt, FdMapping};
use support::{DOMAIN, World, human, service};

/// Starts the guardian as a launcher does.
fn launch(world: &World) -> Child {
    let run = world.path("run");
    std::fs::create_dir_all(&run).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = UnixListener::bind(run.join("workload.sock")).unwrap();
    let document = serde_json::json!({
        "name": "guardian", "state_dir": world.folder.path(), "trust_domain": DOMAIN, "unlock": world.unlock,
        "workload_socket": run.join("workload.sock"), "guardian": listener.local_addr().unwrap(),
        "audit": "127.0.0.1:9", "orchestrator": "127.0.0.1:9", "agents": {}, "otlp": null,
        "policy": world.path("policy.json"), "binaries": world.path("binaries.json"), "tools": ["look"],
        "audiences": [format!("spiffe://{DOMAIN}/agent/one")],
        "bootstrap": {
            "record": world.first.record, "signature": data_encoding::BASE64.encode(&world.first.signature),
        },
    });
    let (reading, mut writing) = std::io::pipe().unwrap();
    writing.write_all(&serde_json::to_vec(&document).unwrap()).unwrap();
    drop(writing);
    let mapping = |parent_fd: OwnedFd, child_fd| FdMapping { parent_fd, child_fd };
    let mut command = Command::new(env!("CARGO_BIN_EXE_bodh-guardian"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .fd_mappings(vec![mapping(listener.into(), 3), mapping(reading.into(), 4), mapping(socket.into(), 5)])
        .unwrap();
    command.spawn().unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

fn errors(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confined_guardian_serves_and_believes_its_launcher() {
    let mut world = World::new();
    let me = measure(&mut File::open("/proc/self/exe").unwrap()).unwrap();
    let sha256 = data_encoding::HEXLOWER.encode(&me);
    let audit = service("audit").to_string();
    world.binaries.entries = vec![Binary { spiffe_id: Some(audit), executable: "bodh".to_owned(), sha256 }];
    world.sign_binaries(&world.operator, &human("local"));
    let mut child = launch(&world);
    if first_line(&mut child) != "ready\n" {
        let _ended = child.wait();
        panic!("{}", errors(&mut child));
    }
    let path = world.path("run/workload.sock");
    let door = Door::connect(&path).await.unwrap();
    assert_eq!(door.challenge("local").await.unwrap().id, human("local").to_string());
    // The guardian is confined, so it cannot look at what this process executes: its launcher's word is needed.
    assert!(Source::follow(&path, Duration::from_millis(300)).await.is_err());
    let own = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
    door.vouch(own.pid, own.started, me).await.unwrap();
    let source = Source::follow(&path, Duration::from_secs(10)).await.unwrap();
    assert_eq!(source.current().id(), &service("audit"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!errors(&mut child).contains(&world.unlock));
}

#[test]
fn an_unsigned_policy_ends_the_process_with_status_2_and_one_line() {
    let world = World::new();
    std::fs::remove_file(world.path("policy.json")).unwrap();
    let mut child = launch(&world);
    assert_eq!(first_line(&mut child), "");
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let said = errors(&mut child);
    let line = said.lines().last().unwrap();
    assert!(line.contains("policy.json: missing; review the policies, then run `bodh policy sign`"), "{said}");
}
