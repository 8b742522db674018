//! The sequencer: gives entries their index and time, commits them in groups, and acknowledges after the commit.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use bodh_audit_log::{Draft, Entry, Time, Tree, key_of, leaf_hash};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::shared::Shared;
use crate::store::write::{self, NewRow, Uncommitted};
use crate::{Clock, Error};

/// Entries in one commit, at most.
const GROUP: usize = 1_024;

/// The drafts of one request: all of them become entries, or none.
pub(crate) struct Job {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) reporter: String,
    pub(crate) answer: oneshot::Sender<Result<Vec<u64>, Error>>,
}

/// The task that writes.
pub(crate) struct Sequencer {
    pub(crate) writer: SqliteConnection,
    pub(crate) tree: Tree,
    pub(crate) last: Option<Time>,
    pub(crate) clock: Clock,
    pub(crate) shared: Arc<Shared>,
    pub(crate) _lock: Arc<File>,
}

impl Sequencer {
    /// Serves until every sender is gone, or a write fails: then nothing is acknowledged any more. Gives the
    /// connection back to be closed.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) -> SqliteConnection {
        let mut carried = None;
        loop {
            let group = tokio::select! {
                // Closing: what is queued is still written, and nothing more comes.
                () = self.shared.closing(), if !jobs.is_closed() => {
                    jobs.close();
                    continue;
                }
                group = collect(&mut jobs, &mut carried) => group,
            };
            let Some(group) = group else { break };
            if let Err(error) = self.write(group).await {
                self.shared.halt(&error);
                break;
            }
        }
        self.shared.finish();
        self.writer
    }

    /// One commit. Keys are almost always new, so they are looked up only when the store says that one is not.
    async fn write(&mut self, jobs: Vec<Job>) -> Result<(), Error> {
        let mut group = self.place(&jobs, &HashMap::new());
        match self.commit(&group).await {
            Ok(()) => {}
            Err(Uncommitted::Key) => {
                let mut keys = Vec::new();
                for job in &jobs {
                    keys.extend(job.drafts.iter().map(|draft| key_of(&job.reporter, &draft.key)));
                }
                let existing = write::existing(&mut self.writer, keys).await?;
                group = self.place(&jobs, &existing);
                match self.commit(&group).await {
                    Ok(()) => {}
                    Err(Uncommitted::Key) => {
                        let what = "a row was written by another program".to_owned();
                        return Err(Error::NotWhole { index: self.tree.size(), what });
                    }
                    Err(Uncommitted::Failed(error)) => return Err(error),
                }
            }
            Err(Uncommitted::Failed(error)) => return Err(error),
        }
        // Durable now: every row of the group. Only from here on is anything acknowledged.
        self.tree = group.tree;
        self.last = group.last;
        self.shared.committed.send_replace(self.tree.size());
        for (job, placed) in jobs.into_iter().zip(group.answers) {
            // A caller that is gone finds its entries by their keys.
            let _ = job.answer.send(placed);
        }
        Ok(())
    }

    fn place(&self, jobs: &[Job], existing: &HashMap<String, (u64, Entry)>) -> Group {
        let mut group = Group {
            rows: Vec::new(),
            entries: Vec::new(),
            by_key: HashMap::new(),
            tree: self.tree.clone(),
            first: self.tree.size(),
            last: self.last,
            answers: Vec::new(),
        };
        for job in jobs {
            let answer = group.place(job, existing, &self.clock);
            group.answers.push(answer);
        }
        group
    }

    async fn commit(&mut self, group: &Group) -> Result<(), Uncommitted> {
        if group.rows.is_empty() {
            return Ok(());
        }
        write::commit(&mut self.writer, group.first, &group.rows, &group.tree).await
    }
}

/// Waits for work, then takes what is queued, up to [`GROUP`] drafts.
async fn collect(jobs: &mut mpsc::Receiver<Job>, carried: &mut Option<Job>) -> Option<Vec<Job>> {
    let first = match carried.take() {
        Some(job) => job,
        None => jobs.recv().await?,
    };
    let mut count = first.drafts.len();
    let mut group = vec![first];
    while let Ok(job) = jobs.try_recv() {
        count += job.drafts.len();
        if count > GROUP {
            *carried = Some(job);
            break;
        }
        group.push(job);
    }
    Some(group)
}

/// What one commit will hold.
struct Group {
    rows: Vec<NewRow>,
    entries: Vec<Entry>,
    /// Key to place in `rows` and `entries`.
    by_key: HashMap<String, usize>,
    tree: Tree,
    first: u64,
    last: Option<Time>,
    answers: Vec<Result<Vec<u64>, Error>>,
}

impl Group {
    /// Places a request's drafts. All are looked at before any is placed, so a refused request leaves nothing.
    fn place(&mut self, job: &Job, existing: &HashMap<String, (u64, Entry)>, clock: &Clock) -> Result<Vec<u64>, Error> {
        let mut inside: HashMap<&str, &Draft> = HashMap::new();
        for (place, draft) in job.drafts.iter().enumerate() {
            let same = |entry: &Entry| entry.draft.says_the_same(draft);
            let key = key_of(&job.reporter, &draft.key);
            let there = existing.get(&key).map(|(_, entry)| entry);
            let there = there.or_else(|| self.entries.get(*self.by_key.get(&key)?));
            let twice = inside.insert(&draft.key, draft);
            if there.is_some_and(|entry| !same(entry)) || twice.is_some_and(|other| !other.says_the_same(draft)) {
                return Err(Error::KeyReused { place });
            }
        }
        job.drafts
            .iter()
            .enumerate()
            .map(|(place, draft)| {
                let key = key_of(&job.reporter, &draft.key);
                if let Some((index, _)) = existing.get(&key) {
                    return Ok(*index);
                }
                if let Some(placed) = self.by_key.get(&key) {
                    return Ok(self.first + *placed as u64);
                }
                self.add(draft, &job.reporter, clock).map_err(|invalid| Error::Draft { place, invalid })
            })
            .collect()
    }

    fn add(&mut self, draft: &Draft, reporter: &str, clock: &Clock) -> Result<u64, bodh_audit_log::Invalid> {
        let time = Time::after(self.last, clock());
        let entry = Entry { time, reporter: reporter.to_owned(), draft: draft.clone() };
        let leaf = entry.encode()?;
        let hash = leaf_hash(&leaf);
        let index = self.tree.size();
        self.tree.append(hash);
        self.last = Some(time);
        self.by_key.insert(entry.key(), self.rows.len());
        self.rows.push(NewRow { key: entry.key(), session: draft.session.clone(), leaf, hash });
        self.entries.push(entry);
        Ok(index)
    }
}
