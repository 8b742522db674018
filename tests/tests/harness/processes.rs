//! What `/proc` says of the processes, and signals to them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Sends a signal; a process that is gone already is no failure.
pub fn signal(pid: u32, name: &str) {
    let _gone = Command::new("kill").args([format!("-{name}"), pid.to_string()]).stderr(Stdio::null()).status();
}

/// The children of a process and their executables, as `/proc` has them now.
pub fn children(parent: u32) -> Vec<(u32, PathBuf)> {
    processes().into_iter().filter(|(pid, _)| parent_of(*pid) == Some(parent)).collect()
}

/// Its children, theirs, and so on.
pub fn descendants(parent: u32) -> Vec<(u32, PathBuf)> {
    let all: Vec<_> = processes().into_iter().map(|(pid, path)| (pid, parent_of(pid), path)).collect();
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    let mut parents = vec![parent];
    while let Some(parent) = parents.pop() {
        let here = all.iter().filter(|(_, of, _)| *of == Some(parent));
        found.extend(here.map(|(pid, _, path)| {
            parents.push(*pid);
            (*pid, path.clone())
        }));
    }
    found
}

/// Every process and its first word. (Not `exe`, which a process may hide from its own user.)
pub fn processes() -> Vec<(u32, PathBuf)> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let first = |pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let first = line.split(|byte| *byte == 0).next()?;
        Some((pid, PathBuf::from(String::from_utf8_lossy(first).into_owned())))
    };
    numbers.filter_map(first).filter(|(_, path)| !path.as_os_str().is_empty()).collect()
}

/// The letter that `/proc` has for what a process is doing; none when it is gone.
pub fn state_of(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("State:"))?.trim().chars().next()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}
