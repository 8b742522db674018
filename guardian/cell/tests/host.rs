//! What a confined host can still do, and what it cannot.
#![allow(unsafe_code, reason = "a descriptor is passed between fork and exec")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "in a test they are the refusal")]

use std::{
    fs,
    io::{BufRead, BufReader, Seek, Write},
    net::TcpListener,
    os::{fd::AsRawFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

mod people;
use people::{PROBE, alive, assert_gone, ordinary_user, output};

/// Every attempt of the probe, in its order.
const EXPECTED: &[(&str, &str)] = &[
    ("write own", "ok"),
    ("make own folder", "ok"),
    ("move own", "ok"),
    ("read own", "ok"),
    ("remove own", "ok"),
    ("link out", "EACCES"),
    ("read readable", "ok"),
    ("write readable", "EACCES"),
    ("read secret", "EACCES"),
    ("truncate secret", "EACCES"),
    ("write beside", "EACCES"),
    ("list root", "EACCES"),
    ("read passwd", "EACCES"),
    ("execute shell", "EACCES"),
    ("connect listed", "ok"),
    ("connect other", "EACCES"),
    ("listen", "EPERM"),
    ("listen unix", "EPERM"),
    ("udp", "EPERM"),
    ("netlink", "EPERM"),
    ("mptcp", "EPERM"),
    ("sctp", "EPERM"),
    ("vsock", "EPERM"),
    ("datagrams with flags", "EPERM"),
    ("look at parent", "EACCES"),
    ("signal parent", "EPERM"),
    ("ptrace parent", "EPERM"),
    ("io_uring", "EPERM"),
    ("unshare", "EPERM"),
    ("clone with a namespace", "EPERM"),
    ("bpf", "EPERM"),
    ("keyctl", "EPERM"),
    ("become dumpable", "EPERM"),
    ("x32", "EPERM"),
    ("is dumpable", "0"),
    ("type into a terminal", "EPERM"),
    ("own cell", "Ok([116, 104, 101, 32, 112, 97, 99, 107]) killed"),
];

/// Lays out an own folder, a readable file and a planted key outside, lets the probe try, and compares.
fn confined(root: &Path, give: impl Fn(&Path), run: impl FnOnce(&[&str]) -> String) {
    let (own, outside) = (root.join("own"), root.join("outside"));
    let (readable, secret) = (outside.join("readable"), outside.join("secret"));
    for folder in [&own, &outside] {
        fs::create_dir(folder).unwrap();
        give(folder);
    }
    for file in [&readable, &secret] {
        fs::write(file, b"AGE-SECRET-KEY-1PLANTED").unwrap();
        give(file);
    }
    let ports = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [listed, other] = ports.each_ref().map(|listener| listener.local_addr().unwrap().port().to_string());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let told = run(&["host", &text(&own), &text(&readable), &text(&secret), &listed, &other]);
    let mut lines = told.lines();
    let enforced = lines.next().unwrap();
    assert!(enforced.starts_with("enforced: ") && enforced.ends_with(" true"), "{told}");
    let told: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    assert_eq!(told, EXPECTED);
    assert_eq!(fs::read(&secret).unwrap(), b"AGE-SECRET-KEY-1PLANTED");
}

#[test]
fn a_host_keeps_its_own_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    confined(root.path(), |_| (), |words| output(Command::new(PROBE).args(words)));
}

#[test]
fn an_ordinary_user_is_confined_in_the_same_way() {
    let Some(user) = ordinary_user() else { return };
    confined(user.folder.path(), |path| user.give(path), |words| user.run(words));
}

#[test]
fn confinement_refuses_threads_and_missing_paths() {
    let told = output(Command::new(PROBE).arg("threads"));
    let (threads, path) = told.trim().split_once('\n').unwrap();
    assert!(threads.starts_with("2 threads exist"), "{threads}");
    assert!(path.starts_with("/nowhere/at/all cannot be opened"), "{path}");
}

#[test]
fn a_descriptor_is_taken_once_and_only_if_it_was_passed() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"passed").unwrap();
    file.rewind().unwrap();
    let passed = file.as_raw_fd();
    let mut command = Command::new(PROBE);
    // SAFETY: one system call on a descriptor that is open until the child has started.
    unsafe {
        command
            .arg("inherit")
            .pre_exec(move || if libc::dup2(passed, 7) == 7 { Ok(()) } else { Err(std::io::Error::last_os_error()) });
    }
    let told = output(&mut command);
    assert_eq!(told.trim(), "passed AlreadyExists NotFound InvalidInput InvalidInput AlreadyExists");
}

#[tokio::test]
async fn a_cell_dies_with_its_host() {
    let mut host = Command::new(PROBE).arg("hold").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (pid, answered) = line.trim().split_once(' ').unwrap();
    let pid = pid.parse().unwrap();
    assert_eq!((answered, alive(pid)), ("true", true));
    host.kill().unwrap();
    host.wait().unwrap();
    assert_gone(pid).await;
}

#[tokio::test]
async fn a_spawned_child_outlives_the_thread_that_asked_for_it_but_not_the_process() {
    let asking = std::thread::spawn(|| {
        let mut command = Command::new("/bin/sleep");
        command.arg("600");
        bodh_cell::spawn(command).unwrap()
    });
    let mut child = asking.join().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(child.try_wait().unwrap().is_none(), "the thread has ended, the child lives");
    child.kill().unwrap();
    child.wait().unwrap();
}
