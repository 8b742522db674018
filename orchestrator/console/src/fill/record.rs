//! The list of sessions in the record.

use super::{
    trace::{requester, state, unix_ms},
    words,
};
use crate::{
    pages::{listed::Looked, record::Wanted},
    view::{
        frame::Frame,
        parts::Link,
        record_sessions::{Pages, Query, RecordSessionsPage, SessionRow},
    },
};
use bodh_audit_log::{Entry, Kind, Verdict};
use chrono::NaiveDateTime;

/// The kinds that one looks for.
const KINDS: [Kind; 13] = [
    Kind::Attempt,
    Kind::Outcome,
    Kind::Refusal,
    Kind::Decision,
    Kind::State,
    Kind::Escalation,
    Kind::Opened,
    Kind::Incident,
    Kind::Rule,
    Kind::Issue,
    Kind::Read,
    Kind::Alert,
    Kind::Note,
];
const AGENTS: [&str; 6] =
    ["intake", "diagnostician", "reasoning_verifier", "test_planner", "cost_guardian", "supervisor"];
const DECISIONS: [&str; 4] = ["approve", "deny", "amend", "ask"];

/// What is looked for, understood.
pub(crate) struct Sought<'a> {
    wanted: &'a Wanted,
    from: Option<i64>,
    to: Option<i64>,
    person: String,
}

impl<'a> Sought<'a> {
    pub(crate) fn of(wanted: &'a Wanted) -> Self {
        Self { from: time(&wanted.from), to: time(&wanted.to), person: wanted.person.trim().to_lowercase(), wanted }
    }

    /// Whether anything is looked for, and not just the newest shown.
    pub(crate) fn is_narrow(&self) -> bool {
        query(self.wanted).is_asked()
    }

    /// What cannot be understood: the field and a sentence.
    fn wrong(&self) -> Vec<(String, String)> {
        let fields = [("from", &self.wanted.from, self.from), ("to", &self.wanted.to, self.to)];
        let bad = fields.into_iter().filter(|(_, text, read)| !text.is_empty() && read.is_none());
        bad.map(|(field, ..)| (field.to_owned(), "Give a date and a time, such as 2026-11-30T14:32.".to_owned()))
            .collect()
    }

    /// Whether it can be this session, by what its first entry says.
    pub(crate) fn may_be(&self, first: &Entry) -> bool {
        first.draft.session.starts_with(self.wanted.session.trim()) && self.to.is_none_or(|to| unix_ms(first) <= to)
    }

    /// Whether neither this session nor an older one is looked for.
    pub(crate) fn is_past(&self, first: &Entry) -> bool {
        self.from.is_some_and(|from| unix_ms(first) < from)
    }

    /// Whether it is this session, by all its entries. The orchestrator's own records were never convened.
    pub(crate) fn is(&self, list: &[(u64, Entry)]) -> bool {
        let (wanted, person) = (self.wanted, &self.person);
        let any = |holds: &dyn Fn(&Entry) -> bool| list.iter().any(|(_, entry)| holds(entry));
        any(&|e| e.draft.action == "convene")
            && (person.is_empty()
                || any(&|e| {
                    let people = e.draft.actors.iter().filter(|a| a.contains("/human/"));
                    people.into_iter().any(|a| words::person(a).to_lowercase().contains(person))
                }))
            && (wanted.agent.is_empty() || any(&|e| e.draft.resource.starts_with(&format!("{}/", wanted.agent))))
            && (wanted.kind.is_empty() || any(&|e| e.draft.kind.as_str() == wanted.kind))
            && (wanted.decision.is_empty()
                || any(&|e| e.draft.kind == Kind::Decision && e.draft.cause == wanted.decision))
    }
}

fn query(wanted: &Wanted) -> Query {
    Query {
        session: wanted.session.clone(),
        person: wanted.person.clone(),
        agent: wanted.agent.clone(),
        kind: wanted.kind.clone(),
        decision: wanted.decision.clone(),
        from: wanted.from.clone(),
        to: wanted.to.clone(),
    }
}

pub(crate) fn sessions(looked: &Looked, wanted: &Wanted, frame: Frame) -> RecordSessionsPage {
    let words = |list: &[&str]| list.iter().map(|w| ((*w).to_owned(), w.replace('_', " "))).collect::<Vec<_>>();
    let sought = Sought::of(wanted);
    let page = |before: u64| {
        let below = if before == 0 { String::new() } else { before.to_string() };
        let fields = [
            ("session", wanted.session.as_str()),
            ("person", &wanted.person),
            ("agent", &wanted.agent),
            ("kind", &wanted.kind),
            ("decision", &wanted.decision),
            ("from", &wanted.from),
            ("to", &wanted.to),
            ("before", &below),
        ];
        let asked: Vec<_> = fields.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        let asked = crate::fill::words::query(&asked);
        if asked.is_empty() { "/record".to_owned() } else { format!("/record?{asked}") }
    };
    let later = !wanted.before.is_empty();
    RecordSessionsPage {
        frame,
        action: "/record".to_owned(),
        query: query(wanted),
        agents: words(&AGENTS),
        kinds: words(&KINDS.map(Kind::as_str)),
        decisions: words(&DECISIONS),
        wrong: sought.wrong(),
        found: found(looked, sought.is_narrow(), later),
        rows: looked.found.iter().map(|(id, list)| row(id, list)).collect(),
        pages: Pages {
            newest: later.then(|| page(0)),
            newer: None,
            older: looked.older.map(page),
            which: looked.since_ms.map(|ms| format!("begun since {}", words::when(ms))).unwrap_or_default(),
        },
        recorded: Link::default(),
        patient: None,
    }
}

