//! What a host never asks of the kernel. It still has threads, files and connections, so this is a deny-list: ways into other
//! processes and into the kernel, new namespaces, and every socket that landlock's port rules do not cover.

use std::io;

use seccompiler::{
    SeccompAction,
    SeccompCmpOp::{Eq, MaskedEq, Ne},
    SeccompRule, sock_filter,
};

use super::{Rules, all, compile, enforce, int, long};

/// Refused with EPERM whatever the arguments.
const DENIED: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Wide or deep doors into the kernel.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_fanotify_init,
    // Another view of the file system.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
    // Its own doors: a host serves the listeners it was given and makes none.
    libc::SYS_bind,
    libc::SYS_listen,
];

#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// The request that puts a character into a terminal's input (asm-generic/ioctls.h); libc's type for it varies.
const TIOCSTI: i32 = 0x5412;

/// The namespaces that clone(2) could make.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Puts the deny-list in force. Needs no_new_privs.
pub(crate) fn confine_host() -> io::Result<()> {
    let eperm = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    enforce(&compile(denied()?, eperm, SeccompAction::Allow)?)?;
    // clone3's flags are behind a pointer that a filter cannot follow; the C library falls back to clone on ENOSYS.
    let clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    enforce(&compile(clone3, SeccompAction::Errno(libc::ENOSYS.unsigned_abs()), SeccompAction::Allow)?)?;
    if cfg!(target_arch = "x86_64") { enforce(&no_x32()) } else { Ok(()) }
}

fn denied() -> io::Result<Rules> {
    let mut rules: Rules = DENIED.iter().chain(DENIED_HERE).map(|call| (*call, Vec::new())).collect();
    let namespaces: io::Result<Vec<SeccompRule>> = NAMESPACES
        .into_iter()
        .map(|flag| {
            let bit = u64::from(flag.cast_unsigned());
            all(vec![long(0, MaskedEq(bit), bit)?])
        })
        .collect();
    rules.insert(libc::SYS_clone, namespaces?);
    rules.insert(libc::SYS_socket, forbidden_sockets()?);
    // Once non-dumpable, always: a cell sets 0 for itself.
    rules.insert(libc::SYS_prctl, vec![all(vec![int(0, Eq, libc::PR_SET_DUMPABLE)?, long(1, Ne, 0)?])?]);
    // Typing into the terminal of whoever started this process.
    rules.insert(libc::SYS_ioctl, vec![all(vec![int(1, Eq, TIOCSTI)?])?]);
    Ok(rules)
}

/// Every socket but Unix ones and plain TCP. UDP could carry data out, and landlock's port rules do not see MPTCP, SMC or SCTP.
fn forbidden_sockets() -> io::Result<Vec<SeccompRule>> {
    /// The lower bits of the second argument are the kind, the others flags (socket(2)).
    const KIND: u64 = 0xf;
    let not_unix = || int(0, Ne, libc::AF_UNIX);
    let mut rules = vec![
        all(vec![not_unix()?, int(0, Ne, libc::AF_INET)?, int(0, Ne, libc::AF_INET6)?])?,
        all(vec![not_unix()?, int(2, Ne, 0)?, int(2, Ne, libc::IPPROTO_TCP)?])?,
    ];
    for kind in (0..=0xf).filter(|kind| *kind != libc::SOCK_STREAM) {
        rules.push(all(vec![not_unix()?, int(1, MaskedEq(KIND), kind)?])?);
    }
    Ok(rules)
}

/// The x32 twins of the calls above have the same architecture word and numbers with bit 30 set, so a deny-list by number
/// would miss them. They are refused like those.
fn no_x32() -> Vec<sock_filter> {
    const LOAD_WORD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS (linux/bpf_common.h)
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const X32: u32 = 0x4000_0000; // __X32_SYSCALL_BIT (asm/unistd.h)
    const NUMBER: u32 = 0; // offsetof(struct seccomp_data, nr)
    let refuse = u32::from(SeccompAction::Errno(libc::EPERM.unsigned_abs()));
    vec![
        sock_filter { code: LOAD_WORD, jt: 0, jf: 0, k: NUMBER },
        sock_filter { code: JUMP_IF_GREATER_OR_EQUAL, jt: 0, jf: 1, k: X32 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: refuse },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: u32::from(SeccompAction::Allow) },
    ]
}
