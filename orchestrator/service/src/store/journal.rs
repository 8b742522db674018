//! The journal: a session's events, and everything that must be durable together with one.

use super::{Decided, EscalationRow, FirstRow, RuleRow, SessionRow, Store, StoreError, firsts, patients};
use bodh_audit_api::pb;
use bodh_audit_log::Draft;
use prost::Message;
use sqlx::{Sqlite, Transaction};

/// One step of a session, to be committed as a whole.
#[derive(Default)]
pub(crate) struct StepRows<'a> {
    /// The session.
    pub(crate) session: &'a str,
    /// The event's number, from 1.
    pub(crate) seq: i64,
    /// When it happened.
    pub(crate) at_ms: i64,
    /// The event, sealed in the reasoning view.
    pub(crate) sealed: Vec<u8>,
    /// The state after it.
    pub(crate) state: &'a str,
    /// Whether the session waits for people or is over.
    pub(crate) at_rest: bool,
    /// Entries that tell of it.
    pub(crate) drafts: Vec<pb::Draft>,
    /// Escalations that it raised.
    pub(crate) raised: Vec<EscalationRow>,
    /// The decision that it was.
    pub(crate) decided: Option<Decided<'a>>,
    /// The first of two approvals that it was.
    pub(crate) first: Option<FirstRow<'a>>,
    /// The escalation whose first approval it voided.
    pub(crate) voided: Option<&'a str>,
    /// What the gatekeeper holds back from now on.
    pub(crate) hidden: Option<Vec<u8>>,
    /// The rule that it left behind.
    pub(crate) rule: Option<RuleRow>,
    /// A signed statement's nonce.
    pub(crate) nonce: Option<String>,
}

impl Store {
    /// Opens a session: its row, the tag of its patient where there is a pseudonym, and the entries that tell of it.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing was.
    pub(crate) async fn open_session(
        &self,
        row: &SessionRow,
        patient: Option<&[u8; 32]>,
        drafts: &[pb::Draft],
    ) -> Result<i64, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, NULL, ?, 0, 0)")
            .bind(&row.id)
            .bind(&row.trace)
            .bind(&row.requester)
            .bind(row.opened_ms)
            .bind(i64::try_from(row.budget_cents).unwrap_or(i64::MAX))
            .bind(row.sequential)
            .bind(&row.state)
            .bind(&row.keys)
            .bind(&row.subject)
            .bind(&row.identifiers)
            .bind(&row.note)
            .bind(&row.coded)
            .bind(&row.warnings)
            .execute(&mut *tx)
            .await?;
        if let Some(tag) = patient {
            patients::insert(&row.id, tag, &mut tx).await?;
        }
        let last = queue(&mut tx, drafts).await?;
        // Durable now: the session and its entries. A crash before leaves neither.
        tx.commit().await?;
        Ok(last)
    }

    /// Commits one step; answers the last queued entry's number.
    ///
    /// # Errors
    /// When the store cannot be written, or the statement's nonce was used before; then nothing was written.
    pub(crate) async fn commit(&self, step: StepRows<'_>) -> Result<i64, StoreError> {
        let mut tx = self.pool.begin().await?;
        if let Some(nonce) = &step.nonce {
            let new = sqlx::query("INSERT OR IGNORE INTO nonces VALUES (?)").bind(nonce).execute(&mut *tx).await?;
            if new.rows_affected() == 0 {
                return Err(StoreError::Replayed);
            }
        }
        sqlx::query("INSERT INTO events VALUES (?, ?, ?, ?)")
            .bind(step.session)
            .bind(step.seq)
            .bind(step.at_ms)
            .bind(&step.sealed)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE sessions SET state = ?, at_rest = ?, hidden = coalesce(?, hidden) WHERE id = ?")
            .bind(step.state)
            .bind(step.at_rest)
            .bind(&step.hidden)
            .bind(step.session)
            .execute(&mut *tx)
            .await?;
        for row in &step.raised {
            row.insert(&mut tx).await?;
        }
        if let Some(decided) = &step.decided {
            decided.update(step.at_ms, &mut tx).await?;
        }
        if let Some(first) = &step.first {
            first.insert(step.seq, &mut tx).await?;
        }
        if let Some(escalation) = step.voided {
            firsts::void(escalation, &mut tx).await?;
        }
        if step.state != "awaiting_physician" {
            let lapse = sqlx::query("UPDATE escalations SET status = 'lapsed' WHERE session = ? AND status = 'open'");
            lapse.bind(step.session).execute(&mut *tx).await?;
        }
        if let Some(rule) = &step.rule {
            rule.insert(&mut tx).await?;
        }
        let last = queue(&mut tx, &step.drafts).await?;
        // Durable now: the event, the state it led to, and the entries that tell of it. A crash before leaves the
        // session one event earlier with its commands outstanding; a crash after carries them out again as new tries.
        tx.commit().await?;
        Ok(last)
    }

    /// The number of a session's last event; 0 before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn last_event(&self, session: &str) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM events WHERE session = ?");
        Ok(query.bind(session).fetch_one(&self.pool).await?)
    }

    /// A session's sealed events in order: number, time, bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn events(&self, session: &str) -> Result<Vec<(i64, i64, Vec<u8>)>, StoreError> {
        let query = sqlx::query_as("SELECT seq, at_ms, sealed FROM events WHERE session = ? ORDER BY seq");
        Ok(query.bind(session).fetch_all(&self.pool).await?)
    }
}

/// Queues entries in their order; answers the number of the last. One that the record would never take would hold up all
/// that come after it: nothing is committed with it.
pub(super) async fn queue(tx: &mut Transaction<'_, Sqlite>, drafts: &[pb::Draft]) -> Result<i64, StoreError> {
    let mut last = 0;
    for draft in drafts {
        let entry = Draft::try_from(draft.clone()).ok().filter(|entry| entry.validate().is_ok());
        entry.ok_or(StoreError::Row("an entry that the record would not take"))?;
        let query = sqlx::query("INSERT INTO outbox (draft) VALUES (?)").bind(draft.encode_to_vec());
        last = query.execute(&mut **tx).await?.last_insert_rowid();
    }
    Ok(last)
}
