//! The epoch: a number that grows with every change that a gate must know of.

use sqlx::{Sqlite, SqliteExecutor, Transaction};

use super::Store;

/// The current epoch.
pub async fn epoch(store: &Store) -> Result<u64, sqlx::Error> {
    read(&store.pool).await
}

/// Moves on to the next epoch by itself, for a start with perhaps another policy.
pub async fn advance(store: &Store) -> Result<u64, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    let epoch = next(&mut transaction).await?;
    // Durable here: no two starts share an epoch.
    transaction.commit().await?;
    Ok(epoch)
}

/// Moves on to the next epoch within the transaction that makes the change.
pub(super) async fn next(transaction: &mut Transaction<'_, Sqlite>) -> Result<u64, sqlx::Error> {
    sqlx::query("UPDATE meta SET value = value + 1 WHERE name = 'epoch'").execute(&mut **transaction).await?;
    read(&mut **transaction).await
}

async fn read(executor: impl SqliteExecutor<'_>) -> Result<u64, sqlx::Error> {
    let epoch: i64 = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'epoch'").fetch_one(executor).await?;
    Ok(epoch.unsigned_abs())
}
