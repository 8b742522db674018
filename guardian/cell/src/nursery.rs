//! The one thread that starts children.
//!
//! The parent-death signal follows the *thread* that forked (prctl(2), PR_SET_PDEATHSIG), and a runtime's threads come and go.
//! So every child is forked by a thread that lives as long as the process. A second thread waits for what was killed.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus},
    sync::{
        LazyLock,
        mpsc::{Sender, channel},
    },
    thread,
};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

static NURSERY: LazyLock<io::Result<Sender<Job>>> = LazyLock::new(|| worker("nursery"));
static UNDERTAKER: LazyLock<io::Result<Sender<Job>>> = LazyLock::new(|| worker("undertaker"));

fn worker(name: &str) -> io::Result<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    // The senders are static, so the loop ends with the process.
    thread::Builder::new().name(name.to_owned()).spawn(move || jobs.into_iter().for_each(|job| job()))?;
    Ok(sender)
}

fn submit(worker: &'static LazyLock<io::Result<Sender<Job>>>, job: Job) -> io::Result<()> {
    let gone = || io::Error::other("the thread that starts and reaps children has ended");
    let sender = LazyLock::force(worker).as_ref().map_err(|error| io::Error::from(error.kind()))?;
    sender.send(job).map_err(|_| gone())
}

/// Starts `command` as a child that the kernel kills when this process ends, however it ends. It is forked from a thread that
/// lives as long as this process, because the signal follows the thread. Blocks for the fork (about a millisecond).
pub fn spawn(mut command: Command) -> io::Result<Child> {
    let (sender, receiver) = channel();
    let parent = std::process::id();
    // SAFETY: the closure runs in the forked child and makes two system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(move || crate::sandbox::bind_to_parent(parent)) };
    run(move || drop(sender.send(command.spawn())))?;
    receiver.recv().map_err(io::Error::other)?
}

/// Runs `job` on the starting thread, after what was submitted before.
pub(crate) fn run(job: impl FnOnce() + Send + 'static) -> io::Result<()> {
    submit(&NURSERY, Box::new(job))
}

/// Kills `child` at once and has it reaped; the receiver gets its status, which tells how it had ended if it was dead before.
pub(crate) fn bury(mut child: Child) -> oneshot::Receiver<ExitStatus> {
    let (sender, receiver) = oneshot::channel();
    // An error here means that it is already reaped, and then nothing is left to kill.
    drop(child.kill());
    let job = Box::new(move || {
        if let Ok(status) = child.wait() {
            // Nobody may be waiting for it.
            let _ = sender.send(status);
        }
    });
    // Without the undertaker the zombie stays until this process ends: dead all the same.
    drop(submit(&UNDERTAKER, job));
    receiver
}
