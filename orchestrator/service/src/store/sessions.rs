//! Sessions: who asked, under which budget, and the sealed case.

use super::{Store, StoreError};
use sqlx::{FromRow, Row, sqlite::SqliteRow};

/// One session's row. The blobs are sealed in their views.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    /// 32 hex digits.
    pub(crate) id: String,
    /// 32 hex digits.
    pub(crate) trace: String,
    /// SPIFFE id.
    pub(crate) requester: String,
    /// Milliseconds since 1970 UTC.
    pub(crate) opened_ms: i64,
    /// In cents.
    pub(crate) budget_cents: u64,
    /// Orders are committed.
    pub(crate) sequential: bool,
    /// The state's name.
    pub(crate) state: String,
    /// The four sealed view keys.
    pub(crate) keys: Vec<u8>,
    /// The guardian has it at rest.
    pub(crate) closed: bool,
    /// Age and sex (findings view).
    pub(crate) subject: Vec<u8>,
    /// Identifiers view.
    pub(crate) identifiers: Vec<u8>,
    /// Free-text view.
    pub(crate) note: Vec<u8>,
    /// Findings view.
    pub(crate) coded: Vec<u8>,
    /// Findings that the gatekeeper still holds back (findings view).
    pub(crate) hidden: Option<Vec<u8>>,
    /// What the reader should know of the input (findings view).
    pub(crate) warnings: Vec<u8>,
}

impl FromRow<'_, SqliteRow> for SessionRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let budget: i64 = row.try_get("budget_cents")?;
        Ok(Self {
            id: row.try_get("id")?,
            trace: row.try_get("trace")?,
            requester: row.try_get("requester")?,
            opened_ms: row.try_get("opened_ms")?,
            budget_cents: u64::try_from(budget).unwrap_or(0),
            sequential: row.try_get("sequential")?,
            state: row.try_get("state")?,
            keys: row.try_get("keys")?,
            closed: row.try_get("closed")?,
            subject: row.try_get("subject")?,
            identifiers: row.try_get("identifiers")?,
            note: row.try_get("note")?,
            coded: row.try_get("coded")?,
            hidden: row.try_get("hidden")?,
            warnings: row.try_get("warnings")?,
        })
    }
}

impl Store {
    /// The session's row.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn session(&self, id: &str) -> Result<Option<SessionRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM sessions WHERE id = ?").bind(id).fetch_optional(&self.pool).await?)
    }

    /// Sessions of one person, or of everybody, the newest first, with how many escalations of each wait; at most a
    /// thousand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn sessions(&self, requester: Option<&str>) -> Result<Vec<(SessionRow, i64)>, StoreError> {
        let query = "SELECT *, (SELECT count(*) FROM escalations e WHERE e.session = s.id AND e.status = 'open') AS waiting \
                     FROM sessions s WHERE ?1 IS NULL OR requester = ?1 ORDER BY opened_ms DESC, id LIMIT 1000";
        let rows = sqlx::query(query).bind(requester).fetch_all(&self.pool).await?;
        let read = |row: SqliteRow| Ok((SessionRow::from_row(&row)?, row.try_get("waiting")?));
        rows.into_iter().map(read).collect()
    }

    /// Sessions that were at work when the service ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn unfinished(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM sessions WHERE at_rest = 0 ORDER BY opened_ms")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Sessions at rest that the guardian has not closed yet, with their traces.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn unclosed(&self) -> Result<Vec<(String, String)>, StoreError> {
        let query = "SELECT id, trace FROM sessions WHERE at_rest = 1 AND closed = 0 ORDER BY opened_ms";
        Ok(sqlx::query_as(query).fetch_all(&self.pool).await?)
    }

    /// Keeps whether the guardian has the session at rest.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn set_closed(&self, id: &str, closed: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET closed = ? WHERE id = ?").bind(closed).bind(id).execute(&self.pool).await?;
        Ok(())
    }

    /// How many sessions stand in each state.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn states(&self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as("SELECT state, count(*) FROM sessions GROUP BY state ORDER BY state")
            .fetch_all(&self.pool)
            .await?)
    }
}
