//! The manifest of executables: which file, by its hash, may have which identity. An operator signs it (`binaries`).

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// The most entries a manifest has.
const MAX_ENTRIES: usize = 64;

/// One executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    /// The identity that a process of this executable receives; none for the command line, which only uses the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spiffe_id: Option<String>,
    /// The file's name, without a folder.
    pub executable: String,
    /// SHA-256 of the file, 64 lower-case hex digits.
    pub sha256: String,
}

/// The signed manifest's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binaries {
    /// In any order; no identity, file name or hash twice.
    pub entries: Vec<Binary>,
}

/// Why a manifest is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinariesError {
    /// Not JSON of the manifest's shape.
    #[error("not a JSON object with `entries` of {{spiffe_id, executable, sha256}}")]
    Shape,
    /// Empty or too long.
    #[error("a manifest has between 1 and 64 entries")]
    Count,
    /// An entry's field is malformed.
    #[error("entry {0:?} has a malformed file name or hash")]
    Entry(String),
    /// Two entries name the same identity, file or hash, so that a caller could not be told apart.
    #[error("entry {0:?} repeats an identity, a file name or a hash")]
    Repeated(String),
}

impl Binaries {
    /// Reads and checks a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, BinariesError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|_| BinariesError::Shape)?;
        if manifest.entries.is_empty() || manifest.entries.len() > MAX_ENTRIES {
            return Err(BinariesError::Count);
        }
        let mut seen = BTreeSet::new();
        for entry in &manifest.entries {
            let name = &entry.executable;
            let hash_ok = HEXLOWER.decode(entry.sha256.as_bytes()).is_ok_and(|hash| hash.len() == 32);
            if name.is_empty() || name.len() > 128 || name.contains('/') || !hash_ok {
                return Err(BinariesError::Entry(name.clone()));
            }
            let marks = [Some(name), Some(&entry.sha256), entry.spiffe_id.as_ref()];
            if !marks.into_iter().flatten().all(|mark| seen.insert(mark.clone())) {
                return Err(BinariesError::Repeated(name.clone()));
            }
        }
        Ok(manifest)
    }

    /// The bytes to sign.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising strings to memory has no failure path.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The entry of the executable with this hash.
    pub fn with_hash(&self, sha256: &[u8]) -> Option<&Binary> {
        let hash = HEXLOWER.encode(sha256);
        self.entries.iter().find(|entry| entry.sha256 == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Binaries {
        let entry = |id: Option<&str>, file: &str, digit: &str| Binary {
            spiffe_id: id.map(str::to_owned),
            executable: file.to_owned(),
            sha256: digit.repeat(64),
        };
        Binaries {
            entries: vec![
                entry(Some("spiffe://bodh.internal/service/audit"), "bodh-audit", "a"),
                entry(None, "bodh", "b"),
            ],
        }
    }

    #[test]
    fn finds_by_hash() {
        let read = Binaries::parse(&manifest().to_bytes()).unwrap();
        assert_eq!(read, manifest());
        assert_eq!(read.with_hash(&[0xbb; 32]).unwrap().executable, "bodh");
        assert_eq!(read.with_hash(&[0xcc; 32]), None);
    }

    #[test]
    fn refuses_what_is_ambiguous_or_malformed() {
        let refused = |change: fn(&mut Binaries)| {
            let mut changed = manifest();
            change(&mut changed);
            Binaries::parse(&changed.to_bytes()).unwrap_err()
        };
        assert_eq!(refused(|m| m.entries.clear()), BinariesError::Count);
        assert_eq!(refused(|m| m.entries[1].sha256 = "a".repeat(64)), BinariesError::Repeated("bodh".into()));
        assert_eq!(refused(|m| m.entries[1].executable = "../bodh".into()), BinariesError::Entry("../bodh".into()));
        assert_eq!(refused(|m| m.entries[1].sha256 = "B".repeat(64)), BinariesError::Entry("bodh".into()));
        assert_eq!(Binaries::parse(br#"{"entries":[],"more":1}"#), Err(BinariesError::Shape));
    }
}
