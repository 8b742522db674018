//! The panel's methods for people. Each: the caller, the gate, one call, the outcome.

use crate::{
    actions::{
        self, Amend, Convene, Decide, Export, FindPatient, Inbox, MarkIncident, Open, ReadNote, ReadReport, Replay,
        ReverseRule, Review, Rules, Sessions, Status as ReadStatus, Stop,
    },
    drive::sha256,
    error::Error,
    open::Convening,
    runner::{Held, Runner, Step, live},
};
use bodh_gate::{Action, Caller, Entity, Facts, Outcome, Permit};
use bodh_guardian_api::Access;
use bodh_panel::Report;
use bodh_panel_api::pb::{self, panel_server::Panel};
use std::{str::FromStr, sync::Arc};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The panel's service.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) runner: Arc<Runner>,
}

pub(crate) type Events = ReceiverStream<Result<pb::SessionEvent, Status>>;

/// Until a session that was interrupted is taken up again.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

/// Steps that a watcher may be behind before it misses some.
const WATCHED: usize = 64;

impl Service {
    /// One guarded act without a stream: admitted, done, settled.
    async fn guarded<A: Action, T>(
        &self,
        caller: &Caller,
        facts: Facts,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<Response<T>, Status> {
        let permit: Permit<A> = self.runner.gate.admit(caller, facts).await?;
        let done = work.await;
        let outcome = done.as_ref().map_or_else(|error| Outcome::failed(error.code()), |_| Outcome::ok());
        self.runner.gate.settle(permit, outcome).await?;
        Ok(Response::new(done?))
    }

    /// Carries a session on in the background, its steps and its report going to the caller.
    fn carry_on(&self, mut held: Held, session: String) -> Response<Events> {
        let (events, stream) = mpsc::channel(WATCHED);
        let runner = Arc::clone(&self.runner);
        tokio::spawn(async move {
            let ended = run(&runner, &mut held, &events).await;
            let last = ended.map(|report_json| pb::SessionEvent {
                event: Some(pb::session_event::Event::ReportJson(report_json)),
                version: 0,
            });
            // Whoever has the report can rely on the session being closed.
            if last.as_ref().is_err_and(|error| !matches!(error, Error::Unusable(_))) {
                runner.forget(&session, held);
                runner.carry_on_later(session, AGAIN);
            } else {
                runner.leave(held).await;
            }
            // Nobody may be listening any more; the session went on all the same.
            let _ = events.send(last.map_err(Status::from)).await;
        });
        Response::new(ReceiverStream::new(stream))
    }

    /// What was committed goes on, even when the record failed before its outcome and the caller learns of no success.
    fn or_goes_on<T>(&self, done: Result<Response<T>, Status>, begun: Option<String>) -> Result<T, Status> {
        if let (Err(_), Some(session)) = (&done, begun) {
            self.runner.carry_on_later(session, AGAIN);
        }
        done.map(Response::into_inner)
    }

    async fn session_facts(&self, session: &str) -> Result<Facts, Error> {
        // Whether there is such a session is only told to whom the gate admits.
        let row = self.runner.store.session(session).await?;
        let id = if bodh_token::SessionId::from_str(session).is_ok() { session } else { "" };
        Ok(row.map_or_else(|| actions::session(id, "nobody", ""), |r| actions::session(&r.id, &r.requester, &r.trace)))
    }
}

/// The caller's signed request, as the guardian takes it. Another person's opens nothing for this caller: the guardian, which
/// sees the signer alone, would put the wrong name on record. What does not read is the guardian's to refuse.
pub(crate) fn access(
    caller: &Caller,
    statement: Option<pb::Statement>,
) -> Result<Option<bodh_guardian_api::pb::Statement>, Error> {
    let Some(pb::Statement { json, signature }) = statement else { return Ok(None) };
    if Access::parse(&json).is_some_and(|access| access.signer != caller.id.as_str()) {
        return Err(Error::Signature("the request to open the session is another person's".to_owned()));
    }
    Ok(Some(bodh_guardian_api::pb::Statement { json, signature }))
}

async fn run(
    runner: &Runner,
    held: &mut Held,
    events: &mpsc::Sender<Result<pb::SessionEvent, Status>>,
) -> Result<Vec<u8>, Error> {
    let (steps, mut watched) = mpsc::channel::<Step>(WATCHED);
    let forward = async {
        while let Some(step) = watched.recv().await {
            let progress = pb::Progress {
                session: step.session,
                round: step.round,
                step: step.state.to_owned(),
                elapsed_us: step.elapsed_us,
            };
            let event = pb::SessionEvent { event: Some(pb::session_event::Event::Progress(progress)), version: 0 };
            let _ = events.send(Ok(event)).await;
        }
    };
    let work = async {
        let live = live(held)?;
        live.watcher = Some(steps);
        let driven = runner.drive(live).await;
        live.watcher = None;
        driven?;
        let report = runner.report(live).await?;
        report.unusable().map_or_else(|| json(&report), |line| Err(Error::Unusable(line)))
    };
    let (report, ()) = tokio::join!(work, forward);
    report
}

pub(crate) fn json(report: &Report) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(report).map_err(|_| Error::Corrupt("a report"))
}

