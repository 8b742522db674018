//! What the guardian's own gate knows: the same as every other's, without the way there.

use bodh_gate::View;
use bodh_identity::SpiffeId;
use bodh_token::SigningKey;

use crate::{registry::Registry, state::Policy};

/// The registry and the policy as a gate's view.
pub(crate) fn view(registry: &Registry, policy: &Policy, token_key: &SigningKey, guardian: &SpiffeId) -> View {
    let (epoch, people, revoked) = registry.seen();
    let people = people.iter().map(|person| (person.id.clone(), bodh_gate::Person::of(&person.to_message(false))));
    View {
        policies: policy.policies.clone(),
        policy_hash: policy.hash,
        token_key: token_key.public(),
        issuer: guardian.clone(),
        people: people.filter(|(id, _)| !revoked.contains(id)).collect(),
        revoked: revoked.iter().cloned().collect(),
        epoch,
    }
}
