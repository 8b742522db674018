//! Reviews of a trace, and what a replay came to.

use super::words;
use crate::view::{
    Chip, Tone,
    frame::Frame,
    parts::Link,
    record_replay::{RecordReplayPage, Row},
    record_trace::{ReviewForm, Reviewed},
};
use bodh_audit_log::{Entry, Kind};
use bodh_panel::{Difference, REVIEW_MEANING, Replay};

/// The reviews in these entries, the newest first.
pub(crate) fn reviews(entries: &[(u64, Entry)]) -> Vec<Reviewed> {
    let is = |(_, entry): &&(u64, Entry)| entry.draft.kind == Kind::Decision && entry.draft.action == "review";
    entries.iter().rev().filter(is).map(|(index, entry)| reviewed(*index, entry)).collect()
}

fn reviewed(index: u64, entry: &Entry) -> Reviewed {
    let draft = &entry.draft;
    let found = match draft.cause.as_str() {
        "in_order" => Chip { tone: Tone::Good, word: "In order".to_owned() },
        _ => Chip { tone: Tone::Bad, word: "A step went wrong".to_owned() },
    };
    let wrong = draft.resource.strip_prefix("entry/").map(|wrong| link(wrong, format!("Entry {wrong}")));
    let by = draft.actors.first().map(|id| words::person(id)).unwrap_or_default();
    Reviewed {
        found,
        by: format!("{by}, {}", words::when(super::trace::unix_ms(entry))),
        wrong,
        entry: link(&index.to_string(), format!("entry {index}")),
    }
}

fn link(index: &str, label: String) -> Link {
    Link { label, href: Some(format!("#e{index}")) }
}

/// The form, for who may review and did not convene the session.
pub(crate) fn form(session: &str, entries: &[(u64, Entry)], may: bool) -> Option<ReviewForm> {
    let (up_to, _) = entries.last().filter(|_| may)?;
    let action = format!("/record/{session}/review");
    Some(ReviewForm { options: format!("{action}/options"), action, up_to: *up_to, meaning: REVIEW_MEANING })
}

/// The page of a replay.
pub(crate) fn page(replay: &Replay, frame: Frame) -> RecordReplayPage {
    let result = if replay.same {
        Chip { tone: Tone::Good, word: "The same, bit for bit".to_owned() }
    } else {
        Chip { tone: Tone::Bad, word: "Not as it was".to_owned() }
    };
    let differs = replay.differs.iter().map(|difference| match difference {
        Difference::Opinion { call, agent, tool, what } => {
            Row { what: format!("Question {call}: {agent}, {tool}"), then: "as recorded".to_owned(), now: what.clone() }
        }
        Difference::Ruling { event } => Row {
            what: format!("Event {event}: what policy ruled"),
            then: "as recorded".to_owned(),
            now: "otherwise: the policies or the review rules are others".to_owned(),
        },
    });
    let changed = replay.changed.iter().map(|changed| Row {
        what: format!("{} of {}", changed.name, changed.of),
        then: changed.then.clone(),
        now: changed.now.clone(),
    });
    RecordReplayPage {
        frame,
        session: replay.session.clone(),
        result,
        said: format!("{} opinions and {} rulings were compared.", replay.opinions, replay.rulings),
        rows: differs.chain(changed).collect(),
        trace: format!("/record/{}", replay.session),
    }
}
