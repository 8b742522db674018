//! What the tests that run the built programs share: a stage of its own per test (a state folder, a home, nothing of
//! the caller's environment), the `bodh` command line with a deadline, a panel that stops with its guard, and what
//! `/proc` says of the processes.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "each test file uses its part")]

mod disk;
mod gated;
mod processes;

pub use disk::{entries, files, holds};
pub use gated::Gated;
pub use processes::{children, descendants, processes, signal};

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The default sample: a rare disease, so that a physician has to decide.
pub const MARFAN: &str = "tall_with_dislocated_lenses.json";

/// No command of a test takes longer; one that does is a failure.
const DEADLINE: Duration = Duration::from_secs(60);

/// The executables that the launcher looks for beside itself, itself included.
pub const EXECUTABLES: [&str; 11] = [
    "bodh-console",
    "bodh",
    "bodh-guardian",
    "bodh-audit",
    "bodh-orchestrator",
    "bodh-intake",
    "bodh-supervisor",
    "bodh-test-planner",
    "bodh-diagnostician",
    "bodh-reasoning-verifier",
    "bodh-cost-guardian",
];

/// What a command left behind.
pub struct Output {
    /// 128 and the signal's number when a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|wrong| panic!("{wrong}\n{self:?}"))
    }

    /// Fails with everything the command said unless it ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout: String = self.stdout.chars().take(4000).collect();
        write!(out, "exit {}\nstderr: {}\nstdout: {stdout}", self.code, self.stderr)
    }
}

/// A command that runs; it is killed when this value goes.
pub struct Running {
    child: Child,
    said: tempfile::TempDir,
}

impl Running {
    pub fn begin(command: &mut Command) -> Self {
        let said = tempfile::tempdir().unwrap();
        let file = |name: &str| fs::File::create(said.path().join(name)).unwrap();
        // Files, not pipes: nothing said can block the command, whenever it is read.
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        let child = command.spawn().unwrap();
        Self { child, said }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    fn said(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.said.path().join(name)).unwrap()).into_owned()
    }

    /// Waits for its end, at most until the deadline of every test.
    pub fn end(mut self) -> Output {
        let in_time = until(DEADLINE, || self.has_ended());
        if !in_time {
            self.signal("TERM");
            until(Duration::from_secs(5), || self.has_ended());
        }
        let (stdout, stderr) = (self.said("stdout"), self.said("stderr"));
        assert!(in_time, "not ended within {DEADLINE:?}\nstderr: {stderr}\nstdout: {stdout}");
        let status = self.child.wait().unwrap();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Output { code, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _gone = self.child.kill();
            let _status = self.child.wait();
        }
    }
}

/// One test's own world.
pub struct Stage {
    world: tempfile::TempDir,
    /// The executable that is run.
    pub program: PathBuf,
    /// What stands before it on the command line.
    pub prefix: Vec<&'static str>,
}

impl Stage {
    pub fn new() -> Self {
        let world = tempfile::Builder::new().prefix("bodh-test-").tempdir().unwrap();
        fs::create_dir(world.path().join("home")).unwrap();
        Self { world, program: program("bodh"), prefix: Vec::new() }
    }

    /// The test's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.world.path().join(name)
    }

    /// The state folder.
    pub fn dir(&self) -> PathBuf {
        self.path("state")
    }

    /// A file of the test's own.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The command with these arguments; `DIR` among them stands for the state folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = self.program.to_str().unwrap();
        let mut words = self.prefix.iter().copied().chain([program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        for argument in arguments {
            match *argument {
                "DIR" => command.arg(self.dir()),
                other => command.arg(other),
            };
        }
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home"));
        command.env("XDG_STATE_HOME", self.path("home/state")).current_dir(self.world.path());
        command
    }

    pub fn begin(&self, arguments: &[&str]) -> Running {
        Running::begin(&mut self.command(arguments))
    }

    pub fn bodh(&self, arguments: &[&str]) -> Output {
        self.begin(arguments).end()
    }

    /// `bodh diagnose CASE --state DIR --json` and more arguments.
    pub fn diagnose(&self, case: impl AsRef<Path>, more: &[&str]) -> Output {
        let mut line = vec!["diagnose", case.as_ref().to_str().unwrap(), "--state", "DIR", "--json"];
        line.extend(more);
        self.bodh(&line)
    }

    /// Gives this stage programs of its own, so that a test may change them, or a user who cannot reach the built ones
    /// may run them. Answers their folder.
    pub fn install(&mut self) -> PathBuf {
        let programs = self.path("programs");
        fs::create_dir(&programs).unwrap();
        for folder in [&self.path("."), &programs] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in EXECUTABLES {
            let (from, to) = (program(name), programs.join(name));
            // A link where the file system allows it: the programs are large.
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).unwrap();
            }
        }
        self.program = programs.join("bodh");
        programs
    }

    /// Enrols a physician whose key is on this stage.
    #[track_caller]
    pub fn physician(&self, name: &str) {
        self.bodh(&["human", "enroll", name, "--role", "physician", "--state", "DIR"]).ended(0);
    }

    /// Decides an escalation as ann; the report as it stands after that.
    #[track_caller]
    pub fn decide(&self, escalation: &str, verdict: &str) -> Value {
        let line = ["decide", escalation, verdict, "--reason", "seen", "--state", "DIR", "--as", "ann", "--json"];
        let after = self.bodh(&line);
        assert!(after.code == 0 || after.code == 3, "{after:?}");
        after.json()
    }

    /// The items of `bodh inbox`.
    #[track_caller]
    pub fn inbox(&self) -> Vec<Value> {
        let said = self.bodh(&["inbox", "--state", "DIR", "--json"]).ended(0).json();
        said["items"].as_array().unwrap().clone()
    }

    /// Every entry of the published log.
    #[track_caller]
    pub fn entries(&self) -> Vec<Value> {
        entries(&self.dir().join("log"))
    }

    /// Starts the panel and keeps it running until the guard goes.
    pub fn up(&self) -> Up {
        self.up_with(&[])
    }

    /// The same, with more arguments.
    pub fn up_with(&self, more: &[&str]) -> Up {
        let mut running = self.begin(&[&["up", "--state", "DIR"], more].concat());
        let panel = self.dir().join("run/panel.json");
        let ready = until(DEADLINE, || panel.exists() || running.has_ended());
        assert!(ready && panel.exists(), "the panel did not start: {}", running.said("stderr"));
        let addresses = serde_json::from_slice(&fs::read(&panel).unwrap()).unwrap();
        Up { running, panel: addresses }
    }
}

/// A panel that runs; it is asked to stop, and waited for, when this value goes.
pub struct Up {
    running: Running,
    /// `run/panel.json`: the addresses.
    pub panel: Value,
}

impl Up {
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// What the panel and its services have said so far.
    pub fn said(&self) -> String {
        self.running.said("stderr") + &self.running.said("stdout")
    }

    /// The process of one executable now, if it runs.
    pub fn process(&self, executable: &str) -> Option<u32> {
        children(self.pid()).into_iter().find(|(_, path)| path.ends_with(executable)).map(|(pid, _)| pid)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.running.signal("TERM");
        until(Duration::from_secs(15), || self.running.has_ended());
    }
}

/// A bundled sample case.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples").join(name)
}

/// A built program: the test binary is in `deps/`, the programs are one folder up.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is missing: run tests/run", path.display());
    path
}

/// Waits until `reached`; false when it is not within `limit`.
pub fn until(limit: Duration, mut reached: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if reached() {
            return true;
        }
        if begun.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
