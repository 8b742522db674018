//! Changes of people's keys: added, never changed, never removed.

use bodh_guardian_api::SignedChange;
use sqlx::{Row, sqlite::SqliteRow};

use super::{Store, meta};

/// A stored change: the signed record and when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// SPIFFE id of the person.
    pub id: String,
    /// What was signed, with its signatures.
    pub signed: SignedChange,
    /// How many people were enrolled by then.
    pub enrolled: i64,
    /// When the guardian accepted it, Unix milliseconds.
    pub changed_ms: i64,
}

/// Adds a change and moves to the next epoch.
pub async fn add(store: &Store, change: &StoredChange) -> Result<u64, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO key_changes (id, record, by_own, by_new, enrolled, changed_ms) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&change.id)
        .bind(&change.signed.record)
        .bind(&change.signed.by_own)
        .bind(&change.signed.by_new)
        .bind(change.enrolled)
        .bind(change.changed_ms)
        .execute(&mut *transaction)
        .await?;
    let epoch = meta::next(&mut transaction).await?;
    // Durable here: what goes and what comes in its place, and the epoch that announces it, together.
    transaction.commit().await?;
    Ok(epoch)
}

/// All of them, in order.
pub async fn all(store: &Store) -> Result<Vec<StoredChange>, sqlx::Error> {
    sqlx::query("SELECT id, record, by_own, by_new, enrolled, changed_ms FROM key_changes ORDER BY seq")
        .try_map(read)
        .fetch_all(&store.pool)
        .await
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that sqlx's try_map wants")]
fn read(row: SqliteRow) -> Result<StoredChange, sqlx::Error> {
    let signed = SignedChange { record: row.try_get(1)?, by_own: row.try_get(2)?, by_new: row.try_get(3)? };
    Ok(StoredChange { id: row.try_get(0)?, signed, enrolled: row.try_get(4)?, changed_ms: row.try_get(5)? })
}
