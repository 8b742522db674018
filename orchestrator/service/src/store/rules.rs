//! Review rules, sealed under a session of their own: a pattern of findings is patient data too.

use super::{Store, StoreError};
use sqlx::{Sqlite, Transaction};

/// One rule's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct RuleRow {
    /// Its id.
    pub(crate) id: String,
    /// The session whose key opens it.
    pub(crate) home: String,
    /// The rule with its signed mark, sealed in the findings view.
    pub(crate) sealed: Vec<u8>,
    /// A person reversed it.
    pub(crate) reversed: bool,
    /// It lapses then.
    pub(crate) expires_ms: i64,
}

impl RuleRow {
    pub(super) async fn insert(&self, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        let query = sqlx::query("INSERT INTO rules VALUES (?, ?, ?, ?, ?)");
        let query = query.bind(&self.id).bind(&self.home).bind(&self.sealed).bind(self.reversed).bind(self.expires_ms);
        query.execute(&mut **tx).await?;
        Ok(())
    }
}

impl Store {
    /// All rules.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn rules(&self) -> Result<Vec<RuleRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM rules ORDER BY expires_ms, id").fetch_all(&self.pool).await?)
    }

    /// Stores a rule as reversed, sealed anew with the statement that reverses it, and queues the entry that tells of it; false when there is none in force.
    ///
    /// # Errors
    /// When the store cannot be written, or the statement was used before.
    pub(crate) async fn reverse_rule(
        &self,
        row: &RuleRow,
        nonce: &str,
        draft: &bodh_audit_api::pb::Draft,
    ) -> Result<Option<i64>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let new = sqlx::query("INSERT OR IGNORE INTO nonces VALUES (?)").bind(nonce).execute(&mut *tx).await?;
        if new.rows_affected() == 0 {
            return Err(StoreError::Replayed);
        }
        let query = sqlx::query("UPDATE rules SET reversed = 1, home = ?, sealed = ? WHERE id = ? AND reversed = 0");
        if query.bind(&row.home).bind(&row.sealed).bind(&row.id).execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let last = super::journal::queue(&mut tx, std::slice::from_ref(draft)).await?;
        tx.commit().await?;
        Ok(Some(last))
    }
}
