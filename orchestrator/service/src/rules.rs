//! Review rules: kept sealed, held open in memory while the service runs, matched by ontology similarity.

use crate::{drive::sha256, error::Error, homes::Homes, runner::Runner, store::RuleRow};
use bodh_audit_api::pb;
use bodh_audit_log::{Draft, Kind};
use bodh_clinical::{ClaimId, DiseaseId, Presence, TermId};
use bodh_gate::Caller;
use bodh_identity::signing::Context;
use bodh_knowledge::Pack;
use bodh_panel::{Panel, REAL_MASS, Resemblance, Reversal, Reversed, ReviewRule};
use bodh_panel_api::pb as panel;
use bodh_vault::View;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// From this similarity on a case counts as similar: the symmetric best-match average of information content (Resnik
/// 1995; Köhler et al. 2009), as a share of what the pattern scores against itself.
///
/// Measured on 635 published cases of 120 diseases (phenopacket store, all pairs): 60 % of the pairs with the same
/// disease are at least this much alike, and 0.3 % of the pairs with different diseases.
const SIMILAR: f64 = 0.6;
/// From this one on when the disease of the false claim is considered in the case as well: the same reasoning is at
/// work there, on less common ground. In the same measurement 88 % of the pairs with the same disease reach it, and
/// 4.6 % of the others, few of which consider the disease; below it a case shares a finding or two.
const SIMILAR_IF_CONSIDERED: f64 = 0.4;

/// What a second reversal is told.
const REVERSED: &str = "this rule is reversed already";

/// An escalation names at most this many rules.
const NAMED: usize = 20;

/// A rule as it is sealed: with the signed mark that it was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) rule: ReviewRule,
    pub(crate) mark: String,
    pub(crate) signature: String,
    /// The signed reversal and its signature, base64, once there is one.
    pub(crate) reversal: Option<(String, String)>,
}

/// The rules, open.
#[derive(Default)]
pub(crate) struct Rules {
    kept: Mutex<Vec<Kept>>,
    homes: tokio::sync::Mutex<Homes>,
}

impl Rules {
    /// The rules in force that the case resembles, the most alike first; a page names at most [`NAMED`].
    pub(crate) fn resembled(&self, pack: &Pack, panel: &Panel, now_ms: i64) -> Vec<Resemblance> {
        let findings = observed(panel);
        let hypotheses = panel.state.round().map(|round| round.differential.hypotheses.as_slice()).unwrap_or_default();
        let considered = |disease: &DiseaseId| {
            let heavy = hypotheses.iter().filter(|h| h.probability >= REAL_MASS);
            heavy.into_iter().any(|h| h.id == *disease || h.also.contains(disease))
        };
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let like = |rule: &ReviewRule| {
            let likeness = bodh_inference::likeness(pack, &rule.pattern, &findings);
            let enough = if considered(&rule.disease) { rule.similarity_if_considered } else { rule.similarity };
            (likeness >= enough).then(|| Resemblance {
                rule: rule.id.clone(),
                incident: rule.incident.clone(),
                likeness_permille: permille(likeness),
            })
        };
        let in_force = kept.iter().map(|kept| &kept.rule).filter(|rule| rule.in_force(now_ms));
        let mut resembled: Vec<Resemblance> = in_force.filter_map(like).collect();
        resembled.sort_by(|a, b| b.likeness_permille.cmp(&a.likeness_permille).then_with(|| a.rule.cmp(&b.rule)));
        resembled.truncate(NAMED);
        resembled
    }

