//! Each event's words are those that its entry committed to, none is missing, and one follows from the other.

use super::{Check, Fault, Given, fault, fault_at};
use crate::content::plain_name;
use bodh_audit_log::{Entry, Kind};
use bodh_panel::Panel;
use bodh_vault::commitment;
use data_encoding::HEXLOWER;

pub(super) fn check(given: &Given<'_>, checks: &mut Vec<Check>) -> Result<Panel, Fault> {
    let step = "events";
    let content = given.content;
    let state = |given: &Given<'_>, name: &str| {
        let is = |(_, entry): &&&(u64, Entry)| {
            entry.draft.kind == Kind::State && entry.draft.step == name && entry.reporter_name() == "orchestrator"
        };
        given.entries.iter().find(is).map(|pair| (pair.0, pair.1.draft.clone()))
    };
    let key = |text: &str| <[u8; 32]>::try_from(HEXLOWER.decode(text.as_bytes()).unwrap_or_default()).ok();
    let (Some(findings), Some(reasoning)) = (key(&content.findings_key), key(&content.reasoning_key)) else {
        return fault(step, "the keys of the commitments do not read");
    };
    let Some((index, opened)) = state(given, "e0") else { return fault(step, "no entry convenes the session") };
    let same = opened.actors.first() == Some(&content.requester)
        && opened.trace == content.trace
        && u64::try_from(opened.amount_cents).ok() == Some(content.budget_cents);
    if !same {
        return fault_at(step, index, "requester, trace or budget are not those that were put on record");
    }
    let subject = commitment(&findings, &plain_name("subject", 0), content.subject.as_bytes());
    if opened.commitments.get("subject_content") != Some(&subject) {
        return fault_at(step, index, "age and sex are not those that were committed to");
    }
    for (number, happened) in (1u64..).zip(&content.events) {
        let Some((index, entry)) = state(given, &format!("e{number}")) else {
            return fault(step, format!("event {number} is not on record"));
        };
        let said = commitment(&reasoning, &plain_name("event", number), happened.json.as_bytes());
        // What time did was sealed with no key: the entry itself says what it was.
        let lapsed = happened.json.is_empty() && entry.action == "expired";
        if !lapsed && entry.commitments.get("content") != Some(&said) {
            return fault_at(step, index, format!("event {number} is not the one that was committed to"));
        }
    }
    let next = content.events.len() + 1;
    if let Some((index, _)) = state(given, &format!("e{next}")) {
        return fault_at(step, index, format!("event {next} is on record and not in the file"));
    }
    let panel = content.panel().or_else(|untold| fault(step, untold.to_string()))?;
    let found = format!("{} events, each as committed to when it happened; the report follows from them", next - 1);
    checks.push(Check { what: step, found });
    Ok(panel)
}
