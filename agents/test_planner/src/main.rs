//! The `test_planner` agent's process: a host, and the cells it starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    bodh_agent_runtime::run(bodh_clinical::Member::TestPlanner, |question, pack| {
        bodh_test_planner::answer(question, pack).map_err(|_| bodh_agent_runtime::REFUSED)
    })
}
