//! The report as people read it: compared with a golden file. `UPDATE_GOLDEN=1` rewrites it.

use super::{Shape, ending, lines, show};
use crate::terminal::Paint;
use bodh_panel::{Report, Status};
use std::path::{Path, PathBuf};

fn sample() -> Report {
    serde_json::from_str(include_str!("golden/report.json")).unwrap()
}

fn golden(name: &str, now: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now, before, "{name} has changed; read the difference, then UPDATE_GOLDEN=1");
}

#[test]
fn a_session_that_waits() {
    golden("waiting.txt", &lines::render(&sample(), Some(Path::new("/srv/panel")), Paint::none()));
}

#[test]
fn a_session_that_concluded_and_kept_nothing() {
    let mut report = sample();
    report.status = Status::Concluded;
    report.released = true;
    report.standing = Some("preliminary".into());
    report.escalations.clear();
    golden("concluded.txt", &lines::render(&report, None, Paint::none()));
}

#[test]
fn the_status_comes_first() {
    let first = |report: &Report| lines::render(report, None, Paint::none()).lines().next().unwrap().to_owned();
    let mut report = sample();
    assert!(first(&report).contains("WAITING FOR A PHYSICIAN"));
    report.status = Status::Expired;
    assert!(first(&report).contains("nothing was approved"));
    report.status = Status::Withdrawn;
    assert!(first(&report).contains("no conclusion"));
}

#[test]
fn only_a_conclusion_ends_well() {
    let mut report = sample();
    let mut code = |status| {
        report.status = status;
        ending(&report).err().map_or(0, |failure| failure.code())
    };
    assert_eq!(code(Status::Concluded), 0);
    assert_eq!(code(Status::AwaitingPhysician), 3);
    for status in [Status::Expired, Status::Withdrawn, Status::AwaitingResults, Status::Deliberating] {
        assert_eq!(code(status), 1);
    }
    report.status = Status::Withdrawn;
    report.withdrawal = Some(bodh_panel::Withdrawal::NothingUsable);
    let refused =
        show(&serde_json::to_vec(&report).unwrap(), Shape { json: true, state: None, named: "case.json" }).unwrap_err();
    assert!(refused.code() == 2 && refused.to_string().contains("no finding that can be used"), "{refused}");
}

#[test]
fn a_label_cannot_forge_a_line() {
    let mut report = sample();
    report.differential[0].label = "x\nCONCLUDED (signed)\u{1b}[2J".into();
    let text = lines::render(&report, None, Paint::none());
    assert!(!text.lines().any(|line| line.starts_with("CONCLUDED")) && !text.contains('\u{1b}'));
}
