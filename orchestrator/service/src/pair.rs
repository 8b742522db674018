//! What two different people have to approve: whose the first approval is, and whether it still counts.

use crate::{
    drive::With,
    error::Error,
    runner::{Live, Runner},
};
use bodh_gate::Entity;
use bodh_guardian_api::pb::Statement;
use bodh_identity::{SpiffeId, signing::Context};
use bodh_panel::{Decision, Event, Panel};
use bodh_vault::View;

/// The name under which first approvals are sealed.
pub(crate) fn first_record(escalation: &str) -> String {
    format!("{escalation}/first")
}

/// Whether this decision is the first of two.
pub(crate) fn is_first(panel: &Panel, decision: &Decision) -> bool {
    let of_it = panel.session.escalations.iter().find(|(e, _)| e.id == decision.escalation);
    of_it.is_some_and(|(e, _)| e.takes_two(decision.verdict)) && panel.session.first(&decision.escalation).is_none()
}

impl Runner {
    /// The first of two approvals as it was signed, where there is one and it was not voided.
    pub(crate) async fn first_decision(&self, live: &Live, escalation: &str) -> Result<Option<Statement>, Error> {
        let Some(kept) = self.store.firsts(escalation).await?.into_iter().find(|kept| !kept.void) else {
            return Ok(None);
        };
        let number = u64::try_from(kept.seq).unwrap_or(0);
        let json = live.keys.open_bytes(View::Reasoning, &first_record(escalation), number, &kept.decision)?;
        Ok(Some(Statement { json: bodh_vault::expose(&json).to_vec(), signature: kept.signature }))
    }

    /// Voids a first approval whose signer was revoked, lost the key that signed, or may not decide on this any more: nobody
    /// has approved then.
    pub(crate) async fn void_if_gone(&self, live: &mut Live, escalation: &str) -> Result<(), Error> {
        let Some(first) = live.panel.session.first(escalation).cloned() else { return Ok(()) };
        let statement = self.first_decision(live, escalation).await?;
        let by = SpiffeId::parse(&first.by).map_err(|_| Error::Corrupt("a first approval"))?;
        if statement.is_some_and(|statement| self.still_decides(live, &by, escalation, &statement)) {
            return Ok(());
        }
        let event = Event::Voided { escalation: escalation.to_owned() };
        self.apply(live, event, With { voided: Some(escalation), ..With::default() }).await
    }

    /// Whether this person is enrolled with the key that signed, and policy would let them decide today.
    fn still_decides(&self, live: &Live, by: &SpiffeId, escalation: &str, statement: &Statement) -> bool {
        let Ok(view) = self.gate.trust().current() else { return false };
        let person = view.people.get(by);
        let signed = person.is_some_and(|p| p.signed(Context::Decision, &statement.json, &statement.signature));
        let Some((shown, _)) = live.panel.session.escalations.iter().find(|(e, _)| e.id == escalation) else {
            return false;
        };
        let human = |id: &String| Entity::reference("Human", id);
        let entity = Entity::new("Escalation", escalation)
            .with("requester", human(&shown.requester))
            .with("kind", shown.kind.as_str())
            .with("asked_by", Vec::from_iter(shown.asked_by.as_ref().map(human)))
            .with("approved_by", serde_json::json!([]));
        let ruling = self.gate.rule_for(by, "decide", entity, serde_json::json!({}));
        signed && ruling.is_ok_and(|judgement| judgement.ruling.is_allowed())
    }
}
