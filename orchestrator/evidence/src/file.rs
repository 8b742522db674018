//! The file: the page, and after it the proof in a data block that no browser runs.

use crate::content::Content;
use bodh_audit_log::{Entry, Kind};
use bodh_audit_verify::{Excerpt, Fault};
use bodh_guardian_api::Enrolment;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path};

const OPEN: &str = "<script type=\"application/json\" id=\"bodh-evidence\">";
const CLOSE: &str = "</script>\n";
/// More entries than any session has.
const MOST_ENTRIES: usize = 100_000;
/// The largest file that is read.
const MAX_FILE: usize = 256 << 20;

/// Evidence of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The page, as its hash is in the log.
    pub page: String,
    /// The content, as its hash is in the log: JSON.
    pub content: String,
    /// The place of the entry that commits to both.
    pub entry: u64,
    /// The session's entries, those that let its people in or changed their keys, and the one that commits, each with its proof.
    pub log: Excerpt,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    content: String,
    entry: u64,
    log: Excerpt,
}

/// Whether a file looks like evidence, so that its faults are told as such.
#[must_use]
pub fn is_evidence(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 2] = [OPEN.as_bytes(), b"<!doctype html>"];
    marks.iter().any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
}

impl Evidence {
    /// Puts together what the orchestrator gave and the log proves. The log is the published folder.
    ///
    /// # Errors
    /// When the content does not read, or the log does not hold the entry.
    pub fn assemble(log: &Path, page: String, content: String, entry: u64) -> Result<Self, Fault> {
        let unread = |_| Fault::new(Some(entry), "content", "the content does not read");
        let read: Content = serde_json::from_str(&content).map_err(unread)?;
        let enrolments = read.people.iter().filter_map(|person| Enrolment::parse(person.record.as_bytes()).ok());
        let people: BTreeSet<String> = enrolments.map(|record| record.id).collect();
        let wanted = |index: u64, found: &Entry| {
            index == entry
                || (found.draft.session == read.session && index <= read.entries.last)
                || lets_in(found).is_some_and(|id| people.contains(id))
                || (index < entry && changes_keys(found).is_some_and(|id| people.contains(id)))
        };
        let log = Excerpt::cut(log, MOST_ENTRIES, wanted)?;
        Ok(Self { page, content, entry, log })
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let block = Block { content: self.content.clone(), entry: self.entry, log: self.log.clone() };
        // Strings and numbers to memory: no failure path.
        let json = serde_json::to_string(&block).unwrap_or_default();
        // Inside a page a `<` could end the block; in JSON it stands in strings alone.
        format!("{}{OPEN}{}{CLOSE}", self.page, json.replace('<', "\\u003c"))
    }

    /// Reads a file; nothing of it is checked but its form, which is the one that [`to_text`](Self::to_text) writes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_FILE {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let (page, rest) = text.rsplit_once(OPEN)?;
        let block: Block = serde_json::from_str(rest.strip_suffix(CLOSE)?).ok()?;
        let Block { content, entry, log } = block;
        let read = Self { page: page.to_owned(), content, entry, log };
        (read.to_text() == text).then_some(read)
    }
}

/// Whom an entry of the guardian's let in.
pub(crate) fn lets_in(entry: &Entry) -> Option<&str> {
    let draft = &entry.draft;
    let lets = ["bootstrap", "enroll", "accept_invitation"].contains(&draft.action.as_str());
    (draft.kind == Kind::Decision && lets && entry.reporter_name() == "guardian").then_some(draft.resource.as_str())
}

/// Whose keys an entry of the guardian's changed.
pub(crate) fn changes_keys(entry: &Entry) -> Option<&str> {
    let draft = &entry.draft;
    let changes = draft.kind == Kind::State && draft.action == "keys" && entry.reporter_name() == "guardian";
    changes.then_some(draft.resource.as_str())
}
