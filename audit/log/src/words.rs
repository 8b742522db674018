//! The closed vocabularies and the bounds of every text in an entry.

use std::fmt;

/// A field that may not be recorded as it is. Names the field, never its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{field}` {why}")]
pub struct Invalid {
    /// The field's name in the contract.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Invalid {
    pub(crate) const fn new(field: &'static str, why: &'static str) -> Self {
        Self { field, why }
    }
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every word, in the contract's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The word as it is written, or nothing.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// What sort of thing happened.
    Kind {
        /// Something is about to be done; durable before any effect.
        Attempt = "attempt",
        /// How an attempt ended.
        Outcome = "outcome",
        /// A caller was turned away.
        Refusal = "refusal",
        /// A person decided.
        Decision = "decision",
        /// A session moved to another state.
        State = "state",
        /// A person was asked.
        Escalation = "escalation",
        /// A person opened something.
        Opened = "opened",
        /// Something went wrong and is being handled.
        Incident = "incident",
        /// A rule was made, or reversed.
        Rule = "rule",
        /// An identity, token or key was issued or withdrawn.
        Issue = "issue",
        /// The record was read.
        Read = "read",
        /// Something needs a person's attention.
        Alert = "alert",
        /// Anything else worth keeping.
        Note = "note",
    }
}

vocabulary! {
    /// What was decided, or how it ended.
    Verdict {
        /// The policy allowed it.
        Allow = "allow",
        /// The policy asks a person.
        Ask = "ask",
        /// The policy, or a check before it, refused.
        Deny = "deny",
        /// It was done.
        Ok = "ok",
        /// It was tried and not done.
        Failed = "failed",
        /// It was cut short by a crash.
        Interrupted = "interrupted",
    }
}

/// Visible ASCII without `"` and `\`, so that JSON needs no escape and a text has one encoding.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// At most `max` bytes of plain text; empty is allowed.
pub(crate) fn plain(field: &'static str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.len() > max {
        return Err(Invalid::new(field, "is longer than allowed"));
    }
    if !is_plain(text) {
        return Err(Invalid::new(field, "holds a character other than visible ASCII (no space, quote or backslash)"));
    }
    Ok(())
}

/// Between 1 and `max` bytes of plain text.
pub(crate) fn required(field: &'static str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.is_empty() { Err(Invalid::new(field, "is empty")) } else { plain(field, text, max) }
}

/// Empty, or 128 bits as 32 lower-case hex digits.
pub(crate) fn id128(field: &'static str, text: &str) -> Result<(), Invalid> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.is_empty() || (text.len() == 32 && text.bytes().all(hex)) {
        Ok(())
    } else {
        Err(Invalid::new(field, "is not 32 lower-case hex digits"))
    }
}

/// A SPIFFE id as the SPIFFE-ID standard writes it: `spiffe://` trust domain, then a path of non-empty segments.
pub(crate) fn spiffe_id(field: &'static str, text: &str) -> Result<(), Invalid> {
    const WRONG: &str = "is not a SPIFFE id";
    let rest = text.strip_prefix("spiffe://").ok_or(Invalid::new(field, WRONG))?;
    let mut segments = rest.split('/');
    let domain = segments.next().unwrap_or_default();
    let domain_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    let segment_ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let mut path = segments.peekable();
    let well_formed = text.len() <= 256
        && !domain.is_empty()
        && domain.bytes().all(domain_ok)
        && path.peek().is_some()
        && path.all(|s| !s.is_empty() && s != "." && s != ".." && s.bytes().all(segment_ok));
    if well_formed { Ok(()) } else { Err(Invalid::new(field, WRONG)) }
}
