//! What time ends: an escalation that nobody answers lapses, it is never approved; a review rule ceases to ask.

use crate::{
    drive::sha256,
    error::Error,
    runner::Runner,
    store::{SessionRow, StepRows},
};
use bodh_audit_api::pb;
use bodh_audit_log::{Draft, Kind};
use bodh_host::Fatal;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// How long escalations wait and review rules last: the launcher says, from the panel's configuration.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Lives {
    /// From an escalation's raising until it lapses undecided, in milliseconds.
    #[serde(rename = "escalations_lapse_after_ms")]
    pub(crate) escalations_ms: i64,
    /// From a review rule's making until it asks no more, in milliseconds.
    #[serde(rename = "review_rules_lapse_after_ms")]
    pub(crate) rules_ms: i64,
}

impl Lives {
    pub(crate) fn read(document: &[u8]) -> Result<Self, Fatal> {
        let lives: Self = serde_json::from_slice(document)
            .map_err(|_| Fatal::usage("configuration: how long escalations and review rules last is missing"))?;
        if lives.escalations_ms <= 0 || lives.rules_ms <= 0 {
            return Err(Fatal::usage("configuration: escalations and review rules last for some time"));
        }
        Ok(lives)
    }

    /// How often it is looked for what has lapsed: a decision that comes too late is refused all the same.
    fn look_every(self) -> Duration {
        Duration::from_millis(u64::try_from(self.escalations_ms / 10).unwrap_or(0).clamp(500, 60_000))
    }
}

impl Runner {
    /// Lets every escalation lapse that nobody decided in time, for as long as the service runs.
    pub(crate) async fn let_lapse(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.lives.look_every()).await;
            let sessions = match self.store.undecided_since(self.now_ms() - self.lives.escalations_ms).await {
                Ok(sessions) => sessions,
                Err(error) => {
                    tracing::warn!(%error, "undecided escalations could not be listed");
                    continue;
                }
            };
            for session in sessions {
                if let Err(error) = self.expire(&session).await {
                    tracing::warn!(%error, session, "an undecided session could not be closed yet; it stays undecided");
                }
            }
        }
    }

    /// Ends one session undecided. Whoever holds it goes first: a decision that came in time counts. The session stays
    /// closed, for nobody asked to open it: the event says nothing that a key would have to hide.
    async fn expire(&self, session: &str) -> Result<(), Error> {
        let held = self.hold(session).await?;
        let ended = self.end_undecided(session).await;
        self.forget(session, held);
        ended
    }

    async fn end_undecided(&self, session: &str) -> Result<(), Error> {
        let row = self.store.session(session).await?.ok_or(Error::NoSuch("session"))?;
        if row.state != AWAITING {
            return Ok(());
        }
        let seq = self.store.last_event(session).await? + 1;
        let rows = StepRows {
            session,
            seq,
            at_ms: self.now_ms(),
            sealed: Vec::new(),
            state: "expired",
            at_rest: true,
            drafts: vec![pb::Draft::from(expired(&row, seq))],
            ..StepRows::default()
        };
        // Commit point: from here on the session is over, and its escalations have lapsed.
        self.store.commit(rows).await?;
        self.outbox.wake();
        Ok(())
    }
}

/// The state in which escalations wait.
const AWAITING: &str = "awaiting_physician";

fn expired(row: &SessionRow, seq: i64) -> Draft {
    let mut draft = Draft::new(Kind::State, "expired", format!("{}/e{seq}/state", row.id));
    draft.actors = vec![row.requester.clone()];
    draft.session.clone_from(&row.id);
    draft.trace.clone_from(&row.trace);
    draft.step = format!("e{seq}");
    draft.resource = "expired".to_owned();
    draft.commitments.insert("event".to_owned(), sha256(&[]));
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_read_and_bounded() {
        let read = |text: &str| Lives::read(text.as_bytes());
        let lives = read(r#"{"escalations_lapse_after_ms":1000,"review_rules_lapse_after_ms":5,"name":"x"}"#).unwrap();
        assert_eq!((lives.escalations_ms, lives.rules_ms), (1000, 5));
        assert_eq!(lives.look_every(), Duration::from_millis(500));
        for bad in ["{}", r#"{"escalations_lapse_after_ms":0,"review_rules_lapse_after_ms":5}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
