//! The evidence of a session: everything that was said in it, who signed what, and the entry that commits to both.

use crate::{
    error::Error,
    grant::random_id,
    pair::first_record,
    runner::{Live, Runner, live},
    service::access,
};
use bodh_audit_api::Query;
use bodh_audit_log::{Draft, Entry, Hash, Kind};
use bodh_evidence::{Changed, Content, Happened, Let, Listed, Signed, page};
use bodh_gate::Caller;
use bodh_guardian_api::{
    Enrolment, KeyChange,
    pb::{Person, TrustReply},
};
use bodh_panel::{Event, Report};
use bodh_panel_api::pb;
use bodh_vault::{View, expose};
use data_encoding::BASE64;
use std::collections::BTreeSet;

/// More entries than any session has.
const MOST_ENTRIES: usize = 100_000;
/// The largest evidence: what one message carries.
const MAX_EVIDENCE: usize = 64 << 20;

impl Runner {
    /// The evidence of a session, for a caller whom the gate has admitted.
    pub(crate) async fn export(&self, caller: &Caller, asked: pb::ExportRequest) -> Result<pb::ExportReply, Error> {
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let exported = match live(&mut held) {
            Ok(live) => self.exported(caller, live).await,
            Err(error) => Err(error),
        };
        self.leave(held).await;
        exported
    }

    async fn exported(&self, caller: &Caller, live: &mut Live) -> Result<pb::ExportReply, Error> {
        if !live.panel.state.is_at_rest() {
            return Err(Error::Stale("the session is at work; its evidence can be taken once it rests"));
        }
        // Everything of it is in the log from here on.
        self.outbox.acknowledged(live.queued).await?;
        let entries = self.session_entries(&live.row.id).await?;
        let trust = self.guardian.trust().await?;
        let content = self.content(caller, live, &entries, &trust).await?;
        let mut report = Report::of(&live.panel);
        report.warnings.clone_from(&content.warnings);
        report.versions.clone_from(&content.versions);
        let page = page(&content, &report, &entries);
        let content_json = serde_json::to_vec(&content).map_err(|_| Error::Corrupt("evidence"))?;
        if content_json.len() + page.len() > MAX_EVIDENCE {
            return Err(Error::Invalid("the evidence of this session is larger than 64 MiB".to_owned()));
        }
        let mut told = Draft::new(Kind::Read, "export", format!("{}/export/{}", live.row.id, random_id()?));
        told.actors = vec![caller.id.to_string()];
        told.session.clone_from(&live.row.id);
        told.trace.clone_from(&live.row.trace);
        for (name, bytes) in [("content", content_json.as_slice()), ("page", page.as_bytes())] {
            told.commitments.insert(name.to_owned(), *Hash::of(bytes).as_bytes());
        }
        let entry = self.audit.append(told).await?;
        self.audit.checkpoint(entry.saturating_add(1)).await?;
        Ok(pb::ExportReply { content_json, page, entry })
    }

    /// All entries of a session so far; the reading is one more.
    pub(crate) async fn session_entries(&self, session: &str) -> Result<Vec<(u64, Entry)>, Error> {
        let query = Query { session: session.to_owned(), ..Query::default() };
        Ok(self.audit.read(query).await?.all(MOST_ENTRIES).await?)
    }

