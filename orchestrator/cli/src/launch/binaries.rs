//! Which executables a state folder trusts: hashed and signed at its first start, checked at every later one.

use super::members::Process;
use crate::failure::{Failure, Outcome};
use crate::people::Operator;
use crate::state::{Folder, read_bounded, write_private};
use bodh_guardian_api::{Binaries, Binary};
use bodh_identity::signing::{Context, MAX_DOCUMENT, SignedDocument};
use data_encoding::HEXLOWER;
use ring::digest;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The executables beside our own, as they are now.
#[derive(Debug)]
pub(crate) struct Siblings {
    folder: PathBuf,
    manifest: Binaries,
}

impl Siblings {
    /// Finds and hashes them, each on a thread of its own.
    pub(crate) fn hash(trust_domain: &str) -> Outcome<Self> {
        let own = std::env::current_exe().map_err(|cause| Failure::failed(format!("own executable: {cause}")))?;
        let folder = own.parent().map(Path::to_owned).unwrap_or_default();
        Self::hash_in(folder, trust_domain)
    }

    fn hash_in(folder: PathBuf, trust_domain: &str) -> Outcome<Self> {
        // The command line itself receives no identity: it only knocks at the door.
        let mut wanted: Vec<(String, Option<String>)> = vec![("bodh".into(), None)];
        wanted.extend(Process::all().into_iter().map(|p| (p.executable(), Some(p.spiffe_id(trust_domain)))));
        if let Some((missing, _)) = wanted.iter().find(|(name, _)| !folder.join(name).is_file()) {
            return Err(Failure::input(format!(
                "{missing} is missing beside {}; run `deploy/try`, which builds every executable",
                folder.join("bodh").display()
            )));
        }
        let entries = std::thread::scope(|scope| {
            let hashing: Vec<_> = wanted
                .into_iter()
                .map(|(executable, spiffe_id)| {
                    let path = folder.join(&executable);
                    scope.spawn(move || Ok(Binary { spiffe_id, executable, sha256: sha256(&path)? }))
                })
                .collect();
            let joined = hashing.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(Failure::failed("an executable could not be hashed")))
            });
            joined.collect::<Outcome<Vec<_>>>()
        })?;
        Ok(Self { folder, manifest: Binaries { entries } })
    }

    /// The executable of a process.
    pub(crate) fn path(&self, process: Process) -> PathBuf {
        self.folder.join(process.executable())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.manifest.entries.len()
    }

    /// Signs them as they are now: `bodh trust binaries`, and the first start.
    pub(crate) fn trust(&self, folder: &Folder, operator: &Operator<'_>) -> Outcome {
        let document = SignedDocument::sign(operator.key, operator.id, Context::Binaries, self.manifest.to_bytes());
        let json = document.and_then(|document| document.to_json());
        let json = json.map_err(|cause| Failure::failed(format!("the manifest of executables: {cause}")))?;
        write_private(&folder.binaries(), json.as_bytes())
    }

    /// Refuses an executable that is not the one that was trusted.
    pub(crate) fn check(&self, folder: &Folder, operator: &Operator<'_>) -> Outcome {
        let path = folder.binaries();
        let refused = |cause: String| {
            let remedy = format!("if that is right, run `bodh trust binaries --state {}`", folder.path().display());
            Failure::input(format!("{}: {cause}; {remedy}", path.display()))
        };
        if !path.exists() {
            return Err(refused("it is missing".to_owned()));
        }
        let json = read_bounded(&path, MAX_DOCUMENT as u64)?;
        let document = SignedDocument::parse(&json).map_err(|cause| refused(cause.to_string()))?;
        let payload = operator.verify(&document, Context::Binaries).map_err(|cause| refused(cause.to_string()))?;
        let trusted = Binaries::parse(payload).map_err(|cause| refused(cause.to_string()))?;
        for now in &self.manifest.entries {
            let before = trusted.entries.iter().find(|entry| entry.executable == now.executable);
            match before {
                Some(before) if before == now => {}
                Some(before) if before.spiffe_id != now.spiffe_id => {
                    return Err(refused(format!("{} was trusted under another identity", now.executable)));
                }
                Some(_) => return Err(refused(format!("{} is not the file that was trusted", now.executable))),
                None => return Err(refused(format!("{} was never trusted", now.executable))),
            }
        }
        Ok(())
    }
}

/// SHA-256 of the executable that is about to be vouched for.
pub(crate) fn measure(path: &Path) -> std::io::Result<[u8; 32]> {
    bodh_identity::attest::measure(&mut std::fs::File::open(path)?).map_err(std::io::Error::other)
}

fn sha256(path: &Path) -> Outcome<String> {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let mut context = digest::Context::new(&digest::SHA256);
        let mut buffer = vec![0_u8; 1 << 20];
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                return Ok(HEXLOWER.encode(context.finish().as_ref()));
            }
            context.update(buffer.get(..length).unwrap_or_default());
        }
    };
    read().map_err(|cause| Failure::input(format!("{}: cannot be read ({cause})", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_identity::SpiffeId;
    use bodh_identity::signing::PersonKey;

    fn built() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bodh"), "bodh").unwrap();
        for process in Process::all() {
            std::fs::write(folder.path().join(process.executable()), process.name).unwrap();
        }
        folder
    }

    fn hash(built: &tempfile::TempDir) -> Outcome<Siblings> {
        Siblings::hash_in(built.path().to_owned(), "bodh.internal")
    }

    #[test]
    fn a_missing_executable_names_the_way_to_build_it() {
        let built = built();
        std::fs::remove_file(built.path().join("bodh-intake")).unwrap();
        let refused = hash(&built).unwrap_err();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().contains("bodh-intake is missing") && refused.to_string().contains("deploy/try"));
    }

    #[test]
    fn a_changed_executable_or_manifest_is_refused() {
        let (built, folder) = (built(), Folder::passing().unwrap());
        let (key, id) = (PersonKey::generate().unwrap(), SpiffeId::human("bodh.internal", "local").unwrap());
        let operator = Operator { key: &key, id: &id };
        hash(&built).unwrap().trust(&folder, &operator).unwrap();
        assert!(hash(&built).unwrap().check(&folder, &operator).is_ok());

        std::fs::write(built.path().join("bodh-audit"), "another").unwrap();
        let refused = hash(&built).unwrap().check(&folder, &operator).unwrap_err();
        assert_eq!(refused.code(), 2);
        let said = refused.to_string();
        assert!(said.contains("bodh-audit is not the file") && said.contains("bodh trust binaries"), "{said}");

        let eve = PersonKey::generate().unwrap();
        hash(&built).unwrap().trust(&folder, &Operator { key: &eve, id: &id }).unwrap();
        assert!(hash(&built).unwrap().check(&folder, &operator).is_err(), "signed by another key");
        hash(&built).unwrap().trust(&folder, &operator).unwrap();
        assert!(hash(&built).unwrap().check(&folder, &operator).is_ok());
    }

    #[test]
    fn the_hash_is_sha_256() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        // FIPS 180-4, the example of one block.
        assert_eq!(sha256(file.path()).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
