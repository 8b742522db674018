//! The `intake` agent's process: a host, and the cells it starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    bodh_agent_runtime::run(bodh_clinical::Member::Intake, |question, pack| {
        bodh_intake::answer(question, pack).map_err(|_| bodh_agent_runtime::REFUSED)
    })
}
