//! SPIFFE ids (SPIFFE-ID specification, section 2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const SCHEME: &str = "spiffe://";
/// SPIFFE-ID, section 2.3: an id is at most 2,048 bytes.
const MAX_ID: usize = 2048;
/// SPIFFE-ID, section 2.3: a trust domain is at most 255 bytes.
const MAX_TRUST_DOMAIN: usize = 255;

/// A name such as `spiffe://bodh.internal/service/audit`. Only well-formed ids can be built; equality is of bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffeId {
    uri: String,
    path_at: usize,
}

/// What an id names, by the convention of its path: `/service/NAME`, `/agent/NAME`, `/human/NAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A service of the panel.
    Service(&'a str),
    /// A member that gives opinions.
    Agent(&'a str),
    /// A person.
    Human(&'a str),
    /// A trust domain itself, or a path outside the convention.
    Other,
}

/// Why a text is not a SPIFFE id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// It does not begin with the scheme.
    #[error("a SPIFFE id begins with spiffe://")]
    Scheme,
    /// The id or its trust domain is too long.
    #[error("a SPIFFE id has at most 2048 bytes, its trust domain at most 255")]
    TooLong,
    /// The trust domain is empty or has another character (a port, user, or upper case included).
    #[error("a trust domain has only lower-case letters, digits, dots, dashes and underscores")]
    TrustDomain,
    /// The path has an empty or dot segment, a trailing slash, or another character (percent-encoding included).
    #[error("each path segment has only letters, digits, dots, dashes and underscores, and is neither empty, . nor ..")]
    Path,
}

impl SpiffeId {
    /// Reads an id.
    pub fn parse(uri: &str) -> Result<Self, InvalidId> {
        let rest = uri.strip_prefix(SCHEME).ok_or(InvalidId::Scheme)?;
        let (trust_domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
        if uri.len() > MAX_ID || trust_domain.len() > MAX_TRUST_DOMAIN {
            return Err(InvalidId::TooLong);
        }
        if trust_domain.is_empty() || !trust_domain.bytes().all(|b| is_name_byte(b) && !b.is_ascii_uppercase()) {
            return Err(InvalidId::TrustDomain);
        }
        if path.is_some_and(|path| !path.split('/').all(is_segment)) {
            return Err(InvalidId::Path);
        }
        Ok(Self { uri: uri.to_owned(), path_at: SCHEME.len() + trust_domain.len() })
    }

    /// The id with this path (which begins with a slash, or is empty for the trust domain itself).
    pub fn new(trust_domain: &str, path: &str) -> Result<Self, InvalidId> {
        if trust_domain.contains('/') {
            return Err(InvalidId::TrustDomain);
        }
        if !path.is_empty() && !path.starts_with('/') {
            return Err(InvalidId::Path);
        }
        Self::parse(&format!("{SCHEME}{trust_domain}{path}"))
    }

    /// The id of a trust domain itself, as its authority's certificate carries it.
    pub fn root(trust_domain: &str) -> Result<Self, InvalidId> {
        Self::new(trust_domain, "")
    }

    /// `/service/NAME`.
    pub fn service(trust_domain: &str, name: &str) -> Result<Self, InvalidId> {
        Self::named(trust_domain, "service", name)
    }

    /// `/agent/NAME`.
    pub fn agent(trust_domain: &str, name: &str) -> Result<Self, InvalidId> {
        Self::named(trust_domain, "agent", name)
    }

    /// `/human/NAME`.
    pub fn human(trust_domain: &str, name: &str) -> Result<Self, InvalidId> {
        Self::named(trust_domain, "human", name)
    }

    fn named(trust_domain: &str, kind: &str, name: &str) -> Result<Self, InvalidId> {
        if !is_segment(name) {
            return Err(InvalidId::Path);
        }
        Self::new(trust_domain, &format!("/{kind}/{name}"))
    }

    /// The trust domain, without the scheme.
    pub fn trust_domain(&self) -> &str {
        self.uri.get(SCHEME.len()..self.path_at).unwrap_or_default()
    }

    /// The path with its first slash; empty for a trust domain.
    pub fn path(&self) -> &str {
        self.uri.get(self.path_at..).unwrap_or_default()
    }

    /// What the id names.
    pub fn kind(&self) -> Kind<'_> {
        let mut segments = self.path().split('/').skip(1);
        match (segments.next(), segments.next(), segments.next()) {
            (Some("service"), Some(name), None) => Kind::Service(name),
            (Some("agent"), Some(name), None) => Kind::Agent(name),
            (Some("human"), Some(name), None) => Kind::Human(name),
            _ => Kind::Other,
        }
    }

    /// The name in the path, when the id follows the convention.
    pub fn name(&self) -> Option<&str> {
        match self.kind() {
            Kind::Service(name) | Kind::Agent(name) | Kind::Human(name) => Some(name),
            Kind::Other => None,
        }
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_name_byte)
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl FromStr for SpiffeId {
    type Err = InvalidId;

    fn from_str(uri: &str) -> Result<Self, InvalidId> {
        Self::parse(uri)
    }
}

impl TryFrom<String> for SpiffeId {
    type Error = InvalidId;

    fn try_from(uri: String) -> Result<Self, InvalidId> {
        Self::parse(&uri)
    }
}

impl From<SpiffeId> for String {
    fn from(id: SpiffeId) -> Self {
        id.uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_kinds() {
        let id = SpiffeId::parse("spiffe://bodh.internal/service/audit").unwrap();
        assert_eq!(
            (id.trust_domain(), id.path(), id.kind()),
            ("bodh.internal", "/service/audit", Kind::Service("audit"))
        );
        assert_eq!(SpiffeId::agent("d", "x").unwrap().kind(), Kind::Agent("x"));
        assert_eq!(SpiffeId::human("d", "x").unwrap().name(), Some("x"));
        assert_eq!(SpiffeId::root("d").unwrap().kind(), Kind::Other);
        assert_eq!(SpiffeId::parse("spiffe://d/service/a/b").unwrap().kind(), Kind::Other);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"spiffe://bodh.internal/service/audit\"");
        assert!(serde_json::from_str::<SpiffeId>("\"spiffe://bodh.internal/\"").is_err());
    }

    #[test]
    fn malformed_ids_are_refused_for_the_right_reason() {
        let long_domain = format!("spiffe://{}/x", "a".repeat(256));
        let long_path = format!("spiffe://a/{}", "a".repeat(2048));
        for (text, why) in [
            ("", InvalidId::Scheme),
            ("http://a/b", InvalidId::Scheme),
            ("SPIFFE://a/b", InvalidId::Scheme),
            ("spiffe://", InvalidId::TrustDomain),
            ("spiffe:///b", InvalidId::TrustDomain),
            ("spiffe://A/b", InvalidId::TrustDomain),
            ("spiffe://a:80/b", InvalidId::TrustDomain),
            ("spiffe://u@a/b", InvalidId::TrustDomain),
            ("spiffe://a?q", InvalidId::TrustDomain),
            ("spiffe://a/", InvalidId::Path),
            ("spiffe://a/b/", InvalidId::Path),
            ("spiffe://a//b", InvalidId::Path),
            ("spiffe://a/./b", InvalidId::Path),
            ("spiffe://a/../b", InvalidId::Path),
            ("spiffe://a/b%41", InvalidId::Path),
            ("spiffe://a/b?q=1", InvalidId::Path),
            ("spiffe://a/b#f", InvalidId::Path),
            ("spiffe://a/é", InvalidId::Path),
            (&long_domain, InvalidId::TooLong),
            (&long_path, InvalidId::TooLong),
        ] {
            assert_eq!(SpiffeId::parse(text), Err(why), "{text}");
        }
        assert_eq!(SpiffeId::service("a", "b/c"), Err(InvalidId::Path));
        assert_eq!(SpiffeId::new("a/b", "/c"), Err(InvalidId::TrustDomain));
        assert_eq!(SpiffeId::new("a", "c"), Err(InvalidId::Path));
    }
}
