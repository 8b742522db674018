//! Putting a session's questions again: the same agents, the sealed inputs, the answers compared bit for bit.

use crate::{
    ask::{CallLabel, REPLAY},
    drive::opened,
    error::Error,
    runner::{Live, Runner, live},
    service::access,
};
use bodh_audit_log::{Entry, Kind};
use bodh_clinical::Opinion;
use bodh_gate::Caller;
use bodh_panel::{Changed, Command, Difference, Event, FailureCause, Inquiry, Panel, Replay, Ruling, State, step};
use bodh_panel_api::pb;
use bodh_vault::View;
use std::collections::BTreeMap;

impl Runner {
    /// Replays a session, for a caller whom the gate has admitted. Nothing in the session changes.
    pub(crate) async fn replay(&self, caller: &Caller, asked: pb::ReplayRequest) -> Result<pb::ReplayReply, Error> {
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let replayed = match live(&mut held) {
            Ok(live) => self.replayed(live).await,
            Err(error) => Err(error),
        };
        let session = asked.session.clone();
        self.agents.dismiss(&session).await;
        self.leave(held).await;
        let replay_json = serde_json::to_vec(&replayed?).map_err(|_| Error::Corrupt("a replay"))?;
        Ok(pb::ReplayReply { replay_json })
    }

    async fn replayed(&self, live: &mut Live) -> Result<Replay, Error> {
        if !live.panel.state.is_at_rest() {
            return Err(Error::Stale("the session is at work; it can be replayed once it rests"));
        }
        let id = live.row.id.clone();
        let mut replay = Replay {
            session: id.clone(),
            same: true,
            opinions: 0,
            rulings: 0,
            differs: Vec::new(),
            changed: Vec::new(),
        };
        let mut panel = opened(&live.row, live.panel.session.subject);
        for (number, at_ms, sealed) in self.store.events(&id).await? {
            let event = match sealed.as_slice() {
                [] => Event::Expired,
                sealed => live.keys.open(View::Reasoning, "event", u64::try_from(number).unwrap_or(0), sealed)?,
            };
            let next = step(&panel, &event, at_ms).map_err(|_| Error::Corrupt("a session's journal"))?.0;
            match &event {
                Event::Answered { call, .. } | Event::Opened { call, .. } => {
                    replay.opinions += 1;
                    if let Some(difference) = self.asked_again(live, &panel, *call, &event).await? {
                        replay.differs.push(difference);
                    }
                }
                Event::Ruled { rulings, .. } => {
                    replay.rulings += u32::try_from(rulings.len()).unwrap_or(u32::MAX);
                    if !self.rules_the_same(&panel, rulings, at_ms)? {
                        replay.differs.push(Difference::Ruling { event: u32::try_from(number).unwrap_or(0) });
                    }
                }
                _ => {}
            }
            panel = next;
        }
        replay.changed = changed(&self.session_entries(&id).await?, &self.versions);
        replay.same = replay.differs.is_empty() && replay.changed.is_empty();
        Ok(replay)
    }

    /// How the answer to an earlier question differs now.
    async fn asked_again(
        &self,
        live: &mut Live,
        before: &Panel,
        call: u32,
        then: &Event,
    ) -> Result<Option<Difference>, Error> {
        let asked = before.outstanding.iter().find_map(|command| match command {
            Command::Ask { call: asked, inquiry, .. } if *asked == call => Some(inquiry.clone()),
            _ => None,
        });
        let inquiry: Inquiry = asked.ok_or(Error::Corrupt("a session's journal"))?;
        let (agent, tool) = (inquiry.member(), inquiry.tool().to_owned());
        let question = self.question(live, inquiry)?;
        let now = u64::try_from(self.now_ms()).unwrap_or(0);
        if live.grant.ends_soon(now) {
            self.renew(live).await?;
        }
        let label = CallLabel { trace: &live.row.trace, call, attempt: 1, replay: true };
        let answer: Result<Opinion, FailureCause> = self.agents.ask(&live.grant, &label, &question, now).await;
        let what = match answer {
            Ok(opinion) => {
                let (again, _) = self.answered(before, live.row.sequential, call, opinion);
                let bytes = |event: &Event| serde_json::to_vec(event).unwrap_or_default();
                if bytes(&again) == bytes(then) {
                    return Ok(None);
                }
                "changed".to_owned()
            }
            Err(cause) => format!("no answer: {cause:?}").to_lowercase(),
        };
        Ok(Some(Difference::Opinion { call, agent, tool, what }))
    }

    /// Whether policy, and the review rules of that moment, say of the acts what they said then.
    fn rules_the_same(&self, before: &Panel, then: &[Ruling], at_ms: i64) -> Result<bool, Error> {
        let State::Ruling { acts, .. } = &before.state else { return Err(Error::Corrupt("a session's journal")) };
        let resembled = self.rules.resembled(&self.pack, before, at_ms);
        Ok(self.rule_on(before, acts, &resembled)?.rulings == then)
    }
}

/// Versions on record before the replay that are others now: the panel's, and of each agent what its entries say.
fn changed(entries: &[(u64, Entry)], now: &BTreeMap<String, String>) -> Vec<Changed> {
    let mut all: Vec<Changed> = Vec::new();
    let mut compare = |of: &str, then: &BTreeMap<String, String>, now: &BTreeMap<String, String>| {
        for (name, version) in then {
            let current = now.get(name).map_or("", String::as_str);
            let one = Changed { of: of.to_owned(), name: name.clone(), then: version.clone(), now: current.to_owned() };
            if current != version && !all.contains(&one) {
                all.push(one);
            }
        }
    };
    if let Some((_, convened)) = entries.iter().find(|(_, e)| e.draft.kind == Kind::State && e.draft.step == "e0") {
        compare("panel", &convened.draft.versions, now);
    }
    let answers = |entry: &Entry| entry.draft.kind == Kind::Outcome && !entry.draft.versions.is_empty();
    let again = |entry: &Entry| entry.draft.step.starts_with(REPLAY);
    let mut current: BTreeMap<&str, &BTreeMap<String, String>> = BTreeMap::new();
    for (_, entry) in entries.iter().filter(|(_, e)| answers(e) && again(e)) {
        current.insert(entry.reporter_name(), &entry.draft.versions);
    }
    for (_, entry) in entries.iter().filter(|(_, e)| answers(e) && !again(e)) {
        if let Some(now) = current.get(entry.reporter_name()) {
            compare(entry.reporter_name(), &entry.draft.versions, now);
        }
    }
    all
}
