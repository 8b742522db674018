//! The policy bundle of a state folder: the kernel's policies and the domain's, signed by the local operator.

use crate::failure::{Failure, Outcome};
use crate::people::Operator;
use crate::state::{Folder, read_bounded, write_private};
use bodh_identity::signing::{Context, MAX_DOCUMENT, SignedDocument};
use bodh_policy::{Bundle, Policies};
use std::path::Path;

// `DOMAIN`: name and text of every file of deploy/policies.
include!(concat!(env!("OUT_DIR"), "/domain_policies.rs"));

/// Most bytes of one file; the bundle has its own bounds.
const MAX_FILE: u64 = 1024 * 1024;

/// The kernel's policies with the built-in ones of the domain.
pub(crate) fn built_in() -> Outcome<Bundle> {
    let domain = Bundle::new(DOMAIN.iter().copied());
    let bundle = domain.and_then(|domain| bodh_policy::kernel().merge(domain));
    bundle.map_err(|wrong| Failure::input(format!("policies: {wrong}")))
}

/// Signs the kernel's policies together with those of `policies`, or with the built-in ones of the domain.
pub(crate) fn sign(folder: &Folder, operator: &Operator<'_>, policies: Option<&Path>) -> Outcome<Bundle> {
    let refused = |wrong: &dyn std::fmt::Display| Failure::input(format!("policies: {wrong}"));
    let bundle = match policies {
        Some(path) => {
            let domain = Bundle::new(read_folder(path)?);
            domain.and_then(|domain| bodh_policy::kernel().merge(domain)).map_err(|wrong| refused(&wrong))?
        }
        None => built_in()?,
    };
    // Signed only once it is known to load: a bundle that does not would stop every service.
    Policies::load(&bundle).map_err(|wrong| refused(&wrong))?;
    let payload = serde_json::to_vec(&bundle).map_err(|cause| Failure::failed(format!("policies: {cause}")))?;
    let document = SignedDocument::sign(operator.key, operator.id, Context::Policy, payload);
    let json = document.and_then(|document| document.to_json());
    let json = json.map_err(|cause| Failure::failed(format!("the policy bundle: {cause}")))?;
    write_private(&folder.policy(), json.as_bytes())?;
    Ok(bundle)
}

/// The signed bundle of a state folder.
pub(crate) fn check(folder: &Folder, operator: &Operator<'_>) -> Outcome<Bundle> {
    let path = folder.policy();
    let refused = |cause: String| {
        let remedy = format!("sign it again with `bodh policy sign --state {}`", folder.path().display());
        Failure::input(format!("{}: {cause}; {remedy}", path.display()))
    };
    if !path.exists() {
        return Err(refused("it is missing".to_owned()));
    }
    let json = read_bounded(&path, MAX_DOCUMENT as u64)?;
    let document = SignedDocument::parse(&json).map_err(|cause| refused(cause.to_string()))?;
    let payload = operator.verify(&document, Context::Policy).map_err(|cause| refused(cause.to_string()))?;
    serde_json::from_slice(payload).map_err(|cause| refused(cause.to_string()))
}

/// The policy and schema files of a folder; anything else there is left alone.
fn read_folder(folder: &Path) -> Outcome<Vec<(String, String)>> {
    let cannot =
        |cause: std::io::Error| Failure::input(format!("{}: not a folder of policies ({cause})", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_none_or(|kind| kind != "cedar" && kind != "cedarschema") {
            continue;
        }
        let text = String::from_utf8(read_bounded(&path, MAX_FILE)?);
        let text = text.map_err(|_| Failure::input(format!("{}: not UTF-8", path.display())))?;
        files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
    }
    if files.is_empty() {
        return Err(Failure::input(format!("{}: no .cedar file in it", folder.display())));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_identity::SpiffeId;
    use bodh_identity::signing::PersonKey;

    #[test]
    fn the_built_in_bundle_is_signed_and_read_back() {
        let (folder, key) = (Folder::passing().unwrap(), PersonKey::generate().unwrap());
        let id = SpiffeId::human("bodh.internal", "local").unwrap();
        let operator = Operator { key: &key, id: &id };
        let made = sign(&folder, &operator, None).unwrap();
        assert_eq!(check(&folder, &operator).unwrap(), made);
        let other = PersonKey::generate().unwrap();
        let refused = check(&folder, &Operator { key: &other, id: &id }).err().unwrap();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().contains("bodh policy sign"), "{refused}");
    }

    #[test]
    fn policies_that_do_not_load_are_not_signed() {
        let (folder, key) = (Folder::passing().unwrap(), PersonKey::generate().unwrap());
        let id = SpiffeId::human("bodh.internal", "local").unwrap();
        let operator = Operator { key: &key, id: &id };
        let given = tempfile::tempdir().unwrap();
        assert!(sign(&folder, &operator, Some(given.path())).unwrap_err().to_string().contains("no .cedar file"));
        std::fs::write(given.path().join("wrong.cedar"), "permit(principal, action, resource) when { nonsense };")
            .unwrap();
        let refused = sign(&folder, &operator, Some(given.path())).unwrap_err();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().contains("wrong.cedar"), "{refused}");
        assert!(!folder.policy().exists());
    }
}
