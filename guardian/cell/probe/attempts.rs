//! What a cell is asked to try.

use std::{io::Read, net::TcpStream, process::Command};

/// What the preparation made of the pack.
pub(crate) struct Memory {
    pack: &'static [u8],
    asked: u64,
}

impl Memory {
    pub(crate) fn new(pack: &'static [u8]) -> Self {
        Self { pack, asked: 0 }
    }
}

/// Carries out `question`: a word and an argument. Most of them never return.
pub(crate) fn answer(memory: &mut Memory, question: &[u8]) -> Result<Vec<u8>, u8> {
    memory.asked += 1;
    let question = String::from_utf8_lossy(question);
    let (word, argument) = question.split_once(' ').unwrap_or((&question, ""));
    let number: usize = argument.parse().unwrap_or(0);
    match word {
        "echo" => Ok(argument.as_bytes().to_vec()),
        "pack" => Ok(memory.pack.to_vec()),
        "count" => Ok(memory.asked.to_string().into_bytes()),
        "environment" => Ok(std::env::vars_os().count().to_string().into_bytes()),
        "refuse" => Err(u8::try_from(number).unwrap_or(u8::MAX)),
        "zeros" => Ok(vec![0; number]),
        "allocate" => Ok(std::hint::black_box(vec![1_u8; number]).len().to_string().into_bytes()),
        "spin" => spin(),
        "exit" => std::process::exit(7),
        "raw" => raw(argument),
        "panic" => Ok(vec![memory.pack[memory.pack.len()]]),
        _ => forbidden(word, argument, number),
    }
}

/// Everything here ends in the death of the cell.
fn forbidden(word: &str, argument: &str, number: usize) -> Result<Vec<u8>, u8> {
    match word {
        "open" => told(std::fs::File::open(argument).map(|mut file| file.read(&mut [0; 16]))),
        "list" => told(std::fs::read_dir(argument)),
        "create" => told(std::fs::write(argument, b"x")),
        "connect" => told(TcpStream::connect(("127.0.0.1", u16::try_from(number).unwrap_or(0)))),
        "execute" => told(Command::new(argument).spawn()),
        "thread" => told(std::thread::Builder::new().spawn(|| 1)),
        _ => told_call(call(word, libc::c_long::try_from(number).unwrap_or(0))),
    }
}

/// Makes one system call by number.
fn call(word: &str, number: libc::c_long) -> libc::c_long {
    let unix = libc::c_long::from(libc::AF_UNIX);
    let stream = libc::c_long::from(libc::SOCK_STREAM);
    let (call, arguments) = match word {
        "socket" => (libc::SYS_socket, [unix, stream, 0, 0]),
        "socketpair" => (libc::SYS_socketpair, [unix, stream, 0, 0]),
        "fork" => (libc::SYS_clone, [libc::c_long::from(libc::SIGCHLD), 0, 0, 0]),
        "clone3" => (libc::SYS_clone3, [0; 4]),
        "ptrace" => (libc::SYS_ptrace, [libc::c_long::from(libc::PTRACE_ATTACH), number, 0, 0]),
        "io_uring" => (libc::SYS_io_uring_setup, [1, 0, 0, 0]),
        "namespace" => (libc::SYS_unshare, [libc::c_long::from(libc::CLONE_NEWUSER), 0, 0, 0]),
        "signal" => (libc::SYS_kill, [number, libc::c_long::from(libc::SIGKILL), 0, 0]),
        "abort_other" => (libc::SYS_tgkill, [number, number, libc::c_long::from(libc::SIGABRT), 0]),
        "memfd" => (libc::SYS_memfd_create, [0; 4]),
        "dumpable" => (libc::SYS_prctl, [libc::c_long::from(libc::PR_SET_DUMPABLE), 1, 0, 0]),
        "duplicate" => (libc::SYS_dup, [0; 4]),
        "code" => return map(libc::PROT_EXEC, libc::MAP_PRIVATE),
        "shared" => return map(libc::PROT_WRITE, libc::MAP_SHARED),
        "stack" => return map(libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_GROWSDOWN),
        "x32" => (0x4000_0000 | libc::SYS_getpid, [0; 4]),
        _ => return 0,
    };
    let [a, b, c, d] = arguments;
    // SAFETY: numbers and null pointers only; the kernel is expected to end this process before it looks at them.
    unsafe { libc::syscall(call, a, b, c, d) }
}

fn map(rights: libc::c_int, kind: libc::c_int) -> libc::c_long {
    // SAFETY: a new mapping at an address that the kernel chooses.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, kind | libc::MAP_ANONYMOUS, -1, 0) };
    libc::c_long::from(at != libc::MAP_FAILED)
}

/// Writes bytes, given as numbers, to the answer pipe behind the back of the frames, and then answers.
fn raw(bytes: &str) -> Result<Vec<u8>, u8> {
    let bytes: Vec<u8> = bytes.split(' ').filter_map(|word| word.parse().ok()).collect();
    // SAFETY: the pointer and length are of one live vector.
    let written = unsafe { libc::write(1, bytes.as_ptr().cast(), bytes.len()) };
    Ok(written.to_string().into_bytes())
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

fn told<T, E: std::fmt::Display>(outcome: Result<T, E>) -> Result<Vec<u8>, u8> {
    let error = outcome.map_or_else(|error| error.to_string(), |_| "it worked".to_owned());
    Ok(format!("returned: {error}").into_bytes())
}

fn told_call(result: libc::c_long) -> Result<Vec<u8>, u8> {
    Ok(format!("returned: {result} {}", std::io::Error::last_os_error()).into_bytes())
}
