//! Places that cannot be used: a folder that cannot be written, a full disk, a port or a folder in use, a damaged pack. Each
//! ends with 2 and one line, and what was there before is whole.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::user::{is_root, mode, ordinary};
use crate::harness::{MARFAN, Output, Running, Stage, holds, sample};

/// 2, one line that says this, nothing on stdout.
#[track_caller]
fn refused(said: &Output, causes: &[&str]) {
    assert_eq!(said.code, 2, "{causes:?}: {said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{causes:?}: {said:?}");
    assert!(said.stderr.starts_with("bodh: ") && !said.stderr.contains("panicked"), "{said:?}");
    for cause in causes {
        assert!(said.stderr.contains(cause), "{cause}: {said:?}");
    }
    assert_eq!(said.stdout, "", "{causes:?}");
}

/// Runs a shell script with mounts of its own; `$0` is `bodh`. Nothing where this user may not mount.
fn with_mounts(stage: &Stage, script: &str) -> Option<Output> {
    let unshare: &[&str] = if is_root() { &["-m"] } else { &["-m", "-r"] };
    let mut probe = Command::new("unshare");
    probe.args(unshare).args(["sh", "-c", "mount -t tmpfs tmpfs /mnt"]);
    let may = probe.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !may {
        println!("skipped: this user may not mount a file system of its own");
        return None;
    }
    // `command` for its environment; the program is told to the script.
    let command = stage.command(&[]);
    let mut mounting = Command::new("unshare");
    mounting.args(unshare).args(["sh", "-c", script]).arg(command.get_program());
    mounting.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    mounting.current_dir(stage.path("."));
    Some(Running::begin(&mut mounting).end())
}

#[test]
fn a_folder_that_this_user_cannot_write_is_refused() {
    let stage = ordinary();
    let case = stage.write("case.json", fs::read(sample(MARFAN)).unwrap());
    mode(&case, 0o644);
    let line =
        |state: &'static str| ["diagnose", case.to_str().unwrap(), "--json", "--state", state].map(str::to_owned);
    let bodh = |line: &[String]| stage.bodh(&line.iter().map(String::as_str).collect::<Vec<_>>());
    // A place that belongs to the system, and a place below it.
    refused(&bodh(&line("/usr/lib")), &["/usr/lib: ", "another user"]);
    refused(
        &bodh(&line("/usr/lib/bodh-state")),
        &["/usr/lib/bodh-state: not writable by this user; choose another place"],
    );
    // One's own folder, made read-only after its first session.
    stage.diagnose(&case, &[]).ended(3);
    let before = fs::read(stage.dir().join("log/checkpoint")).unwrap();
    let inside = ["lock", "run", "."];
    for place in inside {
        mode(&stage.dir().join(place), if place == "lock" { 0o400 } else { 0o500 });
    }
    refused(&stage.diagnose(&case, &[]), &["not writable by this user"]);
    for place in inside.iter().rev() {
        mode(&stage.dir().join(place), if *place == "lock" { 0o600 } else { 0o700 });
    }
    assert_eq!(fs::read(stage.dir().join("log/checkpoint")).unwrap(), before);
    stage.diagnose(&case, &[]).ended(3);
    // A case that cannot be read.
    mode(&case, 0o000);
    refused(&stage.diagnose(&case, &[]), &["case.json: not readable by this user"]);
}

#[test]
fn a_read_only_file_system_is_refused_for_root_too() {
    let stage = Stage::new();
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    let case = sample(MARFAN);
    let script = format!(
        "mount --bind state state && mount -o remount,ro,bind state || exit 99
         exec \"$0\" diagnose '{}' --state state --json",
        case.display()
    );
    let Some(said) = with_mounts(&stage, &script) else { return };
    refused(&said, &["read-only file system"]);
    let script = script.replace("--state state", "--state state/new/one");
    refused(
        &with_mounts(&stage, &script).unwrap(),
        &["state/new/one: on a read-only file system; choose another place"],
    );
    stage.diagnose(&case, &[]).ended(3);
}

