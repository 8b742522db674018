//! The launcher's word: which of its children executes what.
//!
//! A hardened process cannot be looked at, and a confined guardian cannot look. So the one that measured a file and
//! started it says so, over the guardian's own socket, which knows its launcher by the kernel's word. A guardian that
//! was started again has forgotten; it is told about every living child once more.

use bodh_guardian_api::Door;
use bodh_identity::attest::Process;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Between two attempts to reach a guardian that is starting.
const PAUSE: Duration = Duration::from_millis(10);

/// A child that was started.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    pub(crate) sha256: [u8; 32],
}

/// What the task hears.
enum Heard {
    Child(Started),
    GuardianAgain,
}

/// Where children's threads report to. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Word(UnboundedSender<Heard>);

impl Word {
    /// Said to nobody.
    #[cfg(test)]
    pub(crate) fn unheard() -> Self {
        Self(unbounded_channel().0)
    }

    /// A child was started: the guardian is told, as soon as it listens.
    pub(crate) fn child(&self, started: Started) {
        // Without a task the panel is ending, and nobody waits for an identity.
        let _heard = self.0.send(Heard::Child(started));
    }

    /// The guardian was started: it knows nothing yet.
    pub(crate) fn guardian(&self) {
        let _heard = self.0.send(Heard::GuardianAgain);
    }
}

/// Starts telling the guardian behind `socket`.
pub(crate) fn begin(socket: PathBuf) -> (Word, JoinHandle<()>) {
    let (sender, heard) = unbounded_channel();
    (Word(sender), tokio::spawn(tell(socket, heard)))
}

async fn tell(socket: PathBuf, mut heard: UnboundedReceiver<Heard>) {
    let mut living: BTreeMap<&'static str, Started> = BTreeMap::new();
    let mut untold: Vec<Started> = Vec::new();
    let mut door: Option<Door> = None;
    loop {
        let next = if untold.is_empty() {
            heard.recv().await
        } else {
            match tokio::time::timeout(PAUSE, heard.recv()).await {
                Ok(next) => next,
                Err(_) => {
                    tell_all(&socket, &mut door, &mut untold).await;
                    continue;
                }
            }
        };
        match next {
            Some(Heard::Child(started)) => {
                untold.retain(|other| other.name != started.name);
                living.insert(started.name, started.clone());
                untold.push(started);
            }
            Some(Heard::GuardianAgain) => {
                door = None;
                untold = living.values().cloned().collect();
            }
            None => return,
        }
        tell_all(&socket, &mut door, &mut untold).await;
    }
}

/// Tells what was not told; what cannot be told now stays.
async fn tell_all(socket: &std::path::Path, door: &mut Option<Door>, untold: &mut Vec<Started>) {
    if door.is_none() {
        *door = Door::connect(socket).await.ok();
    }
    let Some(open) = door.as_ref() else { return };
    let mut left = Vec::new();
    for started in untold.drain(..) {
        let process = started.process;
        if let Err(error) = open.vouch(process.pid, process.started, started.sha256).await {
            tracing::debug!(name = started.name, %error, "not told yet");
            left.push(started);
        }
    }
    if !left.is_empty() {
        *door = None;
    }
    *untold = left;
}