    pub(crate) fn all(&self) -> Vec<ReviewRule> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|kept| kept.rule.clone()).collect()
    }

    /// The signed marks that a session's rules were made from, each with its signature; both base64.
    pub(crate) fn marks(&self, is: impl Fn(&ReviewRule) -> bool) -> Vec<(String, String)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|kept| is(&kept.rule)).map(|kept| (kept.mark.clone(), kept.signature.clone())).collect()
    }

    pub(crate) fn add(&self, kept: Kept) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// What the gate is told of a rule of this id; whether there is one is only told to whom it admits.
    pub(crate) fn named<'a>(&self, id: &'a str) -> &'a str {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|kept| kept.rule.id == id) { id } else { "unknown" }
    }

    /// The rule, unless it was taken back before.
    fn standing(&self, id: &str) -> Result<Kept, Error> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.iter().find(|kept| kept.rule.id == id).ok_or(Error::NoSuch("rule"))?;
        if kept.rule.reversed { Err(Error::Stale(REVERSED)) } else { Ok(kept.clone()) }
    }

    fn replace(&self, by: Kept) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.iter_mut().find(|kept| kept.rule.id == by.rule.id) {
            *kept = by;
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
fn permille(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as u32
}

/// The observed findings, sorted.
fn observed(panel: &Panel) -> Vec<TermId> {
    let present = panel.session.chart.findings.iter().filter(|f| f.presence == Presence::Present);
    let mut terms: Vec<TermId> = present.map(|f| f.term.clone()).collect();
    terms.sort();
    terms
}

/// The rule that a mark leaves behind.
pub(crate) fn rule(
    panel: &Panel,
    claim: &ClaimId,
    disease: DiseaseId,
    incident: &str,
    signer: &str,
    (now_ms, life_ms): (i64, i64),
) -> ReviewRule {
    ReviewRule {
        id: format!("rule-{incident}"),
        incident: incident.to_owned(),
        claim: claim.clone(),
        disease,
        pattern: observed(panel),
        similarity: SIMILAR,
        similarity_if_considered: SIMILAR_IF_CONSIDERED,
        signer: signer.to_owned(),
        made_unix_ms: now_ms,
        expires_unix_ms: now_ms + life_ms,
        reversed: false,
        reversal: None,
    }
}

impl Runner {
    /// Opens every stored rule. Called once, when the service starts.
    pub(crate) async fn load_rules(&self) -> Result<(), Error> {
        for row in self.store.rules().await? {
            match self.open_rule(&row).await {
                Ok(kept) => self.rules.add(kept),
                // The key of a rule that has lapsed may be gone; a rule in force that cannot be read stops the start.
                Err(error) if row.expires_ms <= self.now_ms() => {
                    tracing::info!(%error, rule = row.id, "a lapsed rule is not opened any more");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn open_rule(&self, row: &RuleRow) -> Result<Kept, Error> {
        let mut homes = self.rules.homes.lock().await;
        let keys = homes.opened(self, &row.home).await?;
        keys.open(View::Findings, &row.id, 0, &row.sealed)
    }

    /// Takes in what was sent as a reversal, for a caller whom the gate has admitted.
    pub(crate) async fn take_reversal(
        &self,
        caller: &Caller,
        asked: panel::ReverseRuleRequest,
    ) -> Result<panel::ReverseRuleReply, Error> {
        let bytes = asked.reversal_json.as_slice();
        let reversal = Reversal::from_bytes(bytes).map_err(|error| Error::Signature(error.to_string()))?;
        if reversal.rule != asked.rule {
            return Err(Error::Signature("it is about another rule".to_owned()));
        }
        let at = reversal.at_unix_ms;
        self.check_signer(&caller.id, &reversal.signer, at, Context::Reversal, bytes, &asked.signature)?;
        self.reverse(&reversal, bytes, &asked.signature).await?;
        Ok(panel::ReverseRuleReply {})
    }

    /// Takes a rule back on a signed statement: the statement is kept with the rule, and the log tells of it.
    async fn reverse(&self, reversal: &Reversal, statement: &[u8], signature: &[u8]) -> Result<(), Error> {
        let mut kept = self.rules.standing(&reversal.rule)?;
        kept.rule.reversed = true;
        kept.rule.reversal = Some(Reversed {
            signer: reversal.signer.clone(),
            reason: reversal.reason.clone(),
            at_unix_ms: reversal.at_unix_ms,
        });
        kept.reversal = Some((BASE64.encode(statement), BASE64.encode(signature)));
        let row = self.seal_rule(&kept).await?;
        let mut draft = Draft::new(Kind::Rule, "reverse_rule", format!("{}/reversed", reversal.rule));
        draft.actors = vec![reversal.signer.clone()];
        draft.resource.clone_from(&reversal.rule);
        draft.commitments.insert("rule".to_owned(), sha256(&row.sealed));
        draft.commitments.insert("statement_signature".to_owned(), sha256(signature));
        // Commit point: from here on the rule asks nothing, and the entry that says so is queued.
        let queued = self.store.reverse_rule(&row, &reversal.nonce, &pb::Draft::from(draft)).await?;
        let queued = queued.ok_or(Error::Stale(REVERSED))?;
        self.rules.replace(kept);
        self.outbox.acknowledged(queued).await?;
        Ok(())
    }

    /// Seals a rule for the store.
    pub(crate) async fn seal_rule(&self, kept: &Kept) -> Result<RuleRow, Error> {
        let mut homes = self.rules.homes.lock().await;
        let (home, keys) = homes.fresh(self, &kept.rule.signer).await?;
        Ok(RuleRow {
            sealed: keys.seal(View::Findings, &kept.rule.id, 0, kept)?,
            id: kept.rule.id.clone(),
            home,
            reversed: kept.rule.reversed,
            expires_ms: kept.rule.expires_unix_ms,
        })
    }
}
