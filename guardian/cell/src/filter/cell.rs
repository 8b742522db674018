//! What a cell may ask of the kernel: the least that a single-threaded Rust program needs to compute, and two pipes.

use std::io;

use seccompiler::{
    SeccompAction,
    SeccompCmpOp::{Eq, MaskedEq},
};

use super::{Rules, all, compile, enforce, int, long};

/// Always allowed. No call here opens, connects, starts, maps code, or names another process.
const ALLOWED: [libc::c_long; 17] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_restart_syscall,
    // abort() asks for them before it signals itself.
    libc::SYS_getpid,
    libc::SYS_gettid,
];

/// Kills this process at any system call that computing does not need.
pub(crate) fn confine_cell() -> io::Result<()> {
    let mut rules: Rules = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    // Memory, but never executable memory, and only such as RLIMIT_DATA counts: private, and not a stack.
    let never_executable = || long(2, MaskedEq(libc::PROT_EXEC.unsigned_abs().into()), 0);
    let kind = u64::from((libc::MAP_TYPE | libc::MAP_GROWSDOWN).unsigned_abs());
    let counted = long(3, MaskedEq(kind), libc::MAP_PRIVATE.unsigned_abs().into())?;
    rules.insert(libc::SYS_mmap, vec![all(vec![never_executable()?, counted])?]);
    rules.insert(libc::SYS_mprotect, vec![all(vec![never_executable()?])?]);
    // abort() of this process itself, so that memory used up can be told from a forbidden call.
    let own = std::process::id().cast_signed();
    rules.insert(libc::SYS_tgkill, vec![all(vec![int(0, Eq, own)?, int(2, Eq, libc::SIGABRT)?])?]);
    let program = compile(rules, SeccompAction::Allow, SeccompAction::KillProcess)?;
    enforce(&program)
}
