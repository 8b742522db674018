//! The whole record without the network.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bodh_audit_log::{Draft, SignedCheckpoint, VerifierKey};
use bodh_identity::sealed::KeyWrap;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::publish::{Published, Publisher, files};
use crate::sequencer::{Job, Sequencer};
use crate::shared::Shared;
use crate::store::{Store, read};
use crate::{Clock, Error, Filter, key, recover};

/// Requests that may wait for the sequencer.
const WAITING: usize = 1_024;
/// How long a request waits for its place, its commit or its checkpoint.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a log is started with.
pub struct Settings {
    /// The state folder: `audit/` and `log/` in it are the service's.
    pub state_dir: PathBuf,
    /// The log's name.
    pub origin: String,
    /// Tells the time.
    pub clock: Clock,
    /// Opens the log's sealed key.
    pub wrap: Box<dyn KeyWrap>,
}

/// A running log. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    jobs: mpsc::Sender<Job>,
    readers: SqlitePool,
    shared: Arc<Shared>,
    key: VerifierKey,
    tasks: Arc<Mutex<Option<Tasks>>>,
}

struct Tasks {
    sequencer: JoinHandle<SqliteConnection>,
    publisher: JoinHandle<()>,
}

/// Drafts of one reporter, to become entries together.
pub type Batch = Vec<Draft>;

impl Log {
    /// Opens the log in a state folder, checks all that it can, and publishes what was committed and not yet published.
    ///
    /// # Errors
    /// Why it must not run: [`Error::NotWhole`] and [`Error::Rewound`] name the first bad entry.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let (own, public) = (settings.state_dir.join("audit"), settings.state_dir.join("log"));
        make_folders(&settings.state_dir)?;
        let lock = lock(&own.join("lock"))?;
        let mut store = Store::open(&own.join("audit.db")).await?;
        let new = read::size(&mut store.writer).await? == 0 && !public.join("checkpoint").exists();
        let key = key::open(&own.join("key.sealed"), settings.wrap.as_ref(), &settings.origin, new)?;
        let verifier = key.verifier().clone();
        put_key(&public, &verifier)?;
        files::sweep(&public)?;
        let standing = recover::check(&mut store, &public, &verifier, recover::WHOLE).await?;
        tracing::info!(entries = standing.tree.size(), published = standing.edge.size(), key = %verifier, "the log is whole");
        let shared = Arc::new(Shared::new(standing.tree.size(), standing.signed.clone()));
        let mut publisher = Publisher {
            dir: public,
            key: Arc::new(key),
            readers: store.readers.clone(),
            signed: standing.signed.is_some(),
            edge: standing.edge,
            shared: Arc::clone(&shared),
            lock: Arc::clone(&lock),
        };
        publisher.catch_up(standing.tree.size()).await?;
        let (jobs, arrivals) = mpsc::channel(WAITING);
        let readers = store.readers.clone();
        let sequencer = Sequencer {
            writer: store.writer,
            tree: standing.tree,
            last: standing.last,
            clock: settings.clock,
            shared: Arc::clone(&shared),
            _lock: lock,
        };
        let tasks =
            Tasks { sequencer: tokio::spawn(sequencer.run(arrivals)), publisher: tokio::spawn(publisher.run()) };
        Ok(Self { jobs, readers, shared, key: verifier, tasks: Arc::new(Mutex::new(Some(tasks))) })
    }

    /// The key that verifies this log.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// How many entries are durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        *self.shared.committed.borrow()
    }

    /// Appends drafts of one reporter, all or none; their indexes, once they are durable.
    ///
    /// # Errors
    /// [`Error::Draft`], [`Error::KeyReused`], or [`Error::Unavailable`]: then they may or may not be there, and
    /// appending them again is harmless.
    pub async fn append(&self, drafts: Batch, reporter: String) -> Result<Vec<u64>, Error> {
        for (place, draft) in drafts.iter().enumerate() {
            draft.validate().map_err(|invalid| Error::Draft { place, invalid })?;
        }
        if drafts.len() > bodh_audit_api::MAX_DRAFTS {
            return Err(Error::TooMuch("more than 512 drafts at once"));
        }
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.is_well()?;
        let (answer, acknowledged) = oneshot::channel();
        let waited = timeout(PATIENCE, async {
            self.jobs.send(Job { drafts, reporter, answer }).await.map_err(|_| Error::Unavailable)?;
            acknowledged.await.map_err(|_| Error::Unavailable)?
        });
        waited.await.map_err(|_| Error::Unavailable)?
    }

    /// The published checkpoint over at least `min_size` entries; publishes at once when there is none yet.
    ///
    /// # Errors
    /// [`Error::NotYet`] when the log is smaller than that, [`Error::Unavailable`] when it cannot be published.
    pub async fn checkpoint(&self, min_size: u64) -> Result<SignedCheckpoint, Error> {
        if min_size > self.size() {
            return Err(Error::NotYet);
        }
        self.shared.is_well()?;
        self.shared.want(min_size);
        let mut published = self.shared.published.subscribe();
        let covers = |signed: &Published| signed.as_ref().is_some_and(|s| s.checkpoint().size >= min_size);
        let mut trouble = self.shared.trouble();
        tokio::select! {
            covered = timeout(PATIENCE, published.wait_for(covers)) => match covered {
                Ok(Ok(signed)) => signed.clone().ok_or(Error::Unavailable),
                _ => Err(Error::Unavailable),
            },
            _ = trouble.wait_for(Option::is_some) => Err(Error::Unavailable),
        }
    }

    /// The next matching entries from `from` on and below `to`, as leaves, and where to go on; looks at a bounded number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(&self, filter: &Filter, from: u64, to: u64) -> Result<(Vec<(u64, Vec<u8>)>, Option<u64>), Error> {
        read::matching(&self.readers, filter, from, to.min(self.size())).await
    }

    /// The first entries of sessions from `from` on and below `to`, the newest first, and below which index to go on;
    /// looks at a bounded number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn begins(&self, from: u64, to: u64) -> Result<(Vec<(u64, Vec<u8>)>, Option<u64>), Error> {
        read::begins(&self.readers, from, to.min(self.size())).await
    }

    /// Returns when the log has stopped acknowledging, with the cause.
    pub async fn failed(&self) -> String {
        let mut trouble = self.shared.trouble();
        match trouble.wait_for(Option::is_some).await {
            Ok(cause) => cause.clone().unwrap_or_default(),
            Err(_) => "the log ended".to_owned(),
        }
    }

    /// Stops taking entries, publishes what is committed, and closes the store.
    pub async fn close(self) {
        self.shared.close();
        let Some(tasks) = self.tasks.lock().await.take() else { return };
        let writer = timeout(PATIENCE, tasks.sequencer).await;
        let _ = timeout(PATIENCE, tasks.publisher).await;
        if let Ok(Ok(writer)) = writer {
            Store { writer, readers: self.readers.clone() }.close().await;
        }
    }
}

