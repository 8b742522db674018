//! The one place that adds rows.

use std::collections::HashMap;
use std::sync::LazyLock;

use bodh_audit_log::{Entry, Hash, Tree};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use super::{peaks, schema::NOT_AT_THE_END, to_row};
use crate::Error;

/// A new entry, ready to be stored.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) key: String,
    pub(crate) session: String,
    pub(crate) leaf: Vec<u8>,
    pub(crate) hash: Hash,
}

/// Rows per statement: few statements for many rows, and few different ones to prepare.
const MANY: usize = 64;
static INSERT_MANY: LazyLock<String> = LazyLock::new(|| insert(MANY));
static INSERT_SOME: LazyLock<String> = LazyLock::new(|| insert(8));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert(1));

fn insert(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?)"; rows].join(", ");
    format!("INSERT INTO entries (idx, key, session, leaf, leaf_hash) VALUES {values}")
}

/// Why a commit did not happen.
pub(crate) enum Uncommitted {
    /// A key is there already: nothing was written.
    Key,
    /// The store failed: whether it was written is known only after a restart.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Uncommitted {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Adds rows from index `first` and the tree that they make, in one transaction. When this returns Ok all of it is on
/// the disk; when the process dies before, none of it is there after the restart.
pub(crate) async fn commit(
    writer: &mut SqliteConnection,
    first: u64,
    rows: &[NewRow],
    tree: &Tree,
) -> Result<(), Uncommitted> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let mut index = to_row(first)?;
    let mut rest = rows;
    while !rest.is_empty() {
        let (statement, count): (&'static str, usize) = match rest.len() {
            MANY.. => (&INSERT_MANY, MANY),
            8.. => (&INSERT_SOME, 8),
            _ => (&INSERT_ONE, 1),
        };
        let (now, later) = rest.split_at(count);
        let mut query = sqlx::query(statement);
        for row in now {
            query = query
                .bind(index)
                .bind(row.key.as_str())
                .bind(row.session.as_str())
                .bind(row.leaf.as_slice())
                .bind(row.hash.as_bytes().as_slice());
            index += 1;
        }
        query.execute(&mut *transaction).await.map_err(refused)?;
        rest = later;
    }
    sqlx::query("INSERT INTO frontier (id, size, peaks) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size, peaks = excluded.peaks")
        .bind(to_row(tree.size())?)
        .bind(peaks(tree))
        .execute(&mut *transaction)
        .await?;
    // Commit point: SQLite syncs its log before this returns.
    transaction.commit().await?;
    Ok(())
}

fn refused(error: sqlx::Error) -> Uncommitted {
    match error.as_database_error() {
        Some(database) if database.message().contains(NOT_AT_THE_END) => Uncommitted::Key,
        _ => Uncommitted::Failed(error.into()),
    }
}

/// Entries that have one of these keys in the log, with their indexes.
pub(crate) async fn existing(
    writer: &mut SqliteConnection,
    keys: Vec<String>,
) -> Result<HashMap<String, (u64, Entry)>, Error> {
    let mut found = HashMap::new();
    for key in keys {
        let row =
            sqlx::query("SELECT idx, leaf FROM entries WHERE key = ?").bind(&key).fetch_optional(&mut *writer).await?;
        let Some(row) = row else { continue };
        let (index, leaf): (i64, Vec<u8>) = (row.try_get("idx")?, row.try_get("leaf")?);
        let index = u64::try_from(index).unwrap_or_default();
        let entry = Entry::parse(&leaf).map_err(|fault| Error::NotWhole { index, what: fault.to_string() })?;
        found.insert(key, (index, entry));
    }
    Ok(found)
}
