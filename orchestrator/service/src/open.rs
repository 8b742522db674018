//! Opening a session, and opening one again that was stored.

use crate::{
    drive::{opened, sha256},
    error::Error,
    grant::{SessionGrant, random_id, session_key},
    keys::Keys,
    patients::{self, PSEUDONYM},
    runner::{Live, Runner},
    spans,
    store::SessionRow,
};
use bodh_audit_api::pb;
use bodh_audit_log::{Draft, Kind};
use bodh_clinical::{Case, Usd};
use bodh_guardian_api::{OpenSession, pb::Statement};
use bodh_panel::{Command, Event, FailureCause, fold};
use bodh_panel_api::pb::ConveneRequest;
use bodh_vault::View;
use std::{collections::BTreeMap, time::Instant};
use tracing::Instrument;

/// What a clinician asks for.
pub(crate) struct Convening {
    pub(crate) case: Case,
    pub(crate) requester: String,
    pub(crate) budget: Usd,
    pub(crate) sequential: bool,
}

impl Convening {
    /// Reads what was sent.
    pub(crate) fn read(asked: &ConveneRequest, requester: String) -> Result<Self, Error> {
        if asked.budget_cents == 0 {
            return Err(Error::Invalid("the budget must be at least one cent".to_owned()));
        }
        let mut case = bodh_formats::read(&asked.case)?.case;
        let pseudonym = patients::read(&asked.pseudonym)?;
        if !pseudonym.is_empty() {
            case.identifiers.entries.insert(0, (PSEUDONYM.to_owned(), pseudonym.to_owned()));
        }
        Ok(Self { case, requester, budget: Usd::from_cents(asked.budget_cents), sequential: asked.sequential })
    }
}

impl Runner {
    /// Opens a session: a token and an envelope from the guardian, the case sealed in its views, the session and its
    /// entry in one transaction.
    pub(crate) async fn convene(&self, asked: Convening) -> Result<Live, Error> {
        let (session, trace) = (random_id()?, random_id()?);
        let span = spans::convening(&session, &trace);
        self.convene_as(asked, session, trace).instrument(span).await
    }

    async fn convene_as(&self, asked: Convening, session: String, trace: String) -> Result<Live, Error> {
        let began = Instant::now();
        let key = session_key()?;
        let grant = self
            .guardian
            .open_session(OpenSession {
                session: session.clone(),
                session_key: key.public(),
                human: asked.requester.clone(),
                purpose: "diagnosis".to_owned(),
                budget_cents: asked.budget.cents(),
                trace: trace.clone(),
                standing: false,
            })
            .await?;
        let (keys, sealed_keys) = Keys::create(&session, &grant)?;
        let Case { identifiers, subject, note, coded, warnings } = asked.case;
        let row = SessionRow {
            id: session,
            trace,
            requester: asked.requester,
            opened_ms: self.now_ms(),
            budget_cents: asked.budget.cents(),
            sequential: asked.sequential,
            state: "convened".to_owned(),
            subject: keys.seal(View::Findings, "subject", 0, &subject)?,
            identifiers: keys.seal(View::Identifiers, "identifiers", 0, &identifiers)?,
            note: keys.seal(View::FreeText, "note", 0, &note)?,
            coded: keys.seal(View::Findings, "coded", 0, &coded)?,
            warnings: keys.seal(View::Findings, "warnings", 0, &warnings)?,
            hidden: None,
            keys: sealed_keys,
            closed: false,
        };
        let subject_content = keys.commit(View::Findings, "subject", 0, &subject)?;
        let told = convened(&row, subject_content, &self.versions);
        let tag = self.patients.tag_of(&identifiers);
        let queued = self.store.open_session(&row, tag.as_ref(), &[pb::Draft::from(told)]).await?;
        self.outbox.wake();
        let grant = SessionGrant::new(&grant, key, &self.token_key()?)?;
        let panel = opened(&row, subject);
        let mut live = Live {
            row,
            panel,
            seq: 0,
            keys,
            grant,
            hidden: Vec::new(),
            warnings,
            timings: BTreeMap::new(),
            began,
            queued,
            watcher: None,
            shown: None,
        };
        live.took("open", began);
        Ok(live)
    }

