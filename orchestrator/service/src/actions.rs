//! What people may ask of the panel: one action per method, each for enrolled people only.

use bodh_gate::{Action, Allowed, Entity, Facts};

macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $text:literal, $effect:literal) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Action for $name {
            const NAME: &'static str = $text;
            const EFFECT: bool = $effect;
            const TOKEN: bool = false;
            const CALLERS: &'static [Allowed] = &[Allowed::AnyHuman];
        }
    };
}

action!(
    /// Opens a session.
    Convene, "convene", true
);
action!(
    /// Reads a report.
    ReadReport, "report", true
);
action!(
    /// Lists sessions.
    Sessions, "sessions", false
);
action!(
    /// Finds a patient's sessions.
    FindPatient, "find_patient", true
);
action!(
    /// Reads a note.
    ReadNote, "note", true
);
action!(
    /// Ends a session.
    Stop, "stop", true
);
action!(
    /// Lists what waits.
    Inbox, "inbox", false
);
action!(
    /// Opens an escalation: seen from then on.
    Open, "open", true
);
action!(
    /// Decides an escalation.
    Decide, "decide", true
);
action!(
    /// Marks a claim as false.
    MarkIncident, "mark_incident", true
);
action!(
    /// Lists the review rules.
    Rules, "rules", false
);
action!(
    /// Takes a review rule back.
    ReverseRule, "reverse_rule", true
);
action!(
    /// Reads the status.
    Status, "status", false
);
action!(
    /// Takes the evidence of a session with them.
    Export, "export", true
);
action!(
    /// Puts a session's questions again.
    Replay, "replay", true
);
action!(
    /// Signs off a session's record.
    Review, "review", true
);

action!(
    /// Corrects or adds to what is known of a case.
    Amend, "amend", true
);

/// The panel as a whole.
pub(crate) fn panel() -> Facts {
    Facts::about(Entity::new("Panel", "panel"))
}

/// The sessions of the caller, or everybody's.
pub(crate) fn sessions(all: bool) -> Facts {
    panel().context(serde_json::json!({ "all": all }))
}

/// One session, and who convened it.
pub(crate) fn session(id: &str, owner: &str, trace: &str) -> Facts {
    Facts::about(Entity::new("Session", id).with("owner", Entity::reference("Human", owner))).within(id, trace)
}

/// One escalation, or one that there is none of: whether there is is only told to whom the gate admits.
pub(crate) fn escalation(row: Option<&crate::store::EscalationRow>) -> Facts {
    let (id, requester, kind) =
        row.map_or(("unknown", "nobody", "unknown"), |r| (r.id.as_str(), r.requester.as_str(), r.kind.as_str()));
    let asked_by = row.and_then(|r| r.asked_by.as_deref()).map(|who| Entity::reference("Human", who));
    let approved_by = row.and_then(|r| r.first_by.as_deref()).map(|who| Entity::reference("Human", who));
    let entity = Entity::new("Escalation", id)
        .with("requester", Entity::reference("Human", requester))
        .with("kind", kind)
        .with("asked_by", Vec::from_iter(asked_by))
        .with("approved_by", Vec::from_iter(approved_by));
    Facts::about(entity).within(row.map_or("", |r| r.session.as_str()), "")
}
