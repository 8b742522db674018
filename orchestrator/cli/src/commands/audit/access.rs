//! `bodh audit access`: who saw what of all sessions of one patient.

use crate::commands::inbox::time;
use crate::commands::options::{StartOptions, StateOptions, WhoOption};
use crate::commands::visit::{print_json, visit};
use crate::failure::{Failure, Outcome};
use crate::people::{Visitor, at};
use crate::terminal::{self, shown};
use bodh_audit_api::pb as audit;
use bodh_audit_log::Entry;
use bodh_evidence::{Access, Reader, accesses, readers};
use bodh_panel_api::pb;
use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// Sessions that are read at once.
const AT_ONCE: usize = 200;
/// More than any pseudonym has, in bytes.
const MOST_TYPED: u64 = 1_024;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bodh audit access K-2041 --state ~/panel --as cleo
  bodh audit access - --state ~/panel --as cleo < pseudonym.txt
  bodh audit access K-2041 --from 2026-11-01 --to 2026-11-30 --state ~/panel --as cleo --json

Needs the role `compliance`. The pseudonym counts letter by letter, as the sessions were begun with it. An argument stands
in the shell's history and in the list of processes; `-` keeps it out of both. That you searched is an entry in the log;
the pseudonym is not in it. Where no session is found, the report is empty and the exit code 0.")]
pub(super) struct Args {
    /// The patient's pseudonym; - reads it from standard input
    #[arg(value_name = "PSEUDONYM")]
    pseudonym: String,
    /// From this day on, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// To the end of this day, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    #[command(flatten)]
    state: StateOptions,
    #[command(flatten)]
    who: WhoOption,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found, and what the record says of it.
struct Report {
    pseudonym: String,
    found: pb::FindPatientReply,
    /// Entries that it rests on.
    entries: usize,
    accesses: Vec<Access>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let pseudonym = pseudonym(&args.pseudonym)?;
    let (found, entries) = visit(&args.state, &args.start, args.who.or_local(), async |_, visitor| {
        let request = pb::FindPatientRequest { pseudonym: pseudonym.clone() };
        let found = visitor.panel()?.find_patient(request).await;
        let found = found.map_err(|status| at("the orchestrator", &status))?.into_inner();
        let sessions: Vec<String> = found.items.iter().map(|item| item.session.clone()).collect();
        let mut entries = Vec::new();
        for piece in sessions.chunks(AT_ONCE) {
            entries.extend(read(visitor, piece).await?);
        }
        Ok((found, entries))
    })?;
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    let from = args.from.map(midnight);
    let before = args.to.and_then(|day| day.succ_opt()).map(midnight);
    let mut accesses = accesses(&entries);
    accesses.retain(|a| from.is_none_or(|from| a.unix_ms >= from) && before.is_none_or(|before| a.unix_ms < before));
    let report = Report { pseudonym, found, entries: entries.len(), accesses };
    if args.json {
        return print_json(&report.json());
    }
    terminal::print(&report.text()).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

/// As given, or from standard input.
fn pseudonym(given: &str) -> Outcome<String> {
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        let read = std::io::stdin().take(MOST_TYPED).read_to_string(&mut text);
        read.map_err(|cause| Failure::input(format!("standard input: {cause}")))?;
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::input("give the pseudonym that the patient's sessions were begun with"));
    }
    Ok(text.to_owned())
}

/// All entries of these sessions.
async fn read(visitor: &Visitor, sessions: &[String]) -> Outcome<Vec<(u64, Entry)>> {
    let refused = |status: tonic::Status| at("the audit service", &status);
    let request = audit::ReadRequest { sessions: sessions.to_vec(), ..audit::ReadRequest::default() };
    let mut replies = visitor.audit()?.read(request).await.map_err(refused)?.into_inner();
    let mut entries = Vec::new();
    while let Some(reply) = replies.message().await.map_err(refused)? {
        let entry = Entry::parse(&reply.leaf);
        entries
            .push((reply.index, entry.map_err(|_| Failure::failed(format!("entry {} does not read", reply.index)))?));
    }
    Ok(entries)
}

/// A SPIFFE id's last part.
fn name(id: &str) -> String {
    shown(id.rsplit('/').next().unwrap_or(id))
}

impl Report {
    /// Everybody's roles, in words.
    fn roles(&self) -> BTreeMap<&str, String> {
        self.found.people.iter().map(|person| (person.id.as_str(), person.roles.join(", "))).collect()
    }

