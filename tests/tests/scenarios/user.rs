//! An ordinary user needs no privilege.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::harness::{MARFAN, Stage, sample};

/// The number of `nobody` on Linux.
const NOBODY: u32 = 65534;

pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

pub(super) fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A stage on which commands run as an ordinary user: as `nobody` where the tests run as root.
pub(super) fn ordinary() -> Stage {
    let mut stage = Stage::new();
    fs::create_dir(stage.dir()).unwrap();
    if is_root() {
        stage.install();
        for own in [stage.path("home"), stage.dir()] {
            mode(&own, 0o700);
            chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        stage.prefix = vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    }
    stage
}

#[test]
fn an_ordinary_user_diagnoses() {
    if !is_root() {
        println!("skipped: an ordinary user runs every test already");
        return;
    }
    let stage = ordinary();
    let case = stage.write("case.json", fs::read(sample(MARFAN)).unwrap());
    mode(&case, 0o644);
    let report = stage.diagnose(&case, &[]).ended(3).json();
    assert_eq!(report["differential"][0]["id"], "OMIM:154700");
    assert_eq!(fs::metadata(stage.dir().join("log/checkpoint")).unwrap().uid(), NOBODY);
    let passing = stage.bodh(&["diagnose", case.to_str().unwrap(), "--json"]).ended(3).json();
    assert_eq!(passing["differential"], report["differential"]);
}