    /// Opens a stored session again: the guardian releases its key, its events are folded. At rest it opens only on a
    /// person's signed request.
    pub(crate) async fn load(&self, session: &str, access: Option<Statement>) -> Result<Live, Error> {
        let began = Instant::now();
        let row = self.store.session(session).await?.ok_or(Error::NoSuch("session"))?;
        if row.closed {
            // Before the guardian opens it: whatever happens now, the next start closes it again.
            self.store.set_closed(&row.id, false).await?;
        }
        let key = session_key()?;
        let grant = match self.guardian.renew_session(&row.id, key.public(), &row.trace, access).await {
            Ok(grant) => grant,
            Err(error) => {
                self.forget_erased(&row.id, &error).await;
                return Err(error.into());
            }
        };
        let keys = Keys::open_all(&row.id, &grant, &row.keys)?;
        let subject = keys.open(View::Findings, "subject", 0, &row.subject)?;
        let mut events: Vec<(i64, Event)> = Vec::new();
        let mut seq = 0;
        for (number, at_ms, sealed) in self.store.events(&row.id).await? {
            if number != seq + 1 {
                return Err(Error::Corrupt("a session's journal"));
            }
            seq = number;
            let place = u64::try_from(number).unwrap_or(0);
            let event = match sealed.as_slice() {
                // What time did needs no key, and nobody had asked to open the session.
                [] => Event::Expired,
                sealed => keys.open(View::Reasoning, "event", place, sealed)?,
            };
            events.push((at_ms, event));
        }
        let panel = fold(&opened(&row, subject), &events).map_err(|_| Error::Corrupt("a session's journal"))?;
        let hidden = row.hidden.as_ref().map(|h| keys.open(View::Findings, "hidden", 0, h)).transpose()?;
        let warnings = keys.open(View::Findings, "warnings", 0, &row.warnings)?;
        let grant = SessionGrant::new(&grant, key, &self.token_key()?)?;
        Ok(Live {
            panel,
            seq,
            keys,
            grant,
            hidden: hidden.unwrap_or_default(),
            warnings,
            timings: BTreeMap::new(),
            began,
            queued: 0,
            watcher: None,
            shown: None,
            row,
        })
    }

    /// Closes the tries that a crash left open, so that each is told once and its retry counts one more.
    pub(crate) async fn recover(&self, live: &mut Live) -> Result<(), Error> {
        let open: Vec<u32> = live
            .panel
            .outstanding
            .iter()
            .filter_map(|command| match command {
                Command::Ask { call, .. } => Some(*call),
                _ => None,
            })
            .collect();
        for call in open {
            let event = Event::Failed { call, cause: FailureCause::Interrupted };
            self.apply(live, event, crate::drive::With::default()).await?;
        }
        Ok(())
    }
}

fn convened(row: &SessionRow, subject_content: [u8; 32], versions: &BTreeMap<String, String>) -> Draft {
    let mut draft = Draft::new(Kind::State, "convene", format!("{}/e0/state", row.id));
    draft.actors = vec![row.requester.clone()];
    draft.session.clone_from(&row.id);
    draft.trace.clone_from(&row.trace);
    draft.step = "e0".to_owned();
    draft.resource = "convened".to_owned();
    draft.amount_cents = i64::try_from(row.budget_cents).unwrap_or(0);
    for (name, sealed) in
        [("identifiers", &row.identifiers), ("note", &row.note), ("coded", &row.coded), ("subject", &row.subject)]
    {
        draft.commitments.insert(name.to_owned(), sha256(sealed));
    }
    draft.commitments.insert("subject_content".to_owned(), subject_content);
    draft.versions.clone_from(versions);
    draft
}
