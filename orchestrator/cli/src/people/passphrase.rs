//! The passphrase of a person's key: from a file, or from the terminal, or none.

use crate::failure::{Failure, Outcome};
use crate::state::read_bounded;
use age::secrecy::SecretString;
use std::io::IsTerminal;
use std::path::Path;
use zeroize::Zeroizing;

/// For a new key. `None`: the file's mode alone protects it, and a line says so.
pub(crate) fn for_new(name: &str, file: Option<&Path>) -> Outcome<Option<SecretString>> {
    if let Some(file) = file {
        return from_file(file).map(Some);
    }
    if !std::io::stdin().is_terminal() {
        eprintln!(
            "bodh: the key of {name} has no passphrase: only its file's mode protects it (see --passphrase-file)"
        );
        return Ok(None);
    }
    let first = ask(&format!("Passphrase for the new key of {name} (empty for none): "))?;
    if first.is_empty() {
        eprintln!("bodh: the key of {name} has no passphrase: only its file's mode protects it");
        return Ok(None);
    }
    if *first != *ask("The same again: ")? {
        return Err(Failure::input("the two passphrases differ; nothing was made"));
    }
    Ok(Some(SecretString::from(first.as_str().to_owned())))
}

/// For a key that is there and protected.
pub(crate) fn for_opening(name: &str, file: Option<&Path>) -> Outcome<SecretString> {
    if let Some(file) = file {
        return from_file(file);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::input(format!("the key of {name} needs its passphrase; give it with --passphrase-file")));
    }
    Ok(SecretString::from(ask(&format!("Passphrase of {name}: "))?.as_str().to_owned()))
}

fn ask(prompt: &str) -> Outcome<Zeroizing<String>> {
    let typed = rpassword::prompt_password(prompt);
    typed.map(Zeroizing::new).map_err(|cause| Failure::input(format!("no passphrase was read ({cause})")))
}

/// The first line of the file.
fn from_file(path: &Path) -> Outcome<SecretString> {
    let bytes = Zeroizing::new(read_bounded(path, 4096)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::input(format!("{}: not text", path.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::input(format!(
            "{}: its first line is empty; it should be the passphrase",
            path.display()
        )));
    }
    Ok(SecretString::from(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;

    #[test]
    fn a_file_gives_its_first_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "correct horse\nrest\n").unwrap();
        assert_eq!(from_file(file.path()).unwrap().expose_secret(), "correct horse");
        std::fs::write(file.path(), "\n").unwrap();
        assert_eq!(from_file(file.path()).unwrap_err().code(), 2);
    }
}
