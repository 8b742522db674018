//! Queued audit entries: written with the step that they tell of, sent in order, removed once durable in the log.

use super::{Store, StoreError};
use bodh_audit_api::pb;
use prost::Message;

impl Store {
    /// The oldest queued entries after `sent`, at most `most`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn queued(&self, sent: i64, most: u32) -> Result<Vec<(i64, pb::Draft)>, StoreError> {
        let query = sqlx::query_as("SELECT id, draft FROM outbox WHERE id > ? ORDER BY id LIMIT ?");
        let rows: Vec<(i64, Vec<u8>)> = query.bind(sent).bind(most).fetch_all(&self.pool).await?;
        let read = |(id, bytes): (i64, Vec<u8>)| {
            pb::Draft::decode(bytes.as_slice()).map(|draft| (id, draft)).map_err(|_| StoreError::Row("outbox"))
        };
        rows.into_iter().map(read).collect()
    }

    /// Removes entries up to `last`: the log has acknowledged them. A crash before this sends them again, which their
    /// idempotency keys make harmless.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn sent(&self, last: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE id <= ?").bind(last).execute(&self.pool).await?;
        Ok(())
    }
}
