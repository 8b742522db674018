//! One question to a physician: the proposal, the alternatives, the evidence, and the decision.

use super::frame::Frame;
use super::parts::{Cost, Dissent, Finding, Hypothesis, Link, Opinion};
use super::{Chip, Tone};
use askama::Template;

/// The escalation's page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "escalation.html")]
pub(crate) struct EscalationPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The kind in words: `a condition that must not be missed`.
    pub(crate) kind: String,
    /// How serious it is.
    pub(crate) tone: Tone,
    /// What is asked, in one sentence that names no diagnosis: shown before the reveal.
    pub(crate) ask_blind: String,
    /// What is asked, in one sentence.
    pub(crate) ask: String,
    /// The policy's reason.
    pub(crate) reason: String,
    /// Review rules behind it: `Rule 7 of incident 12, 83.0 % alike`.
    pub(crate) rules: Vec<String>,
    /// Money.
    pub(crate) cost: Cost,
    /// The amount at stake; none when nothing is paid.
    pub(crate) amount: Option<String>,
    /// How long it has waited.
    pub(crate) age: String,
    /// When it lapses: `lapses in 5 h`; empty when it is over.
    pub(crate) lapses: String,
    /// Who asked for the session.
    pub(crate) requester: String,
    /// Who may decide: `a physician who did not ask for it`.
    pub(crate) who: String,
    /// Age and sex.
    pub(crate) subject: String,
    /// The session's other questions, this one among them.
    pub(crate) siblings: Vec<Sibling>,
    /// Whether the panel's differential is shown.
    pub(crate) revealed: bool,
    /// The reader's own leading diagnosis, once noted.
    pub(crate) own: Option<String>,
    /// Where her own diagnosis is posted.
    pub(crate) own_action: String,
    /// The same page with the differential, without a diagnosis of her own.
    pub(crate) show_without: String,
    /// The token for the forms.
    pub(crate) csrf: String,
    /// The proposal and the alternatives, most probable first; at least three are shown where there are as many.
    pub(crate) differential: Vec<Hypothesis>,
    /// None of these: `3.1 %`.
    pub(crate) other: String,
    /// What is not known and would matter most.
    pub(crate) missing: Vec<String>,
    /// What each member says.
    pub(crate) opinions: Vec<Opinion>,
    /// The verifier's dissent.
    pub(crate) dissent: Dissent,
    /// The chart.
    pub(crate) findings: Vec<Finding>,
    /// What the reader should know of the input, a line each.
    pub(crate) input: Vec<String>,
    /// The session, its trace, the model card.
    pub(crate) links: Vec<Link>,
    /// Method and data, a sentence each.
    pub(crate) method: Vec<String>,
    /// The record in pairs: `Record SHA-256`, `Policy`, `Trace`, `Covers`.
    pub(crate) record: Vec<(String, String)>,
    /// Where the question stands, and what the reader can do.
    pub(crate) standing: Standing,
}

/// Another question of the same session.
#[derive(Debug, Clone)]
pub(crate) struct Sibling {
    /// The kind in words, with the amount.
    pub(crate) label: String,
    /// Its page.
    pub(crate) href: String,
    /// Whether it is the one shown.
    pub(crate) current: bool,
    /// Where it stands.
    pub(crate) status: Chip,
}

/// Where the question stands.
#[derive(Debug, Clone, Default)]
pub(crate) enum Standing {
    /// It waits and the reader may decide.
    Open(Box<Form>),
    /// It was decided.
    Decided(Box<Decided>),
    /// It waits, or is over, and the reader cannot decide: the heading, and why.
    Closed(String, String),
    /// Nothing is known of it.
    #[default]
    Unknown,
}

/// The decision's form, with what was entered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    /// Where the signature goes.
    pub(crate) action: String,
    /// Where the statement to be signed comes from.
    pub(crate) options: String,
    /// The SHA-256 of the record shown, in hex.
    pub(crate) record: String,
    /// What approving means here: `The panel orders the CT for $1,250.00.`
    pub(crate) approve_means: String,
    /// What denying means here.
    pub(crate) deny_means: String,
    /// What amending means here.
    pub(crate) amend_means: String,
    /// The verdict as entered: `approve`, `deny`, `amend`, `other` or empty.
    pub(crate) verdict: String,
    /// What can be asked for instead, in groups.
    pub(crate) choices: Vec<Choices>,
    /// The reason codes: value and words.
    pub(crate) codes: Vec<(String, String)>,
    /// The reason code as entered.
    pub(crate) code: String,
    /// The reason as entered.
    pub(crate) reason: String,
    /// What the signature means: `I have reviewed the record shown and decide …`.
    pub(crate) meaning: String,
    /// How many more must sign: `A second physician must sign as well.`
    pub(crate) second: Option<String>,
}

/// Tests or questions that can be asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices {
    /// What they have in common.
    pub(crate) name: String,
    /// Id and name.
    pub(crate) tests: Vec<(String, String)>,
}

/// What was decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decided {
    /// The verdict.
    pub(crate) verdict: Chip,
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// The reason's code in words.
    pub(crate) code: String,
    /// The reason in the signer's words.
    pub(crate) reason: String,
    /// What the signature means.
    pub(crate) meaning: String,
    /// What happened next: `The test was ordered.`
    pub(crate) then: String,
    /// Where the signature stands in the log.
    pub(crate) entry: Link,
}
