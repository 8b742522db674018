//! The inbox: what waits for people, and what they have not heard of yet.

use crate::{error::Error, runner::Runner};
use bodh_gate::Caller;
use bodh_panel_api::pb;

impl Runner {
    /// Everything that waits, or ever waited, for people; and what was decided of the caller's own and not seen yet.
    pub(crate) async fn inbox(&self, caller: &Caller, all: bool) -> Result<pb::InboxReply, Error> {
        let rows = self.store.escalations(all).await?;
        let items = rows.into_iter().map(|row| pb::InboxItem {
            escalation: row.id,
            session: row.session,
            kind: row.kind,
            reason: row.reason,
            raised_unix_ms: row.raised_ms,
            status: row.status,
            amount_cents: row.amount_cents.and_then(|c| u64::try_from(c).ok()).unwrap_or(0),
            requester: row.requester,
            action: row.action,
            agent: row.agent,
            trace: row.trace,
            signers: row.signers,
            first_by: row.first_by.unwrap_or_default(),
        });
        let decided = self.store.told(caller.id.as_str()).await?.into_iter().map(|told| pb::DecidedItem {
            escalation: told.id,
            session: told.session,
            kind: told.kind,
            action: told.action,
            verdict: told.status,
            by: told.decided_by,
            at_unix_ms: told.decided_ms,
        });
        Ok(pb::InboxReply { items: items.collect(), decided: decided.collect() })
    }
}
