//! From the log's signature down to each person's.

mod people;
mod session;
mod statements;

use crate::{
    content::{Content, FORM, Listed},
    file::Evidence,
    page::page,
};
use bodh_audit_log::{Entry, Hash, Kind, VerifierKey};
use bodh_audit_verify::Excerpted;
use bodh_identity::signing::{Context, SignedDocument};
use bodh_panel::Report;
use bodh_policy::Bundle;

/// Evidence that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The session.
    pub session: String,
    /// The log: its name, size, root and key, and whether the key was given.
    pub log: Excerpted,
    /// The report that follows from the events.
    pub report: Report,
    /// What people decided and signed, in order.
    pub decisions: Vec<Decided>,
    /// Each thing that was checked, in words.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// What was found.
    pub found: String,
}

/// A statement with its signature, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// `decision`, `mark` or `review`.
    pub purpose: String,
    /// What it is about: an escalation, a claim, the session.
    pub about: String,
    /// What was said: `approve`, `deny`, `amend`, `false`, `in_order`, `fault`.
    pub verdict: String,
    /// SPIFFE id of the signer.
    pub by: String,
    /// `local_key` or `webauthn`.
    pub assurance: String,
    /// What the signature means.
    pub meaning: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
    /// The entry that commits to the signature.
    pub entry: u64,
}

/// The first thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {what}")]
pub struct Fault {
    /// What was being checked.
    pub step: &'static str,
    /// What is wrong.
    pub what: String,
    /// The entry concerned, where one is.
    pub entry: Option<u64>,
}

pub(crate) fn fault<T>(step: &'static str, what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { step, what: what.into(), entry: None })
}

pub(crate) fn fault_at<T>(step: &'static str, entry: u64, what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { step, what: what.into(), entry: Some(entry) })
}

/// What the steps share.
pub(crate) struct Given<'a> {
    pub(crate) content: &'a Content,
    /// The session's entries, in order.
    pub(crate) entries: Vec<&'a (u64, Entry)>,
    /// All entries of the excerpt.
    pub(crate) all: &'a [(u64, Entry)],
    /// The entry that commits to the file: what the guardian did after it is not in it.
    pub(crate) until: u64,
}

/// Verifies a file of evidence, with the log's key as it is known from elsewhere or, if it is not, with the file's own.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(bytes: &[u8], pin: Option<&VerifierKey>) -> Result<Verified, Fault> {
    let Some(evidence) = Evidence::from_bytes(bytes) else {
        return fault("file", "not evidence in its one form: it was changed, or cut short");
    };
    let log = evidence.log.verify(pin).map_err(|cause| Fault {
        step: "log",
        what: cause.to_string(),
        entry: cause.first_bad_index,
    })?;
    let mut checks = vec![Check {
        what: "log",
        found: format!("{} entries are in the tree of {} under the signed checkpoint", log.entries.len(), log.size),
    }];
    let content = committed(&evidence, &log)?;
    checks.push(Check { what: "commitment", found: format!("entry {} commits to page and content", evidence.entry) });
    let mine = |pair: &&(u64, Entry)| pair.1.draft.session == content.session && pair.0 <= content.entries.last;
    let entries: Vec<&(u64, Entry)> = log.entries.iter().filter(mine).collect();
    let list: Vec<(u64, Entry)> = entries.iter().map(|pair| (*pair).clone()).collect();
    if Listed::of(&list) != content.entries {
        return fault("entries", "they are not all of the session's entries up to the export");
    }
    checks.push(Check { what: "entries", found: format!("all {} of the session, up to the export", list.len()) });
    let given = Given { content: &content, entries, all: &log.entries, until: evidence.entry };
    let panel = session::check(&given, &mut checks)?;
    let people = people::check(&given, &mut checks)?;
    let decisions = statements::check(&given, &panel, &people, &mut checks)?;
    policy(&given, &people, &mut checks)?;
    let report = content.report(&panel);
    rendered(&evidence, &content, &report, &list, &mut checks)?;
    Ok(Verified { session: content.session.clone(), report, decisions, checks, log })
}

/// The content, once the entry that commits to it and to the page is the orchestrator's.
fn committed(evidence: &Evidence, log: &Excerpted) -> Result<Content, Fault> {
    let step = "commitment";
    let Some((_, entry)) = log.entries.iter().find(|(index, _)| *index == evidence.entry) else {
        return fault_at(step, evidence.entry, "the entry that commits to this file is not in it");
    };
    let draft = &entry.draft;
    if entry.reporter_name() != "orchestrator" || draft.kind != Kind::Read || draft.action != "export" {
        return fault_at(step, evidence.entry, "the entry is not an export by the orchestrator");
    }
    for (name, text) in [("page", &evidence.page), ("content", &evidence.content)] {
        if draft.commitments.get(name) != Some(Hash::of(text.as_bytes()).as_bytes()) {
            return fault_at(step, evidence.entry, format!("the {name} is not the one that was exported"));
        }
    }
    let Ok(content) = serde_json::from_str::<Content>(&evidence.content) else {
        return fault(step, "the content does not read");
    };
    if content.form != FORM {
        return fault(step, format!("the content has form {}, this program reads {FORM}", content.form));
    }
    let said = (&draft.session, draft.actors.first());
    if said != (&content.session, Some(&content.exported_by)) {
        return fault_at(step, evidence.entry, "the entry is about another session or person");
    }
    Ok(content)
}

/// The policies, signed by an operator; which of the session's entries rest on exactly these.
fn policy(given: &Given<'_>, people: &people::People, checks: &mut Vec<Check>) -> Result<(), Fault> {
    let step = "policies";
    let Ok(document) = SignedDocument::parse(given.content.policy.as_bytes()) else {
        return fault(step, "not a signed document");
    };
    let signer = document.claimed_signer().clone();
    let Some(operator) = people.get(signer.as_str()).filter(|person| person.enrolled.is_operator()) else {
        return fault(step, format!("signed by {signer}, who is not an operator on record"));
    };
    let holds = |key: &[u8]| document.verify(&signer, key, Context::Policy).ok();
    let Some(payload) = operator.keys().find_map(holds) else {
        return fault(step, format!("the signature of {signer} does not hold"));
    };
    let Ok(bundle) = serde_json::from_slice::<Bundle>(payload) else { return fault(step, "not a bundle of policies") };
    let hash = bundle.hash();
    let resting: Vec<_> = given.entries.iter().filter_map(|(_, entry)| entry.draft.policy).collect();
    let same = resting.iter().filter(|policy| **policy == hash).count();
    let found = format!("signed by {signer}; {same} of {} rulings rest on exactly these texts", resting.len());
    checks.push(Check { what: step, found });
    Ok(())
}

/// The page is the one that this content and these entries give. Another version of this program may word it otherwise:
/// then its hash in the log has to do.
fn rendered(
    evidence: &Evidence,
    content: &Content,
    report: &Report,
    entries: &[(u64, Entry)],
    checks: &mut Vec<Check>,
) -> Result<(), Fault> {
    let ours = content.versions.get("bodh").is_some_and(|version| version == env!("CARGO_PKG_VERSION"));
    let same = page(content, report, entries) == evidence.page;
    let found = match (ours, same) {
        (_, true) => "it says what the events say",
        (false, false) => "made by another version of the program: it is the page that was exported",
        (true, false) => return fault("page", "it does not say what the events say"),
    };
    checks.push(Check { what: "page", found: found.to_owned() });
    Ok(())
}
