//! A session's trace, from its entries.

use super::{trace_figures, words};
use crate::view::{
    Chip, Tone,
    parts::Link,
    record_sessions::Pages,
    record_trace::{Entry as Row, Fact, Policy, RecordTracePage, Run, Tab, View, Why},
};
use bodh_audit_log::{Entry, Kind, Verdict};
use data_encoding::HEXLOWER;

/// Entries on one page: what keeps a long trace light.
pub(crate) const PAGE: usize = 36;

/// What the page is drawn from.
pub(crate) struct Seen<'a> {
    pub(crate) session: &'a str,
    pub(crate) entries: &'a [(u64, Entry)],
    pub(crate) view: View,
    pub(crate) search: &'a str,
    pub(crate) page: usize,
    /// The text of a policy that is in force, by its id.
    pub(crate) policy: &'a dyn Fn(&str) -> Option<String>,
}

pub(crate) fn unix_ms(entry: &Entry) -> i64 {
    entry.time.unix_ns() / 1_000_000
}

/// Who did it, in words: the last of the chain that is not the reporter, or the reporter.
pub(crate) fn actor(entry: &Entry) -> String {
    let id = match (entry.draft.actors.last(), entry.reporter.contains("/agent/")) {
        (Some(actor), false) if !actor.contains("/service/") => actor,
        _ => &entry.reporter,
    };
    let name = words::person(id).replace('_', " ");
    // A lane for people who ask, and one for those who decide.
    match (id.contains("/human/"), entry.draft.kind) {
        (true, Kind::Decision | Kind::Opened) => "physician".to_owned(),
        (true, _) => "clinician".to_owned(),
        _ => name,
    }
}

/// Who was asked, where the entry is about a question to an agent: the resource is `AGENT/TOOL`.
pub(super) fn asked(entry: &Entry) -> Option<String> {
    let agent = entry.draft.resource.split_once('/').map(|(agent, _)| agent)?;
    (entry.draft.action == "ask").then(|| agent.replace('_', " "))
}

pub(super) fn refused(entry: &Entry) -> bool {
    entry.draft.kind == Kind::Refusal || matches!(entry.draft.verdict, Some(Verdict::Deny))
}

/// Of low value to a reader who looks for what mattered.
pub(super) fn quiet(entry: &Entry) -> bool {
    let plain = matches!(entry.draft.verdict, None | Some(Verdict::Ok | Verdict::Allow));
    // What the orchestrator asks of the agents is the story; all else that went well is not.
    let asks =
        entry.draft.kind == Kind::Attempt && entry.draft.action == "ask" && entry.reporter.ends_with("/orchestrator");
    plain
        && !asks
        && matches!(
            entry.draft.kind,
            Kind::State | Kind::Attempt | Kind::Outcome | Kind::Issue | Kind::Read | Kind::Note
        )
}

fn verdict(entry: &Entry) -> Option<Chip> {
    let (tone, word) = match entry.draft.verdict? {
        Verdict::Allow => (Tone::Good, "allowed"),
        Verdict::Ask => (Tone::Warning, "asked a person"),
        Verdict::Deny => (Tone::Bad, "refused"),
        Verdict::Ok => (Tone::Good, "done"),
        Verdict::Failed => (Tone::Bad, "failed"),
        Verdict::Interrupted => (Tone::Warning, "interrupted"),
    };
    Some(Chip { tone, word: word.to_owned() })
}

fn row(index: u64, entry: &Entry, seen: &Seen<'_>) -> Row {
    let draft = &entry.draft;
    let text = |p: &String| Policy {
        id: p.clone(),
        text: if refused(entry) { (seen.policy)(p).unwrap_or_default() } else { String::new() },
    };
    let why = (!draft.policies.is_empty() || refused(entry)).then(|| {
        let (question, answer) = match draft.verdict {
            Some(Verdict::Ask) => {
                ("Why was a person asked", "Each of these policies asks for a person's decision first.")
            }
            _ if refused(entry) && draft.policies.is_empty() => {
                ("Why was this refused", "No policy permits it: what is not permitted is refused.")
            }
            _ if refused(entry) => ("Why was this refused", "These policies forbid it."),
            _ => ("Why was this allowed", "These policies permit it, and none forbids it."),
        };
        Why {
            question: question.to_owned(),
            answer: answer.to_owned(),
            cause: draft.cause.clone(),
            policies: draft.policies.iter().map(text).collect(),
            bundle: draft.policy.map(|hash| HEXLOWER.encode(&hash)).unwrap_or_default(),
        }
    });
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value, mono: true };
    let mut more = vec![fact("Reporter", entry.reporter.clone()), fact("Key", draft.key.clone())];
    more.extend(draft.actors.iter().map(|actor| fact("Actor", actor.clone())));
    more.extend(draft.token.map(|hash| fact("Token SHA-256", HEXLOWER.encode(&hash))));
    more.extend(
        draft.commitments.iter().map(|(name, hash)| fact(&format!("Commitment: {name}"), HEXLOWER.encode(hash))),
    );
    if !draft.cause.is_empty() {
        more.push(fact("Cause", draft.cause.clone()));
    }
    Row {
        index,
        time: chrono::DateTime::from_timestamp_nanos(entry.time.unix_ns()).format("%H:%M:%S%.3f").to_string(),
        from: actor(entry),
        to: asked(entry).unwrap_or_default(),
        action: format!("{}, {}", draft.kind.as_str(), draft.action.replace('_', " ")),
        resource: draft.resource.clone(),
        verdict: verdict(entry),
        refused: refused(entry),
        hit: !seen.search.is_empty() && holds(entry, index, seen.search),
        why,
        more,
        page: None,
    }
}

