//! A confined host, trying what it must still be able to do and what it must not.

use std::{
    fmt::Display,
    fs, io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{fd::AsRawFd, unix::net::UnixListener},
    path::Path,
    process::Command,
    time::Duration,
};

use bodh_cell::{
    Cell, Launcher, Limits, OWN_PROGRAM, SealedPack,
    host::{self, Confinement},
};

/// One line per attempt: its name and `ok` or the error.
pub(crate) fn attempts(folder: &str, readable: &str, secret: &str, listed: &str, other: &str) -> String {
    let (listed, other) = (listed.parse().unwrap_or(0), other.parse().unwrap_or(0));
    let confined = host::harden().map_err(|error| error.to_string()).and_then(|()| {
        let execute = host::own_program().map_err(|error| error.to_string())?;
        let (read, write) = (vec![readable.into()], vec![folder.into()]);
        let keep = Confinement { read, write, execute, connect_ports: vec![listed], tolerate_no_landlock: false };
        host::confine(&keep).map_err(|error| error.to_string())
    });
    let enforced = match confined {
        Ok(enforced) => enforced,
        Err(error) => return format!("confine: {error}"),
    };
    let mut lines = vec![format!("enforced: {} {}", enforced.abi, enforced.fully)];
    let mut tell = |name: &str, outcome: String| lines.push(format!("{name}: {outcome}"));
    files(Path::new(folder), Path::new(readable), Path::new(secret), &mut tell);
    sockets(Path::new(folder), listed, other, &mut tell);
    calls(&mut tell);
    tell("own cell", crate::in_a_runtime(own_cell()));
    lines.join("\n")
}

fn files(folder: &Path, readable: &Path, secret: &Path, tell: &mut impl FnMut(&str, String)) {
    let (own, moved) = (folder.join("own"), folder.join("below/moved"));
    tell("write own", said(fs::write(&own, b"x")));
    tell("make own folder", said(fs::create_dir(folder.join("below"))));
    tell("move own", said(fs::rename(&own, &moved)));
    tell("read own", said(fs::read(&moved)));
    tell("remove own", said(fs::remove_file(&moved)));
    tell("link out", said(std::os::unix::fs::symlink(secret, folder.join("link"))));
    tell("read readable", said(fs::read(readable)));
    tell("write readable", said(fs::write(readable, b"x")));
    tell("read secret", said(fs::read(secret)));
    tell("truncate secret", said(fs::File::options().write(true).truncate(true).open(secret)));
    tell("write beside", said(fs::write(secret.with_extension("new"), b"x")));
    tell("list root", said(fs::read_dir("/")));
    tell("read passwd", said(fs::read("/etc/passwd")));
    tell("execute shell", said(Command::new("/bin/sh").arg("-c").arg("true").spawn()));
}

fn sockets(folder: &Path, listed: u16, other: u16, tell: &mut impl FnMut(&str, String)) {
    tell("connect listed", said(TcpStream::connect(("127.0.0.1", listed))));
    tell("connect other", said(TcpStream::connect(("127.0.0.1", other))));
    tell("listen", said(TcpListener::bind(("127.0.0.1", 0))));
    tell("listen unix", said(UnixListener::bind(folder.join("socket"))));
    tell("udp", said(UdpSocket::bind(("127.0.0.1", 0))));
    for (name, family, kind, protocol) in [
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, 0),
        ("mptcp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP),
        ("sctp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ("datagrams with flags", libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0),
    ] {
        // SAFETY: three numbers.
        tell(name, returned(unsafe { libc::socket(family, kind, protocol) }.into()));
    }
}

fn calls(tell: &mut impl FnMut(&str, String)) {
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
    tell("look at parent", said(fs::read_link(format!("/proc/{parent}/exe"))));
    let user = libc::c_long::from(libc::CLONE_NEWUSER);
    for (name, call, first, second) in [
        ("signal parent", libc::SYS_kill, parent.into(), 0),
        ("ptrace parent", libc::SYS_ptrace, libc::PTRACE_ATTACH.into(), libc::c_long::from(parent)),
        ("io_uring", libc::SYS_io_uring_setup, 1, 0),
        ("unshare", libc::SYS_unshare, user, 0),
        ("clone with a namespace", libc::SYS_clone, user | libc::c_long::from(libc::SIGCHLD), 0),
        ("bpf", libc::SYS_bpf, 0, 0),
        ("keyctl", libc::SYS_keyctl, 0, 0),
        ("become dumpable", libc::SYS_prctl, libc::PR_SET_DUMPABLE.into(), 1),
        ("x32", 0x4000_0000 | libc::SYS_getpid, 0, 0),
        ("is dumpable", libc::SYS_prctl, libc::PR_GET_DUMPABLE.into(), 0),
        ("type into a terminal", libc::SYS_ioctl, 0, 0x5412),
    ] {
        // SAFETY: numbers and null pointers; signal 0 only asks.
        tell(name, returned(unsafe { libc::syscall(call, first, second, 0, 0, 0) }));
    }
}

async fn own_cell() -> String {
    let Ok(pack) = SealedPack::new(b"the pack") else { return "no pack".to_owned() };
    let launcher = Launcher::new(OWN_PROGRAM, Some(pack), Limits::default());
    launcher.warm();
    let mut cell = match Cell::start(&launcher).await {
        Ok(cell) => cell,
        Err(error) => return error.to_string(),
    };
    let (pid, answer) = (cell.pid(), cell.ask(b"pack").await);
    cell.kill();
    let own = format!("{answer:?}");
    for _ in 0..500 {
        // SAFETY: signal 0 only asks whether the process exists.
        if unsafe { libc::kill(pid.cast_signed(), 0) } != 0
            && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
        {
            return format!("{own} killed");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    format!("{own} still there")
}

/// Takes descriptor 7, which was passed, and tries what is not there or not to be had.
pub(crate) fn inherit() -> String {
    let first = host::inherited(7);
    let own = fs::File::open("/dev/null").and_then(|file| host::inherited(file.as_raw_fd()));
    let rest = [host::inherited(7), host::inherited(40), host::inherited(2), host::inherited(64), own];
    let rest = rest.map(|outcome| outcome.map_or_else(|error| format!("{:?}", error.kind()), |_| "ok".to_owned()));
    let content = first.and_then(|fd| io::read_to_string(fs::File::from(fd)));
    format!("{} {}", content.unwrap_or_else(|error| error.to_string()), rest.join(" "))
}

/// Confining with a second thread alive, and then with a path that does not exist.
pub(crate) fn confine_with_threads() -> String {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || wait.recv());
    let second = told(host::confine(&Confinement::default()));
    drop(done);
    let _ = thread.join();
    let missing = Confinement { read: vec!["/nowhere/at/all".into()], ..Confinement::default() };
    format!("{second}\n{}", told(host::confine(&missing)))
}

fn told<T, E: Display>(outcome: Result<T, E>) -> String {
    outcome.map_or_else(|error| error.to_string(), |_| "ok".to_owned())
}

fn said<T>(outcome: io::Result<T>) -> String {
    outcome.map_or_else(|error| name(&error), |_| "ok".to_owned())
}

fn returned(result: libc::c_long) -> String {
    if result < 0 { name(&io::Error::last_os_error()) } else { result.to_string() }
}

fn name(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EACCES) => "EACCES".to_owned(),
        Some(libc::EPERM) => "EPERM".to_owned(),
        _ => error.to_string(),
    }
}
