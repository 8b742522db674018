//! Decisions: the inbox, what is shown, and what a person signed.

use crate::{
    drive::{With, sha256},
    error::Error,
    grant::random_id,
    pair::{first_record, is_first},
    runner::{Held, Live, Runner, live},
    service::access,
    store::{Decided, EscalationRow, FirstRow},
};
use bodh_audit_log::{Draft, Kind};
use bodh_clinical::TestId;
use bodh_gate::Caller;
use bodh_guardian_api::pb::Statement;
use bodh_identity::{
    SpiffeId,
    signing::{self, Context},
};
use bodh_panel::{AskError, Decision, Event, StepError};
use bodh_panel_api::pb;
use bodh_vault::View;

/// A signed statement is accepted for this long after it was signed, and this much before our own clock.
const SIGNED_WITHIN_MS: i64 = 10 * 60 * 1000;

impl Runner {
    /// The escalation, if there is one of this id.
    pub(crate) async fn escalation(&self, id: &str) -> Result<Option<EscalationRow>, Error> {
        Ok(self.store.escalation(id).await?)
    }

    /// Shows an escalation to a caller whom the gate has admitted; it is seen from then on.
    pub(crate) async fn show_to(
        &self,
        caller: &Caller,
        row: Option<EscalationRow>,
        asked: Option<pb::Statement>,
    ) -> Result<pb::OpenReply, Error> {
        let row = row.ok_or(Error::NoSuch("escalation"))?;
        let mut held = self.enter(&row.session, access(caller, asked)?).await?;
        let opened = match live(&mut held) {
            Ok(live) => self.opened(live, &row).await,
            Err(error) => Err(error),
        };
        self.leave(held).await;
        let (trace, mut reply) = opened?;
        let mut seen = Draft::new(Kind::Opened, "open", format!("{}/opened/{}", row.id, random_id()?));
        seen.actors = vec![caller.id.to_string()];
        seen.session.clone_from(&row.session);
        seen.trace = trace;
        seen.resource.clone_from(&row.id);
        // Seen is seen only when the log says so.
        self.audit.append(seen).await?;
        reply.askable = self.askable();
        Ok(reply)
    }

    /// What is shown of an escalation: its record, and what was signed about it so far.
    async fn opened(&self, live: &mut Live, row: &EscalationRow) -> Result<(String, pb::OpenReply), Error> {
        self.void_if_gone(live, &row.id).await?;
        let sent = |signed: Statement| pb::Statement { json: signed.json, signature: signed.signature };
        let reply = pb::OpenReply {
            record_json: Self::record(live, row)?,
            status: row.status.clone(),
            decision: self.signed_decision(live, &row.id).await.ok().map(sent),
            first: self.first_decision(live, &row.id).await?.map(sent),
            askable: Vec::new(),
        };
        Ok((live.row.trace.clone(), reply))
    }

    /// Takes in what was sent as a decision; `begun` names the session once it is committed.
    pub(crate) async fn take_decision(
        &self,
        caller: &Caller,
        row: Option<EscalationRow>,
        asked: pb::DecideRequest,
        begun: &mut Option<String>,
    ) -> Result<(Held, String), Error> {
        let row = row.ok_or(Error::NoSuch("escalation"))?;
        let decision = read(&asked.decision_json)?;
        let (at, bytes) = (decision.at_unix_ms, asked.decision_json.as_slice());
        self.check_signer(&caller.id, &decision.signer, at, Context::Decision, bytes, &asked.signature)?;
        let mut held = self.enter(&row.session, access(caller, asked.access)?).await?;
        let decided = match live(&mut held) {
            Ok(live) => self.decide(live, &row, bytes, &asked.signature).await,
            Err(error) => Err(error),
        };
        if let Err(error) = decided {
            self.leave(held).await;
            return Err(error);
        }
        *begun = Some(row.session.clone());
        Ok((held, row.session))
    }

    /// Exactly the bytes that a decision on it signs.
    fn record(live: &Live, row: &EscalationRow) -> Result<Vec<u8>, Error> {
        let record = live.keys.open_bytes(View::Reasoning, &row.id, 0, &row.record)?;
        Ok(bodh_vault::expose(&record).to_vec())
    }

