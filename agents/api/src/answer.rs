//! An opinion and the knowledge it rests on.

use crate::pb;
use crate::wire::WireError;
use bodh_clinical::Opinion;

/// What an agent sends back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The opinion.
    pub opinion: Opinion,
    /// SHA-256 of the knowledge pack that it rests on.
    pub pack_sha256: [u8; 32],
}

impl TryFrom<pb::Opinion> for Answer {
    type Error = WireError;

    /// Unlike a bare [`Opinion`], an answer must say which pack it rests on.
    fn try_from(value: pb::Opinion) -> Result<Self, WireError> {
        let pack_sha256 =
            value.pack_sha256.as_slice().try_into().map_err(|_| WireError::new("pack_sha256", "not 32 bytes"))?;
        Ok(Self { opinion: Opinion::try_from(value)?, pack_sha256 })
    }
}

impl From<Answer> for pb::Opinion {
    fn from(value: Answer) -> Self {
        pb::Opinion { pack_sha256: value.pack_sha256.to_vec(), ..value.opinion.into() }
    }
}
