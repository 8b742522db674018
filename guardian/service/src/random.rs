//! The operating system's randomness.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::Error;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the operating system gave no randomness"))?;
    Ok(bytes)
}
