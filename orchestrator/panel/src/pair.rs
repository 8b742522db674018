//! What takes two different people: the first approval is kept and does nothing; the second, of exactly the same record,
//! by somebody else, is the decision.

use crate::step::{StepError, out_of_place};
use crate::{Command, Decision, Escalation, EscalationStatus, Panel, Session, State, Verdict};
use serde::{Deserialize, Serialize};

/// The first of two approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// The escalation.
    pub escalation: String,
    /// SPIFFE id of who approved.
    pub by: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

impl Session {
    /// The first approval of this escalation, where it takes two and one was given.
    #[must_use]
    pub fn first(&self, escalation: &str) -> Option<&First> {
        self.firsts.iter().find(|first| first.escalation == escalation)
    }
}

impl Escalation {
    /// Whether a decision of this kind is one that the policy wants from as many people: what lets the act go ahead. A denial,
    /// a test that is replaced and a request for something else commit nothing, and take one.
    #[must_use]
    pub fn takes_two(&self, verdict: Verdict) -> bool {
        let concludes = self.action.starts_with("conclude");
        self.signers > 1 && (verdict == Verdict::Approve || (verdict == Verdict::Amend && concludes))
    }
}

/// Keeps a first approval; whether it was one. The same person does not give both.
pub(crate) fn keeps_first(session: &mut Session, decision: &Decision, takes_two: bool) -> Result<bool, StepError> {
    match session.first(&decision.escalation) {
        Some(first) if first.by == decision.signer => Err(StepError::SameSigner),
        None if takes_two => {
            session.firsts.push(First {
                escalation: decision.escalation.clone(),
                by: decision.signer.clone(),
                at_unix_ms: decision.at_unix_ms,
            });
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whoever approved first has left since, or may not decide any more: nobody has approved.
pub(crate) fn voided(panel: &mut Panel, escalation: &str) -> Result<Vec<Command>, StepError> {
    let waits = matches!(panel.state, State::AwaitingPhysician { .. });
    let open = panel.session.escalations.iter().any(|(e, s)| e.id == escalation && *s == EscalationStatus::Open);
    if !waits || !open || panel.session.first(escalation).is_none() {
        return Err(out_of_place("voided", panel));
    }
    panel.session.firsts.retain(|first| first.escalation != escalation);
    Ok(Vec::new())
}