/// How many were found, and among how many: what was not looked at is said.
fn found(looked: &Looked, narrow: bool, later: bool) -> String {
    let sessions = |count: usize| if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") };
    let found = sessions(looked.found.len());
    match (looked.older, later) {
        (None, false) => found,
        (Some(_), false) if !narrow => format!("The newest {found}"),
        (_, true) if !narrow => format!("{found} before that"),
        (_, false) => format!("{found} among the {} newest", looked.seen),
        (_, true) => format!("{found} among {} before that", looked.seen),
    }
}

/// One session, by its entries.
pub(crate) fn row(id: &str, list: &[(u64, Entry)]) -> SessionRow {
    let count =
        |kind: Kind| u32::try_from(list.iter().filter(|(_, e)| e.draft.kind == kind).count()).unwrap_or(u32::MAX);
    let denied =
        list.iter().filter(|(_, e)| e.draft.kind == Kind::Refusal || e.draft.verdict == Some(Verdict::Deny)).count();
    SessionRow {
        short: id.get(..12).unwrap_or(id).to_owned(),
        href: format!("/record/{id}"),
        requester: requester(list),
        started: list.first().map(|(_, e)| words::when(unix_ms(e))).unwrap_or_default(),
        entries: list.len().to_string(),
        refusals: u32::try_from(denied).unwrap_or(u32::MAX),
        escalations: count(Kind::Escalation),
        decisions: count(Kind::Decision),
        state: state(list),
    }
}

/// As a browser's field for date and time writes it, UTC.
pub(crate) fn time(text: &str) -> Option<i64> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    formats.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok()).map(|t| t.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_audit_log::{Draft, Time};

    fn entry(ms: i64, kind: Kind, action: &str, who: &str) -> (u64, Entry) {
        let mut draft = Draft::new(kind, action, "k");
        draft.actors = vec![format!("spiffe://d/{who}")];
        draft.session = "0a".repeat(16);
        (
            7,
            Entry {
                time: Time::from_unix_ns(ms * 1_000_000).unwrap(),
                reporter: "spiffe://d/service/x".to_owned(),
                draft,
            },
        )
    }

    #[test]
    fn a_session_is_what_is_looked_for_or_not() {
        let of = |change: &dyn Fn(&mut Wanted)| {
            let mut wanted = Wanted::default();
            change(&mut wanted);
            let list = [
                entry(60_000, Kind::State, "convene", "human/Ann"),
                entry(90_000, Kind::Decision, "decide", "human/bo"),
            ];
            let sought = Sought::of(&wanted);
            let first = &list[0].1;
            (sought.may_be(first), sought.is_past(first), sought.is(&list))
        };
        assert_eq!(of(&|_| ()), (true, false, true));
        assert_eq!(of(&|w| w.person = " aNN".into()), (true, false, true));
        assert_eq!(of(&|w| w.person = "cleo".into()), (true, false, false));
        assert_eq!(of(&|w| w.session = "0a0a ".into()), (true, false, true));
        assert_eq!(of(&|w| w.session = "a0".into()), (false, false, true));
        assert_eq!(of(&|w| w.kind = "alert".into()), (true, false, false));
        assert_eq!(of(&|w| w.from = "1970-01-01T00:02".into()), (true, true, true));
        assert_eq!(of(&|w| w.to = "1970-01-01T00:00".into()), (false, false, true));
        assert_eq!(of(&|w| w.to = "1970-01-01T00:01".into()), (true, false, true));
        let homes = [entry(1, Kind::Attempt, "open_session", "human/ann")];
        assert!(!Sought::of(&Wanted::default()).is(&homes), "nobody convened it");
    }

    #[test]
    fn what_was_not_looked_at_is_said() {
        let looked = |n: usize, older| Looked { found: vec![Default::default(); n], seen: 500, older, since_ms: None };
        let said = |n, older, narrow, later| found(&looked(n, older), narrow, later);
        assert_eq!(said(1, None, false, false), "1 session");
        assert_eq!(said(50, Some(9), false, false), "The newest 50 sessions");
        assert_eq!(said(3, None, true, false), "3 sessions");
        assert_eq!(said(3, Some(9), true, false), "3 sessions among the 500 newest");
        assert_eq!(said(0, Some(9), true, true), "0 sessions among 500 before that");
        assert_eq!(said(4, None, false, true), "4 sessions before that");
        let wanted = Wanted { person: "a b".into(), before: "9".into(), ..Wanted::default() };
        let page = sessions(&looked(0, Some(4)), &wanted, Frame::default());
        assert_eq!(page.pages.older.as_deref(), Some("/record?person=a%20b&before=4"), "the question stays");
        assert_eq!(page.pages.newest.as_deref(), Some("/record?person=a%20b"));
    }
}
