//! Carrying a session on: outstanding commands to events, each event committed before anything rests on it.

use crate::{
    ask::CallLabel,
    entries::{Told, entries},
    error::Error,
    grant::{SessionGrant, random_id, session_key},
    runner::{Live, Runner},
    spans,
    store::{Decided, EscalationRow, FirstRow, RuleRow, StepRows},
};
use bodh_audit_api::pb;
use bodh_clinical::{CodedFeature, Opinion, Question, TestId, Usd};
use bodh_formats::Gatekeeper;
use bodh_panel::{Act, Command, Event, FailureCause, Inquiry, Panel, State, step};
use bodh_vault::View;
use ring::digest::{SHA256, digest};
use std::time::{Duration, Instant};
use tracing::Instrument;

/// What must be committed together with an event, beside what follows from it.
#[derive(Default)]
pub(crate) struct With<'a> {
    pub(crate) decided: Option<Decided<'a>>,
    pub(crate) first: Option<FirstRow<'a>>,
    pub(crate) voided: Option<&'a str>,
    pub(crate) rule: Option<RuleRow>,
    pub(crate) nonce: Option<String>,
    pub(crate) hidden: Option<Vec<bodh_clinical::Finding>>,
    pub(crate) policy_hash: Option<[u8; 32]>,
    pub(crate) extra: Vec<bodh_audit_log::Draft>,
}

impl Runner {
    /// Carries the session on until it waits for people or is over.
    pub(crate) async fn drive(&self, live: &mut Live) -> Result<(), Error> {
        let span = spans::workflow(&live.row.id, &live.row.trace);
        async {
            self.show(live);
            let carried = self.until_rest(live).await;
            // Asked for while the last step was made: it is ended where it rests.
            let stop = self.show_no_more(live) && !live.panel.state.is_over();
            let ended = match carried {
                Ok(()) if stop => self.apply(live, Event::Stopped, With::default()).await,
                carried => carried,
            };
            live.shown = None;
            ended
        }
        .instrument(span)
        .await
    }

    async fn until_rest(&self, live: &mut Live) -> Result<(), Error> {
        while !live.panel.state.is_at_rest() {
            if self.is_stopping(&live.row.id) {
                return self.apply(live, Event::Stopped, With::default()).await;
            }
            self.advance(live).await?;
        }
        Ok(())
    }

    /// Carries out what is outstanding and takes in what came of it.
    async fn advance(&self, live: &mut Live) -> Result<(), Error> {
        let asks: Vec<(u32, u32, Inquiry)> = live
            .panel
            .outstanding
            .iter()
            .filter_map(|command| match command {
                Command::Ask { call, attempt, inquiry } => Some((*call, *attempt, inquiry.clone())),
                _ => None,
            })
            .collect();
        if !asks.is_empty() {
            return self.ask_all(live, asks).await;
        }
        match live.panel.outstanding.first().cloned() {
            Some(Command::Authorize { acts }) => {
                let resembled = self.rules.resembled(&self.pack, &live.panel, self.now_ms());
                let ruled = self.rule_on(&live.panel, &acts, &resembled)?;
                let event = Event::Ruled { rulings: ruled.rulings, salt: random_id()? };
                self.apply(live, event, With { policy_hash: ruled.policy_hash, ..With::default() }).await
            }
            Some(Command::Place { test, price, approved_by }) => self.place(live, test, price, approved_by).await,
            _ if live.panel.state == State::Convened => self.apply(live, Event::Begun, With::default()).await,
            _ => Err(Error::Corrupt("a session's outstanding work")),
        }
    }

