//! Bytes into a pack, once they have passed its checks.

use crate::flat::{Flat, check};
use crate::{Pack, PackBytes, PackError};

impl Pack {
    /// Checks the checksum and every offset, once. Both at the same time, on a second thread where there is one: the checks of
    /// the content hold for any bytes, and there is no pack before both have passed.
    pub fn open(bytes: impl Into<PackBytes>) -> Result<Self, PackError> {
        let flat = Flat::open(bytes.into())?;
        let (intact, sound) = std::thread::scope(|scope| {
            let beside = std::thread::Builder::new().spawn_scoped(scope, || flat.is_intact());
            let sound = check(&flat);
            (beside.map_or_else(|_| flat.is_intact(), |thread| thread.join().unwrap_or(false)), sound)
        });
        // A changed byte is named as that, whatever it made of the content.
        if !intact {
            return Err(PackError::Checksum);
        }
        sound?;
        Ok(Self { flat })
    }

    /// Opens bytes that [`Pack::open`] has accepted before and that nobody could change since: a sealed memory file whose
    /// maker checked it. Checking 20 MB again would cost every new process more than its work does. Header and places of
    /// the sections are read all the same, and reading what lies outside of a section gives zeros, so bytes that were
    /// never checked make wrong answers, not a crash.
    ///
    /// # Errors
    /// When header or sections do not fit the bytes.
    pub fn open_verified(bytes: impl Into<PackBytes>) -> Result<Self, PackError> {
        Ok(Self { flat: Flat::open(bytes.into())? })
    }
}
