//! An ordinary user needs no privilege.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::harness::{EXECUTABLES, MARFAN, Stage, program, sample};

/// The number of `nobody` on Linux.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_ordinary_user_diagnoses() {
    if !is_root() {
        println!("skipped: an ordinary user runs every test already");
        return;
    }
    let mut stage = Stage::new();
    mode(&stage.path("."), 0o755);
    let programs = stage.path("programs");
    fs::create_dir(&programs).unwrap();
    mode(&programs, 0o755);
    for name in EXECUTABLES {
        let (from, to) = (program(name), programs.join(name));
        // A link where the file system allows it: the programs are large.
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).unwrap();
            mode(&to, 0o755);
        }
    }
    let case = stage.write("case.json", fs::read(sample(MARFAN)).unwrap());
    mode(&case, 0o644);
    fs::create_dir(stage.dir()).unwrap();
    for own in [stage.path("home"), stage.dir()] {
        mode(&own, 0o700);
        chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    stage.program = programs.join("bodh");
    stage.prefix = vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    let report = stage.diagnose(&case, &[]).ended(3).json();
    assert_eq!(report["differential"][0]["id"], "OMIM:154700");
    assert_eq!(fs::metadata(stage.dir().join("log/checkpoint")).unwrap().uid(), NOBODY);
    let passing = stage.bodh(&["diagnose", case.to_str().unwrap(), "--json"]).ended(3).json();
    assert_eq!(passing["differential"], report["differential"]);
}