#[tonic::async_trait]
impl Panel for Service {
    type ConveneStream = Events;
    type DecideStream = Events;
    type WatchStream = Events;
    type AmendStream = Events;

    async fn convene(&self, request: Request<pb::ConveneRequest>) -> Result<Response<Events>, Status> {
        let caller = Caller::of(&request)?;
        let asked = request.into_inner();
        let mut begun = None;
        // Admitted first: whoever may not convene learns nothing, and a case that cannot be read is an entry too.
        let live = self.guarded::<Convene, _>(&caller, actions::panel(), async {
            let live = self.runner.convene(Convening::read(&asked, caller.id.to_string())?).await?;
            begun = Some(live.row.id.clone());
            Ok(live)
        });
        let live = live.await;
        let live = self.or_goes_on(live, begun)?;
        let session = live.row.id.clone();
        let held = self.runner.keep(live).await?;
        Ok(self.carry_on(held, session))
    }

    async fn report(&self, request: Request<pb::ReportRequest>) -> Result<Response<pb::ReportReply>, Status> {
        let caller = Caller::of(&request)?;
        let pb::ReportRequest { session, access: asked } = request.into_inner();
        let facts = self.session_facts(&session).await?;
        self.guarded::<ReadReport, _>(&caller, facts, async {
            let mut held = self.runner.enter(&session, access(&caller, asked)?).await?;
            let report = match live(&mut held) {
                Ok(live) => self.runner.report(live).await,
                Err(error) => Err(error),
            };
            self.runner.leave(held).await;
            let report_json = json(&report?)?;
            self.runner.saw(&caller, &session).await?;
            Ok(pb::ReportReply { report_json })
        })
        .await
    }

    async fn sessions(&self, request: Request<pb::SessionsRequest>) -> Result<Response<pb::SessionsReply>, Status> {
        let (caller, all) = (Caller::of(&request)?, request.get_ref().all);
        self.guarded::<Sessions, _>(&caller, actions::sessions(all), self.runner.list(&caller, all)).await
    }

