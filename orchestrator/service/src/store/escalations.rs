//! Escalations: what waits for people, and what they decided.

use super::{Store, StoreError};
use sqlx::{FromRow, Row, Sqlite, Transaction, sqlite::SqliteRow};

/// One escalation's row. `record` is sealed in the reasoning view; kind and reason are the policy's own words.
#[derive(Debug, Clone)]
pub(crate) struct EscalationRow {
    /// Its id.
    pub(crate) id: String,
    /// The session.
    pub(crate) session: String,
    /// The kind.
    pub(crate) kind: String,
    /// The policy's reason.
    pub(crate) reason: String,
    /// What is proposed, without a diagnosis: `order ct_chest`, `conclude`.
    pub(crate) action: String,
    /// The agent whose opinion raised it.
    pub(crate) agent: String,
    /// The session's trace.
    pub(crate) trace: String,
    /// Who decides.
    pub(crate) role: String,
    /// The amount at stake.
    pub(crate) amount_cents: Option<i64>,
    /// Who asked for the session.
    pub(crate) requester: String,
    /// Who asked for what is proposed, where a physician did.
    pub(crate) asked_by: Option<String>,
    /// How many different people have to approve.
    pub(crate) signers: u32,
    /// Where it takes two: who approved first.
    pub(crate) first_by: Option<String>,
    /// When it was raised.
    pub(crate) raised_ms: i64,
    /// The record as shown, sealed.
    pub(crate) record: Vec<u8>,
    /// SHA-256 of the record as shown, hex. Unguessable: the record holds the session's random id.
    pub(crate) record_sha256: String,
    /// `open`, `approve`, `deny`, `amend`, `ask` or `lapsed`.
    pub(crate) status: String,
}

/// A decision, to be stored with the event that it is.
pub(crate) struct Decided<'a> {
    /// The escalation.
    pub(crate) escalation: &'a str,
    /// `approve`, `deny`, `amend` or `ask`.
    pub(crate) verdict: &'static str,
    /// SPIFFE id.
    pub(crate) by: &'a str,
    /// The signed bytes, sealed in the reasoning view.
    pub(crate) decision: Vec<u8>,
    /// The signature over them.
    pub(crate) signature: &'a [u8],
}

/// Who approved first, and not in vain: of at most one approval per escalation.
const FIRST_BY: &str = "(SELECT signer FROM firsts f WHERE f.escalation = e.id AND f.void = 0) AS first_by";

impl FromRow<'_, SqliteRow> for EscalationRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            session: row.try_get("session")?,
            kind: row.try_get("kind")?,
            reason: row.try_get("reason")?,
            action: row.try_get("action")?,
            agent: row.try_get("agent")?,
            trace: row.try_get("trace")?,
            role: row.try_get("role")?,
            amount_cents: row.try_get("amount_cents")?,
            requester: row.try_get("requester")?,
            asked_by: row.try_get("asked_by")?,
            signers: row.try_get("signers")?,
            first_by: row.try_get("first_by")?,
            raised_ms: row.try_get("raised_ms")?,
            record: row.try_get("record")?,
            record_sha256: row.try_get("record_sha256")?,
            status: row.try_get("status")?,
        })
    }
}

impl EscalationRow {
    pub(super) async fn insert(&self, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO escalations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?, ?, NULL)",
        )
        .bind(&self.id)
        .bind(&self.session)
        .bind(&self.kind)
        .bind(&self.reason)
        .bind(&self.action)
        .bind(&self.agent)
        .bind(&self.trace)
        .bind(&self.role)
        .bind(self.amount_cents)
        .bind(&self.requester)
        .bind(self.raised_ms)
        .bind(&self.record)
        .bind(&self.record_sha256)
        .bind(&self.status)
        .bind(&self.asked_by)
        .bind(self.signers)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

impl Decided<'_> {
    pub(super) async fn update(&self, at_ms: i64, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        // Only an open escalation can be decided: two people at once cannot both decide.
        let query = "UPDATE escalations SET status = ?, decided_by = ?, decision = ?, signature = ?, decided_ms = ? WHERE id = ? AND status = 'open'";
        let changed = sqlx::query(query)
            .bind(self.verdict)
            .bind(self.by)
            .bind(&self.decision)
            .bind(self.signature)
            .bind(at_ms)
            .bind(self.escalation)
            .execute(&mut **tx)
            .await?;
        if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Replayed) }
    }
}

impl Store {
    /// One escalation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn escalation(&self, id: &str) -> Result<Option<EscalationRow>, StoreError> {
        let query = format!("SELECT *, {FIRST_BY} FROM escalations e WHERE id = ?");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.pool).await?)
    }

    /// Escalations, oldest first: the open ones, or all; at most a thousand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn escalations(&self, all: bool) -> Result<Vec<EscalationRow>, StoreError> {
        let query = format!(
            "SELECT *, {FIRST_BY} FROM escalations e WHERE ? OR status = 'open' ORDER BY raised_ms, id LIMIT 1000"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(all).fetch_all(&self.pool).await?)
    }
}

impl Store {
    /// Sessions with an escalation that was raised at or before `unix_ms` and is still open, at most a hundred.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn undecided_since(&self, unix_ms: i64) -> Result<Vec<String>, StoreError> {
        let query = "SELECT DISTINCT session FROM escalations WHERE status = 'open' AND raised_ms <= ? LIMIT 100";
        let rows: Vec<(String,)> = sqlx::query_as(query).bind(unix_ms).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(session,)| session).collect())
    }

    /// The sealed decision on an escalation and its signature.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn decision(&self, id: &str) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
        let query = "SELECT decision, signature FROM escalations WHERE id = ? AND decision IS NOT NULL";
        Ok(sqlx::query_as(query).bind(id).fetch_optional(&self.pool).await?)
    }
}
