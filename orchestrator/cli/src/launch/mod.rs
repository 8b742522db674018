//! The launcher: it binds every listener, gives each process its orders and its secrets, and stops them all.
//!
//! - `members`: which processes there are. `settings`: what a configuration file may say.
//! - `binaries`, `bundle`, `enrolment`: the signed documents that a panel stands on.
//! - `listeners`, `orders`, `child`, `journal`: how one process is started, told, kept and heard.
//! - `run`: all of them together. `access`: a panel to talk to, running already or started for the moment.

mod access;
mod binaries;
mod bundle;
mod child;
mod enrolment;
mod journal;
mod listeners;
mod members;
mod orders;
mod run;
mod settings;
mod site;
mod vouch;

pub(crate) use access::{Access, until_stopped};
pub(crate) use binaries::Siblings;
pub(crate) use bundle::{built_in as built_in_policies, check as check_policy, sign as sign_policy};
pub(crate) use members::{AUDIT, CONSOLE, GUARDIAN, ORCHESTRATOR};
pub(crate) use settings::Settings;
pub(crate) use site::Site;
