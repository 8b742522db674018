//! The first operator of a state folder: the operating-system user, enrolled as `local` by their own signature.

use super::orders::Bootstrap;
use crate::failure::{Failure, Outcome};
use crate::people::{LOCAL, Operator};
use crate::state::{Folder, read_bounded, write_private};
use bodh_guardian_api::Enrolment;
use bodh_identity::signing::{Context, MAX_DOCUMENT, SignedDocument, Signer};

/// What `local` may do: nothing of a physician's, so nobody decides alone on what they asked for.
const ROLES: [&str; 2] = ["clinician", "operator"];

/// The record as first signed; the same at every start.
pub(crate) fn first(folder: &Folder, operator: &Operator<'_>, trust_domain: &str) -> Outcome<Bootstrap> {
    let path = folder.path().join("first_operator.json");
    if !path.exists() {
        let now = chrono::Utc::now();
        let by = operator.id.to_string();
        let record =
            Enrolment::new(LOCAL, trust_domain, &ROLES, &operator.key.public_key(), "local_key", &by, now).to_bytes();
        let document = SignedDocument::sign(operator.key, operator.id, Context::Enrolment, record);
        let json = document.and_then(|document| document.to_json());
        let json = json.map_err(|cause| Failure::failed(format!("the first enrolment: {cause}")))?;
        write_private(&path, json.as_bytes())?;
    }
    let refused = |cause: String| Failure::input(format!("{}: {cause}; restore it from a backup", path.display()));
    let json = read_bounded(&path, MAX_DOCUMENT as u64)?;
    let document = SignedDocument::parse(&json).map_err(|cause| refused(cause.to_string()))?;
    let record = operator.verify(&document, Context::Enrolment).map_err(|cause| refused(cause.to_string()))?;
    let record = String::from_utf8(record.to_vec()).map_err(|cause| refused(cause.to_string()))?;
    let written: serde_json::Value = serde_json::from_slice(&json).map_err(|cause| refused(cause.to_string()))?;
    let signature = written.get("signature").and_then(|s| s.as_str()).unwrap_or_default().to_owned();
    Ok(Bootstrap { record, signature })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_identity::SpiffeId;
    use bodh_identity::signing::{PersonKey, verify};
    use data_encoding::BASE64;

    #[test]
    fn the_first_operator_signs_once_and_is_no_physician() {
        let folder = Folder::passing().unwrap();
        let (key, id) = (PersonKey::generate().unwrap(), SpiffeId::human("d.internal", LOCAL).unwrap());
        let operator = Operator { key: &key, id: &id };
        let made = first(&folder, &operator, "d.internal").unwrap();
        let again = first(&folder, &operator, "d.internal").unwrap();
        assert_eq!((&made.record, &made.signature), (&again.record, &again.signature));
        let record = made.record.into_bytes();
        let signature = BASE64.decode(made.signature.as_bytes()).unwrap();
        assert!(verify(&key.public_key(), Context::Enrolment, &record, &signature).is_ok());
        assert_eq!(Enrolment::parse(&record).unwrap().roles, ["clinician", "operator"]);
        let other = PersonKey::generate().unwrap();
        assert!(first(&folder, &Operator { key: &other, id: &id }, "d.internal").is_err());
    }
}