/// One session on a disk with so much room, and what follows once there is more.
fn on_a_disk_of(kilobytes: u32) -> Option<(Stage, Vec<String>)> {
    let stage = Stage::new();
    fs::create_dir(stage.path("disk")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k,mode=700 tmpfs disk || exit 99
         for size in {kilobytes}k 512m; do
           mount -o remount,size=$size disk
           \"$0\" diagnose '{}' --state disk/state --json >out 2>err
           echo \"$? $(wc -l <err) $(wc -c <out) $(head -1 err)\"
         done
         \"$0\" audit verify disk/state/log >out 2>err
         echo \"$? $(cat err)\"
         grep -l panicked disk/state/logs/* err",
        sample(MARFAN).display()
    );
    let said = with_mounts(&stage, &script)?;
    Some((stage, said.stdout.lines().map(str::to_owned).collect()))
}

#[test]
fn a_full_disk_ends_in_one_line_and_loses_nothing() {
    // From no room for the first file, over databases and logs that do not fit, to a session that just does.
    let mut refusals = 0;
    for kilobytes in [4, 32, 64, 128, 256, 512, 1_024, 2_048, 8_192] {
        let Some((_stage, lines)) = on_a_disk_of(kilobytes) else { return };
        let [full, roomy, verified] = lines.as_slice() else { panic!("{kilobytes}: no panic anywhere: {lines:?}") };
        let words: Vec<&str> = full.splitn(4, ' ').collect();
        match words[0] {
            "3" => assert_ne!(words[2], "0", "{kilobytes}: the report"),
            "2" => {
                refusals += 1;
                assert_eq!(&words[1..3], ["1", "0"], "{kilobytes}: one line and no report: {full}");
                assert!(words[3].contains("disk is full"), "{kilobytes}: {full}");
            }
            _ => panic!("{kilobytes}: {full}"),
        }
        assert!(roomy.starts_with("3 "), "{kilobytes}: with room again it works: {roomy}");
        assert!(verified.starts_with("0 "), "{kilobytes}: and the record is whole: {verified}");
    }
    assert!(refusals >= 4, "{refusals}");
}

#[test]
fn a_port_or_a_folder_in_use_is_refused() {
    let stage = Stage::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = stage.write("panel.toml", format!("[ports]\norchestrator = {port}\n"));
    let said = stage.bodh(&["up", "--state", "DIR", "--config", config.to_str().unwrap()]);
    refused(&said, &[&format!("port {port} of orchestrator is in use"), "--config"]);
    drop(taken);

    // Somebody else holds the folder's lock, and no panel answers.
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    let lock = fs::File::options().write(true).open(stage.dir().join("lock")).unwrap();
    lock.lock().unwrap();
    refused(&stage.diagnose(sample(MARFAN), &[]), &["state folder in use by process"]);
    drop(lock);
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    let _up = stage.up();
    refused(&stage.bodh(&["up", "--state", "DIR"]), &["running already, as process"]);
}

/// Flips one bit in the middle of the pack that a program carries.
fn damage(program: &Path) {
    let pack = bodh_knowledge::COMMITTED;
    let middle = &pack[pack.len() / 2..][..64];
    let mut bytes = fs::read(program).unwrap();
    let at = bytes.windows(middle.len()).position(|window| window == middle).expect("the pack is in the program");
    bytes[at + 32] ^= 1;
    // A new file: the built program may be another link to this one.
    fs::remove_file(program).unwrap();
    fs::write(program, bytes).unwrap();
    mode(program, 0o755);
}

#[test]
fn a_corrupted_pack_is_refused_by_whoever_carries_it() {
    for name in ["diagnostician", "orchestrator"] {
        let mut stage = Stage::new();
        let programs: PathBuf = stage.install();
        stage.diagnose(sample(MARFAN), &[]).ended(3);
        damage(&programs.join(format!("bodh-{name}")));
        // A folder that trusted the program as it was; then one that never saw it.
        refused(&stage.diagnose(sample(MARFAN), &[]), &[&format!("bodh-{name} is not the file that was trusted")]);
        let said = stage.bodh(&["diagnose", sample(MARFAN).to_str().unwrap(), "--json"]);
        refused(&said, &[&format!("{name} refuses to serve: knowledge pack: "), "install"]);
    }
    let mut stage = Stage::new();
    let programs = stage.install();
    damage(&programs.join("bodh"));
    let said = stage.bodh(&["knowledge", "check"]).ended(4);
    assert!(said.stderr.contains("the built-in pack: ") && said.stderr.lines().count() == 1, "{said:?}");
    let mut pack = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../agents/knowledge/packs/bodh.pack")).unwrap();
    let middle = pack.len() / 2;
    pack[middle] ^= 1;
    let pack = stage.write("mine.pack", pack);
    let said = Stage::new().bodh(&["knowledge", "check", pack.to_str().unwrap()]).ended(4);
    assert!(said.stderr.contains("mine.pack: ") && said.stderr.lines().count() == 1, "{said:?}");
}

#[test]
fn a_hundred_megabytes_are_refused_and_not_read() {
    let stage = Stage::new();
    let large = stage.path("large.json");
    let mut file = fs::File::create(&large).unwrap();
    file.write_all(b"{\"phenotypicFeatures\": [").unwrap();
    file.set_len(100 << 20).unwrap();
    let path = large.to_str().unwrap();
    refused(&stage.bodh(&["diagnose", path, "--json"]), &["large.json: larger than", "one case at a time"]);
    // The same through a pipe, where no size is known before.
    let program = stage.program.to_str().unwrap().to_owned();
    let mut piped = Command::new("sh");
    piped.args(["-c", "cat \"$1\" 2>/dev/null | exec \"$0\" diagnose - --json", &program, path]);
    refused(&Running::begin(&mut piped).end(), &["standard input: larger than", "one case at a time"]);
    assert!(!holds(&fs::read("/proc/self/comm").unwrap(), b"large"));
    for folder in ["/dev/zero", "."] {
        refused(&stage.bodh(&["diagnose", folder, "--json"]), &[folder]);
    }
}
