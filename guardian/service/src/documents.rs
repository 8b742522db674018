//! The two documents without which the guardian does not serve: the policy bundle and the manifest of executables.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use bodh_guardian_api::Binaries;
use bodh_identity::{
    SpiffeId,
    signing::{Context, MAX_DOCUMENT, SignedDocument},
};

use crate::registry::Registry;

/// One of the two documents cannot be used. The line names the file, the cause and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}; {}", path.display(), remedy(*context))]
pub struct DocumentError {
    path: PathBuf,
    context: Context,
    fault: Fault,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such file.
    #[error("missing")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read ({0})")]
    Unreadable(std::io::ErrorKind),
    /// It is not a signed document.
    #[error("not signed (a document with payload, signer and signature is needed)")]
    Unsigned,
    /// The signature does not hold.
    #[error("altered since {0} signed it, or signed with another key")]
    Altered(SpiffeId),
    /// The signer may not sign it.
    #[error("signed by {0}, who is not an operator")]
    NotOperator(SpiffeId),
    /// The signature holds, the content does not.
    #[error("not valid: {0}")]
    Content(String),
}

impl DocumentError {
    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// A document whose signature holds.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The file's content: the signed document.
    pub document: Vec<u8>,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// Who signed.
    pub signer: SpiffeId,
    /// With which key.
    pub key: Vec<u8>,
}

/// Reads the document at `path` and checks that an operator signed it for this purpose.
pub fn read(path: &Path, context: Context, registry: &Registry) -> Result<Verified, DocumentError> {
    verify(path, context, registry).map_err(|fault| DocumentError { path: path.to_owned(), context, fault })
}

fn verify(path: &Path, context: Context, registry: &Registry) -> Result<Verified, Fault> {
    let document = bytes(path)?;
    let signed = SignedDocument::parse(&document).map_err(|_| Fault::Unsigned)?;
    let signer = signed.claimed_signer().clone();
    let operator = registry.operator(&signer).ok_or_else(|| Fault::NotOperator(signer.clone()))?;
    let keys = operator.keys().held().iter().map(|held| &held.key);
    let holds = |key: &Vec<u8>| Some((key.clone(), signed.verify(&signer, key, context).ok()?.to_vec()));
    let (key, payload) = keys.into_iter().find_map(holds).ok_or_else(|| Fault::Altered(signer.clone()))?;
    Ok(Verified { document, payload, signer, key })
}

/// Reads the manifest of executables.
pub fn read_binaries(path: &Path, registry: &Registry) -> Result<Binaries, DocumentError> {
    let verified = read(path, Context::Binaries, registry)?;
    Binaries::parse(&verified.payload).map_err(|error| content(path, Context::Binaries, error.to_string()))
}

/// A document that is signed well and says something unusable.
pub fn content(path: &Path, context: Context, cause: String) -> DocumentError {
    DocumentError { path: path.to_owned(), context, fault: Fault::Content(cause) }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Fault::Missing,
        kind => Fault::Unreadable(kind),
    };
    let mut document = Vec::new();
    let limit = u64::try_from(MAX_DOCUMENT).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map_err(unreadable)?.take(limit).read_to_end(&mut document).map_err(unreadable)?;
    Ok(document)
}

fn remedy(context: Context) -> &'static str {
    match context {
        Context::Binaries => "check that the executables are the ones you trust, then run `bodh trust binaries`",
        _ => "review the policies, then run `bodh policy sign`",
    }
}
