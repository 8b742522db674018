//! Incidents: a claim marked as false, the way back, and the rule that stays.

use crate::{
    drive::{With, sha256},
    error::Error,
    grant::random_id,
    rules::{Kept, rule},
    runner::{Held, Live, Runner, live},
    service::access,
};
use bodh_audit_log::{Draft, Kind};
use bodh_clinical::ClaimId;
use bodh_gate::Caller;
use bodh_identity::signing::Context;
use bodh_panel::{Event, Mark, ReviewRule};
use bodh_panel_api::pb;
use data_encoding::BASE64;

impl Runner {
    /// Takes in a signed mark whose caller the gate has admitted: the incident, the way back and the rule in one
    /// step. The session is not carried on yet.
    pub(crate) async fn mark(
        &self,
        live: &mut Live,
        mark: &Mark,
        statement: &[u8],
        signature: &[u8],
    ) -> Result<ReviewRule, Error> {
        let claim = ClaimId::parse(&mark.claim).map_err(|error| Error::Invalid(error.to_string()))?;
        let round = live.panel.state.round().ok_or(Error::NoSuch("claim in this session's differential"))?;
        let disease = round
            .differential
            .claim(&claim)
            .map(|claim| claim.disease.clone())
            .ok_or(Error::NoSuch("claim in this session's differential"))?;
        let incident = random_id()?;
        let rule = rule(&live.panel, &claim, disease, &incident, &mark.signer, (self.now_ms(), self.lives.rules_ms));
        let kept = Kept {
            rule: rule.clone(),
            mark: BASE64.encode(statement),
            signature: BASE64.encode(signature),
            reversal: None,
        };
        let row = self.seal_rule(&kept).await?;
        let extra = vec![entry(live, &rule, &row.sealed)];
        let event = Event::Marked { claim, incident };
        let with = With { rule: Some(row), nonce: Some(mark.nonce.clone()), extra, ..With::default() };
        self.apply(live, event, with).await?;
        // In force from here on, as after any restart: the commit above is what counts.
        self.rules.add(kept);
        Ok(rule)
    }
}

fn entry(live: &Live, rule: &ReviewRule, sealed: &[u8]) -> Draft {
    let mut draft = Draft::new(Kind::Rule, "make_rule", format!("{}/rule", rule.id));
    draft.actors = vec![rule.signer.clone()];
    draft.session.clone_from(&live.row.id);
    draft.trace.clone_from(&live.row.trace);
    draft.resource.clone_from(&rule.id);
    draft.commitments.insert("rule".to_owned(), sha256(sealed));
    draft
}

impl Runner {
    /// Takes in a mark and says what came of it; `begun` names the session once the mark is committed.
    pub(crate) async fn take_mark(
        &self,
        caller: &Caller,
        asked: pb::MarkIncidentRequest,
        begun: &mut Option<String>,
    ) -> Result<(Held, pb::MarkIncidentReply), Error> {
        let mark = Mark::from_bytes(&asked.mark_json).map_err(|e| Error::Signature(e.to_string()))?;
        if mark.session != asked.session || mark.claim != asked.claim {
            return Err(Error::Signature("it is about another claim".to_owned()));
        }
        let bytes = asked.mark_json.as_slice();
        self.check_signer(&caller.id, &mark.signer, mark.at_unix_ms, Context::Mark, bytes, &asked.signature)?;
        let mut held = self.enter(&mark.session, access(caller, asked.access)?).await?;
        let rule = match self.mark(live(&mut held)?, &mark, bytes, &asked.signature).await {
            Ok(rule) => rule,
            Err(error) => {
                self.leave(held).await;
                return Err(error);
            }
        };
        *begun = Some(mark.session.clone());
        let rule_json = serde_json::to_vec(&rule).map_err(|_| Error::Corrupt("a rule"))?;
        Ok((held, pb::MarkIncidentReply { incident: rule.incident, rule: rule.id, rule_json }))
    }
}