    async fn content(
        &self,
        caller: &Caller,
        live: &Live,
        entries: &[(u64, Entry)],
        trust: &TrustReply,
    ) -> Result<Content, Error> {
        let row = &live.row;
        let signed = self.signed(live).await?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| Error::Corrupt("a sealed value"));
        let subject = live.keys.open_bytes(View::Findings, "subject", 0, &row.subject)?;
        let mut events = Vec::new();
        for (number, at_unix_ms, sealed) in self.store.events(&row.id).await? {
            let json = match sealed.as_slice() {
                [] => String::new(),
                sealed => {
                    let place = u64::try_from(number).unwrap_or(0);
                    let event: Event = live.keys.open(View::Reasoning, "event", place, sealed)?;
                    serde_json::to_string(&event.without_words()).map_err(|_| Error::Corrupt("an event"))?
                }
            };
            events.push(Happened { at_unix_ms, json });
        }
        Ok(Content {
            form: 1,
            session: row.id.clone(),
            trace: row.trace.clone(),
            requester: row.requester.clone(),
            opened_unix_ms: row.opened_ms,
            budget_cents: row.budget_cents,
            sequential: row.sequential,
            subject: text(expose(&subject))?,
            events,
            findings_key: live.keys.commitment_key(View::Findings),
            reasoning_key: live.keys.commitment_key(View::Reasoning),
            people: people(trust, &signers(&signed, trust))?,
            signed,
            policy: text(&trust.policy_bundle)?,
            warnings: live.warnings.clone(),
            versions: self.versions.clone(),
            entries: Listed::of(entries),
            exported_by: caller.id.to_string(),
            exported_unix_ms: self.now_ms(),
        })
    }

    /// Everything that people signed in the session: decisions, marks, reviews.
    async fn signed(&self, live: &Live) -> Result<Vec<Signed>, Error> {
        let statement = |purpose: &str, json: &[u8], signature: &[u8]| {
            let json = String::from_utf8(json.to_vec()).map_err(|_| Error::Corrupt("a signed statement"))?;
            Ok::<_, Error>(Signed { purpose: purpose.to_owned(), json, signature: BASE64.encode(signature) })
        };
        let mut signed = Vec::new();
        for (escalation, _) in &live.panel.session.escalations {
            for first in self.store.firsts(&escalation.id).await? {
                let (record, number) = (first_record(&escalation.id), u64::try_from(first.seq).unwrap_or(0));
                let json = live.keys.open_bytes(View::Reasoning, &record, number, &first.decision)?;
                signed.push(statement("decision", expose(&json), &first.signature)?);
            }
            if let Some((sealed, signature)) = self.store.decision(&escalation.id).await? {
                let record = format!("{}/decision", escalation.id);
                let json = live.keys.open_bytes(View::Reasoning, &record, 0, &sealed)?;
                signed.push(statement("decision", expose(&json), &signature)?);
            }
        }
        let of_session = |rule: &bodh_panel::ReviewRule| live.panel.session.incidents.contains(&rule.incident);
        for (mark, signature) in self.rules.marks(of_session) {
            let read = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| Error::Corrupt("a review rule"));
            signed.push(statement("mark", &read(&mark)?, &read(&signature)?)?);
        }
        for (number, sealed, signature) in self.store.reviews(&live.row.id).await? {
            let place = u64::try_from(number).unwrap_or(0);
            let json = live.keys.open_bytes(View::Reasoning, "review", place, &sealed)?;
            signed.push(statement("review", expose(&json), &signature)?);
        }
        Ok(signed)
    }
}

/// Who signed something in the evidence: the statements' signers, and the signer of the policies.
fn signers(signed: &[Signed], trust: &TrustReply) -> BTreeSet<String> {
    let field = |json: &[u8]| {
        let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
        value.and_then(|value| value.get("signer").and_then(|s| s.as_str()).map(str::to_owned))
    };
    let statements = signed.iter().filter_map(|signed| field(signed.json.as_bytes()));
    statements.chain(field(&trust.policy_bundle)).collect()
}

/// These people and everybody who let them in or gave them another key, in the order in which they came.
fn people(trust: &TrustReply, signers: &BTreeSet<String>) -> Result<Vec<Let>, Error> {
    let unread = || Error::Corrupt("an enrolment");
    let mut wanted = signers.clone();
    wanted.extend(trust.people.first().map(|first| first.id.clone()));
    // Whoever gave somebody another key may have come after them: until nobody is new.
    let mut before = 0;
    while before < wanted.len() {
        before = wanted.len();
        let found: Vec<&Person> = trust.people.iter().filter(|person| wanted.contains(&person.id)).collect();
        for person in found {
            wanted.insert(Enrolment::parse(&person.record).map_err(|_| unread())?.enrolled_by);
            for change in &person.changes {
                let change = KeyChange::parse(&change.record).map_err(|_| unread())?;
                wanted.extend(change.inviter());
            }
        }
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| unread());
    let one = |person: &Person| {
        let changes = person.changes.iter().map(|change| {
            let (by_own, by_new) = (BASE64.encode(&change.by_own), BASE64.encode(&change.by_new));
            Ok(Changed { record: text(&change.record)?, by_own, by_new })
        });
        let changes = changes.collect::<Result<_, Error>>()?;
        Ok(Let { record: text(&person.record)?, signature: BASE64.encode(&person.signature), changes })
    };
    trust.people.iter().filter(|person| wanted.contains(&person.id)).map(one).collect()
}
