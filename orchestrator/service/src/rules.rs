//! Review rules: kept sealed, held open in memory while the service runs, matched by ontology similarity.

use crate::{
    error::Error,
    grant::{random_id, session_key},
    keys::Keys,
    runner::Runner,
    store::{RuleRow, Store},
};
use bodh_clinical::{ClaimId, DiseaseId, Presence, TermId};
use bodh_guardian_api::OpenSession;
use bodh_knowledge::Pack;
use bodh_panel::{Panel, ReviewRule};
use bodh_vault::View;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// From this similarity on a case counts as similar: the symmetric best-match average of information content (Resnik
/// 1995; Köhler et al. 2009), as a share of what the pattern scores against itself.
const SIMILAR: f64 = 0.6;

/// A rule as it is sealed: with the signed mark that it was made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) rule: ReviewRule,
    pub(crate) mark: String,
    pub(crate) signature: String,
}

/// The rules, open.
#[derive(Default)]
pub(crate) struct Rules {
    kept: Mutex<Vec<Kept>>,
    home: tokio::sync::Mutex<Option<(String, Keys)>>,
}

impl Rules {
    /// How many rules in force the case resembles: its findings are similar, or it is led by the rule's disease on
    /// similar ground.
    pub(crate) fn matches(&self, pack: &Pack, panel: &Panel, now_ms: i64) -> u32 {
        let findings = observed(panel);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let resembled = kept.iter().filter(|kept| {
            kept.rule.in_force(now_ms)
                && bodh_inference::likeness(pack, &kept.rule.pattern, &findings) >= kept.rule.similarity
        });
        u32::try_from(resembled.count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn all(&self) -> Vec<ReviewRule> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|kept| kept.rule.clone()).collect()
    }

    pub(crate) fn add(&self, kept: Kept) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    pub(crate) fn reverse(&self, id: &str) {
        for kept in self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if kept.rule.id == id {
                kept.rule.reversed = true;
            }
        }
    }
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
    now_ms: i64,
) -> ReviewRule {
    ReviewRule {
        id: format!("rule-{incident}"),
        incident: incident.to_owned(),
        claim: claim.clone(),
        disease,
        pattern: observed(panel),
        similarity: SIMILAR,
        signer: signer.to_owned(),
        made_unix_ms: now_ms,
        expires_unix_ms: now_ms + ReviewRule::LIFE_MS,
        reversed: false,
    }
}

impl Runner {
    /// Opens every stored rule. Called once, when the service starts.
    pub(crate) async fn load_rules(&self) -> Result<(), Error> {
        let rows = self.store.rules().await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut home = self.rules.home.lock().await;
        let (_, keys) = self.open_home(&mut home, None).await?;
        for row in rows {
            let mut kept: Kept = keys.open(View::Findings, &row.id, 0, &row.sealed)?;
            kept.rule.reversed = row.reversed;
            self.rules.add(kept);
        }
        Ok(())
    }

    /// Seals a rule for the store.
    pub(crate) async fn seal_rule(&self, kept: &Kept) -> Result<RuleRow, Error> {
        let mut home = self.rules.home.lock().await;
        let (session, keys) = self.open_home(&mut home, Some(&kept.rule.signer)).await?;
        let sealed = keys.seal(View::Findings, &kept.rule.id, 0, kept)?;
        Ok(RuleRow { id: kept.rule.id.clone(), home: session.clone(), sealed, reversed: false })
    }

    /// The session whose key seals the rules: made with the first rule, on behalf of who made it.
    async fn open_home<'h>(
        &self,
        home: &'h mut Option<(String, Keys)>,
        on_behalf: Option<&str>,
    ) -> Result<&'h (String, Keys), Error> {
        if home.is_none() {
            *home = Some(match (stored_home(&self.store).await?, on_behalf) {
                (Some((session, sealed)), _) => {
                    let grant = self.guardian.renew_session(&session, session_key()?.public(), "", None).await?;
                    let keys = Keys::open_all(&session, &grant, &sealed)?;
                    (session, keys)
                }
                (None, Some(human)) => self.make_home(human).await?,
                (None, None) => return Err(Error::Corrupt("the review rules")),
            });
        }
        home.as_ref().ok_or(Error::Corrupt("the review rules"))
    }

    async fn make_home(&self, human: &str) -> Result<(String, Keys), Error> {
        let (session, trace) = (random_id()?, random_id()?);
        let open = OpenSession {
            session: session.clone(),
            session_key: session_key()?.public(),
            human: human.to_owned(),
            purpose: "review_rules".to_owned(),
            budget_cents: 0,
            trace,
            standing: true,
        };
        let grant = self.guardian.open_session(open).await?;
        let (keys, sealed) = Keys::create(&session, &grant)?;
        let value = format!("{session} {}", data_encoding::BASE64.encode(&sealed));
        self.store.set_meta("rules_home", &value).await?;
        Ok((session, keys))
    }
}

async fn stored_home(store: &Store) -> Result<Option<(String, Vec<u8>)>, Error> {
    let Some(value) = store.meta("rules_home").await? else { return Ok(None) };
    let bad = Error::Corrupt("the review rules' key");
    let Some((session, sealed)) = value.split_once(' ') else { return Err(bad) };
    let sealed = data_encoding::BASE64.decode(sealed.as_bytes()).map_err(|_| bad)?;
    Ok(Some((session.to_owned(), sealed)))
}
