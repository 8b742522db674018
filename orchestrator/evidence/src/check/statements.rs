//! Each statement is signed by its signer's own key, its signature is committed to, and it is about exactly what the
//! session shows.

use super::{Check, Decided, Fault, Given, fault, fault_at, people::People};
use bodh_audit_log::{Entry, Hash, Kind};
use bodh_identity::signing::Context;
use bodh_panel::{Decision, EscalationStatus, Mark, Panel, Review, Verdict};
use data_encoding::BASE64;

const STEP: &str = "signatures";

pub(super) fn check(
    given: &Given<'_>,
    panel: &Panel,
    people: &People,
    checks: &mut Vec<Check>,
) -> Result<Vec<Decided>, Fault> {
    let mut decided = Vec::new();
    for signed in &given.content.signed {
        let number = decided.len() + 1;
        let unreadable = || Fault { step: STEP, what: format!("statement {number} does not read"), entry: None };
        let bytes = signed.json.as_bytes();
        let (context, said, signer) = match signed.purpose.as_str() {
            "decision" => {
                let decision = Decision::from_bytes(bytes).map_err(|_| unreadable())?;
                shown(given, panel, &decision)?;
                (Context::Decision, of_decision(&decision), decision.signer)
            }
            "mark" => {
                let mark = Mark::from_bytes(bytes).map_err(|_| unreadable())?;
                about(&mark.session, given)?;
                let said = ("mark_incident", mark.claim, "false".to_owned(), mark.reason, mark.at_unix_ms);
                (Context::Mark, said, mark.signer)
            }
            "review" => {
                let review = Review::from_bytes(bytes).map_err(|_| unreadable())?;
                about(&review.session, given)?;
                let said =
                    ("review", review.session, review.verdict.word().to_owned(), review.meaning, review.at_unix_ms);
                (Context::Review, said, review.signer)
            }
            other => return fault(STEP, format!("statement {number} has the unknown purpose {other:?}")),
        };
        let Some(person) = people.get(&signer) else {
            return fault(STEP, format!("{signer} signed and is not among the people"));
        };
        let signature = BASE64.decode(signed.signature.as_bytes()).map_err(|_| unreadable())?;
        let (action, about, verdict, meaning, at_unix_ms) = said;
        let entry = on_record(given, action, &signer, &signature)?;
        if !person.signed(entry, context, bytes, &signature) {
            return fault_at(STEP, entry, format!("the signature of {signer} does not hold"));
        }
        let assurance = person.enrolled.record.assurance.clone();
        let purpose = signed.purpose.clone();
        decided.push(Decided { purpose, about, verdict, by: signer, assurance, meaning, at_unix_ms, entry });
    }
    all_there(panel, &decided)?;
    let with_passkey = decided.iter().filter(|d| d.assurance == "webauthn").count();
    let found = format!("{} hold, {with_passkey} of them by passkeys; each is committed to by an entry", decided.len());
    checks.push(Check { what: STEP, found });
    Ok(decided)
}

fn of_decision(decision: &Decision) -> (&'static str, String, String, String, i64) {
    let verdict = decision.verdict.word().to_owned();
    ("decide", decision.escalation.clone(), verdict, decision.meaning.clone(), decision.at_unix_ms)
}

fn about(session: &str, given: &Given<'_>) -> Result<(), Fault> {
    if session == given.content.session { Ok(()) } else { fault(STEP, "a statement is about another session") }
}

/// The decision is on exactly the record that the events lead to, whose hash was put on record before.
fn shown(given: &Given<'_>, panel: &Panel, decision: &Decision) -> Result<(), Fault> {
    about(&decision.session, given)?;
    let Some((escalation, _)) = panel.session.escalations.iter().find(|(e, _)| e.id == decision.escalation) else {
        return fault(STEP, format!("{} is no question of this session", decision.escalation));
    };
    let hash = Hash::of(&serde_json::to_vec(escalation).unwrap_or_default());
    if hash.to_hex() != decision.record_sha256 {
        return fault(STEP, format!("the decision on {} is on another record than was shown", decision.escalation));
    }
    let raised = |(_, entry): &&&(u64, Entry)| {
        entry.draft.kind == Kind::Escalation && entry.draft.resource == decision.escalation
    };
    match given.entries.iter().find(raised) {
        Some((_, entry)) if entry.draft.commitments.get("record") == Some(hash.as_bytes()) => Ok(()),
        Some((index, _)) => fault_at(STEP, *index, "another record was put on record for this question"),
        None => fault(STEP, format!("{} was never put on record", decision.escalation)),
    }
}

/// The entry in which the signer's call committed to this signature.
fn on_record(given: &Given<'_>, action: &str, signer: &str, signature: &[u8]) -> Result<u64, Fault> {
    let hash = Hash::of(signature);
    let is = |(_, entry): &&&(u64, Entry)| {
        let draft = &entry.draft;
        draft.kind == Kind::Attempt
            && draft.action == action
            && draft.actors.first().is_some_and(|actor| actor == signer)
            && draft.commitments.get("statement_signature") == Some(hash.as_bytes())
    };
    match given.entries.iter().find(is) {
        Some((index, _)) => Ok(*index),
        None => fault(STEP, format!("no entry commits to the signature of {signer}")),
    }
}

/// No question counts as decided, and no claim as marked, without a statement in the file.
fn all_there(panel: &Panel, decided: &[Decided]) -> Result<(), Fault> {
    for (escalation, status) in &panel.session.escalations {
        let (by, verdict) = match status {
            EscalationStatus::Approved { by, .. } => (by, "approve"),
            EscalationStatus::Denied { by, .. } => (by, "deny"),
            EscalationStatus::Amended { by, .. } => (by, "amend"),
            EscalationStatus::Asked { by, .. } => (by, "ask"),
            EscalationStatus::Open | EscalationStatus::Lapsed => continue,
        };
        let said = |d: &&Decided| d.purpose == "decision" && d.about == escalation.id;
        if !decided.iter().any(|d| said(&d) && d.verdict == verdict && d.by == *by) {
            return fault(STEP, format!("{} counts as decided, and nobody's signature is here", escalation.id));
        }
        let first = panel.session.first(&escalation.id).map(|first| &first.by);
        let approves = |d: &Decided| ["approve", "amend"].contains(&d.verdict.as_str());
        let other = |d: &Decided| d.by != *by && Some(&d.by) == first && approves(d);
        let paired = match status {
            EscalationStatus::Approved { .. } => escalation.takes_two(Verdict::Approve),
            EscalationStatus::Amended { .. } => escalation.takes_two(Verdict::Amend),
            _ => false,
        };
        if paired && !decided.iter().any(|d| said(&d) && other(d)) {
            return fault(STEP, format!("{} takes two people, and one signature is here", escalation.id));
        }
    }
    let marked = |claim: &str| decided.iter().any(|d| d.purpose == "mark" && d.about == claim);
    match panel.session.struck.iter().find(|claim| !marked(&claim.to_string())) {
        Some(claim) => fault(STEP, format!("{claim} counts as marked, and nobody's signature is here")),
        None => Ok(()),
    }
}
