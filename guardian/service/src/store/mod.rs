//! What the guardian keeps: one SQLite database, one connection, one module per entity.
//!
//! One connection serialises every write, so a budget cannot be read between another's read and write, and no reader
//! can hold back the truncation of the write-ahead log that an erasure needs.

pub mod key_changes;
pub mod meta;
pub mod people;
pub mod revocations;
pub mod sessions;

use std::path::{Path, PathBuf};

use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// The version of the schema that this build reads and writes.
pub const VERSION: i64 = 4;

const SCHEMA: &str = include_str!("schema.sql");

/// Why the database cannot be used. Every variant ends the start of the service.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file does not allow writing.
    #[error("{0}: the guardian cannot write there; give its user write permission on the folder and the files in it")]
    ReadOnly(PathBuf),
    /// Not a database, or a damaged one.
    #[error("{0}: not an intact guardian database; restore the state folder from a backup")]
    Corrupt(PathBuf),
    /// Written by another version of the guardian.
    #[error("{path}: state version {found}, this build needs version {VERSION}; use the build that wrote it")]
    Version {
        /// The database.
        path: PathBuf,
        /// The version it has.
        found: i64,
    },
    /// Anything else the database reports.
    #[error("the guardian's database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens or makes `folder/guardian.db`, checks its version and its pages, and empties the write-ahead log, which
    /// completes an erasure that a crash cut short.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("guardian.db");
        check_writable(folder, &path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("cell_size_check", "ON");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let store = Self { pool: pool.map_err(|error| at(&path, error))? };
        store.prepare(&path).await?;
        Ok(store)
    }

    async fn prepare(&self, path: &Path) -> Result<(), StoreError> {
        let found: i64 = self.pragma("PRAGMA user_version", path).await?;
        let tables: i64 = self.pragma("SELECT count(*) FROM sqlite_schema", path).await?;
        match (found, tables) {
            (0, 0) => {
                // Durable with the commit: either the whole schema with its version, or an empty database again.
                sqlx::raw_sql(SCHEMA).execute(&self.pool).await.map_err(|error| at(path, error))?;
            }
            (VERSION, _) => {}
            _ => return Err(StoreError::Version { path: path.to_owned(), found }),
        }
        let check: String = sqlx::query("PRAGMA quick_check(1)")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| at(path, error))?;
        if check != "ok" {
            return Err(StoreError::Corrupt(path.to_owned()));
        }
        self.truncate_log().await.map_err(|error| at(path, error))
    }

    async fn pragma(&self, sql: &'static str, path: &Path) -> Result<i64, StoreError> {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.map_err(|error| at(path, error))
    }

    /// Moves every page into the main file and cuts the write-ahead log to nothing: after it, what was deleted is in
    /// neither file (`secure_delete` has overwritten it in the pages).
    pub(crate) async fn truncate_log(&self) -> Result<(), sqlx::Error> {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await?;
        if row.try_get::<i64, _>(0)? == 0 { Ok(()) } else { Err(sqlx::Error::PoolTimedOut) }
    }

    /// Closes the connection, so that the database can be opened by the next process at once.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQLite falls back to reading when it cannot write; the guardian must not find out at the first revocation.
fn check_writable(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let read_only = |_| StoreError::ReadOnly(folder.to_owned());
    if path.exists() {
        std::fs::OpenOptions::new().append(true).open(path).map_err(|_| StoreError::ReadOnly(path.to_owned()))?;
    }
    let probe = folder.join(".write-probe");
    std::fs::write(&probe, b"").map_err(read_only)?;
    std::fs::remove_file(&probe).map_err(read_only)
}

/// Sorts a failure at the start by what its reader can do. Codes: <https://sqlite.org/rescode.html>.
fn at(path: &Path, error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(8 | 14) => StoreError::ReadOnly(path.to_owned()),
        Some(11 | 26) => StoreError::Corrupt(path.to_owned()),
        _ => StoreError::Database(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        sqlx::query("PRAGMA user_version = 7").execute(&store.pool).await.unwrap();
        store.close().await;
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Version { found: 7, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_foreign_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("guardian.db")).create_if_missing(true);
        let foreign = SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("CREATE TABLE other (x)").execute(&foreign).await.unwrap();
        foreign.close().await;
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Version { found: 0, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_corrupt_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("guardian.db"), vec![b'x'; 8192]).unwrap();
        let error = Store::open(folder.path()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_refused() {
        // A folder that is a file cannot be written by anyone, root included.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let error = Store::open(&file).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    }
}
