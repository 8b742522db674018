//! The answer, with its reasons.

use std::fmt::Write as _;

use serde::Serialize;

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// A person decides, on each of these.
    Ask(Vec<Reason>),
    /// It may not be done.
    Deny,
}

/// Why a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// The policy's `@id`.
    pub policy: String,
    /// The role of who decides, from `@ask`.
    pub role: String,
    /// The kind of question, from `@kind`.
    pub kind: String,
    /// The sentence shown, from `@reason`.
    pub reason: String,
    /// How many different people of that role have to agree, from `@signers`: one, or two.
    pub signers: u32,
}

/// A verdict and what determined it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// What the policies say.
    pub verdict: Verdict,
    /// The `@id`s of the determining policies, sorted. Empty: no policy allows it, or it is not a valid question.
    pub policies: Vec<String>,
    /// The `@reason`s of the determining policies that have one, in the order of their ids.
    pub reasons: Vec<String>,
    /// What is wrong with the question, or went wrong in a policy. Not empty only if the verdict is Deny.
    pub errors: Vec<String>,
}

impl Ruling {
    pub(crate) fn invalid(error: impl Into<String>) -> Self {
        Self { verdict: Verdict::Deny, policies: Vec::new(), reasons: Vec::new(), errors: vec![error.into()] }
    }

    /// Whether it may be done without asking anybody.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// One readable line: the verdict, the policies and the reasons.
    #[must_use]
    pub fn why(&self) -> String {
        let mut text = match &self.verdict {
            Verdict::Allow => "allowed".to_owned(),
            Verdict::Ask(reasons) => {
                let mut roles: Vec<&str> = reasons.iter().map(|reason| reason.role.as_str()).collect();
                roles.sort_unstable();
                roles.dedup();
                format!("asks {}", roles.join(" and "))
            }
            Verdict::Deny => "denied".to_owned(),
        };
        // Writing to a string does not fail.
        if !self.errors.is_empty() {
            let _ = write!(text, ": {}", self.errors.join("; "));
        } else if self.policies.is_empty() {
            text.push_str(": no policy allows it");
        } else {
            let _ = write!(text, " by {}", self.policies.join(", "));
            if !self.reasons.is_empty() {
                let _ = write!(text, ": {}", self.reasons.join(" "));
            }
        }
        text
    }
}
