//! A state folder at rest: its signed documents, without a panel.

use super::options::KeyOptions;
use crate::failure::{Failure, Outcome};
use crate::people::{KeyRing, LOCAL, Operator, id_of};
use crate::state::{Folder, KeyHome, Lock, Taken, read_bounded};
use bodh_identity::SpiffeId;
use bodh_identity::signing::{MAX_DOCUMENT, PersonKey, SignedDocument};
use std::path::Path;
use std::sync::Arc;

/// A state folder and its local operator.
pub(super) struct Standing {
    pub(super) folder: Folder,
    pub(super) trust_domain: String,
    key: Arc<PersonKey>,
    id: SpiffeId,
}

impl Standing {
    pub(super) fn of(state: &Path, keys: &KeyOptions) -> Outcome<Self> {
        let folder = Folder::open(state)?;
        if !folder.is_initialised() {
            return Err(Failure::input(format!(
                "{}: not started yet; its first start (`bodh up --state …`) signs what is here",
                state.display()
            )));
        }
        let ring = KeyRing::of(KeyHome::of(&folder)?, keys.passphrase_file.as_deref());
        let key = ring.local(true)?;
        // Whose folder it is stands in the document that its first start signed.
        let document = read_bounded(&folder.binaries(), MAX_DOCUMENT as u64)?;
        let signer = SignedDocument::parse(&document).map(|document| document.claimed_signer().clone());
        let signer = signer.map_err(|cause| Failure::input(format!("{}: {cause}", folder.binaries().display())))?;
        let trust_domain = signer.trust_domain().to_owned();
        let id = id_of(&trust_domain, LOCAL)?;
        Ok(Self { folder, trust_domain, key, id })
    }

    /// Who signs here.
    pub(super) fn operator(&self) -> Operator<'_> {
        Operator { key: &self.key, id: &self.id }
    }

    /// Changes a document while no panel stands on it.
    pub(super) fn exclusively<T>(&self, change: impl FnOnce(&Folder, &Operator<'_>) -> Outcome<T>) -> Outcome<T> {
        match Lock::take(&self.folder)? {
            Taken::Free(_lock) => change(&self.folder, &self.operator()),
            Taken::By(running) => Err(Failure::input(format!(
                "the panel is running on {} as process {}; stop it first",
                self.folder.path().display(),
                running.pid
            ))),
        }
    }
}