    fn text(&self) -> String {
        let roles = self.roles();
        let role = |id: &str| roles.get(id).map_or("not enrolled", String::as_str).to_owned();
        let left_out = if self.found.more { ", the newest; older ones are left out" } else { "" };
        let mut lines = vec![
            format!("Patient pseudonym {}: who saw what, when, and as what", shown(&self.pseudonym)),
            format!("{} session(s){left_out}; {} entries", self.found.items.len(), self.entries),
        ];
        for item in &self.found.items {
            let (session, by) = (shown(&item.session), name(&item.requester));
            lines.push(format!("  {session}  {}  {}  by {by}", time(item.opened_unix_ms), shown(&item.state)));
        }
        if self.accesses.is_empty() {
            lines.push("Nobody saw anything of it in this time.".to_owned());
        } else {
            lines.push("By person:".to_owned());
        }
        for Reader { person, times, in_vain, first_ms, last_ms } in readers(&self.accesses) {
            let (who, first, last) = (name(&person), time(first_ms), time(last_ms));
            let vain = if in_vain > 0 { format!(", {in_vain} refused or failed") } else { String::new() };
            lines.push(format!("  {who} ({}): {times} time(s){vain}, from {first} to {last}", role(&person)));
        }
        if !self.accesses.is_empty() {
            lines.push("Each access:".to_owned());
        }
        for access in &self.accesses {
            let by =
                if access.policies.is_empty() { String::new() } else { format!("  by {}", access.policies.join(", ")) };
            lines.push(format!(
                "{:>6}  {}  {} ({})  {}  {}  session {}{by}",
                access.entry,
                time(access.unix_ms),
                name(&access.person),
                role(&access.person),
                access.what,
                access.ending.word(),
                shown(&access.session),
            ));
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn json(&self) -> Value {
        let roles = self.roles();
        let sessions = self.found.items.iter().map(|item| {
            json!({ "session": item.session, "requester": item.requester, "opened": time(item.opened_unix_ms), "state": item.state })
        });
        let people = readers(&self.accesses).into_iter().map(|reader| {
            json!({
                "person": reader.person, "roles": roles.get(reader.person.as_str()), "times": reader.times,
                "refused_or_failed": reader.in_vain, "first": time(reader.first_ms), "last": time(reader.last_ms),
            })
        });
        let each = self.accesses.iter().map(|access| {
            json!({
                "entry": access.entry, "time": time(access.unix_ms), "person": access.person,
                "roles": roles.get(access.person.as_str()), "what": access.what, "verdict": access.ending.word(),
                "policies": access.policies, "session": access.session,
            })
        });
        json!({
            "pseudonym": self.pseudonym, "sessions": sessions.collect::<Vec<_>>(), "older_left_out": self.found.more,
            "entries": self.entries, "people": people.collect::<Vec<_>>(), "accesses": each.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_evidence::Ending;

    fn report() -> Report {
        let access = |entry, who: &str, ending| Access {
            entry,
            unix_ms: 1_800_000_000_000,
            person: format!("spiffe://d/human/{who}"),
            session: "0".repeat(32),
            what: "report read",
            ending,
            policies: vec!["people-report-any".to_owned()],
        };
        let people = vec![pb::Enrolled { id: "spiffe://d/human/ann".to_owned(), roles: vec!["physician".to_owned()] }];
        Report {
            pseudonym: "K-2041\u{7}".to_owned(),
            found: pb::FindPatientReply { people, ..pb::FindPatientReply::default() },
            entries: 9,
            accesses: vec![access(7, "ann", Ending::Allowed), access(8, "bo", Ending::Refused)],
        }
    }

    #[test]
    fn a_report_says_who_as_what_and_how_it_ended() {
        let text = report().text();
        assert!(text.contains("  ann (physician): 1 time(s), from 2027-01-15T08:00:00Z"), "{text}");
        assert!(text.contains("bo (not enrolled): 0 time(s), 1 refused or failed"), "{text}");
        assert!(
            text.contains("     8  2027-01-15T08:00:00Z  bo (not enrolled)  report read  refused  session 0000"),
            "{text}"
        );
        assert!(!text.contains('\u{7}'), "no control character reaches the terminal");
        let json = report().json();
        assert_eq!(
            (json["accesses"][0]["roles"].clone(), json["people"][1]["refused_or_failed"].clone()),
            (json!("physician"), json!(1))
        );
        let none = Report { accesses: Vec::new(), ..report() }.text();
        assert!(none.contains("Nobody saw anything"), "{none}");
    }

    #[test]
    fn nothing_is_no_pseudonym() {
        assert!(matches!(pseudonym(" \t"), Err(Failure::Input(_))));
        assert_eq!(pseudonym(" K-2041 ").unwrap(), "K-2041");
    }
}
