//! Reading entries, in chunks of bounded size.

use bodh_audit_log::{Entry, Hash, Kind};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteExecutor};

use super::to_row;
use crate::Error;

/// Rows per query, so that memory stays bounded whatever is asked.
pub(crate) const CHUNK: usize = 256;

/// Entries that are looked at in one query for where sessions begin.
const STRETCH: u64 = 1_024;

/// What to read. Empty fields do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this session.
    pub session: String,
    /// Only this trace.
    pub trace: String,
    /// Only this kind.
    pub kind: Option<Kind>,
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        (self.trace.is_empty() || self.trace == entry.draft.trace)
            && self.kind.is_none_or(|kind| kind == entry.draft.kind)
    }
}

/// A stored row as it is, not yet trusted.
pub(crate) struct Stored {
    pub(crate) index: u64,
    pub(crate) key: String,
    pub(crate) session: String,
    pub(crate) leaf: Vec<u8>,
    pub(crate) hash: Option<Hash>,
}

fn stored(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    let (index, hash): (i64, Vec<u8>) = (row.try_get("idx")?, row.try_get("leaf_hash")?);
    Ok(Stored {
        index: u64::try_from(index).unwrap_or(u64::MAX),
        key: row.try_get("key")?,
        session: row.try_get("session")?,
        leaf: row.try_get("leaf")?,
        hash: Hash::from_slice(&hash),
    })
}

/// Rows from `from` and below `to`, at most [`CHUNK`].
pub(crate) async fn rows(db: impl SqliteExecutor<'_>, from: u64, to: u64) -> Result<Vec<Stored>, Error> {
    let limit = i64::try_from(CHUNK).unwrap_or(i64::MAX);
    let found = sqlx::query(
        "SELECT idx, key, session, leaf, leaf_hash FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
    );
    let found = found.bind(to_row(from)?).bind(to_row(to)?).bind(limit).fetch_all(db).await?;
    Ok(found.iter().map(stored).collect::<Result<_, _>>()?)
}

/// How many entries there are, if no index is missing.
pub(crate) async fn size(db: impl SqliteExecutor<'_>) -> Result<u64, Error> {
    let next: i64 = sqlx::query_scalar("SELECT coalesce(max(idx) + 1, 0) FROM entries").fetch_one(db).await?;
    Ok(u64::try_from(next).unwrap_or_default())
}

/// The next entries that match, looking at one chunk from `from`: the matches as leaves, and where to go on (nothing
/// at the end).
pub(crate) async fn matching(
    readers: &SqlitePool,
    filter: &Filter,
    from: u64,
    to: u64,
) -> Result<(Vec<(u64, Vec<u8>)>, Option<u64>), Error> {
    let chunk = if filter.session.is_empty() {
        rows(readers, from, to).await?
    } else {
        of_session(readers, &filter.session, from, to).await?
    };
    let next = chunk.last().filter(|_| chunk.len() == CHUNK).map(|last| last.index + 1);
    let mut found = Vec::new();
    for row in chunk {
        let entry =
            Entry::parse(&row.leaf).map_err(|fault| Error::NotWhole { index: row.index, what: fault.to_string() })?;
        if filter.takes(&entry) {
            found.push((row.index, row.leaf));
        }
    }
    Ok((found, next))
}

async fn of_session(readers: &SqlitePool, session: &str, from: u64, to: u64) -> Result<Vec<Stored>, Error> {
    let limit = i64::try_from(CHUNK).unwrap_or(i64::MAX);
    let found = sqlx::query(
        "SELECT idx, key, session, leaf, leaf_hash FROM entries
         WHERE session = ? AND session <> '' AND idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
    );
    let found = found.bind(session).bind(to_row(from)?).bind(to_row(to)?).bind(limit).fetch_all(readers).await?;
    Ok(found.iter().map(stored).collect::<Result<_, _>>()?)
}

/// The first entries of sessions, the newest first, looking at one stretch below `to`: the leaves, and below which index to
/// go on (nothing at the end). Whether an earlier entry is of the same session, the index by session knows.
pub(crate) async fn begins(
    readers: &SqlitePool,
    from: u64,
    to: u64,
) -> Result<(Vec<(u64, Vec<u8>)>, Option<u64>), Error> {
    let low = from.max(to.saturating_sub(STRETCH));
    let found = sqlx::query(
        "SELECT idx, key, session, leaf, leaf_hash FROM entries e WHERE idx >= ? AND idx < ? AND session <> ''
         AND NOT EXISTS (SELECT 1 FROM entries p WHERE p.session = e.session AND p.session <> '' AND p.idx < e.idx)
         ORDER BY idx DESC",
    );
    let found = found.bind(to_row(low)?).bind(to_row(to)?).fetch_all(readers).await?;
    let rows: Vec<Stored> = found.iter().map(stored).collect::<Result<_, _>>()?;
    Ok((rows.into_iter().map(|row| (row.index, row.leaf)).collect(), (low > from).then_some(low)))
}
