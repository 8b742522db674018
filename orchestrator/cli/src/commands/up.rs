//! `bodh up`: the panel, until it is stopped.

use super::options::{KeyOptions, StartOptions};
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, Settings, until_stopped};
use crate::state::Folder;
use crate::terminal;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  bodh up --state ~/panel                            until Ctrl-C; other commands find it by its folder, people by the
                                                     console's address that it prints (`bodh human invite`)
  bodh up --state ~/panel --config panel.toml        with fixed ports and a collector

A configuration file, every line optional (deploy/samples/panel.toml):
  otlp = "http://127.0.0.1:4317"      spans of every service, by OTLP over gRPC, to a collector on this machine;
                                      one trace per session, no patient content in it
  [ports]
  orchestrator = 7443                 on 127.0.0.1; a process that is not named takes a free port"#)]
pub(crate) struct Args {
    /// The panel's state folder; made when missing. Without it nothing is kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    start: StartOptions,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let settings = Settings { with_console: true, ..args.start.settings()? };
    let folder = match &args.state {
        Some(path) => Folder::open_or_make(path)?,
        None => Folder::passing()?,
    };
    let begun = std::time::Instant::now();
    let ended = until_stopped::<()>(async {
        let progress = terminal::spinner("starting the panel");
        let (unlock, passphrase) = (args.keys.unlock_file.as_deref(), args.keys.passphrase_file.as_deref());
        let mut access = Access::to(folder, unlock, passphrase, &settings).await?;
        progress.finish_and_clear();
        let running = access.running();
        if !access.is_own() {
            return Err(Failure::input(format!("the panel is running already, as process {}", running.pid)));
        }
        let orchestrator = running.addresses.get(crate::launch::ORCHESTRATOR);
        let orchestrator = orchestrator.map(ToString::to_string).unwrap_or_default();
        let kept = if access.folder.is_passing() { "; nothing is kept (no --state)" } else { "" };
        let console = access.site.as_ref().map(|site| site.origin.clone()).unwrap_or_default();
        let line = format!(
            "ready after {} ms: orchestrator {orchestrator}, console {console}, state {}{kept}; Ctrl-C stops it\n",
            begun.elapsed().as_millis(),
            access.folder.path().display()
        );
        terminal::print(&line).map_err(|cause| Failure::failed(format!("stdout: {cause}")))?;
        Err(access.gave_up().await)
    });
    match ended {
        // Being stopped is how this command ends.
        Err(Failure::Stopped) => Ok(()),
        other => other,
    }
}
