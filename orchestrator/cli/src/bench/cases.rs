//! Cases, many at once: a folder, a `.json`, a `.jsonl`, any of them as `.xz`.

use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Most bytes of all cases together, decompressed.
const MAX_TOTAL: u64 = 2 << 30;
/// Most memory that decompressing may take: the largest preset of xz needs 65 MiB (xz(1), `-9`).
const MAX_XZ_MEMORY: u64 = 80 << 20;

/// One case as it was found. Whether it can be read is for its row to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Case {
    /// File name without its endings, and the line in a `.jsonl`.
    pub(crate) place: String,
    /// The file's whole name.
    pub(crate) file: String,
    /// Its line, from 1, in a `.jsonl`.
    pub(crate) line: Option<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Case {
    /// What is wrong with it, with its file and line.
    pub(crate) fn fault(&self, wrong: &str) -> String {
        let Some(line) = self.line else { return format!("{}: {wrong}", self.file) };
        // A row is one line: where the reader of the row counts from it, the file's line is meant.
        match wrong.strip_prefix("line 1, ") {
            Some(rest) => format!("{}: line {line}, {rest}", self.file),
            None => format!("{}: line {line}: {wrong}", self.file),
        }
    }
}

/// Every case at `path`, in a fixed order: by file name, then by line.
pub(crate) fn read(path: &Path) -> Outcome<Vec<Case>> {
    let mut cases = Vec::new();
    let mut left = MAX_TOTAL;
    if path.is_dir() {
        let files = files(path)?;
        for file in &files {
            add(file, &mut cases, &mut left)?;
        }
    } else {
        add(path, &mut cases, &mut left)?;
    }
    if cases.is_empty() {
        return Err(Failure::input(format!("{}: no case in it (.json, .jsonl, .txt, or .xz of them)", path.display())));
    }
    Ok(cases)
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let cannot = |cause| Failure::input(format!("{}: cannot be listed ({cause})", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let kind = kind(&path);
        if path.is_file() && matches!(kind.as_str(), "json" | "jsonl" | "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The ending that says what it is, below `.xz`.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".xz").unwrap_or(&name);
    name.rsplit_once('.').map(|(_, kind)| kind.to_owned()).unwrap_or_default()
}

fn add(path: &Path, cases: &mut Vec<Case>, left: &mut u64) -> Outcome {
    let shown = path.display();
    let file = File::open(path).map_err(|cause| Failure::input(format!("{shown}: cannot be read ({cause})")))?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xz")) {
        let stream = liblzma::stream::Stream::new_stream_decoder(MAX_XZ_MEMORY, liblzma::stream::CONCATENATED);
        let stream = stream.map_err(|cause| Failure::failed(format!("{shown}: no xz decoder ({cause})")))?;
        Box::new(liblzma::read::XzDecoder::new_stream(file, stream))
    } else {
        Box::new(file)
    };
    let mut reader = BufReader::new(reader.take(*left + 1));
    let (stem, file) = (stem(path), path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let cannot = |cause: std::io::Error| Failure::input(format!("{shown}: cannot be read ({cause})"));
    let mut line = 0_usize;
    loop {
        let mut bytes = Vec::new();
        let length = if kind(path) == "jsonl" {
            reader.read_until(b'\n', &mut bytes).map_err(cannot)?
        } else {
            reader.read_to_end(&mut bytes).map_err(cannot)?
        };
        if length == 0 {
            return Ok(());
        }
        line += 1;
        *left = left.checked_sub(length as u64).ok_or_else(|| {
            Failure::input(format!("{shown}: more than {MAX_TOTAL} bytes of cases; give fewer at a time"))
        })?;
        if kind(path) != "jsonl" {
            cases.push(Case { place: stem.clone(), file: file.clone(), line: None, bytes });
        } else if !bytes.trim_ascii().is_empty() {
            cases.push(Case { place: format!("{stem}:{line}"), file: file.clone(), line: Some(line), bytes });
        }
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix(".xz").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn places(path: &Path) -> Vec<String> {
        read(path).unwrap().into_iter().map(|case| case.place).collect()
    }

    #[test]
    fn a_folder_a_list_and_their_compressed_forms() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("b.json"), "{}").unwrap();
        std::fs::write(at("a.txt"), "cough").unwrap();
        std::fs::write(at("README.md"), "not a case").unwrap();
        std::fs::write(at("c.jsonl"), "{}\n\n{}").unwrap();
        let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
        packed.write_all(b"{\"x\":1}\n{\"x\":2}\n").unwrap();
        std::fs::write(at("d.jsonl.xz"), packed.finish().unwrap()).unwrap();
        assert_eq!(places(folder.path()), ["a", "b", "c:1", "c:3", "d:1", "d:2"]);
        assert_eq!(places(&at("c.jsonl")), ["c:1", "c:3"]);
        assert_eq!(read(&at("d.jsonl.xz")).unwrap()[1].bytes, b"{\"x\":2}\n");
    }

    #[test]
    fn a_fault_names_file_and_line() {
        let row = Case { file: "c.jsonl.xz".into(), line: Some(7), ..Case::default() };
        assert_eq!(row.fault("line 1, column 8: not valid JSON"), "c.jsonl.xz: line 7, column 8: not valid JSON");
        assert_eq!(row.fault("id: expected text"), "c.jsonl.xz: line 7: id: expected text");
        let whole = Case { file: "c.json".into(), ..Case::default() };
        assert_eq!(whole.fault("line 2, column 8: not valid JSON"), "c.json: line 2, column 8: not valid JSON");
    }

    #[test]
    fn nothing_and_rubbish_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("no case in it"));
        let broken = folder.path().join("x.jsonl.xz");
        std::fs::write(&broken, "not xz").unwrap();
        assert_eq!(read(&broken).unwrap_err().code(), 2);
        assert_eq!(read(&folder.path().join("none.json")).unwrap_err().code(), 2);
    }
}
