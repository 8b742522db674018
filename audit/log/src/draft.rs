//! What a service asks to have recorded.

use std::collections::BTreeMap;

use crate::Time;
use crate::words::{Invalid, Kind, Verdict, id128, plain, required, spiffe_id};

/// The typed form of `audit.proto`'s `Draft`. Empty fields are left out of the leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Idempotency key, unique among what its reporter reports: 1 to 200 bytes.
    pub key: String,
    /// What sort of thing happened.
    pub kind: Kind,
    /// The action's name: 1 to 100 bytes.
    pub action: String,
    /// The delegation chain as SPIFFE ids, the human first; at most 16. The reporter is added by the log.
    pub actors: Vec<String>,
    /// Session id, 32 hex digits, or empty.
    pub session: String,
    /// Trace id, 32 hex digits, or empty.
    pub trace: String,
    /// The step within the session: at most 200 bytes.
    pub step: String,
    /// Which try of the step, from 1; 0 when tries do not apply.
    pub try_number: u32,
    /// What was decided, or how it ended.
    pub verdict: Option<Verdict>,
    /// A code, never a sentence: at most 100 bytes.
    pub cause: String,
    /// The id of what was acted on: at most 300 bytes.
    pub resource: String,
    /// SHA-256 of the token that was presented.
    pub token: Option<[u8; 32]>,
    /// Hash of the policy bundle that was in force.
    pub policy: Option<[u8; 32]>,
    /// Ids of the policies that determined the verdict; at most 64, each 1 to 200 bytes.
    pub policies: Vec<String>,
    /// Hashes of ciphertext, or keyed commitments, by name; at most 64, names 1 to 64 bytes.
    pub commitments: BTreeMap<String, [u8; 32]>,
    /// Versions of what took part, by name; at most 32, names 1 to 64 bytes, values 1 to 128.
    pub versions: BTreeMap<String, String>,
    /// How many, for what is logged as a count; at most 2^53.
    pub count: u64,
    /// Money in cents; within ±2^53.
    pub amount_cents: i64,
    /// The reporter's own clock. Not part of what makes two drafts the same.
    pub observed: Option<Time>,
}

/// The largest integer that every JSON reader keeps exactly (RFC 8259, section 6).
const EXACT: u64 = 1 << 53;

impl Draft {
    /// A draft with everything else empty.
    #[must_use]
    pub fn new(kind: Kind, action: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            kind,
            action: action.into(),
            actors: Vec::new(),
            session: String::new(),
            trace: String::new(),
            step: String::new(),
            try_number: 0,
            verdict: None,
            cause: String::new(),
            resource: String::new(),
            token: None,
            policy: None,
            policies: Vec::new(),
            commitments: BTreeMap::new(),
            versions: BTreeMap::new(),
            count: 0,
            amount_cents: 0,
            observed: None,
        }
    }

    /// Bounds every field.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn validate(&self) -> Result<(), Invalid> {
        required("key", &self.key, 200)?;
        required("action", &self.action, 100)?;
        at_most("actors", self.actors.len(), 16)?;
        self.actors.iter().try_for_each(|actor| spiffe_id("actors", actor))?;
        id128("session", &self.session)?;
        id128("trace", &self.trace)?;
        plain("step", &self.step, 200)?;
        plain("cause", &self.cause, 100)?;
        plain("resource", &self.resource, 300)?;
        at_most("policies", self.policies.len(), 64)?;
        self.policies.iter().try_for_each(|policy| required("policies", policy, 200))?;
        at_most("commitments", self.commitments.len(), 64)?;
        self.commitments.keys().try_for_each(|name| required("commitments", name, 64))?;
        at_most("versions", self.versions.len(), 32)?;
        for (name, version) in &self.versions {
            required("versions", name, 64)?;
            required("versions", version, 128)?;
        }
        if self.count > EXACT {
            return Err(Invalid::new("count", "is larger than 2^53"));
        }
        if self.amount_cents.unsigned_abs() > EXACT {
            return Err(Invalid::new("amount_cents", "is beyond 2^53"));
        }
        Ok(())
    }

    /// Whether both say the same: every field but the reporter's clock, which a retry reads again.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let at_no_time = |draft: &Self| Self { observed: None, ..draft.clone() };
        self == other || at_no_time(self) == at_no_time(other)
    }
}

fn at_most(field: &'static str, count: usize, max: usize) -> Result<(), Invalid> {
    if count > max { Err(Invalid::new(field, "has more items than allowed")) } else { Ok(()) }
}
