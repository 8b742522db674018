//! Acts: what the panel wants to do that policy must rule on first.

use crate::{Panel, Resemblance};
use bodh_clinical::{DiseaseId, TestId, Usd};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An act, with the facts that a policy decides on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Commit an order: money is spent and its results awaited.
    Order(OrderFacts),
    /// Put an order forward as a proposal; nothing is spent.
    Propose(OrderFacts),
    /// Conclude with the differential as it stands.
    Conclude(ConclusionFacts),
}

/// What is known of an order when it is ruled on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFacts {
    /// The test.
    pub test: TestId,
    /// Its price; unknown counts as over budget.
    pub price: Option<Usd>,
    /// What is left of the session's budget.
    pub remaining: Usd,
}

/// What is known of a conclusion when it is ruled on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConclusionFacts {
    /// The leading diagnosis.
    pub leading: Option<DiseaseId>,
    /// Its probability in thousandths.
    pub leading_permille: u32,
    /// The leading diagnosis, or one that carries real mass, is rare. Unknown prevalence counts as rare.
    pub rare: bool,
    /// The leading diagnosis' prevalence is known.
    pub prevalence_known: bool,
    /// The verifier's dissent in thousandths.
    pub dissent_permille: u32,
    /// A condition that must not be missed leads or carries real mass.
    pub red_flag: bool,
    /// Claims refuted by the verifier.
    pub refuted: u32,
    /// SHA-256 of the differential and its verification: what a decision on this act covers.
    pub basis: String,
}

impl OrderFacts {
    fn context(&self, lifted: &[String]) -> Value {
        let cents = |usd: Usd| i64::try_from(usd.cents()).unwrap_or(i64::MAX);
        json!({
            "price_known": self.price.is_some(),
            "price_cents": self.price.map_or(0, cents),
            "remaining_cents": cents(self.remaining),
            "approved_kinds": lifted,
        })
    }
}

impl ConclusionFacts {
    fn context(&self, lifted: &[String], rule_matches: u32) -> Value {
        json!({
            "rare": self.rare,
            "prevalence_known": self.prevalence_known,
            "dissent_permille": self.dissent_permille,
            "leading_permille": self.leading_permille,
            "red_flag": self.red_flag,
            "rule_matches": rule_matches,
            "refuted_open": self.refuted,
            "approved_kinds": lifted,
        })
    }
}

impl Act {
    /// What a decision covers: it holds for exactly this and is asked again when this changes.
    #[must_use]
    pub fn basis(&self) -> String {
        match self {
            Act::Order(f) => format!("order/{}/{}", f.test, f.price.map_or(-1, |p| i128::from(p.cents()))),
            Act::Propose(f) => format!("propose/{}/{}", f.test, f.price.map_or(-1, |p| i128::from(p.cents()))),
            Act::Conclude(f) => format!("conclude/{}", f.basis),
        }
    }

    /// The action's name, as policies know it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Act::Order(_) => "order",
            Act::Propose(_) => "propose",
            Act::Conclude(_) => "conclude",
        }
    }

    /// An order in words: what an escalation shows, what its approval names, and what the guardian pays for.
    #[must_use]
    pub fn paid(test: &TestId) -> String {
        format!("order {test}")
    }

    /// The amount at stake.
    #[must_use]
    pub const fn amount(&self) -> Option<Usd> {
        match self {
            Act::Order(f) | Act::Propose(f) => f.price,
            Act::Conclude(_) => None,
        }
    }

    /// The act as a policy is told of it: the kind and the id of what is acted on, and the facts. `rule_matches` review rules
    /// speak of this case.
    #[must_use]
    pub fn as_policies_see_it(&self, panel: &Panel, rule_matches: u32) -> (&'static str, String, Value) {
        let lifted = panel.lifted(self);
        match self {
            Act::Order(facts) | Act::Propose(facts) => ("Order", facts.test.to_string(), facts.context(&lifted)),
            Act::Conclude(facts) => ("Conclusion", panel.session.id.clone(), facts.context(&lifted, rule_matches)),
        }
    }

    /// What is acted on: a test or a disease.
    #[must_use]
    pub fn resource(&self) -> String {
        match self {
            Act::Order(f) | Act::Propose(f) => f.test.to_string(),
            Act::Conclude(f) => f.leading.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// What policy says of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Ruling {
    /// Do it.
    Allow {
        /// The policies that determined it.
        policies: Vec<String>,
    },
    /// A human decides; one escalation per reason.
    Ask {
        /// Why.
        reasons: Vec<Ask>,
    },
    /// Never.
    Deny {
        /// The policies that determined it; none for the default.
        policies: Vec<String>,
    },
}

/// One reason to ask a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The policy's id.
    pub policy: String,
    /// The kind of escalation, e.g. `over_budget`.
    pub kind: String,
    /// Who decides.
    pub role: String,
    /// The policy's own words.
    pub reason: String,
    /// The review rules behind it; none unless a rule asks.
    pub rules: Vec<Resemblance>,
    /// How many different people have to agree.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub signers: u32,
}

/// As many as decide unless policy wants more.
pub(crate) const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) const fn is_one(signers: &u32) -> bool {
    *signers == 1
}

/// SHA-256 of the canonical JSON of `value`, in lower-case hex.
pub(crate) fn fingerprint<T: Serialize>(value: &T) -> String {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    data_encoding::HEXLOWER.encode(digest(&SHA256, &bytes).as_ref())
}