/// Makes the service's two folders in a state folder, their names durable.
///
/// # Errors
/// When the state folder cannot be written.
pub fn make_folders(state_dir: &Path) -> Result<(), Error> {
    for folder in [state_dir.join("audit"), state_dir.join("log")] {
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
            files::sync(state_dir)?;
        }
    }
    Ok(())
}

/// Keeps the log to one process. The kernel lets go of it when the last task that writes is gone, however it ends.
fn lock(path: &Path) -> Result<Arc<File>, Error> {
    let file = File::create(path).map_err(Error::file(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Arc::new(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Busy),
        Err(TryLockError::Error(cause)) => Err(Error::file(path)(cause)),
    }
}

/// The verifier's key, at the top of the published folder. Another key there is not written over.
fn put_key(dir: &Path, key: &VerifierKey) -> Result<(), Error> {
    let (path, line) = (dir.join("key"), format!("{key}\n"));
    match fs::read_to_string(&path) {
        Ok(there) if there == line => Ok(()),
        Ok(_) => Err(Error::Key(format!("{} names another key than the sealed one", path.display()))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            let mut staging = files::Staging::default();
            staging.add("key".to_owned(), line.into_bytes());
            staging.write(dir)?.rename(dir)
        }
        Err(cause) => Err(Error::file(&path)(cause)),
    }
}
