//! Operations: what runs, what needs somebody, who may do what.

use super::Chip;
use super::frame::Frame;
use super::parts::{Figure, Link};
use askama::Template;

/// The page of operations.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "operations.html")]
pub(crate) struct OperationsPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The token of the forms.
    pub(crate) csrf: String,
    /// When this was read.
    pub(crate) as_of: String,
    /// What needs somebody, the worst first.
    pub(crate) alerts: Vec<Alert>,
    /// Services and agents with their identities.
    pub(crate) services: Vec<Service>,
    /// Policies, packs and programs with their hashes.
    pub(crate) versions: Vec<Version>,
    /// Time from raised to seen.
    pub(crate) dwell: Measure,
    /// The share of calls that the log covers, or of questions that were seen in time.
    pub(crate) coverage: Measure,
    /// Claims that did not stand, the newest first.
    pub(crate) incidents: Vec<Incident>,
    /// Rules that were made of incidents.
    pub(crate) rules: Vec<Rule>,
    /// Whether probabilities mean what they say: one per set of cases.
    pub(crate) calibrations: Vec<Calibration>,
    /// People and how they sign.
    pub(crate) people: Vec<Member>,
    /// The form for an invitation; none where the reader may not invite.
    pub(crate) invite: Option<Invite>,
    /// Identities that were taken back.
    pub(crate) revoked: Vec<Revoked>,
}

/// Something that needs somebody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alert {
    /// How serious, in a word.
    pub(crate) chip: Chip,
    /// What, in a sentence.
    pub(crate) text: String,
    /// Since when.
    pub(crate) since: String,
    /// What to do.
    pub(crate) action: Option<Link>,
}

/// A running service or agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: String,
    /// Its SPIFFE id.
    pub(crate) id: String,
    /// Its process id; empty when it does not run.
    pub(crate) pid: String,
    /// How old its certificate is: `4 min`.
    pub(crate) age: String,
    /// Until when it holds: `14:02, in 56 min`.
    pub(crate) until: String,
    /// SHA-256 of its program, hex.
    pub(crate) executable: String,
    /// Up, down, another program than registered.
    pub(crate) state: Chip,
}

/// A policy bundle, a pack or a program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Version {
    /// What sort: `policy`, `pack`, `program`.
    pub(crate) sort: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// SHA-256, hex.
    pub(crate) hash: String,
}

/// A number that is watched, with its pictures.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measure {
    /// The numbers: name and value.
    pub(crate) facts: Vec<(String, String)>,
    /// The pictures with their tables.
    pub(crate) figures: Vec<Figure>,
}

/// A claim that did not stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incident {
    /// Its id, where a person marked it: `#incident-ID` leads to its row.
    pub(crate) anchor: Option<String>,
    /// When.
    pub(crate) at: String,
    /// What it was, in a sentence.
    pub(crate) what: String,
    /// The session; its trace where the reader may see it.
    pub(crate) session: Link,
    /// The rule that was made of it; none where there is none.
    pub(crate) rule: Option<Link>,
    /// Where it stands.
    pub(crate) state: Chip,
}

/// Stated probabilities against how often they were right, on one set of cases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calibration {
    /// The cases, in words.
    pub(crate) of: String,
    /// How many they are, and when it was measured.
    pub(crate) measured: String,
    /// The command that measures it again.
    pub(crate) command: String,
    /// The diagram.
    pub(crate) figure: Figure,
}

/// A rule that was made of an incident.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule {
    /// Its whole id: `#ID` leads to it.
    pub(crate) anchor: String,
    /// Its id as people say it.
    pub(crate) id: String,
    /// What it does, in a sentence.
    pub(crate) what: String,
    /// The incident that it came from.
    pub(crate) from: Link,
    /// When it lapses: `1 Mar 2027, in 91 days`.
    pub(crate) lapses: String,
    /// In force, lapsed, reversed.
    pub(crate) state: Chip,
    /// Who reversed it, when and why; none while nobody has.
    pub(crate) reversed: Option<String>,
    /// Where its reversal is signed; none when it is not in force, or not this reader's to reverse.
    pub(crate) reverse: Option<Signing>,
}

/// A form whose content is signed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signing {
    /// Where the statement is asked for.
    pub(crate) options: String,
    /// Where the signature goes.
    pub(crate) action: String,
}

/// The form for an invitation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invite {
    /// Where it is signed.
    pub(crate) form: Signing,
    /// Roles to choose from, and what each may do.
    pub(crate) roles: Vec<(String, String)>,
    /// How many hours the link works.
    pub(crate) hours: i64,
}

/// A person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    /// Their name.
    pub(crate) name: String,
    /// Their SPIFFE id.
    pub(crate) id: String,
    /// Their roles in words.
    pub(crate) roles: String,
    /// How they sign: `passkey, since 3 Nov 2026`; one line per key.
    pub(crate) signs: Vec<String>,
    /// The form for a link with which they make a new key in place of lost ones; none where the reader may not.
    pub(crate) recover: Option<Signing>,
    /// Where their revocation is posted; none where the reader may not, and for oneself.
    pub(crate) revoke: Option<String>,
    /// What was wrong with the revocation.
    pub(crate) error: Option<String>,
}

/// An identity that was taken back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Revoked {
    /// Whose.
    pub(crate) name: String,
    /// Its SPIFFE id or its key's.
    pub(crate) id: String,
}
