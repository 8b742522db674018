//! Who saw what of a session, or of all sessions of a patient.

use super::{
    record::time,
    words::{self, person},
};
use crate::view::{
    Chip, Tone,
    frame::Frame,
    parts::Link,
    record_access::{Access, Reader, RecordAccessPage},
    record_sessions::Pages,
};
use bodh_audit_log::Entry;
use bodh_evidence::{Ending, accesses, readers};

/// Accesses on one page.
const PAGE: usize = 100;

/// What a report is made of.
pub(crate) struct Asked<'a> {
    pub(crate) entries: &'a [(u64, Entry)],
    /// Whose it is: `Session 29f6 7b1c`.
    pub(crate) subject: String,
    /// What it rests on, in a sentence.
    pub(crate) rests_on: String,
    /// Its own path.
    pub(crate) path: String,
    /// Days, as `date` writes them.
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) page: usize,
    /// The roles of a person, by SPIFFE id, as they are enrolled.
    pub(crate) roles: &'a dyn Fn(&str) -> String,
}

pub(crate) fn page(asked: &Asked<'_>, frame: Frame) -> RecordAccessPage {
    let day = |text: &str, clock: &str| time(&format!("{text}T{clock}"));
    let (first, last) = (day(asked.from, "00:00:00"), day(asked.to, "23:59:59"));
    let wrong = [("from", asked.from, first), ("to", asked.to, last)]
        .into_iter()
        .filter(|(_, text, read)| !text.is_empty() && read.is_none())
        .map(|(field, ..)| (field.to_owned(), "Give a date, such as 2026-11-30.".to_owned()));
    let mut found = accesses(asked.entries);
    // The last second of a day counts to its end.
    found.retain(|a| first.is_none_or(|f| a.unix_ms >= f) && last.is_none_or(|l| a.unix_ms < l.saturating_add(1_000)));
    let reader = |reader: bodh_evidence::Reader| Reader {
        name: person(&reader.person),
        role: (asked.roles)(&reader.person),
        times: reader.times,
        in_vain: reader.in_vain,
        first: words::when(reader.first_ms),
        last: words::when(reader.last_ms),
    };
    let people: Vec<Reader> = readers(&found).into_iter().map(reader).collect();
    let pages = found.len().div_ceil(PAGE).max(1);
    let here = asked.page.clamp(1, pages);
    let row = |access: &bodh_evidence::Access| Access {
        time: words::when(access.unix_ms),
        name: person(&access.person),
        role: (asked.roles)(&access.person),
        what: access.what.to_owned(),
        allowed_by: access.policies.join(", "),
        verdict: verdict(access.ending),
        session: Link { label: words::short(&access.session), href: Some(format!("/record/{}", access.session)) },
        entry: Link {
            label: access.entry.to_string(),
            href: Some(format!("/record/{}?q={}", access.session, access.entry)),
        },
    };
    let rows = found.iter().rev().skip((here - 1) * PAGE).take(PAGE).map(row).collect();
    let at = |page: usize| {
        let page = page.to_string();
        let fields = [("from", asked.from), ("to", asked.to), ("page", page.as_str())];
        let fields: Vec<_> = fields.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        format!("{}?{}", asked.path, words::query(&fields))
    };
    RecordAccessPage {
        frame,
        subject: asked.subject.clone(),
        rests_on: asked.rests_on.clone(),
        action: asked.path.clone(),
        from: asked.from.to_owned(),
        to: asked.to.to_owned(),
        wrong: wrong.collect(),
        people,
        each: if found.len() == 1 { "1 access".to_owned() } else { format!("{} accesses", found.len()) },
        rows,
        pages: Pages {
            newest: None,
            newer: (here > 1).then(|| at(here - 1)),
            older: (here < pages).then(|| at(here + 1)),
            which: format!("page {here} of {pages}"),
        },
        recorded: Link::default(),
        back: None,
    }
}

fn verdict(ending: Ending) -> Chip {
    let tone = match ending {
        Ending::Allowed => Tone::Good,
        Ending::Failed => Tone::Warning,
        Ending::Refused => Tone::Bad,
    };
    Chip { tone, word: ending.word().to_owned() }
}
