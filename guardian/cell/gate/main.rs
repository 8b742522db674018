//! Runs a command and stops it, and everything that it starts, at each request to make a file durable (fsync,
//! fdatasync): the moments between which a crash makes a difference. Only tests run it: it can do to a program what
//! a debugger can, and nothing more.
//!
//! `bodh-sync-gate PROGRAM ARGUMENTS...` says `up PID` on its standard output, then one line `PID` for each request of
//! process PID, which waits in the kernel until a line comes in on standard input. After the end of standard input
//! every request goes on at once. It ends when the command ends, with its exit status.
//!
//! The kernel's seccomp notifications do it (seccomp_unotify(2)): no other process is traced, none is changed, and
//! no privilege is needed.
#![allow(unsafe_code, reason = "seccomp's notifications have no safe interface")]

use std::{
    io::{self, BufRead, Write},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    process::{Command, ExitCode, Stdio},
};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let Some((program, arguments)) = words.split_first() else {
        eprintln!("bodh-sync-gate: give a command");
        return ExitCode::from(2);
    };
    match run(Command::new(program).args(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("bodh-sync-gate: {error}");
            ExitCode::from(1)
        }
    }
}

fn run(command: &mut Command) -> io::Result<u8> {
    let listener = listen()?;
    // The filter is inherited: whatever the command starts is under it too. This process makes nothing durable.
    let mut child = command.stdin(Stdio::null()).stdout(io::stderr()).spawn()?;
    say(&format!("up {}", child.id()))?;
    std::thread::spawn(move || {
        let mut answers = io::stdin().lock().lines();
        while let Ok((id, pid)) = received(&listener) {
            // Nobody left to ask: let it go on.
            if say(&pid.to_string()).is_ok() {
                let _answer = answers.next();
            }
            // A process that was killed meanwhile needs no answer.
            let _gone = go_on(&listener, id);
        }
    });
    let code = child.wait()?.code().unwrap_or(1);
    Ok(u8::try_from(code).unwrap_or(1))
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A filter that reports fsync and fdatasync to the descriptor returned, and allows everything else.
fn listen() -> io::Result<OwnedFd> {
    let [sync, data_sync] = [libc::SYS_fsync, libc::SYS_fdatasync].map(|call| u32::try_from(call).unwrap_or(u32::MAX));
    let (load, equal) = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
    let answer = libc::BPF_RET | libc::BPF_K;
    let line = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
    let mut program = [
        // Offsets in struct seccomp_data: 4 is the architecture, 0 the number of the call.
        line(load, 0, 0, 4),
        line(equal, 0, 3, ARCHITECTURE),
        line(load, 0, 0, 0),
        line(equal, 2, 0, sync),
        line(equal, 1, 0, data_sync),
        line(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
        line(answer, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
    ];
    let length = u16::try_from(program.len()).unwrap_or(0);
    let described = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    rustix::thread::set_no_new_privs(true)?;
    // SAFETY: the program outlives the call, which copies it; a new descriptor or -1 is returned.
    let made = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            std::ptr::from_ref(&described),
        )
    };
    match i32::try_from(made) {
        // SAFETY: the kernel has just made this descriptor for us; nobody else has it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The next request: its id, and the thread group that makes it.
fn received(listener: &OwnedFd) -> io::Result<(u64, u32)> {
    loop {
        // SAFETY: all zeroes is a valid value of this plain structure; the kernel demands it.
        let mut request: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one structure of exactly this type.
        let done = unsafe {
            libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, std::ptr::from_mut(&mut request))
        };
        if done == 0 {
            return Ok((request.id, process_of(request.pid)));
        }
        let error = io::Error::last_os_error();
        // ENOENT: it was killed before it was read.
        if error.kind() != io::ErrorKind::Interrupted && error.raw_os_error() != Some(libc::ENOENT) {
            return Err(error);
        }
    }
}

/// The process of a thread; the thread itself when it is gone already.
fn process_of(thread: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    group.and_then(|group| group.trim().parse().ok()).unwrap_or(thread)
}

fn go_on(listener: &OwnedFd, id: u64) -> io::Result<()> {
    let flags = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1);
    let answer = libc::seccomp_notif_resp { id, val: 0, error: 0, flags };
    // SAFETY: the kernel reads one structure of exactly this type.
    let done =
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, std::ptr::from_ref(&answer)) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
