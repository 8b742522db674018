//! What most commands do: reach the panel of a state folder, come in as a person, ask, leave.

use super::options::{StartOptions, StateOptions};
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, until_stopped};
use crate::people::Visitor;
use crate::state::Folder;
use crate::terminal;

/// Runs `ask` as the person `name`, on the running panel or on one started for the moment.
pub(super) fn visit<T>(
    state: &StateOptions,
    start: &StartOptions,
    name: &str,
    ask: impl AsyncFnOnce(&Access, &Visitor) -> Outcome<T>,
) -> Outcome<T> {
    reach(state, start, async |access| {
        let visitor = Visitor::enter(access.running(), &access.ring, name).await?;
        ask(access, &visitor).await
    })
}

/// Runs `ask` on the panel, before anybody has come in.
pub(super) fn reach<T>(
    state: &StateOptions,
    start: &StartOptions,
    ask: impl AsyncFnOnce(&Access) -> Outcome<T>,
) -> Outcome<T> {
    let folder = Folder::open(&state.state)?;
    let settings = start.settings()?;
    until_stopped(async {
        let (unlock, passphrase) = (state.keys.unlock_file.as_deref(), state.keys.passphrase_file.as_deref());
        let access = Access::to(folder, unlock, passphrase, &settings).await?;
        ask(&access).await
    })
}

/// One object on stdout.
pub(super) fn print_json(value: &serde_json::Value) -> Outcome {
    terminal::print(&format!("{value}\n")).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}
