//! Starting cells: the command line, the descriptors, and one cell kept ready.

use std::{
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::{
    fs::{Mode, OFlags},
    io::fcntl_dupfd_cloexec,
};
use tokio::sync::oneshot;

use crate::{CellError, Limits, SealedPack, nursery};

/// This process's own executable, also when its file was replaced since it started.
pub const OWN_PROGRAM: &str = "/proc/self/exe";
/// The descriptor under which a cell finds its pack.
pub(crate) const PACK_FD: RawFd = 3;
/// The first argument of a cell.
pub(crate) const CELL_ARGUMENT: &str = "cell";

/// Starts cells of one program, with one pack and one set of limits. A clone shares the cell that is kept ready.
#[derive(Debug, Clone)]
pub struct Launcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    pack: Option<SealedPack>,
    limits: Limits,
    /// At most one cell that was started and never used.
    ready: Mutex<Ready>,
}

#[derive(Debug, Default)]
struct Ready {
    /// Set once [`Launcher::warm`] was called: from then on each cell taken is replaced.
    wanted: bool,
    child: Option<Child>,
}

impl Launcher {
    /// A launcher of `program`, which must call [`serve`](crate::serve) when its first argument is `cell`; see
    /// [`OWN_PROGRAM`]. Nothing is started yet.
    pub fn new(program: impl Into<PathBuf>, pack: Option<SealedPack>, limits: Limits) -> Self {
        Self { inner: Arc::new(Inner { program: program.into(), pack, limits, ready: Mutex::default() }) }
    }

    /// From now on keeps one cell started and unused, so that the next [`Cell::start`](crate::Cell::start) costs nothing.
    /// Returns at once. A cell that cannot be started is not reported here but where it would be used.
    pub fn warm(&self) {
        self.inner.lock().wanted = true;
        self.refill();
    }

    /// The limits of every cell of this launcher.
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// A running process: the one kept ready, if it still lives, or a new one.
    pub(crate) async fn take(&self) -> Result<Child, CellError> {
        let ready = self.inner.lock().child.take();
        if let Some(mut child) = ready {
            let alive = matches!(child.try_wait(), Ok(None));
            self.refill();
            if alive {
                return Ok(child);
            }
        }
        let (sender, receiver) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        nursery::run(move || drop(sender.send(inner.start()).map_err(|unused| unused.map(nursery::bury))))
            .map_err(CellError::NotStarted)?;
        let child = receiver.await.map_err(|lost| CellError::NotStarted(io::Error::other(lost)))?;
        child.map_err(CellError::NotStarted)
    }

    fn refill(&self) {
        let inner = Arc::clone(&self.inner);
        let refill = move || {
            let empty = {
                let ready = inner.lock();
                ready.wanted && ready.child.is_none()
            };
            // Only this thread fills the place, so it is still empty after the start.
            if empty && let Ok(child) = inner.start() {
                inner.lock().child = Some(child);
            }
        };
        // Without a nursery nothing is kept ready, and `take` reports why.
        drop(nursery::run(refill));
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Ready> {
        // Nothing panics while the lock is held; the contents are whole in any case.
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forks and executes one cell. Runs on the nursery's thread only.
    fn start(&self) -> io::Result<Child> {
        let pack = self.pack.as_ref().map(SealedPack::try_clone_fd).transpose()?;
        let _taken = occupy_pack_fd()?;
        let parent = std::process::id();
        let mut command = Command::new(&self.program);
        command
            .arg0("bodh-cell")
            .arg(CELL_ARGUMENT)
            .args(self.limits.to_arguments(parent))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let pack = pack.as_ref().map(AsRawFd::as_raw_fd);
        // SAFETY: the closure runs in the forked child, where only this thread exists. It makes system calls alone, allocates
        // nothing and takes no lock; the descriptor it reads stays open in the parent until `spawn` has returned.
        unsafe { command.pre_exec(move || enter(parent, pack)) };
        command.spawn()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(child) = self.lock().child.take() {
            drop(nursery::bury(child));
        }
    }
}

/// Keeps descriptor 3 in use while a child is started: the standard library's own pipe, which reports a failed exec, would be
/// overwritten by the pack if it got that number.
fn occupy_pack_fd() -> io::Result<OwnedFd> {
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(fcntl_dupfd_cloexec(&null, PACK_FD)?)
}

/// In the child, between fork and exec: bound to the parent's life, and holding nothing but 0, 1, 2 and the pack.
fn enter(parent: u32, pack: Option<RawFd>) -> io::Result<()> {
    crate::sandbox::bind_to_parent(parent)?;
    let first_to_close = match pack {
        Some(fd) => {
            // SAFETY: both are plain numbers to the kernel; `fd` is open, and whatever 3 was is not used in this process again.
            let placed =
                unsafe { if fd == PACK_FD { libc::fcntl(fd, libc::F_SETFD, 0) } else { libc::dup2(fd, PACK_FD) } };
            if placed < 0 {
                return Err(io::Error::last_os_error());
            }
            PACK_FD + 1
        }
        None => PACK_FD,
    };
    crate::sandbox::close_from(first_to_close, true)
}
