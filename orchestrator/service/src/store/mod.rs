//! The orchestrator's store: ciphertext, ids, states and queued audit entries. Without the guardian's keys it says
//! nothing of any patient.
//!
//! One SQLite file, one writer. A step of a session is one transaction: the event, the session's state, what it raised
//! or decided, and the audit entries that tell of it. Commands are carried out only after that commit.

mod escalations;
mod firsts;
mod journal;
mod outbox;
mod patients;
mod reviews;
mod rules;
mod sessions;
mod told;

pub(crate) use escalations::{Decided, EscalationRow};
pub(crate) use firsts::FirstRow;
pub(crate) use journal::StepRows;
pub(crate) use patients::Found;
pub(crate) use rules::RuleRow;
pub(crate) use sessions::SessionRow;

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// The version of this store's tables.
const VERSION: i64 = 5;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, trace TEXT NOT NULL, requester TEXT NOT NULL, opened_ms INTEGER NOT NULL,
    budget_cents INTEGER NOT NULL, sequential INTEGER NOT NULL, state TEXT NOT NULL, at_rest INTEGER NOT NULL,
    keys BLOB NOT NULL, subject BLOB NOT NULL, identifiers BLOB NOT NULL, note BLOB NOT NULL, coded BLOB NOT NULL,
    hidden BLOB, warnings BLOB NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
    seen_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS patients (session TEXT PRIMARY KEY REFERENCES sessions(id), tag BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS patients_by_tag ON patients (tag);
CREATE TABLE IF NOT EXISTS events (
    session TEXT NOT NULL REFERENCES sessions(id), seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, draft BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS escalations (
    id TEXT PRIMARY KEY, session TEXT NOT NULL REFERENCES sessions(id), kind TEXT NOT NULL, reason TEXT NOT NULL,
    action TEXT NOT NULL, agent TEXT NOT NULL, trace TEXT NOT NULL, role TEXT NOT NULL, amount_cents INTEGER, requester TEXT NOT NULL, raised_ms INTEGER NOT NULL,
    record BLOB NOT NULL, record_sha256 TEXT NOT NULL, status TEXT NOT NULL, decided_by TEXT, decision BLOB,
    signature BLOB, asked_by TEXT, signers INTEGER NOT NULL, decided_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS firsts (
    escalation TEXT NOT NULL REFERENCES escalations(id), seq INTEGER NOT NULL, signer TEXT NOT NULL, decision BLOB NOT NULL,
    signature BLOB NOT NULL, void INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (escalation, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS rules (id TEXT PRIMARY KEY, home TEXT NOT NULL, sealed BLOB NOT NULL, reversed INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS reviews (
    session TEXT NOT NULL REFERENCES sessions(id), number INTEGER NOT NULL, sealed BLOB NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (session, number)
) STRICT;
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
";

/// What can go wrong with the store. No variant repeats content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file cannot be used.
    #[error("the orchestrator's store: {0}")]
    Database(sqlx::Error),
    /// No room.
    #[error("the disk is full; free some space: what was begun is kept and goes on")]
    Full,
    /// Made by another version.
    #[error("the orchestrator's store has version {found}, this program reads {VERSION}; use the program that made it")]
    Version {
        /// The version found.
        found: i64,
    },
    /// A row does not read.
    #[error("the orchestrator's store: a row of {0} does not read")]
    Row(&'static str),
    /// The nonce was used before.
    #[error("the statement was used before")]
    Replayed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL (https://www.sqlite.org/rescode.html#full).
        let full =
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "13");
        if full { Self::Full } else { Self::Database(error) }
    }
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens or makes the store in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written or holds a store of another version.
    pub(crate) async fn open(folder: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("orchestrator.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let (found,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&pool).await?;
        if found != 0 && found != VERSION {
            return Err(StoreError::Version { found });
        }
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        sqlx::raw_sql("PRAGMA user_version = 5").execute(&pool).await?;
        Ok(Self { pool })
    }

    /// A named value.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT value FROM meta WHERE name = ?").bind(name).fetch_optional(&self.pool).await?;
        Ok(row.map(|(value,)| value))
    }

    /// Sets a named value.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn set_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let query =
            sqlx::query("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
        query.bind(name).bind(value).execute(&self.pool).await?;
        Ok(())
    }
}
