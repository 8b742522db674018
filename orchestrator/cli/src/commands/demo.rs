//! `bodh demo`: the panel and its pages with a dozen sample cases, and a link for a first physician.

use super::human::invitation;
use super::options::{KeyOptions, StartOptions};
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, Settings, until_stopped};
use crate::people::{LOCAL, Visitor, at};
use crate::state::Folder;
use crate::terminal;
use bodh_panel::Report;
use bodh_panel_api::pb::{self, session_event};
use std::path::PathBuf;

/// Pseudonym, case, budget in cents, whether its orders are committed.
pub(super) type Sample = (&'static str, &'static str, u64, bool);

macro_rules! samples {
    ($($pseudonym:literal, $file:literal, $budget:literal, $sequential:literal;)+) => {
        pub(super) const SAMPLES: &[Sample] = &[$((
            $pseudonym,
            include_str!(concat!("../../../../deploy/samples/", $file)),
            $budget,
            $sequential,
        ),)+];
    };
}

// Common and rare, a red flag, dissent, over the budget, next to nothing known, an instruction planted in a note.
samples! {
    "Cedar 01", "chest_pain_note.txt", 250_000, false;
    "Cedar 02", "sore_throat_note.txt", 250_000, false;
    "Cedar 03", "tall_with_dislocated_lenses.json", 250_000, false;
    "Cedar 04", "swollen_calf_osce.json", 250_000, true;
    "Cedar 05", "boy_who_falls.json", 250_000, true;
    "Cedar 06", "copper_and_tremor.json", 20_000, true;
    "Cedar 07", "cafe_au_lait.json", 250_000, false;
    "Cedar 08", "recurrent_chest_infections.json", 250_000, false;
    "Cedar 09", "involuntary_movements.json", 250_000, false;
    "Cedar 10", "blood_in_urine_and_deafness.json", 250_000, false;
    "Cedar 11", "too_little.json", 250_000, false;
    "Cedar 12", "planted_instruction_note.txt", 250_000, false;
}

/// The first physician, and what else they may do: everything but the operator's work, so that every page can be seen.
const NAME: &str = "ann";
const ROLES: [&str; 3] = ["clinician", "compliance", "physician"];
const HOURS: u16 = 24;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh demo                                          nothing is kept
  bodh demo --state ~/demo                           the next `bodh up --state ~/demo` goes on with it

It prints one link. Open it in a browser on this machine, make a passkey, sign in. Browsers do not know the console's
certificate yet; the line above the link says where it is. For Chromium on Linux, once:
  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n bodh -i AUTHORITY.pem")]
pub(crate) struct Args {
    /// The panel's state folder; made when missing. Without it nothing is kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    start: StartOptions,
    /// Do not open the link in a browser
    #[arg(long)]
    no_browser: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let settings = Settings { with_console: true, ..args.start.settings()? };
    let folder = match &args.state {
        Some(path) => Folder::open_or_make(path)?,
        None => Folder::passing()?,
    };
    let ended = until_stopped::<()>(async {
        let progress = terminal::spinner("starting the panel");
        let (unlock, passphrase) = (args.keys.unlock_file.as_deref(), args.keys.passphrase_file.as_deref());
        let mut access = Access::to(folder, unlock, passphrase, &settings).await?;
        let Some(site) = access.site.clone() else {
            return Err(Failure::input("the panel is running already; stop it, or give another state folder"));
        };
        let operator = Visitor::enter(access.running(), &access.ring, LOCAL).await?;
        for (place, sample) in SAMPLES.iter().enumerate() {
            progress.set_message(format!("sample case {} of {}", place + 1, SAMPLES.len()));
            convene(&operator, sample, |_| ()).await?;
        }
        progress.finish_and_clear();
        let path = invitation(&operator, &access.running().trust_domain, NAME, &ROLES, HOURS)?;
        let authority = match &site.authority {
            Some(path) => format!("certificate: {} (to be trusted once by your browser)\n", path.display()),
            None => {
                "certificate: kept in memory only; with --state it is in a file for your browser to trust\n".to_owned()
            }
        };
        let link = format!("{}{path}", site.origin);
        let said = format!(
            "{} sample cases convened; console {}\n{authority}first physician: {NAME} ({}), within {HOURS} hours, once:\n{link}\n",
            SAMPLES.len(),
            site.origin,
            ROLES.join(", ")
        );
        terminal::print(&said).map_err(|cause| Failure::failed(format!("stdout: {cause}")))?;
        if !args.no_browser {
            open(&link);
        }
        Err(access.gave_up().await)
    });
    match ended {
        Err(Failure::Stopped) => Ok(()),
        other => other,
    }
}

/// Convenes the panel and waits until the session rests. `begun` is told its id.
pub(super) async fn convene(visitor: &Visitor, sample: &Sample, begun: impl FnOnce(&str)) -> Outcome<Report> {
    let (pseudonym, case, budget_cents, sequential) = sample;
    let request = pb::ConveneRequest {
        case: case.as_bytes().to_vec(),
        pseudonym: (*pseudonym).to_owned(),
        budget_cents: *budget_cents,
        sequential: *sequential,
    };
    let refused = |status: tonic::Status| at("the orchestrator", &status);
    let mut events = visitor.panel()?.convene(request).await.map_err(refused)?.into_inner();
    let (mut begun, mut report) = (Some(begun), None);
    while let Some(event) = events.message().await.map_err(refused)? {
        match event.event {
            Some(session_event::Event::Progress(progress)) => {
                begun.take().into_iter().for_each(|begun| begun(&progress.session));
            }
            Some(session_event::Event::ReportJson(json)) => report = serde_json::from_slice(&json).ok(),
            None => {}
        }
    }
    report.ok_or_else(|| Failure::failed(format!("{pseudonym}: the session ended without a report")))
}

/// Opens the link where there is a desktop; where there is none, the line above says where to go.
fn open(link: &str) {
    let mut command = std::process::Command::new("xdg-open");
    command.arg(link).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some() {
        let _opened = command.spawn();
    }
}
