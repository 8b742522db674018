//! `logs/NAME.log`: what a process writes to stderr, the last few megabytes of it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Two files of this size at most: `NAME.log`, and `NAME.log.1` with what came before.
const HALF: u64 = 5 * 1024 * 1024;
/// A longer line is cut: a process that babbles must not fill our memory.
const MAX_LINE: u64 = 16 * 1024;

/// The last line that a process said, for the one line that explains its end.
pub(crate) type LastLine = Arc<Mutex<String>>;

/// Copies a process's stderr to its log until it ends.
pub(crate) fn keep(stderr: impl Read, path: &Path, last: &LastLine) {
    let mut journal = Journal { path: path.to_owned(), file: None, size: 0, half: HALF };
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            text.trim().clone_into(&mut last.lock().unwrap_or_else(PoisonError::into_inner));
        }
        // A log that cannot be written (a full disk) must not stop the process: reading goes on.
        let _kept = journal.write(&line);
    }
}

/// The message of a line: of a structured one its `message`, else all of it.
pub(crate) fn message(line: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(line).ok();
    let field = parsed.as_ref().and_then(|value| value.pointer("/fields/message").or_else(|| value.get("message")));
    field.and_then(|text| text.as_str()).unwrap_or(line).to_owned()
}

struct Journal {
    path: PathBuf,
    file: Option<File>,
    size: u64,
    half: u64,
}

impl Journal {
    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        if self.size >= self.half {
            self.file = None;
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
                self.size = file.metadata()?.len();
                self.file.insert(file)
            }
        };
        file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut journal = Journal { path: path.clone(), file: None, size: 0, half: 100 };
        for n in 0..100 {
            journal.write(format!("line {n:04}\n").as_bytes()).unwrap();
        }
        let now = std::fs::read_to_string(&path).unwrap();
        let before = std::fs::read_to_string(folder.path().join("x.log.1")).unwrap();
        assert!(now.len() + before.len() <= 220, "{} {}", now.len(), before.len());
        assert!(now.ends_with("line 0099\n"));
    }

    #[test]
    fn the_last_line_is_remembered_and_a_long_one_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let last = LastLine::default();
        keep(&b"one\n\ntwo words\n\n"[..], &path, &last);
        assert_eq!(*last.lock().unwrap(), "two words");
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n\ntwo words\n\n");
        keep(&vec![b'x'; 100_000][..], &path, &last);
        assert!(last.lock().unwrap().len() as u64 <= MAX_LINE);
    }

    #[test]
    fn a_structured_line_gives_its_message() {
        assert_eq!(message(r#"{"level":"ERROR","fields":{"message":"no key"}}"#), "no key");
        assert_eq!(message(r#"{"message":"no key"}"#), "no key");
        assert_eq!(message("no key"), "no key");
    }
}