    /// Checks who signed a statement: the caller, with their own registered key, just now.
    pub(crate) fn check_signer(
        &self,
        caller: &SpiffeId,
        signer: &str,
        at_unix_ms: i64,
        context: Context,
        statement: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        if signer != caller.as_str() {
            return Err(Error::Signature("the signer is not the caller".to_owned()));
        }
        let view = self.gate.trust().current()?;
        let person = view.people.get(caller).ok_or(Error::Refused(bodh_gate::Refusal::UnknownPerson))?;
        if !person.signed(context, statement, signature) {
            return Err(Error::Signature(signing::SigningError::Signature.to_string()));
        }
        if (self.now_ms() - at_unix_ms).abs() > SIGNED_WITHIN_MS {
            return Err(Error::Signature("it was not signed within the last ten minutes; check the clock".to_owned()));
        }
        Ok(())
    }

    /// Takes in a decision whose caller the gate has admitted. The session is not carried on yet.
    async fn decide(
        &self,
        live: &mut Live,
        row: &EscalationRow,
        statement: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let decision = read(statement)?;
        let record = Self::record(live, row)?;
        if decision.escalation != row.id || decision.session != row.session {
            return Err(Error::Signature("it is about another escalation".to_owned()));
        }
        if decision.record_sha256 != data_encoding::HEXLOWER.encode(&sha256(&record)) {
            return Err(Error::Stale("the decision is on another version of this escalation; open it again"));
        }
        if row.status == "lapsed" {
            return Err(Error::Stale("this escalation has lapsed undecided: the session went on or ended without it"));
        }
        if row.status != "open" {
            return Err(Error::Stale("this escalation is decided already"));
        }
        // Whether or not it was swept up yet: too late is too late.
        if self.now_ms() - row.raised_ms >= self.lives.escalations_ms {
            return Err(Error::Stale("nobody decided on this escalation in time; it has lapsed"));
        }
        self.void_if_gone(live, &row.id).await?;
        let nonce = Some(decision.nonce.clone());
        let label = decision.asked.as_ref().map(|test| self.named(test)).transpose()?;
        let event = Event::Decided { decision: decision.clone(), label };
        let with = if is_first(&live.panel, &decision) {
            let number = u64::try_from(live.seq + 1).unwrap_or(0);
            let sealed = live.keys.seal_bytes(View::Reasoning, &first_record(&row.id), number, statement)?;
            let first = FirstRow { escalation: &row.id, by: &decision.signer, decision: sealed, signature };
            With { first: Some(first), nonce, ..With::default() }
        } else {
            let sealed = live.keys.seal_bytes(View::Reasoning, &format!("{}/decision", row.id), 0, statement)?;
            let (verdict, by) = (decision.verdict.word(), decision.signer.as_str());
            let decided = Decided { escalation: &row.id, verdict, by, decision: sealed, signature };
            With { decided: Some(decided), nonce, ..With::default() }
        };
        match self.apply(live, event, with).await {
            Err(Error::Step(StepError::Asking(error))) => Err(Error::Invalid(error.to_string())),
            applied => applied,
        }
    }

    /// The decision on an escalation as it was signed, and its signature.
    pub(crate) async fn signed_decision(&self, live: &Live, escalation: &str) -> Result<Statement, Error> {
        let (sealed, signature) = self.store.decision(escalation).await?.ok_or(Error::NoSuch("decision"))?;
        let record = format!("{escalation}/decision");
        let statement = live.keys.open_bytes(View::Reasoning, &record, 0, &sealed)?;
        Ok(Statement { json: bodh_vault::expose(&statement).to_vec(), signature })
    }
}

impl Runner {
    /// The name of a test or a question, as the packs have it.
    fn named(&self, test: &TestId) -> Result<String, Error> {
        let known = self.pack.test(test).ok_or_else(|| Error::Invalid(AskError::Unknown.to_string()))?;
        Ok(self.pack.test_label(known).to_owned())
    }

    /// Everything that can be asked for: the tests and questions of the packs.
    fn askable(&self) -> Vec<pb::Askable> {
        let one = |test| pb::Askable {
            test: self.pack.test_id(test).to_owned(),
            label: self.pack.test_label(test).to_owned(),
            is_question: self.pack.test_kind(test) == bodh_knowledge::TestKind::History,
            price_cents: self.pack.price(test).cents(),
        };
        self.pack.tests().map(one).collect()
    }
}

/// Reads a decision strictly.
fn read(statement: &[u8]) -> Result<Decision, Error> {
    Decision::from_bytes(statement).map_err(|error| Error::Signature(error.to_string()))
}
