//! The guardian's actions, who may ask for each, and what the policy is told.

use bodh_gate::{Action, Allowed, Entity, Facts};
use bodh_identity::SpiffeId;
use serde_json::json;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, effect $effect:literal, by $callers:expr;)+) => {
        $($(#[$doc])* pub(super) struct $name;

        impl Action for $name {
            const NAME: &'static str = $text;
            const EFFECT: bool = $effect;
            const TOKEN: bool = false;
            const CALLERS: &'static [Allowed] = $callers;
        })+
    };
}

const ORCHESTRATOR: &[Allowed] = &[Allowed::Service("orchestrator")];
const GATES: &[Allowed] = &[Allowed::AnyService, Allowed::AnyAgent];
const PEOPLE: &[Allowed] = &[Allowed::AnyHuman];
const READERS: &[Allowed] = &[Allowed::AnyHuman, Allowed::Service("orchestrator")];

actions! {
    /// A token and an envelope key for a new session.
    OpenSession = "open_session", effect true, by ORCHESTRATOR;
    /// A fresh token and the same envelope key.
    RenewSession = "renew_session", effect true, by ORCHESTRATOR;
    /// Taking from a session's budget.
    Spend = "spend", effect true, by ORCHESTRATOR;
    /// Putting a session to rest.
    CloseSession = "close_session", effect true, by ORCHESTRATOR;
    /// Destroying a session's key.
    EraseSession = "erase_session", effect true, by ORCHESTRATOR;
    /// Reading what a gate needs.
    ReadTrust = "trust", effect false, by GATES;
    /// Following changes.
    Watch = "watch", effect false, by GATES;
    /// Enrolling a person.
    Enroll = "enroll", effect true, by PEOPLE;
    /// Changing one's own keys.
    ChangeKeys = "change_keys", effect true, by PEOPLE;
    /// Revoking an identity.
    Revoke = "revoke", effect true, by PEOPLE;
    /// Reading who is enrolled, and which identities were issued.
    List = "list", effect false, by READERS;
}

/// Facts about the registry.
pub(super) fn registry() -> Facts {
    Facts::about(Entity::new("Registry", "registry"))
}

/// Facts about an enrolment, or a change of somebody's keys.
pub(super) fn enrolment(subject: &SpiffeId, trace: &str) -> Facts {
    let subject = Entity::reference("Human", subject.as_str());
    registry().context(json!({ "subject": subject })).within("", trace)
}

/// Facts about a session that runs on behalf of `owner`.
pub(super) fn session(id: &str, owner: &str, trace: &str) -> Facts {
    let session = Entity::new("Session", id).with("owner", Entity::reference("Human", owner));
    Facts::about(session).within(id, trace)
}

/// Facts about a session to be opened.
pub(super) fn opening(id: &str, owner: &str, trace: &str, purpose: &str, standing: bool) -> Facts {
    session(id, owner, trace).context(json!({ "purpose": purpose, "standing": standing }))
}

/// With the money at stake.
pub(super) fn amount(mut facts: Facts, cents: u64) -> Facts {
    // The record holds at most 2^53; larger amounts are refused by the act itself.
    facts.amount_cents = i64::try_from(cents.min(1 << 53)).unwrap_or_default();
    facts
}
