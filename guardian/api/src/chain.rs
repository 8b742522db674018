//! Who let whom in: a record of enrolment holds when an operator who was enrolled before signed it, or invited its
//! holder, whose own passkey signed it; the first one signed for themself.

use crate::{Enrolment, Invitation, SignedInvitation};
use bodh_identity::signing::{Context, verify};

/// The role whose holders let others in.
pub const OPERATOR: &str = "operator";

/// A person whose enrolment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// What was signed, read.
    pub record: Enrolment,
    /// Their key: Ed25519, or a passkey.
    pub key: Vec<u8>,
}

impl Enrolled {
    /// The person of this record, if its signature holds; `by` is who enrolled them, nobody for the first.
    #[must_use]
    pub fn check(record: &[u8], signature: &[u8], by: Option<(&Enrolment, &[u8])>) -> Option<Self> {
        let parsed = Enrolment::parse(record).ok()?;
        let person = Self { key: parsed.public_key().ok()?, record: parsed };
        let (enroller, key) = by.unwrap_or((&person.record, &person.key));
        let signed = |key: &[u8]| verify(key, Context::Enrolment, record, signature).is_ok();
        let let_in = match &person.record.invitation {
            None => signed(key),
            Some(_) => accepted(&person.record, key).is_some() && signed(&person.key),
        };
        let operator = enroller.roles.iter().any(|role| role == OPERATOR) && enroller.id == person.record.enrolled_by;
        (operator && let_in).then_some(person)
    }
}

/// The invitation that a record accepts, if `operator`'s key signed it for exactly this person.
#[must_use]
pub fn accepted(record: &Enrolment, operator: &[u8]) -> Option<Invitation> {
    let signed = SignedInvitation::from_link(record.invitation.as_deref()?)?;
    verify(operator, Context::Invitation, &signed.invitation, &signed.signature).ok()?;
    let invitation = Invitation::parse(&signed.invitation).ok()?;
    let same = (&invitation.id, &invitation.name, &invitation.roles, &invitation.invited_by)
        == (&record.id, &record.name, &record.roles, &record.enrolled_by);
    same.then_some(invitation)
}