    async fn ask_all(&self, live: &mut Live, asks: Vec<(u32, u32, Inquiry)>) -> Result<(), Error> {
        let attempt = asks.iter().map(|(_, attempt, _)| *attempt).max().unwrap_or(1);
        if attempt > 1 {
            // A restarted service is back within a second; five tries span about four.
            tokio::time::sleep(Duration::from_millis(100) * 3u32.pow((attempt - 2).min(3))).await;
        }
        let now = u64::try_from(self.now_ms()).unwrap_or(0);
        if attempt > 1 || live.grant.ends_soon(now) {
            self.renew(live).await?;
        }
        let mut questions = Vec::new();
        for (call, attempt, inquiry) in asks {
            questions.push((call, attempt, inquiry.member(), self.question(live, inquiry)?));
        }
        let (grant, session, trace) = (&live.grant, live.row.id.as_str(), live.row.trace.as_str());
        let began = Instant::now();
        let answers = questions.iter().map(|(call, attempt, _, question)| async move {
            let label = CallLabel { trace, call: *call, attempt: *attempt, replay: false };
            let now = u64::try_from(self.now_ms()).unwrap_or(0);
            let span = spans::tool(session, *call, *attempt, question);
            let ended = self.agents.ask(grant, &label, question, now).instrument(span.clone()).await;
            match &ended {
                Ok(opinion) => spans::evaluated(&span, opinion),
                Err(_) => drop(span.record("error.type", "no_opinion")),
            }
            (*call, question.tool(), ended, began.elapsed())
        });
        let answers = futures_util::future::join_all(answers).await;
        for (call, tool, result, took) in answers {
            *live.timings.entry(tool.to_owned()).or_default() += took.as_secs_f64() * 1000.0;
            let (event, with) = match result {
                Ok(opinion) => self.answered(&live.panel, live.row.sequential, call, opinion),
                Err(cause) => (Event::Failed { call, cause }, With::default()),
            };
            match self.apply(live, event, with).await {
                // An answer of the wrong kind is the agent's failure, not ours.
                Err(Error::Step(bodh_panel::StepError::WrongAnswer(call))) => {
                    let event = Event::Failed { call, cause: FailureCause::Malformed };
                    self.apply(live, event, With::default()).await?;
                }
                other => other?,
            }
            if live.panel.state.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// In a sequential session the case plays the gatekeeper: two findings open, the rest waits to be asked for.
    pub(crate) fn answered<'a>(
        &self,
        before: &Panel,
        sequential: bool,
        call: u32,
        opinion: Opinion,
    ) -> (Event, With<'a>) {
        // What people add later holds nothing back.
        let reads_case = matches!(before.state, State::Reading { amendment: None, .. });
        match opinion {
            Opinion::Extract(mut intake) if sequential && reads_case => {
                let keeper = Gatekeeper::new(&intake.findings, |term| self.pack.is_bedside(term));
                let opening = keeper.initial().to_vec();
                let hidden = intake.findings.iter().filter(|f| !opening.contains(f)).cloned().collect();
                intake.findings = opening;
                let withheld = u32::try_from(keeper.hidden()).unwrap_or(u32::MAX);
                (
                    Event::Opened { call, intake: Box::new(intake), withheld },
                    With { hidden: Some(hidden), ..With::default() },
                )
            }
            opinion => (Event::Answered { call, opinion: Box::new(opinion) }, With::default()),
        }
    }

    pub(crate) fn question(&self, live: &Live, inquiry: Inquiry) -> Result<Question, Error> {
        match inquiry {
            Inquiry::Put(question) => Ok(*question),
            Inquiry::Extract => {
                let note: String = live.keys.open(View::FreeText, "note", 0, &live.row.note)?;
                let coded: Vec<CodedFeature> = live.keys.open(View::Findings, "coded", 0, &live.row.coded)?;
                Ok(Question::Extract { subject: live.panel.session.subject, note, coded })
            }
            Inquiry::Read { amendment } => {
                let added = usize::try_from(amendment).ok().and_then(|n| live.panel.session.amendments.get(n));
                let note = added.ok_or(Error::Corrupt("an amendment"))?.text.clone();
                Ok(Question::Extract { subject: live.panel.session.subject, note, coded: Vec::new() })
            }
        }
    }

    async fn place(&self, live: &mut Live, test: TestId, price: Usd, approved_by: Option<String>) -> Result<(), Error> {
        // Commit point: the attempt is in the log before any money is spent.
        self.outbox.acknowledged(live.queued).await?;
        // Beyond the budget the guardian pays only what a physician has signed for: it judges the signature by itself.
        let approvals = match approved_by.filter(|_| price > live.panel.session.remaining()) {
            Some(escalation) => {
                let second = self.first_decision(live, &escalation).await?;
                [Some(self.signed_decision(live, &escalation).await?), second]
            }
            None => [None, None],
        };
        // The key names the act as the escalation showed it, and so as its approval does.
        let key = Act::paid(&test);
        let (root, trace) = (live.grant.root(), live.row.trace.as_str());
        let spent = self.guardian.spend(&live.row.id, root, (&key, price.cents()), approvals, trace).await?;
        if !spent.granted {
            return self.apply(live, Event::NotSpent { test }, With::default()).await;
        }
        let shown = live.hidden.iter().cloned().partition(|f| self.pack.shows(&test, &f.term));
        let (revealed, hidden): (Vec<_>, Vec<_>) = shown;
        let result_of = bodh_clinical::Origin::ResultOf(test.clone());
        let findings =
            revealed.into_iter().map(|f| bodh_clinical::Finding { origin: result_of.clone(), ..f }).collect();
        let with = With { hidden: Some(hidden), ..With::default() };
        self.apply(live, Event::Resulted { test, findings }, with).await
    }

    /// A fresh token with the remaining budget.
    pub(crate) async fn renew(&self, live: &mut Live) -> Result<(), Error> {
        let key = session_key()?;
        let grant = self.guardian.renew_session(&live.row.id, key.public(), &live.row.trace, None).await?;
        live.grant = SessionGrant::new(&grant, key, &self.token_key()?)?;
        Ok(())
    }

    pub(crate) fn token_key(&self) -> Result<[u8; 32], Error> {
        Ok(self.gate.trust().current()?.token_key)
    }

    /// Takes in one event: the next panel, committed with everything that tells of it.
    pub(crate) async fn apply(&self, live: &mut Live, event: Event, with: With<'_>) -> Result<(), Error> {
        let at_ms = self.now_ms();
        let (next, commands) = step(&live.panel, &event, at_ms)?;
        let seq = live.seq + 1;
        let number = u64::try_from(seq).unwrap_or(0);
        let sealed = live.keys.seal(View::Reasoning, "event", number, &event)?;
        let (raised, records) = self.raised(live, &commands)?;
        let told = Told {
            before: &live.panel,
            after: &next,
            event: &event,
            commands: &commands,
            seq,
            sealed_sha256: sha256(&sealed),
            content: live.keys.commit(View::Reasoning, "event", number, &event.without_words())?,
            policy_hash: with.policy_hash,
            records: &records,
        };
        let drafts = entries(&told).into_iter().chain(with.extra).map(pb::Draft::from).collect();
        let hidden = with.hidden.as_ref().map(|h| live.keys.seal(View::Findings, "hidden", 0, h)).transpose()?;
        let rows = StepRows {
            session: &live.row.id,
            seq,
            at_ms,
            sealed,
            state: next.state.name(),
            at_rest: next.state.is_at_rest(),
            drafts,
            raised,
            decided: with.decided,
            first: with.first,
            voided: with.voided,
            hidden,
            rule: with.rule,
            nonce: with.nonce,
        };
        // Commit point: after this the event has happened; before it nothing has.
        live.queued = self.store.commit(rows).await?.max(live.queued);
        self.outbox.wake();
        (live.panel, live.seq) = (next, seq);
        if let Some(hidden) = with.hidden {
            live.hidden = hidden;
        }
        live.tell();
        if live.panel.state.is_at_rest() {
            self.at_rest(live);
        }
        Ok(())
    }

    /// Rows and hashes of what a step raised.
    fn raised(&self, live: &Live, commands: &[Command]) -> Result<(Vec<EscalationRow>, Vec<[u8; 32]>), Error> {
        let mut rows = Vec::new();
        let mut hashes = Vec::new();
        for command in commands {
            let Command::Raise { escalations } = command else { continue };
            for escalation in escalations {
                let record = serde_json::to_vec(escalation).map_err(|_| Error::Corrupt("an escalation"))?;
                hashes.push(sha256(&record));
                rows.push(EscalationRow {
                    id: escalation.id.clone(),
                    session: escalation.session.clone(),
                    kind: escalation.kind.clone(),
                    reason: escalation.reason.clone(),
                    agent: escalation.agent.clone(),
                    action: outline(&escalation.action),
                    trace: escalation.trace.clone(),
                    role: escalation.role.clone(),
                    amount_cents: escalation.amount_cents.and_then(|c| i64::try_from(c).ok()),
                    requester: escalation.requester.clone(),
                    asked_by: escalation.asked_by.clone(),
                    signers: escalation.signers,
                    first_by: None,
                    raised_ms: escalation.raised_unix_ms,
                    record: live.keys.seal_bytes(View::Reasoning, &escalation.id, 0, &record)?,
                    record_sha256: data_encoding::HEXLOWER.encode(&sha256(&record)),
                    status: "open".to_owned(),
                });
            }
        }
        Ok((rows, hashes))
    }

    /// Nothing more happens by itself: the session's cells end.
    fn at_rest(&self, live: &Live) {
        let session = live.row.id.clone();
        let agents = std::sync::Arc::clone(&self.agents);
        tokio::spawn(async move { agents.dismiss(&session).await });
    }
}

/// What is proposed, for who may not read the record: a test is named, a disease is not.
fn outline(action: &str) -> String {
    if action.starts_with("conclude") { "conclude".to_owned() } else { action.to_owned() }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// The panel of a stored session: the opened one, and every event since.
pub(crate) fn opened(row: &crate::store::SessionRow, subject: bodh_clinical::Subject) -> Panel {
    Panel::convene(
        row.id.clone(),
        row.trace.clone(),
        row.requester.clone(),
        Usd::from_cents(row.budget_cents),
        row.sequential,
        subject,
    )
}
