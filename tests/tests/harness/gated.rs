//! A panel that is stopped at every commit: `bodh-sync-gate` holds each process in the kernel, at its request to make
//! something durable, until this module says go on. So a process can be killed exactly there, and nowhere else.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::processes::{children, signal, state_of};
use super::{Stage, program, until};

/// When to kill whom.
struct Shot {
    watched: u32,
    /// Requests of the watched process to let pass before.
    left: u32,
    victims: Vec<u32>,
}

struct Range {
    shot: Option<Shot>,
    last: Instant,
}

/// A panel under the gate; asked to stop, and waited for, when this value goes.
pub struct Gated {
    gate: Child,
    up: u32,
    range: Arc<Mutex<Range>>,
}

impl Gated {
    pub fn begin(stage: &Stage) -> Self {
        let up = stage.command(&["up", "--state", "DIR"]);
        let mut gate = Command::new(program("bodh-sync-gate"));
        gate.arg(up.get_program()).args(up.get_args()).env_clear();
        gate.envs(up.get_envs().filter_map(|(name, value)| Some((name, value?))));
        gate.current_dir(up.get_current_dir().unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let said = std::fs::File::create(stage.path("up.stderr")).unwrap();
        let mut gate = gate.stderr(said).spawn().unwrap();
        let (mut answers, asked) = (gate.stdin.take().unwrap(), gate.stdout.take().unwrap());
        let mut asked = BufReader::new(asked).lines().map_while(Result::ok);
        let up: u32 = asked.next().unwrap().strip_prefix("up ").unwrap().parse().unwrap();
        let range = Arc::new(Mutex::new(Range { shot: None, last: Instant::now() }));
        let aimed = Arc::clone(&range);
        std::thread::spawn(move || {
            for line in asked {
                at_commit(&aimed, line.parse().unwrap());
                if writeln!(answers).is_err() {
                    return;
                }
            }
        });
        let mut gated = Self { gate, up, range };
        // A file that a killed panel left behind names another process.
        let panel = stage.dir().join("run/panel.json");
        let named = |text: String| serde_json::from_str::<serde_json::Value>(&text).ok().map(|v| v["pid"] == up);
        let serves = || std::fs::read_to_string(&panel).ok().and_then(named).unwrap_or(false);
        let ready = until(Duration::from_secs(40), || serves() || gated.has_ended());
        let said = || std::fs::read_to_string(stage.path("up.stderr")).unwrap();
        assert!(ready && !gated.has_ended(), "the panel did not start: {}", said());
        gated
    }

    pub fn process(&self, executable: &str) -> Option<u32> {
        children(self.up).into_iter().find(|(_, path)| path.ends_with(executable)).map(|(pid, _)| pid)
    }

    /// All that the launcher started, and the launcher last: the gate ends with it.
    pub fn everything(&self) -> Vec<u32> {
        children(self.up).into_iter().map(|(pid, _)| pid).chain([self.up]).collect()
    }

    /// Kills the victims at the `nth` commit of `watched` from now on, before it can go on.
    pub fn aim(&self, watched: u32, nth: u32, victims: Vec<u32>) {
        self.quiet();
        self.range.lock().unwrap().shot = Some(Shot { watched, left: nth, victims });
    }

    /// Whether the shot was fired; if not, it will not be.
    pub fn fired(&self) -> bool {
        self.range.lock().unwrap().shot.take().is_none()
    }

    /// Waits until nothing is made durable any more: what comes next belongs to what comes next. Longer than the
    /// orchestrator waits (200 ms) before it sweeps sent entries out of its store: that too is a commit.
    fn quiet(&self) {
        let still = || self.range.lock().unwrap().last.elapsed() > Duration::from_millis(300);
        assert!(until(Duration::from_secs(20), still), "the panel does not come to rest");
    }

    pub fn has_ended(&mut self) -> bool {
        self.gate.try_wait().unwrap().is_some()
    }
}

/// One request, held: fires the shot if this is the one.
fn at_commit(range: &Mutex<Range>, pid: u32) {
    let mut range = range.lock().unwrap();
    range.last = Instant::now();
    let Some(shot) = range.shot.as_mut().filter(|shot| shot.watched == pid) else { return };
    shot.left -= 1;
    if shot.left > 0 {
        return;
    }
    let victims = range.shot.take().map(|shot| shot.victims).unwrap_or_default();
    drop(range);
    for victim in &victims {
        signal(*victim, "KILL");
    }
    // Dead before anything goes on.
    for victim in victims {
        let dead = || matches!(state_of(victim), None | Some('Z' | 'X'));
        assert!(until(Duration::from_secs(5), dead), "{victim} does not die");
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        signal(self.up, "TERM");
        if !until(Duration::from_secs(15), || self.has_ended()) {
            let _gone = self.gate.kill();
        }
        let _status = self.gate.wait();
    }
}