    async fn find_patient(
        &self,
        request: Request<pb::FindPatientRequest>,
    ) -> Result<Response<pb::FindPatientReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.runner.patients.search(&asked)?;
        self.guarded::<FindPatient, _>(&caller, facts, self.runner.find_patient(asked)).await
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Events>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        // One entry in the log for as long as somebody watches.
        let seen = self.guarded::<ReadReport, _>(&caller, facts, self.runner.look(&caller, asked)).await?;
        Ok(Response::new(seen.into_inner().follow()))
    }

    async fn note(&self, request: Request<pb::NoteRequest>) -> Result<Response<pb::NoteReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        self.guarded::<ReadNote, _>(&caller, facts, self.runner.note(&caller, asked)).await
    }

    async fn stop(&self, request: Request<pb::StopRequest>) -> Result<Response<pb::StopReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        self.guarded::<Stop, _>(&caller, facts, self.runner.end(&caller, asked)).await
    }

    async fn export(&self, request: Request<pb::ExportRequest>) -> Result<Response<pb::ExportReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        self.guarded::<Export, _>(&caller, facts, self.runner.export(&caller, asked)).await
    }

    async fn replay(&self, request: Request<pb::ReplayRequest>) -> Result<Response<pb::ReplayReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        self.guarded::<Replay, _>(&caller, facts, self.runner.replay(&caller, asked)).await
    }

    async fn review(&self, request: Request<pb::ReviewRequest>) -> Result<Response<pb::ReviewReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let mut facts = self.session_facts(&asked.session).await?;
        facts.commitments.insert("statement_signature".to_owned(), sha256(&asked.signature));
        self.guarded::<Review, _>(&caller, facts, self.runner.take_review(&caller, asked)).await
    }

    async fn inbox(&self, request: Request<pb::InboxRequest>) -> Result<Response<pb::InboxReply>, Status> {
        let caller = Caller::of(&request)?;
        let all = request.into_inner().all;
        self.guarded::<Inbox, _>(&caller, actions::panel(), self.runner.inbox(&caller, all)).await
    }

    async fn open(&self, request: Request<pb::OpenRequest>) -> Result<Response<pb::OpenReply>, Status> {
        let caller = Caller::of(&request)?;
        let pb::OpenRequest { escalation, access: asked } = request.into_inner();
        let row = self.runner.escalation(&escalation).await?;
        self.guarded::<Open, _>(&caller, actions::escalation(row.as_ref()), self.runner.show_to(&caller, row, asked))
            .await
    }

    async fn decide(&self, request: Request<pb::DecideRequest>) -> Result<Response<Events>, Status> {
        let caller = Caller::of(&request)?;
        let asked = request.into_inner();
        let row = self.runner.escalation(&asked.escalation).await?;
        let mut facts = actions::escalation(row.as_ref());
        facts.commitments.insert("statement_signature".to_owned(), sha256(&asked.signature));
        let mut begun = None;
        let work = self.runner.take_decision(&caller, row, asked, &mut begun);
        let done = self.guarded::<Decide, _>(&caller, facts, work).await;
        let (held, session) = self.or_goes_on(done, begun)?;
        Ok(self.carry_on(held, session))
    }

    async fn mark_incident(
        &self,
        request: Request<pb::MarkIncidentRequest>,
    ) -> Result<Response<pb::MarkIncidentReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let mut facts = Facts::about(Entity::new("Incident", asked.session.as_str())).within(&asked.session, "");
        facts.commitments.insert("statement_signature".to_owned(), sha256(&asked.signature));
        let (mut begun, session) = (None, asked.session.clone());
        let work = self.runner.take_mark(&caller, asked, &mut begun);
        let done = self.guarded::<MarkIncident, _>(&caller, facts, work).await;
        let (held, reply) = self.or_goes_on(done, begun)?;
        // The session goes on from the step before; nobody has to wait for it here.
        drop(self.carry_on(held, session));
        Ok(Response::new(reply))
    }

    async fn rules(&self, request: Request<pb::RulesRequest>) -> Result<Response<pb::RulesReply>, Status> {
        let caller = Caller::of(&request)?;
        self.guarded::<Rules, _>(&caller, actions::panel(), async {
            let rules = self.runner.rules.all();
            let json = rules.iter().map(serde_json::to_vec).collect::<Result<_, _>>();
            Ok(pb::RulesReply { rule_json: json.map_err(|_| Error::Corrupt("a rule"))? })
        })
        .await
    }

    async fn reverse_rule(
        &self,
        request: Request<pb::ReverseRuleRequest>,
    ) -> Result<Response<pb::ReverseRuleReply>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let mut facts = Facts::about(Entity::new("Rule", self.runner.rules.named(&asked.rule)));
        facts.commitments.insert("statement_signature".to_owned(), sha256(&asked.signature));
        self.guarded::<ReverseRule, _>(&caller, facts, self.runner.take_reversal(&caller, asked)).await
    }

    async fn status(&self, request: Request<pb::StatusRequest>) -> Result<Response<pb::StatusReply>, Status> {
        let caller = Caller::of(&request)?;
        self.guarded::<ReadStatus, _>(&caller, actions::panel(), async {
            let page = self.runner.status().await?;
            let status_json = serde_json::to_vec(&page).map_err(|_| Error::Corrupt("a status"))?;
            Ok(pb::StatusReply { status_json })
        })
        .await
    }

    async fn amend(&self, request: Request<pb::AmendRequest>) -> Result<Response<Events>, Status> {
        let (caller, asked) = (Caller::of(&request)?, request.into_inner());
        let facts = self.session_facts(&asked.session).await?;
        let mut begun = None;
        let work = self.runner.take_amendment(&caller, asked, &mut begun);
        let done = self.guarded::<Amend, _>(&caller, facts, work).await;
        let (held, session) = self.or_goes_on(done, begun)?;
        Ok(self.carry_on(held, session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_identity::SpiffeId;

    #[test]
    fn a_request_that_another_person_signed_opens_nothing() {
        let id = |name| SpiffeId::human("bodh.internal", name).unwrap();
        let caller = Caller { id: id("ann"), certified_ms: 0, root: None, call: None, step: None };
        let signed_by = |name| {
            let (session, nonce) = ("0".repeat(32), "1".repeat(32));
            let json = Access { session, signer: id(name).to_string(), nonce, at_unix_ms: 1 }.to_bytes();
            Some(pb::Statement { json, signature: vec![7; 64] })
        };
        assert!(matches!(access(&caller, None), Ok(None)));
        assert!(matches!(access(&caller, signed_by("ann")), Ok(Some(own)) if own.signature == [7; 64]));
        assert!(matches!(access(&caller, signed_by("ben")), Err(Error::Signature(_))));
    }
}
