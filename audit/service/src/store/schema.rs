//! Tables, and the triggers that make them grow only.

use sqlx::sqlite::SqliteConnection;

use crate::Error;

/// The schema's version, kept in `user_version`.
const VERSION: i64 = 2;

/// Triggers bind every connection, whoever opens it: a row is never changed or removed, and comes only at the end.
const STATEMENTS: [&str; 6] = [
    "CREATE TABLE entries (
        idx INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        session TEXT NOT NULL,
        leaf BLOB NOT NULL,
        leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
    ) STRICT",
    "CREATE INDEX entries_by_session ON entries (session, idx) WHERE session <> ''",
    "CREATE TABLE frontier (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, peaks BLOB NOT NULL) STRICT",
    "CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
     BEGIN SELECT RAISE(ABORT, 'entries are not changed'); END",
    "CREATE TRIGGER entries_are_not_removed BEFORE DELETE ON entries
     BEGIN SELECT RAISE(ABORT, 'entries are not removed'); END",
    "CREATE TRIGGER entries_come_at_the_end BEFORE INSERT ON entries
     WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entries) OR EXISTS (SELECT 1 FROM entries WHERE key = NEW.key)
     BEGIN SELECT RAISE(ABORT, 'entries come at the end, each key once'); END",
];

/// What the insert trigger says.
pub(crate) const NOT_AT_THE_END: &str = "entries come at the end, each key once";

/// Makes the tables in a new database; refuses a database of another version.
pub(crate) async fn create(connection: &mut SqliteConnection) -> Result<(), Error> {
    use sqlx::Connection;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    if version == VERSION {
        return Ok(());
    }
    let objects: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    if version != 0 || objects != 0 {
        let what = format!("audit.db has schema version {version}; this program knows {VERSION}");
        return Err(Error::NotWhole { index: 0, what });
    }
    let mut made = connection.begin().await?;
    for statement in STATEMENTS {
        sqlx::query(statement).execute(&mut *made).await?;
    }
    sqlx::query("PRAGMA user_version = 2").execute(&mut *made).await?;
    made.commit().await?;
    Ok(())
}
