//! What whoever convened a session has not seen yet: that one of its questions was decided.

use super::{Store, StoreError};

/// A decision that its requester has not seen.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Told {
    /// The escalation.
    pub(crate) id: String,
    /// The session.
    pub(crate) session: String,
    /// The kind.
    pub(crate) kind: String,
    /// What was proposed, without a diagnosis.
    pub(crate) action: String,
    /// `approve`, `deny`, `amend` or `ask`.
    pub(crate) status: String,
    /// SPIFFE id of who decided.
    pub(crate) decided_by: String,
    /// When it was taken in.
    pub(crate) decided_ms: i64,
}

impl Store {
    /// Decisions on this person's sessions since they last opened each, the newest first; at most a hundred.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn told(&self, requester: &str) -> Result<Vec<Told>, StoreError> {
        let query = "SELECT e.id, e.session, e.kind, e.action, e.status, e.decided_by, e.decided_ms FROM escalations e \
                     JOIN sessions s ON s.id = e.session WHERE s.requester = ? AND e.decided_ms > s.seen_ms \
                     ORDER BY e.decided_ms DESC, e.id LIMIT 100";
        Ok(sqlx::query_as(query).bind(requester).fetch_all(&self.pool).await?)
    }

    /// Keeps that whoever convened the session has opened it: anybody else's reading changes nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub(crate) async fn saw(&self, session: &str, who: &str, at_ms: i64) -> Result<(), StoreError> {
        let query = "UPDATE sessions SET seen_ms = max(seen_ms, ?) WHERE id = ? AND requester = ?";
        sqlx::query(query).bind(at_ms).bind(session).bind(who).execute(&self.pool).await?;
        Ok(())
    }
}
