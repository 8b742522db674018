//! The one encoding of an entry: JSON with fixed field order, no white space, empty fields left out.
//!
//! Texts hold no character that JSON would escape (see `words`), so the writer is plain and every leaf can be
//! reproduced with any JSON library that keeps the order of fields.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::words::{Invalid, Kind, Verdict};
use crate::{Draft, Entry, Hash, MAX_LEAF, Time};

/// The version of this encoding, field `v`.
const VERSION: u32 = 1;

/// Why bytes are not a leaf.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LeafFault {
    /// Longer than an entry bundle can hold.
    #[error("the leaf is longer than 65,535 bytes")]
    TooLong,
    /// Not JSON of the known fields.
    #[error("the leaf is not JSON of the known fields (column {column})")]
    Shape {
        /// Where reading stopped.
        column: usize,
    },
    /// A field whose text is not one of its values.
    #[error("the leaf's field {0}")]
    Field(#[from] Invalid),
    /// Another spelling of an entry.
    #[error("the leaf is not in the canonical encoding")]
    NotCanonical,
}

pub(crate) fn write(entry: &Entry) -> Vec<u8> {
    let draft = &entry.draft;
    let mut out = Writer::start();
    out.text("time", &entry.time.to_string());
    out.text("reporter", &entry.reporter);
    out.text("key", &draft.key);
    out.text("kind", draft.kind.as_str());
    out.text("action", &draft.action);
    out.list("actors", &draft.actors);
    out.text("session", &draft.session);
    out.text("trace", &draft.trace);
    out.text("step", &draft.step);
    out.number("try", i128::from(draft.try_number));
    out.text("verdict", draft.verdict.map_or("", Verdict::as_str));
    out.text("cause", &draft.cause);
    out.text("resource", &draft.resource);
    out.text("token", &draft.token.map(hex).unwrap_or_default());
    out.text("policy", &draft.policy.map(hex).unwrap_or_default());
    out.list("policies", &draft.policies);
    out.map("commitments", draft.commitments.iter().map(|(name, hash)| (name.as_str(), hex(*hash))));
    out.map("versions", draft.versions.iter().map(|(name, version)| (name.as_str(), version.clone())));
    out.number("count", i128::from(draft.count));
    out.number("amount_cents", i128::from(draft.amount_cents));
    out.text("observed", &draft.observed.map(|t| t.to_string()).unwrap_or_default());
    out.finish()
}

pub(crate) fn read(bytes: &[u8]) -> Result<Entry, LeafFault> {
    if bytes.len() > MAX_LEAF {
        return Err(LeafFault::TooLong);
    }
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| LeafFault::Shape { column: error.column() })?;
    let entry = fields.into_entry()?;
    entry.validate()?;
    // One entry, one encoding: order, spacing, duplicates, escapes and spelled-out empty fields all fail here.
    if write(&entry) == bytes { Ok(entry) } else { Err(LeafFault::NotCanonical) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    v: u32,
    time: String,
    reporter: String,
    key: String,
    kind: String,
    action: String,
    #[serde(default)]
    actors: Vec<String>,
    #[serde(default)]
    session: String,
    #[serde(default)]
    trace: String,
    #[serde(default)]
    step: String,
    #[serde(default, rename = "try")]
    try_number: u32,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    cause: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    policy: String,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    commitments: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, String>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    amount_cents: i64,
    #[serde(default)]
    observed: String,
}

impl Fields {
    fn into_entry(self) -> Result<Entry, Invalid> {
        if self.v != VERSION {
            return Err(Invalid::new("v", "is not a known version"));
        }
        let commitments = self.commitments.into_iter().map(|(name, hash)| Ok((name, hash_of("commitments", &hash)?)));
        let draft = Draft {
            key: self.key,
            kind: Kind::parse(&self.kind).ok_or(Invalid::new("kind", "is unknown"))?,
            action: self.action,
            actors: self.actors,
            session: self.session,
            trace: self.trace,
            step: self.step,
            try_number: self.try_number,
            verdict: optional(&self.verdict, |text| Verdict::parse(text).ok_or(Invalid::new("verdict", "is unknown")))?,
            cause: self.cause,
            resource: self.resource,
            token: optional(&self.token, |text| hash_of("token", text))?,
            policy: optional(&self.policy, |text| hash_of("policy", text))?,
            policies: self.policies,
            commitments: commitments.collect::<Result<_, Invalid>>()?,
            versions: self.versions,
            count: self.count,
            amount_cents: self.amount_cents,
            observed: optional(&self.observed, |text| time_of("observed", text))?,
        };
        Ok(Entry { time: time_of("time", &self.time)?, reporter: self.reporter, draft })
    }
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, Invalid>) -> Result<Option<T>, Invalid> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn hex(hash: [u8; 32]) -> String {
    Hash::new(hash).to_hex()
}

fn hash_of(field: &'static str, text: &str) -> Result<[u8; 32], Invalid> {
    Hash::from_hex(text).map(|hash| *hash.as_bytes()).ok_or(Invalid::new(field, "is not 64 lower-case hex digits"))
}

fn time_of(field: &'static str, text: &str) -> Result<Time, Invalid> {
    Time::parse(text).ok_or(Invalid::new(field, "is not RFC 3339 UTC with nanoseconds"))
}

/// Writes fields of validated plain text, leaving out the empty ones.
struct Writer(String);

impl Writer {
    fn start() -> Self {
        let mut text = String::with_capacity(512);
        text.push_str("{\"v\":");
        text.push_str(&VERSION.to_string());
        Self(text)
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }

    fn name(&mut self, name: &str) {
        self.0.push(',');
        self.quoted(name);
        self.0.push(':');
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.name(name);
            self.quoted(value);
        }
    }

    fn number(&mut self, name: &str, value: i128) {
        if value != 0 {
            self.name(name);
            self.0.push_str(&value.to_string());
        }
    }

    fn list(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.name(name);
        let mut open = '[';
        for value in values {
            self.0.push(open);
            self.quoted(value);
            open = ',';
        }
        self.0.push(']');
    }

    fn map<'a>(&mut self, name: &str, pairs: impl ExactSizeIterator<Item = (&'a str, String)>) {
        if pairs.len() == 0 {
            return;
        }
        self.name(name);
        let mut open = '{';
        for (key, value) in pairs {
            self.0.push(open);
            self.quoted(key);
            self.0.push(':');
            self.quoted(&value);
            open = ',';
        }
        self.0.push('}');
    }
}
