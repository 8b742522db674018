//! First approvals of what takes two: each stays as it was signed, also when it was voided.

use super::{Store, StoreError};
use sqlx::{Sqlite, Transaction};

/// A first approval, to be stored with the event that it is.
pub(crate) struct FirstRow<'a> {
    /// The escalation.
    pub(crate) escalation: &'a str,
    /// SPIFFE id.
    pub(crate) by: &'a str,
    /// The signed bytes, sealed in the reasoning view.
    pub(crate) decision: Vec<u8>,
    /// The signature over them.
    pub(crate) signature: &'a [u8],
}

/// A first approval as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Kept {
    /// The event that it was.
    pub(crate) seq: i64,
    /// The sealed statement.
    pub(crate) decision: Vec<u8>,
    /// The signature over it.
    pub(crate) signature: Vec<u8>,
    /// Whether it counts no more.
    pub(crate) void: bool,
}

impl FirstRow<'_> {
    pub(super) async fn insert(&self, seq: i64, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        // Only where the question is open and nobody has approved: two people at once are not both the first.
        let query = "INSERT INTO firsts (escalation, seq, signer, decision, signature) SELECT ?1, ?2, ?3, ?4, ?5 \
                     WHERE EXISTS (SELECT 1 FROM escalations WHERE id = ?1 AND status = 'open') \
                     AND NOT EXISTS (SELECT 1 FROM firsts WHERE escalation = ?1 AND void = 0)";
        let added = sqlx::query(query)
            .bind(self.escalation)
            .bind(seq)
            .bind(self.by)
            .bind(&self.decision)
            .bind(self.signature)
            .execute(&mut **tx)
            .await?;
        if added.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Replayed) }
    }
}

/// The escalation's first approval counts no more.
pub(super) async fn void(escalation: &str, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE firsts SET void = 1 WHERE escalation = ? AND void = 0");
    query.bind(escalation).execute(&mut **tx).await?;
    Ok(())
}

impl Store {
    /// Every first approval of an escalation, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn firsts(&self, escalation: &str) -> Result<Vec<Kept>, StoreError> {
        let query = "SELECT seq, decision, signature, void FROM firsts WHERE escalation = ? ORDER BY seq";
        Ok(sqlx::query_as(query).bind(escalation).fetch_all(&self.pool).await?)
    }
}
