//! People: added, never changed, never removed.

use sqlx::{Row, sqlite::SqliteRow};

use super::{Store, meta};

/// A stored person: the signed record and when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPerson {
    /// SPIFFE id.
    pub id: String,
    /// Public key: Ed25519, or a passkey.
    pub key: Vec<u8>,
    /// The canonical record that was signed.
    pub record: Vec<u8>,
    /// The signature over it.
    pub signature: Vec<u8>,
    /// When the guardian accepted it, Unix milliseconds.
    pub enrolled_ms: i64,
}

/// Adds a person and moves to the next epoch. `None` if the id or the key is taken.
pub async fn add(store: &Store, person: &StoredPerson) -> Result<Option<u64>, sqlx::Error> {
    let mut transaction = store.pool.begin_with("BEGIN IMMEDIATE").await?;
    let added = sqlx::query(
        "INSERT INTO people (id, key, record, signature, enrolled_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&person.id)
    .bind(&person.key)
    .bind(&person.record)
    .bind(&person.signature)
    .bind(person.enrolled_ms)
    .execute(&mut *transaction)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(None);
    }
    let epoch = meta::next(&mut transaction).await?;
    // Durable here: the person and the epoch that announces them, together.
    transaction.commit().await?;
    Ok(Some(epoch))
}

/// Everybody, in order of enrolment.
pub async fn all(store: &Store) -> Result<Vec<StoredPerson>, sqlx::Error> {
    sqlx::query("SELECT id, key, record, signature, enrolled_ms FROM people ORDER BY seq")
        .try_map(read)
        .fetch_all(&store.pool)
        .await
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that sqlx's try_map wants")]
fn read(row: SqliteRow) -> Result<StoredPerson, sqlx::Error> {
    Ok(StoredPerson {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        record: row.try_get(2)?,
        signature: row.try_get(3)?,
        enrolled_ms: row.try_get(4)?,
    })
}
