//! Sessions, their wrapped keys and what they have spent.

use sqlx::{Row, Sqlite, Transaction, sqlite::SqliteRow};

use super::Store;

/// The most different spends of one session.
const MAX_SPENDS: i64 = 10_000;

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Tokens are issued, the key is released to its holder.
    Active,
    /// At rest: the key stays, and is not released before a person asks.
    Closed,
    /// The key is destroyed.
    Erased,
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// 32 hex digits.
    pub id: String,
    /// SPIFFE id of the person on whose behalf it runs.
    pub owner: String,
    /// SPIFFE id of the service that may present its tokens.
    pub holder: String,
    /// A word that policies know.
    pub purpose: String,
    /// The session's current Ed25519 public key.
    pub session_key: Vec<u8>,
    /// What it was opened with, in cents.
    pub budget: u64,
    /// What is left, in cents.
    pub remaining: u64,
    /// Where it is in its life.
    pub status: Status,
    /// Until when it can be renewed without a person, Unix milliseconds.
    pub lease_ms: i64,
    /// When it can no longer be opened, Unix milliseconds.
    pub expires_ms: i64,
}

impl StoredSession {
    /// Whether only a person can have it opened.
    #[must_use]
    pub fn is_at_rest(&self, now_ms: i64) -> bool {
        self.status != Status::Active || now_ms >= self.lease_ms
    }
}

/// A signed approval to pay what the budget lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overspend<'a> {
    /// 32 hex digits, used once.
    pub nonce: &'a str,
    /// SHA-256 of the statement.
    pub statement: &'a [u8; 32],
}

/// What became of a request to open a session at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopening {
    /// It is open.
    Open,
    /// The request was used before.
    Used,
    /// There is nothing to open any more.
    Erased,
}

/// What became of a request to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// Taken from the budget now, or before under the same key; what was left then.
    Granted(u64),
    /// Not enough is left; this much.
    Short(u64),
    /// The key was used for another amount.
    OtherAmount,
    /// The approval was used for something else.
    Used,
    /// The session has too many spends.
    TooMany,
    /// The session is not active any more.
    Ended,
}

/// Adds a session with its wrapped key. `false` if the id was ever used.
pub async fn add(store: &Store, session: &StoredSession, wrapped: &[u8], now_ms: i64) -> Result<bool, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    let added = sqlx::query(
        "INSERT INTO sessions (id, owner, holder, purpose, session_key, budget, remaining, status, opened_ms, lease_ms,
                               expires_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&session.id)
    .bind(&session.owner)
    .bind(&session.holder)
    .bind(&session.purpose)
    .bind(&session.session_key)
    .bind(stored_cents(session.budget))
    .bind(stored_cents(session.remaining))
    .bind(now_ms)
    .bind(session.lease_ms)
    .bind(session.expires_ms)
    .execute(&mut *transaction)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("INSERT INTO session_keys (session, wrapped) VALUES (?, ?)")
        .bind(&session.id)
        .bind(wrapped)
        .execute(&mut *transaction)
        .await?;
    // Durable here: the session and its key, together. Nothing has been sealed to the key yet.
    transaction.commit().await?;
    Ok(true)
}

/// The session of this id.
pub async fn find(store: &Store, id: &str) -> Result<Option<StoredSession>, sqlx::Error> {
    sqlx::query(
        "SELECT id, owner, holder, purpose, session_key, budget, remaining, status, expires_ms, lease_ms
         FROM sessions WHERE id = ?",
    )
    .bind(id)
    .try_map(read)
    .fetch_optional(&store.pool)
    .await
}

/// The wrapped key of an active session.
pub async fn wrapped_key(store: &Store, id: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT wrapped FROM session_keys JOIN sessions ON sessions.id = session
         WHERE session = ? AND status = 'active'",
    )
    .bind(id)
    .fetch_optional(&store.pool)
    .await
}

/// Makes `key` the session's public key. `false` if the session is not active any more.
pub async fn set_key(store: &Store, id: &str, key: &[u8]) -> Result<bool, sqlx::Error> {
    // Durable when this returns: tokens for the former key are refused from here on.
    let changed = sqlx::query("UPDATE sessions SET session_key = ? WHERE id = ? AND status = 'active'")
        .bind(key)
        .bind(id)
        .execute(&store.pool)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Whether this key has paid before.
pub async fn is_spent(store: &Store, id: &str, key: &str) -> Result<bool, sqlx::Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM spends WHERE session = ? AND key = ?)";
    sqlx::query_scalar(query).bind(id).bind(key).fetch_one(&store.pool).await
}

