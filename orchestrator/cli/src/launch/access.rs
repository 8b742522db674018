//! A panel to talk to: the one that is running on a state folder, or one started for the moment.

use super::members::CONSOLE;
use super::run::Panel;
use super::settings::Settings;
use super::site::Site;
use crate::failure::{Failure, Outcome};
use crate::people::KeyRing;
use crate::state::{Folder, KeyHome, Lock, Running, Taken, Unlock};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// A panel, its folder and the keys on this machine.
pub(crate) struct Access {
    running: Running,
    /// Stops before the folder goes.
    own: Option<Panel>,
    /// Of the console, where this command started it.
    pub(crate) site: Option<Site>,
    pub(crate) ring: KeyRing,
    pub(crate) folder: Folder,
}

impl Access {
    /// The panel of `folder`; started when none is running.
    pub(crate) async fn to(
        folder: Folder,
        unlock_file: Option<&Path>,
        passphrase_file: Option<&Path>,
        settings: &Settings,
    ) -> Outcome<Self> {
        let home = KeyHome::of(&folder)?;
        let ring = KeyRing::of(home.clone(), passphrase_file);
        match Lock::take(&folder)? {
            Taken::By(running) => Ok(Self { running, own: None, site: None, ring, folder }),
            Taken::Free(lock) => {
                let unlock = Unlock::of(&folder, &home, unlock_file)?;
                let site = settings.with_console.then(|| Site::of(&home, &settings.console_name)).transpose()?;
                let panel = Panel::start(&folder, lock, &ring, &unlock, settings, site.as_ref()).await?;
                let site = site.map(|site| site.at(panel.running().addresses.get(CONSOLE)));
                Ok(Self { running: panel.running().clone(), own: Some(panel), site, ring, folder })
            }
        }
    }

    /// Where the panel is reached.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// It was started by this command.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Returns when the panel cannot go on; never for one that another command started.
    pub(crate) async fn gave_up(&mut self) -> Failure {
        match &mut self.own {
            Some(panel) => panel.gave_up().await,
            None => std::future::pending().await,
        }
    }
}

/// Runs to the end, or to Ctrl-C or SIGTERM: whatever was started is stopped either way.
pub(crate) fn until_stopped<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|cause| Failure::failed(format!("no runtime: {cause}")))?;
    runtime.block_on(async {
        let listen = |kind| signal(kind).map_err(|cause| Failure::failed(format!("no signal handler: {cause}")));
        let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        let mut hang_up = listen(SignalKind::hangup())?;
        tokio::select! {
            done = work => done,
            _ = interrupt.recv() => Err(Failure::Stopped),
            _ = terminate.recv() => Err(Failure::Stopped),
            _ = hang_up.recv() => Err(Failure::Stopped),
        }
    })
}
