//! Publication: tiles and bundles first, then the checkpoint that covers them.

pub(crate) mod files;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bodh_audit_log::tile::{Shelf, TilePath, WIDTH, write_bundle, write_tile};
use bodh_audit_log::{Checkpoint, Edge, SignedCheckpoint, SigningKey, leaf_hash};
use sqlx::sqlite::SqlitePool;
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::shared::Shared;
use crate::store::read;
use files::{Staged, Staging};

/// The pause between two publications, unless someone waits for one.
const EVERY: Duration = Duration::from_millis(100);
/// Entries in one publication, so that catching up takes bounded memory. A multiple of [`WIDTH`].
const MOST: u64 = 16 * WIDTH as u64;

/// The task that publishes.
pub(crate) struct Publisher {
    pub(crate) dir: PathBuf,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) readers: SqlitePool,
    /// What is published.
    pub(crate) edge: Edge,
    /// Whether `edge`'s own checkpoint is there: not so before the first.
    pub(crate) signed: bool,
    pub(crate) shared: Arc<Shared>,
    pub(crate) lock: Arc<File>,
}

impl Publisher {
    /// Publishes whatever is committed, until the sequencer has ended or a write fails.
    pub(crate) async fn run(mut self) {
        let mut committed = self.shared.committed.subscribe();
        let mut last = None;
        loop {
            let finished = self.shared.is_finished();
            let size = *committed.borrow_and_update();
            if size <= self.edge.size() {
                if finished {
                    return;
                }
                tokio::select! {
                    () = self.shared.finished() => {}
                    _ = committed.changed() => {}
                }
                continue;
            }
            self.pause(last).await;
            let size = (*committed.borrow()).min(self.edge.size() + MOST);
            if let Err(error) = self.publish(size).await {
                self.shared.halt(&error);
                return;
            }
            last = Some(Instant::now());
        }
    }

    /// Finishes what an earlier run committed and did not publish; makes the first checkpoint of a new log.
    pub(crate) async fn catch_up(&mut self, committed: u64) -> Result<(), Error> {
        while !self.signed || self.edge.size() < committed {
            self.publish(committed.min(self.edge.size() + MOST)).await?;
        }
        Ok(())
    }

    /// Waits until the next publication is due, or someone asks for it. A backlog is due at once.
    async fn pause(&self, last: Option<Instant>) {
        let Some(last) = last else { return };
        let backlog = *self.shared.committed.borrow() >= self.edge.size() + MOST;
        if backlog || self.shared.is_wanted(self.edge.size()) {
            return;
        }
        tokio::select! {
            () = sleep_until(last + EVERY) => {}
            () = self.shared.wanted() => {}
            () = self.shared.finished() => {}
        }
    }

    /// Publishes the log at `size`.
    pub(crate) async fn publish(&mut self, size: u64) -> Result<(), Error> {
        let old = self.partials();
        let mut staging = Staging::default();
        let edge = self.stage(size, &mut staging).await?;
        let checkpoint = Checkpoint { origin: self.key.verifier().name().to_owned(), size, root: edge.root() };
        let signed = checkpoint.sign(&self.key).map_err(|cause| Error::Key(cause.to_string()))?;
        let note = signed.note().to_owned();
        let new: Vec<TilePath> = partials_of(&edge).collect();
        let (dir, stale) = (self.dir.clone(), old.into_iter().filter(|path| !new.contains(path)).collect::<Vec<_>>());
        let lock = Arc::clone(&self.lock);
        let written = tokio::task::spawn_blocking(move || {
            let written = write(&dir, staging, &note, &stale);
            // Held until the last file is in its place, even when nobody waits for this any more.
            drop(lock);
            written
        });
        let written = written.await;
        written.map_err(|cause| Error::Key(format!("publication was cut off: {cause}")))??;
        self.edge = edge;
        self.signed = true;
        self.shared.published.send_replace(Some(signed));
        Ok(())
    }

    fn partials(&self) -> Vec<TilePath> {
        partials_of(&self.edge).collect()
    }

    /// Reads the entries since the last publication (and those that share a bundle with them), and prepares every
    /// file that changes.
    async fn stage(&self, size: u64, staging: &mut Staging) -> Result<Edge, Error> {
        let mut edge = self.edge.clone();
        let mut bundle = edge.size() / WIDTH as u64;
        while let Some(path) = TilePath::at(Shelf::Entries, bundle, size).filter(|_| edge.size() < size) {
            let first = bundle * WIDTH as u64;
            let rows = read::rows(&self.readers, first, first + u64::from(path.width)).await?;
            if rows.len() != usize::from(path.width) {
                return Err(Error::NotWhole { index: first + rows.len() as u64, what: "its row is gone".to_owned() });
            }
            for row in rows.iter().filter(|row| row.index >= self.edge.size()) {
                // The leaf is hashed again: what is signed is what is in the bundle.
                let hash = leaf_hash(&row.leaf);
                if row.hash != Some(hash) {
                    return Err(Error::NotWhole { index: row.index, what: "its hash changed in the store".to_owned() });
                }
                edge.append(hash, |path, hashes| staging.add(path.to_string(), write_tile(hashes)));
            }
            let bytes = write_bundle(rows.iter().map(|row| row.leaf.as_slice()));
            let long =
                || Error::NotWhole { index: first, what: "an entry is longer than a bundle can hold".to_owned() };
            staging.add(path.to_string(), bytes.ok_or_else(long)?);
            bundle += 1;
        }
        for (path, hashes) in edge.partials() {
            staging.add(path.to_string(), write_tile(hashes));
        }
        Ok(edge)
    }
}

/// The partial tiles of a size, and its partial bundle.
fn partials_of(edge: &Edge) -> impl Iterator<Item = TilePath> {
    let tiles = edge.partials().map(|(path, _)| path);
    let bundle = TilePath::at(Shelf::Entries, edge.size() / WIDTH as u64, edge.size());
    tiles.chain(bundle).collect::<Vec<_>>().into_iter()
}

/// The order is what makes a crash harmless. Up to the first rename only temporary files are new. Between it and the
/// checkpoint, tiles reach beyond the checkpoint: the next start publishes the same bytes again, for the entries are
/// committed. Older partial tiles go last: until then both readers of the old and of the new checkpoint are served.
fn write(dir: &std::path::Path, staging: Staging, note: &str, stale: &[TilePath]) -> Result<(), Error> {
    let staged: Staged = staging.write(dir)?;
    // Durable now: every tile and bundle of the new size, under temporary names.
    let mut last = Staging::default();
    last.add("checkpoint".to_owned(), note.as_bytes().to_vec());
    let checkpoint = last.write(dir)?;
    staged.rename(dir)?;
    // Durable now: every tile and bundle, under its own name. The old checkpoint still holds.
    checkpoint.rename(dir)?;
    // Durable now: the new checkpoint.
    files::remove(dir, stale);
    Ok(())
}

/// What a reader of the folder sees, for `Checkpoint`.
pub(crate) type Published = Option<SignedCheckpoint>;
