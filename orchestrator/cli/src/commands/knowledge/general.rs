//! The texts of general medicine, from a folder, and what a pack holds of them.

use crate::failure::{Failure, Outcome};
use crate::state::{cannot_read, read_bounded};
use bodh_knowledge::{Fault, Pack};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most bytes of one text of general medicine.
const MAX_TEXT: u64 = 8 << 20;

/// The texts of a folder and its list of tests, in the order of their names.
pub(super) fn texts(folder: &Path) -> Outcome<Vec<(String, String)>> {
    let listed = std::fs::read_dir(folder).map_err(|cause| cannot_read(folder, &cause))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "txt" || kind == "tsv"));
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::input(format!("{}: holds no text (*.txt, tests.tsv)", folder.display())));
    }
    let read = |path: PathBuf| {
        let text = String::from_utf8(read_bounded(&path, MAX_TEXT)?);
        let text = text.map_err(|_| Failure::input(format!("{}: not UTF-8", path.display())))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, text))
    };
    paths.into_iter().map(read).collect()
}

/// Tells every fault on a line of its own, and how many there are.
pub(super) fn told(faults: &[Fault]) -> Failure {
    for fault in faults {
        eprintln!("{fault}");
    }
    Failure::input(format!("{} faults in the texts of general medicine", faults.len()))
}

/// Conditions, findings and red flags of each specialty.
pub(super) fn coverage(pack: &Pack) -> String {
    let mut rows: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for condition in pack.diseases().take(pack.general_count()) {
        let row = rows.entry(pack.specialty(condition).unwrap_or_default()).or_default();
        row[0] += 1;
        row[1] += pack.annotations(condition).count();
        row[2] += usize::from(pack.red_flag(condition).is_some());
    }
    let line = |(name, [conditions, findings, flags]): (&str, [usize; 3])| {
        format!(
            "  {name:<45} {conditions:>4} conditions {:>4} findings each {flags:>4} red flags\n",
            findings / conditions.max(1)
        )
    };
    rows.into_iter().map(line).collect()
}