/// Whether an entry holds these words, in any of its fields.
fn holds(entry: &Entry, index: u64, search: &str) -> bool {
    let draft = &entry.draft;
    let search = search.to_lowercase();
    let fields = [draft.kind.as_str(), &draft.action, &draft.resource, &draft.cause, &draft.step, &entry.reporter];
    let lists = draft.actors.iter().chain(&draft.policies).map(String::as_str);
    index.to_string() == search || fields.into_iter().chain(lists).any(|field| field.to_lowercase().contains(&search))
}

/// The page; frame, token and links are the caller's to add.
pub(crate) fn page(seen: &Seen<'_>) -> RecordTracePage {
    let path = format!("/record/{}", seen.session);
    let rows: Vec<(bool, Row)> = seen
        .entries
        .iter()
        .map(|(index, entry)| (quiet(entry), row(*index, entry, seen)))
        .filter(|(_, row)| seen.search.is_empty() || row.hit)
        .collect();
    let hits =
        (!seen.search.is_empty()).then(|| format!("{} of {} entries hold that.", rows.len(), seen.entries.len()));
    let last = rows.len().div_ceil(PAGE).max(1);
    let here = seen.page.clamp(1, last);
    let query = query(seen.search);
    let at = |page: usize| format!("{path}?view={}&page={page}{query}", seen.view.name());
    let refusals = seen.entries.iter().filter(|(_, entry)| refused(entry)).count();
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value, mono: false };
    let (first, end) = (seen.entries.first(), seen.entries.last());
    let took =
        first.zip(end).map(|((_, a), (_, b))| format!("{:.1} s", (unix_ms(b) - unix_ms(a)).max(0) as f64 / 1000.0));
    let mut policies: Vec<&String> = seen.entries.iter().flat_map(|(_, entry)| &entry.draft.policies).collect();
    policies.sort();
    policies.dedup();
    RecordTracePage {
        session: seen.session.to_owned(),
        state: state(seen.entries),
        facts: vec![
            fact("Requester", requester(seen.entries)),
            fact("Started", first.map(|(_, e)| words::when(unix_ms(e))).unwrap_or_default()),
            fact("From first to last entry", took.unwrap_or_default()),
            fact("Entries", seen.entries.len().to_string()),
            fact("Refusals", refusals.to_string()),
        ],
        tabs: View::ALL
            .into_iter()
            .map(|view| Tab {
                label: words::capital(view.name()),
                href: format!("{path}?view={}{query}", view.name()),
                current: view == seen.view,
            })
            .collect(),
        evidence: format!("{path}/evidence"),
        replay: format!("{path}/replay"),
        reviews: super::replay::reviews(seen.entries),
        path: path.clone(),
        view: seen.view,
        figure: trace_figures::figure(seen),
        search: seen.search.to_owned(),
        hits,
        pages: Pages {
            newest: None,
            newer: (here > 1).then(|| at(here - 1)),
            older: (here < last).then(|| at(here + 1)),
            which: format!("page {here} of {last}"),
        },
        runs: folded(rows.into_iter().skip((here - 1) * PAGE).take(PAGE), !seen.search.is_empty()),
        policies: policies
            .into_iter()
            .filter_map(|id| (seen.policy)(id).map(|text| Policy { id: id.clone(), text }))
            .collect(),
        verify: "/verify".to_owned(),
        access: format!("{path}/access"),
        recorded: Link::default(),
        ..RecordTracePage::default()
    }
}

fn query(search: &str) -> String {
    if search.is_empty() {
        return String::new();
    }
    let encoded: String = search
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    format!("&q={encoded}")
}

/// Quiet neighbours stand together, folded.
fn folded(rows: impl Iterator<Item = (bool, Row)>, open: bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (quiet, row) in rows {
        match (quiet, runs.last_mut()) {
            (true, Some(Run::Quiet(list, _))) => list.push(row),
            (true, _) => runs.push(Run::Quiet(vec![row], open)),
            (false, _) => runs.push(Run::Shown(Box::new(row))),
        }
    }
    runs
}

/// Who convened the session.
pub(crate) fn requester(entries: &[(u64, Entry)]) -> String {
    let convened = entries.iter().find(|(_, entry)| entry.draft.action == "convene");
    convened.and_then(|(_, entry)| entry.draft.actors.first()).map(|id| words::person(id)).unwrap_or_default()
}

/// The state that the last state entry names.
pub(crate) fn state(entries: &[(u64, Entry)]) -> Chip {
    let last = entries.iter().rev().find(|(_, entry)| entry.draft.kind == Kind::State);
    last.map(|(_, entry)| words::state(&entry.draft.resource)).unwrap_or_default()
}
