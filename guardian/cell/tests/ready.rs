//! The cell that is kept ready, and what the kernel says about it from outside. One test: it looks at all cells of this process.
#![allow(clippy::panic, clippy::unwrap_used, reason = "in a test they are the refusal")]

use std::{collections::BTreeSet, fs, time::Duration};

use bodh_cell::{Cell, Launcher, Limits, SealedPack};

mod people;
use people::{PROBE, alive, assert_gone};

/// Living children of this process that are cells.
fn cells() -> Vec<u32> {
    let own = std::process::id().to_string();
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.split(' ').nth(1) == Some(&own))
    };
    processes.filter(child).filter(|pid| alive(*pid)).collect()
}

/// The cells, once there are `expected` of them; and a moment later, in case one too many is on its way.
async fn settled(expected: usize) -> Vec<u32> {
    for _ in 0..500 {
        if cells().len() == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let settled = cells();
    assert_eq!(settled.len(), expected, "{settled:?}");
    settled
}

#[tokio::test]
async fn one_cell_is_kept_ready_and_replaced() {
    let launcher = Launcher::new(PROBE, Some(SealedPack::new(b"the pack").unwrap()), Limits::default());
    settled(0).await;
    launcher.warm();
    launcher.warm();
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let ready = settled(1).await;
        let mut cell = Cell::start(&launcher).await.unwrap();
        assert_eq!(cell.pid(), ready[0], "and it is the one handed out");
        assert_eq!(cell.ask(b"count").await.unwrap(), b"1", "which nobody used before");
        assert!(seen.insert(cell.pid()));
        inspect(cell.pid());
        cell.kill();
    }

    // Killed while it waited: the next start does not hand out a corpse.
    let ready = settled(1).await;
    let waiting = rustix::process::Pid::from_raw(ready[0].cast_signed()).unwrap();
    rustix::process::kill_process(waiting, rustix::process::Signal::KILL).unwrap();
    assert_gone(ready[0]).await;
    let mut cell = Cell::start(&launcher).await.unwrap();
    assert_ne!(cell.pid(), ready[0]);
    assert_eq!(cell.ask(b"echo alive").await.unwrap(), b"alive");
    assert_eq!(cell.landlock_abi().map(|abi| abi > 0), Some(true));

    let ready = settled(2).await;
    drop((cell, launcher));
    for pid in ready {
        assert_gone(pid).await;
    }
    assert!(cells().is_empty(), "a launcher leaves nobody behind");
}

/// The kernel's word on an answering cell.
fn inspect(pid: u32) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(line("NoNewPrivs:"), "1");
    assert_eq!(line("Seccomp:"), "2", "a filter is in force");
    assert_eq!(line("Threads:"), "1");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    for name in ["Max core file size", "Max file size", "Max open files"] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line.trim_start_matches(name).split_whitespace().next(), Some("0"), "{line}");
    }
    assert_eq!(fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap().split('\0').next(), Some("bodh-cell"));
    if rustix::process::geteuid().is_root() {
        let open: BTreeSet<String> = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(
            open,
            ["0", "1", "2"].map(str::to_owned).into(),
            "the pack is mapped and closed, the rest was never there"
        );
        assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), std::path::Path::new("/"));
    } else {
        assert!(fs::read_dir(format!("/proc/{pid}/fd")).is_err(), "others of the same user cannot look");
    }
}
