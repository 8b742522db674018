//! A compliance officer's signed review of a session's record. It changes nothing in the session.

use crate::{
    drive::sha256,
    error::Error,
    runner::{Live, Runner, live},
    service::access,
};
use bodh_audit_api::pb::Draft as Queued;
use bodh_audit_log::{Draft, Kind};
use bodh_gate::Caller;
use bodh_identity::signing::Context;
use bodh_panel::Review;
use bodh_panel_api::pb;
use bodh_vault::View;

impl Runner {
    /// Takes in what was sent as a review, for a caller whom the gate has admitted.
    pub(crate) async fn take_review(
        &self,
        caller: &Caller,
        asked: pb::ReviewRequest,
    ) -> Result<pb::ReviewReply, Error> {
        let bytes = asked.review_json.as_slice();
        let review = Review::from_bytes(bytes).map_err(|error| Error::Signature(error.to_string()))?;
        if review.session != asked.session {
            return Err(Error::Signature("it is about another session".to_owned()));
        }
        let at = review.at_unix_ms;
        self.check_signer(&caller.id, &review.signer, at, Context::Review, bytes, &asked.signature)?;
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let kept = match live(&mut held) {
            Ok(live) => self.keep_review(live, &review, bytes, &asked.signature).await,
            Err(error) => Err(error),
        };
        self.leave(held).await;
        kept.map(|()| pb::ReviewReply {})
    }

    async fn keep_review(&self, live: &Live, review: &Review, bytes: &[u8], signature: &[u8]) -> Result<(), Error> {
        let session = &live.row.id;
        // Of another session's entry, or of one that is not there yet, nobody can have read anything here.
        let entries = self.session_entries(session).await?;
        let there = |index: u64| entries.iter().any(|(place, _)| *place == index);
        if !there(review.up_to) || review.entry.is_some_and(|entry| !there(entry)) {
            return Err(Error::NoSuch("entry of this session"));
        }
        let number = self.store.reviews(session).await?.len() as u64 + 1;
        let sealed = live.keys.seal_bytes(View::Reasoning, "review", number, bytes)?;
        let mut told = Draft::new(Kind::Decision, "review", format!("{session}/review/{}", review.nonce));
        told.actors = vec![review.signer.clone()];
        told.session.clone_from(session);
        told.trace.clone_from(&live.row.trace);
        told.cause = review.verdict.word().to_owned();
        told.resource = review.entry.map_or_else(String::new, |entry| format!("entry/{entry}"));
        told.commitments.insert("statement_signature".to_owned(), sha256(signature));
        let queued =
            self.store.add_review((session, number), &sealed, signature, &review.nonce, &Queued::from(told)).await?;
        self.outbox.wake();
        self.outbox.acknowledged(queued).await?;
        Ok(())
    }
}
