//! Reviews of sessions' records, sealed: a reviewer's words may name a patient.

use super::{Store, StoreError};
use bodh_audit_api::pb;

impl Store {
    /// The sealed reviews of a session with their numbers and signatures, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn reviews(&self, session: &str) -> Result<Vec<(i64, Vec<u8>, Vec<u8>)>, StoreError> {
        let query = "SELECT number, sealed, signature FROM reviews WHERE session = ? ORDER BY number";
        Ok(sqlx::query_as(query).bind(session).fetch_all(&self.pool).await?)
    }

    /// Stores a review as this number and queues the entry that tells of it.
    ///
    /// # Errors
    /// When the store cannot be written, or the statement was used before.
    pub(crate) async fn add_review(
        &self,
        (session, number): (&str, u64),
        sealed: &[u8],
        signature: &[u8],
        nonce: &str,
        draft: &pb::Draft,
    ) -> Result<i64, StoreError> {
        let mut tx = self.pool.begin().await?;
        let new = sqlx::query("INSERT OR IGNORE INTO nonces VALUES (?)").bind(nonce).execute(&mut *tx).await?;
        if new.rows_affected() == 0 {
            return Err(StoreError::Replayed);
        }
        let query = sqlx::query("INSERT INTO reviews VALUES (?, ?, ?, ?)").bind(session);
        let query = query.bind(i64::try_from(number).unwrap_or(i64::MAX)).bind(sealed).bind(signature);
        query.execute(&mut *tx).await?;
        let last = super::journal::queue(&mut tx, std::slice::from_ref(draft)).await?;
        tx.commit().await?;
        Ok(last)
    }
}
