//! Amendments: what the clinician or a physician states after the case was read.

use crate::{
    drive::With,
    error::Error,
    runner::{Held, Live, Runner, live},
    service::access,
};
use bodh_clinical::{TermId, TestId};
use bodh_gate::Caller;
use bodh_panel::{AmendmentError, Correction, Event, MOST_CORRECTIONS, MOST_TEXT, Said, State, StepError};
use bodh_panel_api::pb::{self, correction::Said as Wire};

/// Why a session at work is not amended.
const AT_WORK: &str = "the panel is at work on this session; amend it when it rests";

impl Runner {
    /// Takes in an amendment whose caller the gate has admitted; `begun` names the session once it is committed.
    pub(crate) async fn take_amendment(
        &self,
        caller: &Caller,
        asked: pb::AmendRequest,
        begun: &mut Option<String>,
    ) -> Result<(Held, String), Error> {
        let event = read(caller.id.to_string(), &asked)?;
        let pb::AmendRequest { session, access: asked, rounds, .. } = asked;
        if self.watch(&session).is_some() {
            return Err(Error::Stale(AT_WORK));
        }
        let mut held = self.enter(&session, access(caller, asked)?).await?;
        let amended = match live(&mut held) {
            Ok(live) => self.amend(live, event, rounds).await,
            Err(error) => Err(error),
        };
        if let Err(error) = amended {
            self.leave(held).await;
            return Err(error);
        }
        *begun = Some(session.clone());
        Ok((held, session))
    }

    /// One amendment, committed. The session is not carried on yet.
    async fn amend(&self, live: &mut Live, event: Event, rounds: u32) -> Result<(), Error> {
        match &live.panel.state {
            State::AwaitingPhysician { .. } | State::AwaitingAnswer { .. } | State::Concluded { .. } => {}
            State::Withdrawn { .. } | State::Expired { .. } => {
                return Err(Error::Stale("this session has ended without a conclusion; convene a new one"));
            }
            _ => return Err(Error::Stale(AT_WORK)),
        }
        // The same form sent twice, or from a page that is no longer how things stand.
        if rounds != 0 && rounds != live.panel.session.round {
            return Err(Error::Stale("the panel has reasoned again since this was read; read it anew"));
        }
        match self.apply(live, event, With::default()).await {
            Err(Error::Step(StepError::Amendment(error))) => Err(Error::Invalid(error.to_string())),
            applied => applied,
        }
    }
}

/// Reads what was sent. No refusal repeats it.
fn read(by: String, asked: &pb::AmendRequest) -> Result<Event, Error> {
    let refused = |error: AmendmentError| Error::Invalid(error.to_string());
    // Before anything is opened for it; the panel looks again.
    if asked.text.len() > MOST_TEXT {
        return Err(refused(AmendmentError::TooLong));
    }
    if asked.corrections.len() > MOST_CORRECTIONS {
        return Err(refused(AmendmentError::TooManyCorrections));
    }
    let corrections = asked.corrections.iter().map(|c| correction(c).map_err(refused)).collect::<Result<_, _>>()?;
    let about = Some(&asked.about).filter(|about| !about.is_empty());
    let about = about.map(|test| TestId::parse(test).map_err(|_| refused(AmendmentError::NoSuchTest))).transpose()?;
    Ok(Event::Amended { by, corrections, text: asked.text.clone(), about })
}

fn correction(sent: &pb::Correction) -> Result<Correction, AmendmentError> {
    let term = TermId::parse(&sent.term).map_err(|_| AmendmentError::NoSuchFinding)?;
    let said = match Wire::try_from(sent.said) {
        Ok(Wire::Present) => Said::Present,
        Ok(Wire::Excluded) => Said::Excluded,
        Ok(Wire::NotSaid) => Said::NotSaid,
        Ok(Wire::Unspecified) | Err(_) => return Err(AmendmentError::Empty),
    };
    Ok(Correction { term, said })
}
