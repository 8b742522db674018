//! Who runs the probe, and which processes live.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    os::unix::fs::PermissionsExt, os::unix::process::CommandExt, path::PathBuf, process::Command, time::Duration,
};

/// The program that tries what must not be possible.
pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_bodh-cell-probe");
/// The user and group `nobody`, by number, so that no account has to exist.
const NOBODY: u32 = 65534;

/// Somebody who is not root, with a copy of the probe that he can reach.
pub(crate) struct OrdinaryUser {
    pub(crate) folder: tempfile::TempDir,
    program: PathBuf,
}

/// Another user than root, when these tests run as root. Otherwise all of them run as an ordinary user anyway.
pub(crate) fn ordinary_user() -> Option<OrdinaryUser> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("probe");
    std::fs::copy(PROBE, &program).unwrap();
    Some(OrdinaryUser { folder, program })
}

impl OrdinaryUser {
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        command.uid(NOBODY).gid(NOBODY);
        output(command.args(words))
    }

    pub(crate) fn give(&self, path: &std::path::Path) {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

pub(crate) fn output(command: &mut Command) -> String {
    let output = command.env_clear().output().unwrap();
    assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

pub(crate) async fn assert_gone(pid: u32) {
    for _ in 0..500 {
        if !alive(pid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} is still there");
}
