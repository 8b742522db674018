//! Who let whom in: a record of enrolment holds when an operator who was enrolled before signed it, or invited its
//! holder, whose own passkey signed it; the first one signed for themself.

use crate::{Enrolment, Invitation, Keys, SignedInvitation};
use bodh_identity::signing::{Context, verify};

/// The role whose holders let others in.
pub const OPERATOR: &str = "operator";

/// A person whose enrolment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// What was signed, read.
    pub record: Enrolment,
    /// Their keys: of the enrolment, or after the changes since.
    pub keys: Keys,
}

impl Enrolled {
    /// The person of this record, if its signature holds; `by` is who enrolled them, with the keys that they had then;
    /// nobody for the first.
    #[must_use]
    pub fn check(record: &[u8], signature: &[u8], by: Option<&Self>) -> Option<Self> {
        let parsed = Enrolment::parse(record).ok()?;
        let key = parsed.public_key().ok()?;
        let own = verify(&key, Context::Enrolment, record, signature).is_ok();
        let person = Self { keys: Keys::first(record, &parsed, key), record: parsed };
        let by = by.unwrap_or(&person);
        let let_in = match &person.record.invitation {
            None => by.keys.signed(Context::Enrolment, record, signature),
            Some(_) => accepted(&person.record, by).is_some() && own,
        };
        let operator = by.is_operator() && by.record.id == person.record.enrolled_by;
        (operator && let_in).then_some(person)
    }

    /// Whether an operator gave them the operator's role.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.record.roles.iter().any(|role| role == OPERATOR)
    }
}

/// The invitation that a record accepts, if `operator` signed it for exactly this person.
#[must_use]
pub fn accepted(record: &Enrolment, operator: &Enrolled) -> Option<Invitation> {
    let invitation = signed_by(record.invitation.as_deref()?, operator)?;
    let same = (&invitation.id, &invitation.name, &invitation.roles, &invitation.invited_by)
        == (&record.id, &record.name, &record.roles, &record.enrolled_by);
    // One that replaces lost keys lets nobody in, and the reverse.
    (same && invitation.replaces.is_none()).then_some(invitation)
}

/// The invitation in a link, if one of `operator`'s keys signed it, in their name.
pub(crate) fn signed_by(link: &str, operator: &Enrolled) -> Option<Invitation> {
    let signed = SignedInvitation::from_link(link)?;
    let invitation = Invitation::parse(&signed.invitation).ok()?;
    let own = invitation.invited_by == operator.record.id && operator.is_operator();
    let holds = own && operator.keys.signed(Context::Invitation, &signed.invitation, &signed.signature);
    holds.then_some(invitation)
}
