//! How the vault refuses. No variant says more about a secret than that it did not fit.

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text is not an age X25519 identity.
    #[error("this is not an age X25519 identity (AGE-SECRET-KEY-1…); pass the one that was generated")]
    NotAnIdentity,
    /// The text is not an age X25519 recipient.
    #[error("this is not an age X25519 recipient (age1…); pass the one that came with the session's envelope")]
    NotARecipient,
    /// A wrapped secret was made by another vault key, for another session, or was altered.
    #[error(
        "the wrapped secret does not belong to this vault key and session, or was altered; the session cannot be opened"
    )]
    WrongWrap,
    /// A sealed view key belongs to another session or view, or was altered.
    #[error("the sealed key does not belong to this session and view, or was altered")]
    WrongKey,
    /// A record belongs to another session, view, record or sequence, or was altered.
    #[error("the record does not belong to this place, or was altered")]
    WrongRecord,
    /// A name or a record is longer than the vault takes.
    #[error("the name or record is longer than the vault takes; split it")]
    TooLong,
    /// This key has sealed as many records as random nonces allow.
    #[error("this key has sealed all the records it may; open the session again")]
    Exhausted,
    /// The operating system gave no randomness, or encryption failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}
