//! Who signed was let in by an operator, up to the first one, and each letting-in is on record.

use super::{Check, Fault, Given, fault, fault_at};
use crate::file::lets_in;
use bodh_audit_log::Hash;
use bodh_guardian_api::{Enrolled, OPERATOR};
use data_encoding::BASE64;

/// Everybody whose enrolment holds.
pub(crate) struct People(Vec<Enrolled>);

impl People {
    /// The person of this SPIFFE id.
    pub(crate) fn get(&self, id: &str) -> Option<&Enrolled> {
        self.0.iter().find(|person| person.record.id == id)
    }

    /// The same, if they are an operator.
    pub(crate) fn operator(&self, id: &str) -> Option<&Enrolled> {
        self.get(id).filter(|person| person.record.roles.iter().any(|role| role == OPERATOR))
    }
}

pub(super) fn check(given: &Given<'_>, checks: &mut Vec<Check>) -> Result<People, Fault> {
    let step = "people";
    let mut people: Vec<Enrolled> = Vec::new();
    for person in &given.content.people {
        let number = people.len() + 1;
        let Ok(signature) = BASE64.decode(person.signature.as_bytes()) else {
            return fault(step, format!("enrolment {number} has no readable signature"));
        };
        let record = person.record.as_bytes();
        let by = bodh_guardian_api::Enrolment::parse(record).ok().map(|read| read.enrolled_by);
        let by = by.and_then(|by| people.iter().find(|other| other.record.id == by));
        let by = by.map(|by| (&by.record, by.key.as_slice()));
        if by.is_none() && !people.is_empty() {
            return fault(step, format!("enrolment {number} is by nobody on record"));
        }
        let Some(enrolled) = Enrolled::check(record, &signature, by) else {
            return fault(step, format!("the signature of enrolment {number} does not hold"));
        };
        let entry = given.all.iter().find(|(_, entry)| lets_in(entry) == Some(enrolled.record.id.as_str()));
        let Some((index, entry)) = entry else {
            return fault(step, format!("no entry lets {} in", enrolled.record.id));
        };
        if entry.draft.commitments.get("record") != Some(Hash::of(record).as_bytes()) {
            return fault_at(step, *index, format!("{} was let in with another record", enrolled.record.id));
        }
        people.push(enrolled);
    }
    let names: Vec<_> = people.iter().map(|person| person.record.name.as_str()).collect();
    let found = format!("{}: each let in by an operator, on record", names.join(", "));
    checks.push(Check { what: step, found });
    Ok(People(people))
}