/// Takes `cents` from the budget, once per `key`; what the budget lacks is added to it first when approvals allow, each once
/// and at most `missing`: what was judged, and no more if something else was spent since.
pub async fn spend(
    store: &Store,
    id: &str,
    (key, cents): (&str, u64),
    (overspend, missing): (&[Overspend<'_>], u64),
    now_ms: i64,
) -> Result<Spending, sqlx::Error> {
    let cents = stored_cents(cents);
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    let before: Option<(i64, i64)> =
        sqlx::query_as("SELECT cents, remaining FROM spends WHERE session = ? AND key = ?")
            .bind(id)
            .bind(key)
            .fetch_optional(&mut *transaction)
            .await?;
    if let Some((then, remaining)) = before {
        return Ok(if then == cents { Spending::Granted(remaining.unsigned_abs()) } else { Spending::OtherAmount });
    }
    let spends: i64 = sqlx::query_scalar("SELECT count(*) FROM spends WHERE session = ?")
        .bind(id)
        .fetch_one(&mut *transaction)
        .await?;
    if spends >= MAX_SPENDS {
        return Ok(Spending::TooMany);
    }
    for overspend in overspend {
        if !use_up(&mut transaction, overspend.nonce, id, overspend.statement, now_ms).await? {
            return Ok(Spending::Used);
        }
    }
    if !overspend.is_empty() {
        sqlx::query(
            "UPDATE sessions SET budget = budget + max(0, ?1 - remaining), remaining = max(remaining, ?1)
             WHERE id = ?2 AND status = 'active' AND ?1 - remaining <= ?3",
        )
        .bind(cents)
        .bind(id)
        .bind(stored_cents(missing))
        .execute(&mut *transaction)
        .await?;
    }
    let taken: Option<i64> = sqlx::query_scalar(
        "UPDATE sessions SET remaining = remaining - ?1 WHERE id = ?2 AND status = 'active' AND remaining >= ?1
         RETURNING remaining",
    )
    .bind(cents)
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(remaining) = taken else { return short(&mut transaction, id).await };
    sqlx::query("INSERT INTO spends (session, key, cents, remaining, spent_ms) VALUES (?, ?, ?, ?, ?)")
        .bind(id)
        .bind(key)
        .bind(cents)
        .bind(remaining)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
    // Durable here, together: the account, the key that took from it, and the approval that it rests on; a repeat finds
    // the key.
    transaction.commit().await?;
    Ok(Spending::Granted(remaining.unsigned_abs()))
}

async fn short(transaction: &mut Transaction<'_, Sqlite>, id: &str) -> Result<Spending, sqlx::Error> {
    let left: Option<i64> = sqlx::query_scalar("SELECT remaining FROM sessions WHERE id = ? AND status = 'active'")
        .bind(id)
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(left.map_or(Spending::Ended, |remaining| Spending::Short(remaining.unsigned_abs())))
}

/// Opens a session at rest, or lengthens the lease of one at work: once per `nonce`.
pub async fn reopen(
    store: &Store,
    id: &str,
    nonce: &str,
    statement: &[u8; 32],
    now_ms: i64,
    lease_ms: i64,
) -> Result<Reopening, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    if !use_up(&mut transaction, nonce, id, statement, now_ms).await? {
        return Ok(Reopening::Used);
    }
    let opened = sqlx::query(
        "UPDATE sessions SET status = 'active', lease_ms = max(lease_ms, ?1) WHERE id = ?2 AND status <> 'erased'",
    )
    .bind(lease_ms)
    .bind(id)
    .execute(&mut *transaction)
    .await?;
    if opened.rows_affected() == 0 {
        return Ok(Reopening::Erased);
    }
    // Durable here, together: the open session and the request that it rests on.
    transaction.commit().await?;
    Ok(Reopening::Open)
}

/// Marks a person's statement as used. `false` if it was.
async fn use_up(
    transaction: &mut Transaction<'_, Sqlite>,
    nonce: &str,
    session: &str,
    statement: &[u8; 32],
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let new = sqlx::query(
        "INSERT INTO statements (nonce, session, statement, used_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(nonce)
    .bind(session)
    .bind(statement.as_slice())
    .bind(now_ms)
    .execute(&mut **transaction)
    .await?;
    Ok(new.rows_affected() == 1)
}

/// Closes an active session; a closed or erased one stays as it is.
pub async fn close(store: &Store, id: &str) -> Result<(), sqlx::Error> {
    // Durable when this returns: the key is not released any more.
    sqlx::query("UPDATE sessions SET status = 'closed' WHERE id = ? AND status = 'active'")
        .bind(id)
        .execute(&store.pool)
        .await?;
    Ok(())
}

/// Destroys the session's key. Repeating it completes what a crash cut short.
pub async fn erase(store: &Store, id: &str) -> Result<(), sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("DELETE FROM session_keys WHERE session = ?").bind(id).execute(&mut *transaction).await?;
    sqlx::query("UPDATE sessions SET status = 'erased' WHERE id = ?").bind(id).execute(&mut *transaction).await?;
    // Durable here: erased for every reader. Copies of the key remain in the log's older frames until it is truncated;
    // a crash in between is completed by the next start, which truncates it too.
    transaction.commit().await?;
    store.truncate_log().await
}

/// Amounts are bounded far below `i64::MAX` before they come here; a larger one can never be granted.
fn stored_cents(cents: u64) -> i64 {
    i64::try_from(cents).unwrap_or(i64::MAX)
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that sqlx's try_map wants")]
fn read(row: SqliteRow) -> Result<StoredSession, sqlx::Error> {
    let status: String = row.try_get(7)?;
    Ok(StoredSession {
        id: row.try_get(0)?,
        owner: row.try_get(1)?,
        holder: row.try_get(2)?,
        purpose: row.try_get(3)?,
        session_key: row.try_get(4)?,
        budget: row.try_get::<i64, _>(5)?.unsigned_abs(),
        remaining: row.try_get::<i64, _>(6)?.unsigned_abs(),
        status: match status.as_str() {
            "active" => Status::Active,
            "closed" => Status::Closed,
            _ => Status::Erased,
        },
        expires_ms: row.try_get(8)?,
        lease_ms: row.try_get(9)?,
    })
}
