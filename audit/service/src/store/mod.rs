//! The store: one SQLite database, one writer, any number of readers.

pub(crate) mod read;
mod schema;
pub(crate) mod write;

use std::path::Path;
use std::time::Duration;

use bodh_audit_log::{Hash, Tree};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row};

use crate::Error;

/// Connections that read at the same time.
const READERS: u32 = 4;

/// The opened database.
pub(crate) struct Store {
    pub(crate) writer: SqliteConnection,
    pub(crate) readers: SqlitePool,
}

impl Store {
    /// Opens the database and makes its tables at the first start.
    pub(crate) async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit reaches the disk before it is acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .pragma("trusted_schema", "OFF")
            // Without it `INSERT OR REPLACE` would remove a row and no trigger would run.
            .pragma("recursive_triggers", "ON")
            .pragma("temp_store", "MEMORY");
        let mut writer = options.clone().create_if_missing(true).connect().await?;
        schema::create(&mut writer).await?;
        let readers = options.read_only(true).pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(readers);
        Ok(Self { writer, readers })
    }

    /// The tree as it was stored with the last commit.
    pub(crate) async fn frontier(&mut self) -> Result<(u64, Vec<Hash>), Error> {
        let row = sqlx::query("SELECT size, peaks FROM frontier WHERE id = 1").fetch_optional(&mut self.writer).await?;
        let Some(row) = row else { return Ok((0, Vec::new())) };
        let (size, peaks): (i64, Vec<u8>) = (row.try_get("size")?, row.try_get("peaks")?);
        let peaks = bodh_audit_log::tile::read_tile(&peaks);
        let torn = || Error::NotWhole { index: 0, what: "the stored frontier is torn".to_owned() };
        Ok((u64::try_from(size).map_err(|_| torn())?, peaks.ok_or_else(torn)?))
    }

    /// Writes everything back and closes.
    pub(crate) async fn close(self) {
        self.readers.close().await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(%error, "the store did not close cleanly; nothing acknowledged is lost");
        }
    }
}

/// The frontier's bytes.
fn peaks(tree: &Tree) -> Vec<u8> {
    bodh_audit_log::tile::write_tile(tree.peaks())
}

/// An index as SQLite keeps it.
fn to_row(index: u64) -> Result<i64, Error> {
    i64::try_from(index).map_err(|_| Error::TooMuch("an index beyond 2^63"))
}
