//! Who signed was let in by an operator, up to the first one, with the keys that they had at the time; and each letting-in,
//! each change of keys is on record.

use super::{Check, Fault, Given, fault, fault_at};
use crate::{
    content::{Changed, Let},
    file::{changes_keys, lets_in},
};
use bodh_audit_log::{Entry, Hash};
use bodh_guardian_api::{Enrolled, Enrolment, KeyChange, Keys, SignedChange};
use bodh_identity::signing::Context;
use data_encoding::BASE64;

const STEP: &str = "people";

/// Everybody whose enrolment holds.
pub(crate) struct People(Vec<Known>);

/// A person, and which keys they had from which entry on, in order.
pub(crate) struct Known {
    pub(crate) enrolled: Enrolled,
    had: Vec<(u64, Keys)>,
}

impl People {
    /// The person of this SPIFFE id.
    pub(crate) fn get(&self, id: &str) -> Option<&Known> {
        self.0.iter().find(|person| person.enrolled.record.id == id)
    }
}

impl Known {
    /// Whether this is the signature of a key that was theirs when this entry was written. The order of the log decides, and
    /// no clock: a key that was lost signs nothing after the entry that removed it.
    pub(crate) fn signed(&self, entry: u64, context: Context, payload: &[u8], signature: &[u8]) -> bool {
        let then = self.had.iter().rev().find(|(from, _)| *from < entry).map(|(_, keys)| keys);
        then.is_some_and(|keys| keys.signed(context, payload, signature))
    }

    /// Every key that was ever theirs.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.had.iter().flat_map(|(_, keys)| keys.held()).map(|held| held.key.as_slice())
    }
}

/// What the record says happened to somebody, at an entry.
enum Step<'a> {
    In(&'a Let),
    Keys(&'a Changed, String),
}

pub(super) fn check(given: &Given<'_>, checks: &mut Vec<Check>) -> Result<People, Fault> {
    let (people, changes) = read(&given.content.people, given.all, given.until)?;
    let names: Vec<_> = people.0.iter().map(|person| person.enrolled.record.name.as_str()).collect();
    let changed = if changes > 0 { format!("; {changes} changes of keys, each signed") } else { String::new() };
    let found = format!("{}: each let in by an operator, on record{changed}", names.join(", "));
    checks.push(Check { what: STEP, found });
    Ok(people)
}

/// The people in the file by the entries `all` of the log, up to the one that commits to it; and how often keys changed.
fn read(told: &[Let], all: &[(u64, Entry)], until: u64) -> Result<(People, usize), Fault> {
    let mut people: Vec<Known> = Vec::new();
    let mut changes = 0;
    for (index, step) in steps(told, all, until)? {
        match step {
            Step::In(person) => {
                let enrolled = enter(&people, index, person)?;
                // The first person's entry follows when there is a record: nobody came before them.
                let from = if people.is_empty() { 0 } else { index };
                people.push(Known { had: vec![(from, enrolled.keys.clone())], enrolled });
            }
            Step::Keys(change, id) => {
                changes += 1;
                let keys = change_keys(&people, index, change, &id)?;
                if let Some(person) = people.iter_mut().find(|person| person.enrolled.record.id == id) {
                    person.enrolled.keys = keys.clone();
                    person.had.push((index, keys));
                }
            }
        }
    }
    Ok((People(people), changes))
}

/// Every letting-in and change of keys in the file, each at the entry that commits to its record, in the order of the log; and
/// no entry of a change of these people's keys is without its record here.
fn steps<'a>(told: &'a [Let], all: &[(u64, Entry)], until: u64) -> Result<Vec<(u64, Step<'a>)>, Fault> {
    let mut steps = Vec::new();
    for (number, person) in told.iter().enumerate() {
        let Ok(record) = Enrolment::parse(person.record.as_bytes()) else {
            return fault(STEP, format!("enrolment {} does not read", number + 1));
        };
        let Some((index, entry)) = all.iter().find(|(_, entry)| lets_in(entry) == Some(record.id.as_str())) else {
            return fault(STEP, format!("no entry lets {} in", record.id));
        };
        if !commits(entry, &person.record) {
            return fault_at(STEP, *index, format!("{} was let in with another record", record.id));
        }
        steps.push((if number == 0 { 0 } else { *index }, Step::In(person)));
        let mut records = person.changes.iter();
        let of_them =
            |(index, entry): &&(u64, Entry)| *index < until && changes_keys(entry) == Some(record.id.as_str());
        for (index, entry) in all.iter().filter(of_them) {
            match records.next() {
                Some(change) if commits(entry, &change.record) => {
                    steps.push((*index, Step::Keys(change, record.id.clone())));
                }
                _ => return fault_at(STEP, *index, format!("a change of the keys of {} is missing here", record.id)),
            }
        }
        if records.next().is_some() {
            return fault(STEP, format!("a change of the keys of {} is not on record", record.id));
        }
    }
    // Stable: the first person stays first.
    steps.sort_by_key(|(index, _)| *index);
    Ok(steps)
}

fn commits(entry: &Entry, record: &str) -> bool {
    entry.draft.commitments.get("record") == Some(Hash::of(record.as_bytes()).as_bytes())
}

fn enter(people: &[Known], index: u64, person: &Let) -> Result<Enrolled, Fault> {
    let number = people.len() + 1;
    let record = person.record.as_bytes();
    let by = Enrolment::parse(record).ok().map(|read| read.enrolled_by);
    let by = people.iter().find(|other| Some(&other.enrolled.record.id) == by.as_ref());
    if by.is_none() && !people.is_empty() {
        return fault_at(STEP, index, format!("enrolment {number} is by nobody on record"));
    }
    let signature = BASE64.decode(person.signature.as_bytes()).unwrap_or_default();
    match Enrolled::check(record, &signature, by.map(|by| &by.enrolled)) {
        Some(enrolled) => Ok(enrolled),
        None => fault_at(STEP, index, format!("the signature of enrolment {number} does not hold")),
    }
}

fn change_keys(people: &[Known], index: u64, change: &Changed, id: &str) -> Result<Keys, Fault> {
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap_or_default();
    let record = change.record.clone().into_bytes();
    let inviter = KeyChange::parse(&record).ok().and_then(|change| change.inviter());
    let named = |wanted: &str| people.iter().find(|person| person.enrolled.record.id == wanted);
    let Some(person) = named(id) else {
        return fault_at(STEP, index, format!("the keys of {id} changed before they came"));
    };
    let operator = inviter.as_deref().and_then(named).map(|operator| &operator.enrolled);
    let signed = SignedChange { record, by_own: bytes(&change.by_own), by_new: bytes(&change.by_new) };
    match person.enrolled.keys.after(&person.enrolled.record, &signed, operator) {
        Ok((keys, _)) => Ok(keys),
        Err(cause) => fault_at(STEP, index, format!("a change of the keys of {id} does not hold: {cause}")),
    }
}

#[cfg(test)]
#[path = "tests/people.rs"]
mod tests;
