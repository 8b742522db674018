//! Putting the panel's acts to policy.

use crate::{error::Error, runner::Runner};
use bodh_gate::{Entity, Verdict};
use bodh_panel::{Act, Ask, Panel, Resemblance, Ruling};

/// The kind of the policy's question that rests on review rules; its escalation names them.
const REVIEW: &str = "review_rule";

/// The rulings, and the bundle that they rest on.
pub(crate) struct Rulings {
    pub(crate) rulings: Vec<Ruling>,
    pub(crate) policy_hash: Option<[u8; 32]>,
}

impl Runner {
    /// What policy says of each act, in order. `resembled` are the review rules that this case resembles.
    pub(crate) fn rule_on(&self, panel: &Panel, acts: &[Act], resembled: &[Resemblance]) -> Result<Rulings, Error> {
        let rule_matches = u32::try_from(resembled.len()).unwrap_or(u32::MAX);
        let mut rulings = Vec::new();
        let mut policy_hash = None;
        for act in acts {
            let (kind, id, context) = act.as_policies_see_it(panel, rule_matches);
            let judgement = self.gate.rule(act.name(), Entity::new(kind, id), context)?;
            for error in &judgement.ruling.errors {
                tracing::error!(act = act.name(), %error, "a policy could not be evaluated; denied");
            }
            policy_hash = Some(judgement.policy_hash);
            rulings.push(ruling(&judgement.ruling, resembled));
        }
        Ok(Rulings { rulings, policy_hash })
    }
}

fn ruling(ruling: &bodh_gate::Ruling, resembled: &[Resemblance]) -> Ruling {
    match &ruling.verdict {
        Verdict::Allow => Ruling::Allow { policies: ruling.policies.clone() },
        Verdict::Deny => Ruling::Deny { policies: ruling.policies.clone() },
        Verdict::Ask(reasons) => Ruling::Ask {
            reasons: reasons
                .iter()
                .map(|r| Ask {
                    policy: r.policy.clone(),
                    kind: r.kind.clone(),
                    role: r.role.clone(),
                    reason: r.reason.clone(),
                    signers: r.signers,
                    rules: if r.kind == REVIEW { resembled.to_vec() } else { Vec::new() },
                })
                .collect(),
        },
    }
}
