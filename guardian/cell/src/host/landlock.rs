//! Landlock: the files, ports and processes that remain.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::filter;

/// The newest ABI whose every right is handled here. A newer kernel enforces the same.
const ABI_HANDLED: ABI = ABI::V7;

/// What a host keeps. Everything else is refused by the kernel from then on: other files, other ports, listening, signals and
/// abstract sockets to processes that are not its own children.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// Files and folders (with all below) that may be read.
    pub read: Vec<PathBuf>,
    /// Files and folders in which regular files and folders may be read, written, made, moved and removed.
    pub write: Vec<PathBuf>,
    /// Files that may be executed and read; see [`own_program`].
    pub execute: Vec<PathBuf>,
    /// TCP ports, on any address, to which connections may be opened.
    pub connect_ports: Vec<u16>,
    /// Go on with the system-call filter alone where the kernel has no landlock. Otherwise that is an error.
    pub tolerate_no_landlock: bool,
}

/// What the kernel enforces after [`confine`]. A service says it in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enforced {
    /// The landlock ABI in force, 7 at most; 0 where there is none.
    pub abi: u8,
    /// Everything asked for is enforced: files (ABI 3), TCP ports (4), device controls (5), signals and abstract sockets (6).
    pub fully: bool,
}

/// Why a host is not confined. It must not serve.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The kernel has no landlock, or it is switched off.
    #[error(
        "this kernel offers no landlock; use Linux 5.13 or later with landlock enabled, or tolerate its absence explicitly"
    )]
    Unavailable,
    /// Threads exist that would stay unconfined.
    #[error("{0} threads exist; confine the process before the runtime starts")]
    Threads(usize),
    /// A path of the configuration cannot be opened.
    #[error("{path} cannot be opened for its rule: {cause}; create it first or correct the configuration")]
    Path {
        /// The path as configured.
        path: PathBuf,
        /// What opening it said.
        cause: String,
    },
    /// The kernel refused the rules.
    #[error("landlock refused the rules: {0}")]
    Rules(#[from] RulesetError),
    /// The system-call filter, or looking at this process, failed.
    #[error("the process could not be confined: {0}")]
    Kernel(#[from] io::Error),
}

/// Confines this process and all its future children, for good. Call it with one thread, after the last file outside the rules
/// has been opened: what is open stays usable.
///
/// `/dev/null` (for children without a terminal) and `/dev/urandom` remain in any case.
pub fn confine(keep: &Confinement) -> Result<Enforced, ConfineError> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(ConfineError::Threads(threads));
    }
    rustix::thread::set_no_new_privs(true).map_err(io::Error::from)?;
    let mut rules = everything_handled()?;
    rules = allow(rules, &keep.read, AccessFs::from_read(ABI_HANDLED) & !AccessFs::Execute)?;
    rules = allow(rules, &keep.write, written())?;
    rules = allow(rules, &keep.execute, AccessFs::Execute | AccessFs::ReadFile)?;
    rules = allow(rules, &[PathBuf::from("/dev/null")], AccessFs::ReadFile | AccessFs::WriteFile)?;
    rules = allow(rules, &[PathBuf::from("/dev/urandom")], AccessFs::ReadFile.into())?;
    for port in &keep.connect_ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    let enforced = enforced(&rules.restrict_self()?);
    if enforced.abi == 0 && !keep.tolerate_no_landlock {
        return Err(ConfineError::Unavailable);
    }
    filter::confine_host()?;
    Ok(enforced)
}

/// A cell's landlock: no rule at all. Returns the ABI in force, 0 where there is none: the cell's system-call filter has no
/// call that could open anything, and is never left out.
pub(crate) fn forbid_everything() -> io::Result<u8> {
    let status = everything_handled().and_then(RulesetCreated::restrict_self).map_err(io::Error::other)?;
    Ok(enforced(&status).abi)
}

/// The files that a process started from this one's executable needs: the executable itself, the dynamic loader and the
/// libraries that are mapped now, and the loader's index of them. For [`Confinement::execute`] of a host that starts cells.
pub fn own_program() -> io::Result<Vec<PathBuf>> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let mapped = maps.lines().filter_map(|line| line.find('/').and_then(|start| line.get(start..)));
    let files = mapped.filter(|path| !path.ends_with(" (deleted)") && !path.starts_with("/memfd:")).map(PathBuf::from);
    // The link, not its target: it leads to the executable also when that was replaced on disk.
    let own = PathBuf::from(crate::OWN_PROGRAM);
    let index = PathBuf::from("/etc/ld.so.cache");
    let all: BTreeSet<PathBuf> = files.chain([own, index]).filter(|path| path.is_file()).collect();
    Ok(all.into_iter().collect())
}

fn everything_handled() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_HANDLED))?
        .handle_access(AccessNet::from_all(ABI_HANDLED))?
        .scope(Scope::from_all(ABI_HANDLED))?
        .create()
}

/// Regular files and folders: no devices, sockets, links or pipes are made, nothing is executed.
fn written() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

fn allow(rules: RulesetCreated, paths: &[PathBuf], access: BitFlags<AccessFs>) -> Result<RulesetCreated, ConfineError> {
    paths.iter().try_fold(rules, |rules, path| {
        let opened = PathFd::new(path).map_err(|error| unreachable_path(path, &error))?;
        let kind = std::fs::metadata(path).map_err(|error| unreachable_path(path, &error))?;
        // The kernel refuses a rule that gives a file the rights of a folder.
        let fitting = if kind.is_dir() { access } else { access & AccessFs::from_file(ABI_HANDLED) };
        Ok(rules.add_rule(PathBeneath::new(opened, fitting))?)
    })
}

fn unreachable_path(path: &Path, error: &dyn std::error::Error) -> ConfineError {
    ConfineError::Path { path: path.to_owned(), cause: error.to_string() }
}

fn enforced(status: &RestrictionStatus) -> Enforced {
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if status.ruleset != RulesetStatus::NotEnforced => {
            effective_abi as u8
        }
        _ => 0,
    };
    Enforced { abi, fully: status.ruleset == RulesetStatus::FullyEnforced }
}
