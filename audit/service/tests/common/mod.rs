//! A log in a temporary state folder, started and started again with the same unlock identity.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::sync::Arc;

use bodh_audit::{Clock, Error, Log, Settings, system_clock};
use bodh_audit_log::{Draft, Entry, Kind};
use bodh_audit_verify::Verified;
use bodh_identity::sealed::AgeKey;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

pub const WRITER: &str = "spiffe://example.com/service/writer";

pub struct State {
    pub dir: TempDir,
    unlock: String,
}

impl State {
    pub fn new() -> Self {
        let unlock = AgeKey::generate().to_secret_text().to_string();
        Self { dir: TempDir::new().unwrap(), unlock }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub async fn start(&self) -> Result<Log, Error> {
        self.start_at(system_clock()).await
    }

    pub async fn start_at(&self, clock: Clock) -> Result<Log, Error> {
        self.start_as("example.com/log", clock).await
    }

    pub async fn start_as(&self, origin: &str, clock: Clock) -> Result<Log, Error> {
        let wrap = Box::new(AgeKey::parse(&self.unlock).unwrap());
        Log::start(Settings { state_dir: self.path().to_owned(), origin: origin.to_owned(), clock, wrap }).await
    }

    /// The published log, verified with the log's key.
    pub fn verified(&self, log: &Log) -> Verified {
        bodh_audit_verify::verify(&self.path().join("log"), Some(log.key())).unwrap()
    }

    /// Another program's connection to the database.
    pub async fn intruder(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path().join("audit/audit.db")).connect().await.unwrap()
    }

    pub async fn run_sql(&self, statements: &[&str]) -> Result<(), sqlx::Error> {
        let mut intruder = self.intruder().await;
        for statement in statements {
            sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(&mut intruder).await?;
        }
        sqlx::Connection::close(intruder).await
    }
}

pub fn stopped_clock() -> Clock {
    Arc::new(|| bodh_audit_log::Time::from_unix_ns(1_700_000_000_000_000_000).unwrap())
}

pub fn draft(key: impl Into<String>) -> Draft {
    Draft::new(Kind::Note, "test", key)
}

pub async fn append(log: &Log, key: impl Into<String>) -> u64 {
    log.append(vec![draft(key)], WRITER.to_owned()).await.unwrap()[0]
}

pub async fn fill(log: &Log, from: u64, to: u64) {
    for first in (from..to).step_by(256) {
        let drafts = (first..to.min(first + 256)).map(|i| draft(format!("key/{i}"))).collect();
        log.append(drafts, WRITER.to_owned()).await.unwrap();
    }
}

/// Every entry of the log, in order.
pub async fn all(log: &Log) -> Vec<(u64, Entry)> {
    let (mut entries, mut from) = (Vec::new(), Some(0));
    while let Some(start) = from {
        let (found, next) = log.read(&bodh_audit::Filter::default(), start, log.size()).await.unwrap();
        entries.extend(found.into_iter().map(|(index, leaf)| (index, Entry::parse(&leaf).unwrap())));
        from = next;
    }
    entries
}
