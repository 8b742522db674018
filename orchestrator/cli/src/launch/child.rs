//! One process of the panel, kept alive by a thread of its own.
//!
//! The thread lives as long as the process: the kernel's parent-death signal, which the process asks for, follows the
//! thread that started it (prctl(2), `PR_SET_PDEATHSIG`).

use super::binaries::measure;
use super::journal::{self, LastLine};
use super::members::GUARDIAN;
use super::vouch::{Started, Word};
use bodh_identity::attest::Process;
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io::{BufRead, BufReader, Error, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use zeroize::Zeroizing;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A process that ran this long before it ended starts again without waiting long.
const SETTLED: Duration = Duration::from_secs(30);

/// What happened to a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// It serves.
    Ready(&'static str),
    /// It ended and is started again; its last words.
    Restarting(&'static str, String),
    /// It ended for a cause that starting again cannot mend; the cause.
    GaveUp(&'static str, String),
}

/// How a process is started, each time.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) executable: PathBuf,
    /// Its configuration, secrets included.
    pub(crate) orders: Zeroizing<Vec<u8>>,
    pub(crate) log: PathBuf,
    /// Hears that it was started.
    pub(crate) word: Word,
    /// A fresh copy of fd 3, and of fd 5 where there is one.
    pub(crate) listeners: Box<dyn Fn() -> std::io::Result<(OwnedFd, Option<OwnedFd>)> + Send>,
}

/// A process that is kept alive until it is stopped.
pub(crate) struct Child {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<Alive>,
    changed: Condvar,
}

#[derive(Default)]
struct Alive {
    stopping: bool,
    ended: bool,
    process: Option<OwnedFd>,
}

impl Child {
    pub(crate) fn keep(plan: Plan, news: UnboundedSender<News>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let named = std::thread::Builder::new().name(plan.name.into());
        let thread = named.spawn(move || {
            keep_alive(&plan, &theirs, &news);
            let mut state = theirs.lock();
            state.ended = true;
            theirs.changed.notify_all();
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Asks the process to end, and does not start it again.
    pub(crate) fn stop(&self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        signal(&state, Signal::TERM);
        self.shared.changed.notify_all();
    }

    /// Waits for the process to end, until the deadline; then it is killed.
    pub(crate) fn end_by(&mut self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, left, |state| !state.ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.ended {
            signal(&state, Signal::KILL);
        }
        drop(state);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself, and its process is gone with it.
            let _joined = thread.join();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop();
            self.end_by(Instant::now());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Alive> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; true when the process is to stop.
    fn rest(&self, wait: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), wait, |state| !state.stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopping
    }
}

fn signal(state: &Alive, signal: Signal) {
    if let Some(process) = &state.process {
        // It may have ended by itself a moment ago; a pidfd cannot hit another process.
        let _sent = pidfd_send_signal(process, signal);
    }
}

fn keep_alive(plan: &Plan, shared: &Shared, news: &UnboundedSender<News>) {
    let mut wait = FIRST_WAIT;
    loop {
        let started = Instant::now();
        let (status, last) = match run_once(plan, shared, news) {
            Ok(Some(ended)) => ended,
            Ok(None) => return,
            Err(cause) => {
                let said = format!("{}: cannot be started ({cause})", plan.executable.display());
                let _heard = news.send(News::GaveUp(plan.name, said));
                return;
            }
        };
        if shared.lock().stopping {
            return;
        }
        if status.code() == Some(2) {
            let _heard = news.send(News::GaveUp(plan.name, last));
            return;
        }
        let said = if last.is_empty() { status.to_string() } else { format!("{status}: {last}") };
        let _heard = news.send(News::Restarting(plan.name, said));
        if started.elapsed() > SETTLED {
            wait = FIRST_WAIT;
        }
        if shared.rest(wait) {
            return;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Starts the process, and waits for its end. `None`: it was to stop before it started.
fn run_once(plan: &Plan, shared: &Shared, news: &UnboundedSender<News>) -> Result<Option<(ExitStatus, String)>, Error> {
    let (listener, workload) = (plan.listeners)()?;
    let (orders, mut hand_over) = std::io::pipe()?;
    let mut mappings =
        vec![FdMapping { parent_fd: listener, child_fd: 3 }, FdMapping { parent_fd: orders.into(), child_fd: 4 }];
    mappings.extend(workload.map(|parent_fd| FdMapping { parent_fd, child_fd: 5 }));
    let mut command = Command::new(&plan.executable);
    // Its own process group: Ctrl-C on the terminal reaches the launcher alone, which then stops each in order.
    command.env_clear().current_dir("/").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.fd_mappings(mappings).map_err(Error::other)?;

    let mut child = {
        let mut state = shared.lock();
        if state.stopping {
            return Ok(None);
        }
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // Not waited for yet, so the number is still this child's.
        state.process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        child
    };
    report(plan, child.id())?;
    // Our copies of its descriptors close here: the end of the pipe must be seen.
    drop(command);
    let last = LastLine::default();
    let said_all = listen(plan, child.stdout.take(), child.stderr.take(), &last, news)?;
    // A child that died already has closed its end; its exit code says more than the broken pipe.
    let _given = hand_over.write_all(&plan.orders);
    drop(hand_over);
    let status = child.wait()?;
    shared.lock().process = None;
    // Its last words may still be in the pipe; a stray grandchild must not keep us waiting for its end.
    if said_all.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
        tracing::debug!(name = plan.name, "stderr still open after the process ended");
    }
    let last = journal::message(&last.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Some((status, last)))
}

/// Says what was started: measured now, so that after a restart it is today's file.
fn report(plan: &Plan, pid: u32) -> Result<(), Error> {
    if plan.name == GUARDIAN {
        plan.word.guardian();
        return Ok(());
    }
    let pid = i32::try_from(pid).map_err(Error::other)?;
    // A child that is gone already needs no word; its end is seen below.
    if let Ok(process) = Process::of(pid) {
        plan.word.child(Started { name: plan.name, process, sha256: measure(&plan.executable)? });
    }
    Ok(())
}

/// Reads what the process says. The receiver hears when its stderr has ended.
fn listen(
    plan: &Plan,
    stdout: Option<std::process::ChildStdout>,
    stderr: Option<std::process::ChildStderr>,
    last: &LastLine,
    news: &UnboundedSender<News>,
) -> Result<std::sync::mpsc::Receiver<()>, Error> {
    let (name, news) = (plan.name, news.clone());
    std::thread::Builder::new().name(format!("{name}-out")).spawn(move || {
        let Some(stdout) = stdout else { return };
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.trim() == "ready" {
                let _heard = news.send(News::Ready(name));
            }
        }
    })?;
    let (done, ended): (Sender<()>, _) = channel();
    let (log, last) = (plan.log.clone(), Arc::clone(last));
    std::thread::Builder::new().name(format!("{name}-err")).spawn(move || {
        if let Some(stderr) = stderr {
            journal::keep(stderr, &log, &last);
        }
        drop(done);
    })?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    /// One at a time: a file that is still open for writing in a process forked by another test cannot be executed.
    static TURN: Mutex<()> = Mutex::new(());

    struct Scene {
        child: Child,
        news: UnboundedReceiver<News>,
        folder: tempfile::TempDir,
        _turn: MutexGuard<'static, ()>,
    }

    fn start(script: &str) -> Scene {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("script");
        std::fs::write(&executable, format!("#!/bin/sh\nout={}\n{script}\n", folder.path().display())).unwrap();
        std::fs::set_permissions(&executable, PermissionsExt::from_mode(0o700)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let plan = Plan {
            name: "guardian",
            executable,
            orders: Zeroizing::new(b"{\"name\":\"guardian\"}".to_vec()),
            log: folder.path().join("x.log"),
            word: Word::unheard(),
            listeners: Box::new(move || Ok((listener.try_clone()?.into(), None))),
        };
        let (sender, news) = unbounded_channel();
        Scene { _turn: turn, folder, news, child: Child::keep(plan, sender).unwrap() }
    }

    #[test]
    fn a_process_gets_its_orders_an_empty_environment_and_says_ready() {
        let mut scene = start("env > $out/env; cat <&4 > $out/orders; echo ready; sleep 60");
        assert_eq!(scene.news.blocking_recv(), Some(News::Ready("guardian")));
        assert_eq!(std::fs::read(scene.folder.path().join("orders")).unwrap(), b"{\"name\":\"guardian\"}");
        let env = std::fs::read_to_string(scene.folder.path().join("env")).unwrap();
        // A shell sets these three by itself.
        assert!(env.lines().all(|l| ["PWD=", "SHLVL=", "_="].iter().any(|p| l.starts_with(p))), "{env}");
        scene.child.stop();
        scene.child.end_by(Instant::now() + Duration::from_secs(3));
    }

    #[test]
    fn exit_code_2_is_not_started_again_and_gives_its_last_words() {
        let mut scene = start("echo first >&2; echo 'the key does not fit' >&2; exit 2");
        assert_eq!(scene.news.blocking_recv(), Some(News::GaveUp("guardian", "the key does not fit".into())));
        assert_eq!(scene.news.blocking_recv(), None);
    }

    #[test]
    fn any_other_end_is_started_again() {
        let mut scene = start("echo oops >&2; test -e $out/again && echo ready && sleep 60; touch $out/again; exit 1");
        assert!(
            matches!(scene.news.blocking_recv(), Some(News::Restarting("guardian", said)) if said.contains("oops"))
        );
        assert_eq!(scene.news.blocking_recv(), Some(News::Ready("guardian")));
    }

    #[test]
    fn one_that_ignores_the_request_is_killed() {
        let mut scene = start("trap '' TERM; echo $$ > $out/pid; echo ready; while :; do sleep 0.05; done");
        assert_eq!(scene.news.blocking_recv(), Some(News::Ready("guardian")));
        let pid = std::fs::read_to_string(scene.folder.path().join("pid")).unwrap();
        let begun = Instant::now();
        scene.child.stop();
        scene.child.end_by(Instant::now() + Duration::from_millis(300));
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(!std::path::Path::new("/proc").join(pid.trim()).exists(), "no orphan");
    }
}
