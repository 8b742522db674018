//! The log's signing key: made at the first start, sealed to this service's own identity.

use std::io;
use std::path::Path;

use bodh_audit_log::SigningKey;
use bodh_identity::sealed::{KeyWrap, SealedError, read_sealed, write_sealed};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::Error;

/// Opens the key in `path`, or makes one when the log is `new`. A log that has entries never gets another key.
pub(crate) fn open(path: &Path, wrap: &dyn KeyWrap, origin: &str, new: bool) -> Result<SigningKey, Error> {
    let said = |what: String| Error::Key(what);
    let text = match read_sealed(path, wrap) {
        Ok(secret) => secret,
        Err(SealedError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound && new => make(path, wrap, origin)?,
        Err(SealedError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(said(format!("{} is gone, and the log has entries: restore it", path.display())));
        }
        Err(cause) => return Err(said(format!("{}: {cause}", path.display()))),
    };
    let text = std::str::from_utf8(&text).map_err(|_| said("the sealed key is not a key".to_owned()))?;
    let key = SigningKey::from_secret_text(text).map_err(|cause| said(cause.to_string()))?;
    if key.verifier().name() == origin {
        Ok(key)
    } else {
        Err(said(format!("it signs for {}, and the configuration names {origin}", key.verifier().name())))
    }
}

fn make(path: &Path, wrap: &dyn KeyWrap, origin: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut seed = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(seed.as_mut()).map_err(|_| Error::Key("the system gives no randomness".to_owned()))?;
    let text = SigningKey::secret_text(origin, &seed).map_err(|cause| Error::Key(cause.to_string()))?;
    let secret = Zeroizing::new(text.into_bytes());
    // Durable before the first signature: a log is never signed by a key that a crash could lose.
    write_sealed(path, wrap, &secret).map_err(|cause| Error::Key(format!("{}: {cause}", path.display())))?;
    Ok(secret)
}
