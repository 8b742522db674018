//! Following the guardian: its heartbeats, revocations and changes.

use crate::{Person, Trust, View};
use bodh_guardian_api::{Client, Error, pb};
use bodh_identity::{
    SpiffeId,
    server::Connections,
    signing::{Context, SignedDocument},
};
use bodh_policy::{Bundle, Policies};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Why what the guardian sent cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The guardian cannot be reached.
    #[error(transparent)]
    Guardian(#[from] Error),
    /// The policy bundle is not signed by the operator's key, or does not load.
    #[error("the policy bundle from the guardian cannot be trusted: {0}")]
    Policy(String),
    /// A field is malformed.
    #[error("the guardian's {0} is malformed")]
    Malformed(&'static str),
}

/// The view in a reply, checked: the policy bundle's signature again, by this service itself.
///
/// # Errors
/// Anything that cannot be trusted.
pub fn view(reply: &pb::TrustReply, issuer: &SpiffeId) -> Result<View, FeedError> {
    let policy = |cause: String| FeedError::Policy(cause);
    let document = SignedDocument::parse(&reply.policy_bundle).map_err(|e| policy(e.to_string()))?;
    let signer = document.claimed_signer().clone();
    let payload = document.verify(&signer, &reply.operator_key, Context::Policy).map_err(|e| policy(e.to_string()))?;
    let bundle: Bundle = serde_json::from_slice(payload).map_err(|e| policy(e.to_string()))?;
    let policies = Policies::load(&bundle).map_err(|e| policy(e.to_string()))?;
    let id = |text: &String| SpiffeId::parse(text).map_err(|_| FeedError::Malformed("SPIFFE id"));
    let revoked: HashSet<SpiffeId> = reply.revoked.iter().map(id).collect::<Result<_, _>>()?;
    let mut people = HashMap::new();
    for person in reply.people.iter().filter(|p| !p.revoked) {
        people.insert(id(&person.id)?, Person::of(person));
    }
    Ok(View {
        policies: Arc::new(policies),
        policy_hash: bundle.hash(),
        token_key: reply.token_key.as_slice().try_into().map_err(|_| FeedError::Malformed("token key"))?,
        issuer: issuer.clone(),
        people,
        revoked,
        epoch: reply.epoch,
    })
}

/// Follows the guardian for ever: every heartbeat refreshes `trust`, every revocation closes live connections at
/// once. When the feed breaks, `trust` turns stale by itself and is caught up on reconnection.
pub async fn follow(client: Client, issuer: SpiffeId, trust: Trust, connections: Connections) {
    let mut pause = Duration::from_millis(20);
    loop {
        match follow_once(&client, &issuer, &trust, &connections, &mut pause).await {
            Ok(()) => tracing::debug!("the guardian's feed ended"),
            Err(error) => tracing::debug!(%error, "the guardian's feed broke"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

async fn follow_once(
    client: &Client,
    issuer: &SpiffeId,
    trust: &Trust,
    connections: &Connections,
    pause: &mut Duration,
) -> Result<(), FeedError> {
    // Subscribe before reading, so that no change falls between the two.
    let mut notices = client.watch().await?;
    let mut epoch = refresh(client, issuer, trust, connections).await?;
    *pause = Duration::from_millis(20);
    loop {
        let next = timeout(crate::STALE_AFTER, notices.message()).await;
        let Ok(Ok(Some(notice))) = next else { return Ok(()) };
        for id in notice.revoked.iter().filter_map(|id| SpiffeId::parse(id).ok()) {
            connections.close(&id);
        }
        if notice.epoch != epoch {
            epoch = refresh(client, issuer, trust, connections).await?;
        }
        trust.heard();
    }
}

async fn refresh(
    client: &Client,
    issuer: &SpiffeId,
    trust: &Trust,
    connections: &Connections,
) -> Result<u64, FeedError> {
    let view = view(&client.trust().await?, issuer)?;
    let epoch = view.epoch;
    connections.set_revoked(view.revoked.iter().cloned().collect());
    let lost: Vec<(SpiffeId, i64)> = view.people.iter().map(|(id, person)| (id.clone(), person.since_ms)).collect();
    let before = trust.replace(view);
    trust.heard();
    // After the view has it: whoever connects again at once is judged by what holds now. Against the last view that was
    // heard, so that what changed while the feed was broken counts too.
    let had = |id: &SpiffeId| before.as_ref().and_then(|view| view.people.get(id)).map_or(0, |person| person.since_ms);
    for (id, _) in lost.iter().filter(|(id, since_ms)| *since_ms > had(id)) {
        connections.close(id);
    }
    Ok(epoch)
}
