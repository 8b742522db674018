//! Revoked identities: added, never taken back.

use super::{Store, meta};

/// Adds a revocation and moves to the next epoch. `None` if the id is revoked already.
pub async fn add(store: &Store, id: &str, reason: &str, by: &str, now_ms: i64) -> Result<Option<u64>, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    let added = sqlx::query(
        "INSERT INTO revocations (id, reason, revoked_by, revoked_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(reason)
    .bind(by)
    .bind(now_ms)
    .execute(&mut *transaction)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(None);
    }
    let epoch = meta::next(&mut transaction).await?;
    // Durable here: revoked, also after a crash before the first gate was told.
    transaction.commit().await?;
    Ok(Some(epoch))
}

/// Every revoked id.
pub async fn all(store: &Store) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM revocations ORDER BY id").fetch_all(&store.pool).await
}
