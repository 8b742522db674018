//! The panel's processes: started together, watched, stopped together.

use super::binaries::Siblings;
use super::child::{Child, News, Plan};
use super::listeners::Listeners;
use super::members::{AUDIT, CONSOLE, GUARDIAN, Process};
use super::orders::{self, GuardianOrders};
use super::settings::Settings;
use super::site::Site;
use super::{bundle, enrolment, vouch};
use crate::failure::{Failure, Outcome};
use crate::people::{KeyRing, Operator};
use crate::state::{Folder, Lock, Running, Unlock, write_private};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// A panel that is not ready by then is given up. It takes less than a second on an idle machine.
const START: Duration = Duration::from_secs(30);
/// From the request to end until a process is killed.
const STOP: Duration = Duration::from_secs(3);

/// A running panel of our own. It stops when this value goes.
pub(crate) struct Panel {
    children: Vec<(Process, Child)>,
    news: UnboundedReceiver<News>,
    running: Running,
    panel_file: PathBuf,
    telling: JoinHandle<()>,
    // Dropped last, in this order: the listeners outlive the processes, the lock outlives everything.
    _listeners: Arc<Listeners>,
    _lock: Lock,
}

impl Panel {
    /// Starts every process and waits until each serves.
    pub(crate) async fn start(
        folder: &Folder,
        lock: Lock,
        ring: &KeyRing,
        unlock: &Unlock,
        settings: &Settings,
        site: Option<&Site>,
    ) -> Outcome<Self> {
        let (siblings, guardian) = documents(folder, ring, settings)?;
        let listeners = Arc::new(Listeners::bind(folder, settings)?);
        let running = listeners.running(&settings.trust_domain);
        let (sender, news) = unbounded_channel();
        let panel_file = folder.panel();
        let (word, telling) = vouch::begin(running.workload_socket.clone());
        let mut panel =
            Self { children: Vec::new(), news, running, panel_file, telling, _listeners: listeners, _lock: lock };
        let site = site.map(|site| site.clone().at(panel.running.addresses.get(CONSOLE)));
        for process in Process::of_panel(settings.with_console) {
            let told = (&guardian, site.as_ref());
            let orders = orders::document(process, folder.path(), &panel.running, settings, unlock, told)?;
            let listeners = Arc::clone(&panel._listeners);
            let plan = Plan {
                name: process.name,
                executable: siblings.path(process),
                orders,
                log: folder.path().join("logs").join(format!("{}.log", process.name)),
                word: word.clone(),
                listeners: Box::new(move || listeners.copies(process.name)),
            };
            let child = Child::keep(plan, sender.clone());
            let child = child.map_err(|cause| Failure::failed(format!("no thread for {}: {cause}", process.name)))?;
            panel.children.push((process, child));
        }
        panel.until_ready(folder).await?;
        let said = serde_json::to_vec_pretty(&panel.running);
        let said = said.map_err(|cause| Failure::failed(format!("run/panel.json: {cause}")))?;
        write_private(&panel.panel_file, &said)?;
        Ok(panel)
    }

    /// Where it is reached.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Returns when a process has given up; the panel cannot go on then.
    pub(crate) async fn gave_up(&mut self) -> Failure {
        while let Some(news) = self.news.recv().await {
            match news {
                News::GaveUp(name, cause) => return gave_up(name, &cause),
                // Starting again makes no room, and what cannot be recorded is not done.
                News::Restarting(name, cause) if is_full(&cause) => return gave_up(name, &cause),
                News::Restarting(name, cause) => eprintln!("bodh: {name} ended ({cause}); starting it again"),
                News::Ready(_) => {}
            }
        }
        Failure::failed("every process of the panel has ended")
    }

    async fn until_ready(&mut self, folder: &Folder) -> Outcome {
        let deadline = tokio::time::Instant::now() + START;
        let mut waiting: Vec<_> = self.children.iter().map(|(process, _)| process.name).collect();
        let mut last = None;
        while !waiting.is_empty() {
            match tokio::time::timeout_at(deadline, self.news.recv()).await {
                Ok(Some(News::Ready(name))) => waiting.retain(|other| *other != name),
                Ok(Some(News::GaveUp(name, cause))) => return Err(gave_up(name, &cause)),
                Ok(Some(News::Restarting(name, cause))) if is_full(&cause) => return Err(gave_up(name, &cause)),
                Ok(Some(News::Restarting(name, cause))) => last = Some(format!("; {name} ended: {cause}")),
                Ok(None) => return Err(Failure::failed("every process of the panel has ended")),
                Err(_late) => {
                    return Err(Failure::failed(format!(
                        "not ready within {} s: {}{}; see {}",
                        START.as_secs(),
                        waiting.join(", "),
                        last.unwrap_or_default(),
                        folder.path().join("logs").display()
                    )));
                }
            }
        }
        Ok(())
    }

    /// The orchestrator first, so that nothing new begins; then the agents; the record and the identities last.
    fn stop(&mut self) {
        // Best effort: a left-over file names a socket that no longer answers, which readers check.
        let _gone = std::fs::remove_file(&self.panel_file);
        let deadline = Instant::now() + STOP;
        let stage = |process: &Process| match process.name {
            GUARDIAN | AUDIT => 2,
            _ if process.is_agent => 1,
            _ => 0,
        };
        for now in 0..=2 {
            let here = |(process, _): &&mut (Process, Child)| stage(process) == now;
            self.children.iter_mut().filter(here).for_each(|(_, child)| child.stop());
            self.children.iter_mut().filter(here).for_each(|(_, child)| child.end_by(deadline));
        }
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.stop();
        self.telling.abort();
    }
}

fn gave_up(name: &str, cause: &str) -> Failure {
    let cause = cause.strip_prefix(&format!("bodh-{name}: ")).unwrap_or(cause);
    Failure::input(match cause {
        "" => format!("{name} refuses to serve: it gave no reason"),
        full if is_full(full) => format!(
            "{name}: the disk is full; free some space, or choose another state folder; what was begun is kept and goes on"
        ),
        other => format!("{name} refuses to serve: {other}"),
    })
}

/// SQLite's words and the system's for a disk without room (SQLITE_FULL; ENOSPC and EDQUOT, as Rust shows them).
fn is_full(cause: &str) -> bool {
    ["disk is full", "(os error 28)", "(os error 122)"].iter().any(|words| cause.contains(words))
}

/// The documents that a panel stands on: made and signed at the first start, checked at every later one.
fn documents(folder: &Folder, ring: &KeyRing, settings: &Settings) -> Outcome<(Siblings, GuardianOrders)> {
    let siblings = Siblings::hash(&settings.trust_domain)?;
    let key = ring.local(folder.is_initialised())?;
    let id = crate::people::id_of(&settings.trust_domain, crate::people::LOCAL)?;
    let operator = Operator { key: &key, id: &id };
    let bootstrap = enrolment::first(folder, &operator, &settings.trust_domain)?;
    if !folder.is_initialised() {
        bundle::sign(folder, &operator, settings.policies.as_deref())?;
        // The last of the first start: from here on, a missing key is a lost key.
        siblings.trust(folder, &operator)?;
    }
    siblings.check(folder, &operator)?;
    bundle::check(folder, &operator)?;
    let guardian = GuardianOrders {
        policy: folder.policy(),
        binaries: folder.binaries(),
        bootstrap,
        audiences: orders::audiences(&settings.trust_domain),
        tools: orders::TOOLS.map(str::to_owned).into(),
    };
    Ok((siblings, guardian))
}
