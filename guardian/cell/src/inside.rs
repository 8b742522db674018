//! The cell's own side: into the sandbox first, then questions until the pipe closes.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::fd::{BorrowedFd, FromRawFd, OwnedFd},
};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{
    Limits, SealedPack, filter,
    frame::{Banner, reply},
    host,
    launcher::{CELL_ARGUMENT, PACK_FD},
    sandbox,
};

/// The exit status of a cell whose program panicked.
pub(crate) const PANICKED: i32 = 101;
/// The exit status of a cell that did not get into its sandbox: it has read nothing.
pub(crate) const NOT_SANDBOXED: i32 = 102;
/// The exit status of a cell whose host sent what is not a question, or whose answer cannot be written.
const BROKEN_PIPE: i32 = 103;

/// Address space for the program, its libraries and its stack.
const PROGRAM_SPACE: u64 = 1 << 30;

/// Whether this process was started by a [`Launcher`](crate::Launcher), and `main` must call [`serve`].
pub fn is_cell() -> bool {
    std::env::args_os().nth(1).is_some_and(|word| word == CELL_ARGUMENT)
}

/// Is a cell: enters the sandbox, then prepares, then answers questions until the host closes the pipe. Call it first in
/// `main`, before any thread exists.
///
/// `prepare` gets the pack and runs inside the sandbox, before the first question can be read; it is the place for indexes.
/// `answer` gets what `prepare` made and one question; `Err(code)` refuses it. A panic in either ends the process. What `answer`
/// keeps between two questions is its own affair; the question itself is overwritten here.
pub fn serve<T>(
    prepare: impl FnOnce(&'static [u8]) -> T,
    mut answer: impl FnMut(&mut T, &[u8]) -> Result<Vec<u8>, u8>,
) -> ! {
    let words: Vec<OsString> = std::env::args_os().skip(2).collect();
    // A message could quote what was being computed, and unwinding would let it go on.
    std::panic::set_hook(Box::new(|_| exit(PANICKED)));
    let Some((limits, parent)) = Limits::from_arguments(&words) else { exit(NOT_SANDBOXED) };
    let Ok((pack, landlock_abi)) = enter(&limits, parent) else { exit(NOT_SANDBOXED) };
    let mut prepared = prepare(pack);
    match converse(&limits, Banner { landlock_abi }, |question| answer(&mut prepared, question)) {
        Ok(()) => exit(0),
        Err(_) => exit(BROKEN_PIPE),
    }
}

/// From here on there is memory, a clock, randomness and two pipes. The order matters: each step may need what a later one
/// takes away.
fn enter(limits: &Limits, parent: u32) -> io::Result<(&'static [u8], u8)> {
    sandbox::bind_to_parent(parent)?;
    let pack = inherited_pack()?;
    sandbox::close_from(PACK_FD, false)?;
    sandbox::keep_to_oneself()?;
    bound_resources(limits, pack)?;
    let landlock_abi = host::forbid_everything()?;
    sandbox::bound(Resource::Nofile, 0)?;
    filter::confine_cell()?;
    Ok((pack, landlock_abi))
}

/// Maps the pack that the launcher left at its place, if it left one.
fn inherited_pack() -> io::Result<&'static [u8]> {
    // SAFETY: `F_GETFD` with any number is harmless.
    if unsafe { libc::fcntl(PACK_FD, libc::F_GETFD) } < 0 {
        return Ok(&[]);
    }
    // SAFETY: it is open, checked above, and this single thread closes it only after this borrow.
    SealedPack::map(unsafe { BorrowedFd::borrow_raw(PACK_FD) })
}

fn bound_resources(limits: &Limits, pack: &[u8]) -> io::Result<()> {
    // What can be written to: heap and private mappings. The filter leaves no mapping that this does not count.
    sandbox::bound(Resource::Data, limits.memory_bytes)?;
    // What can only be read costs page tables; the program's own size is unknown here (no /proc), so its share is generous.
    let readable = limits.memory_bytes.saturating_add(pack.len() as u64).saturating_add(PROGRAM_SPACE);
    sandbox::bound(Resource::As, readable)?;
    sandbox::bound(Resource::Fsize, 0)?;
    // SIGXCPU at the soft limit names the cause; SIGKILL a second later, if ever.
    let (soft, hard) = (limits.cpu_seconds, limits.cpu_seconds.saturating_add(1));
    Ok(setrlimit(Resource::Cpu, Rlimit { current: Some(soft), maximum: Some(hard) })?)
}

fn converse(limits: &Limits, banner: Banner, mut answer: impl FnMut(&[u8]) -> Result<Vec<u8>, u8>) -> io::Result<()> {
    let mut questions = pipe(0);
    let mut answers = pipe(1);
    answers.write_all(&banner.encode())?;
    let mut head = [0; 4];
    loop {
        match questions.read_exact(&mut head) {
            Ok(()) => {}
            // Between two questions a closed pipe is the end of the work.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let length = u32::from_le_bytes(head);
        if length > limits.question_bytes {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut question = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?];
        questions.read_exact(&mut question)?;
        let outcome = answer(&question);
        question.fill(0);
        std::hint::black_box(&question);
        let frame = reply(&outcome).ok_or(io::ErrorKind::InvalidData)?;
        answers.write_all(&frame)?;
    }
}

/// The standard streams without their locks and buffers: nothing stays behind in a buffer.
fn pipe(number: i32) -> std::fs::File {
    // SAFETY: 0 and 1 were opened by the launcher for this purpose; nothing else in this process uses them, and the file lives
    // until the process ends.
    std::fs::File::from(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Ends at once, running no destructor and no exit handler.
fn exit(code: i32) -> ! {
    // SAFETY: `_exit` takes a number and does not return.
    unsafe { libc::_exit(code) }
}
