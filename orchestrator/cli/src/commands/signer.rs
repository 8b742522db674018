//! Who signs, when nobody is named: the only physician whose key is on this machine.

use crate::failure::{Failure, Outcome};
use crate::launch::Access;
use crate::people::{LOCAL, Visitor, at_guardian};

const PHYSICIAN: &str = "physician";

/// The person named, or the only enrolled physician whose key file is here.
pub(super) async fn physician(access: &Access, named: Option<&str>) -> Outcome<String> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let local = Visitor::enter(access.running(), &access.ring, LOCAL).await?;
    let people = local.guardian()?.people().await.map_err(at_guardian)?;
    let enrolled: Vec<_> = people
        .into_iter()
        .filter(|person| !person.revoked && person.roles.iter().any(|role| role == PHYSICIAN))
        .map(|person| person.name)
        .collect();
    only(&enrolled, &access.ring.names()?)
}

fn only(physicians: &[String], keys: &[String]) -> Outcome<String> {
    let here: Vec<_> = physicians.iter().filter(|name| keys.contains(name)).cloned().collect();
    match here.as_slice() {
        [one] => Ok(one.clone()),
        [] if physicians.is_empty() => {
            Err(Failure::input("no physician is enrolled; run `bodh human enroll NAME --role physician --state DIR`"))
        }
        [] => {
            Err(Failure::input(format!("no physician's key is on this machine; enrolled: {}", physicians.join(", "))))
        }
        several => Err(Failure::input(format!("several physicians: name one with --as: {}", several.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn one_physician_with_a_key_here_signs() {
        assert_eq!(only(&names(&["ann", "bob"]), &names(&["bob", "local"])).unwrap(), "bob");
        let said = |physicians: &[&str], keys: &[&str]| {
            let refused = only(&names(physicians), &names(keys)).unwrap_err();
            assert_eq!(refused.code(), 2);
            refused.to_string()
        };
        assert!(said(&[], &["local"]).contains("bodh human enroll"));
        assert!(said(&["ann"], &["local"]).contains("enrolled: ann"));
        assert!(said(&["ann", "bob"], &["ann", "bob"]).contains("--as: ann, bob"));
    }
}
