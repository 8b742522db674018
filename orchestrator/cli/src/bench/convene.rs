//! The whole panel on one case, in this process: its state machine, its members' own answers and the built-in policies.
//!
//! No service, no identity and no record: what is measured is reasoning. Where a policy asks a physician, nobody is there:
//! a conclusion goes on and what was asked is noted, a test that only costs more than a single test may is approved while
//! the budget lasts, and any other order is declined.

use crate::failure::{Failure, Outcome};
use crate::launch::built_in_policies;
use bodh_clinical::{Case, Differential, Finding, Intake, Opinion, Origin, Question, Subject, Usd, Verification};
use bodh_formats::Gatekeeper;
use bodh_inference::{Evidence, dissent, rank};
use bodh_knowledge::{COMMITTED, Pack, inflate};
use bodh_panel::{Act, Command, Event, Inquiry, Panel, Ruling, step};
use bodh_policy::{Entity, Policies, Reason, Request, Verdict};
use std::collections::{BTreeSet, VecDeque};

/// The kind of question that a single dear test raises.
const DEAR: &str = "over_test_threshold";

/// The panel's members with what they share.
pub(crate) struct InProcess {
    pub(crate) pack: Pack,
    reader: bodh_intake::Reader,
    policies: Policies,
}

/// How a case is put to the panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup<'a> {
    /// Two findings open; orders reveal the rest.
    pub(crate) sequential: bool,
    pub(crate) budget: Usd,
    /// A publication whose annotations do not count. The verifier knows them, so its check of the claims is left out then.
    pub(crate) leave_out: Option<&'a str>,
}

/// Where a case stood after so much had been spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) spent: Usd,
    /// Of the right diagnosis, from 1.
    pub(crate) rank: Option<usize>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Course {
    /// The whole chart, told at first or not.
    pub(crate) chart: Intake,
    pub(crate) differential: Differential,
    pub(crate) spent: Usd,
    pub(crate) orders: u32,
    /// The kinds of question that the conclusion raised.
    pub(crate) escalated_for: Vec<String>,
    /// The verifier's, of the last round.
    pub(crate) dissent: f64,
    pub(crate) stages: Vec<Stage>,
}

/// The findings of a case with those that are told at first.
pub(crate) struct Opened {
    pub(crate) opening: Vec<Finding>,
    pub(crate) hidden: Vec<Finding>,
}

impl InProcess {
    pub(crate) fn load() -> Outcome<Self> {
        let unsound = |wrong: &dyn std::fmt::Display| Failure::failed(format!("what this program is made of: {wrong}"));
        let pack = inflate(COMMITTED).and_then(Pack::open).map_err(|wrong| unsound(&wrong))?;
        let policies = Policies::load(&built_in_policies()?).map_err(|wrong| unsound(&wrong))?;
        Ok(Self { reader: bodh_intake::Reader::new(&pack), pack, policies })
    }

    /// Intake's chart.
    pub(crate) fn chart(&self, case: &Case) -> Result<Intake, String> {
        let question = Question::Extract { subject: case.subject, note: case.note.clone(), coded: case.coded.clone() };
        match bodh_intake::answer_by(&self.reader, &question, &self.pack).map_err(|wrong| wrong.to_string())? {
            Opinion::Extract(chart) if chart.findings.is_empty() => {
                let both = chart.contradictory.iter().map(|term| format!("; {term} is said both present and absent"));
                Err(format!("no finding that the packs know{}", both.collect::<String>()))
            }
            Opinion::Extract(chart) => Ok(chart),
            _ => Err("intake gave another opinion".to_owned()),
        }
    }

    /// What is told at first, and what orders reveal.
    pub(crate) fn open(&self, findings: &[Finding]) -> Opened {
        let keeper = Gatekeeper::new(findings, |term| self.pack.is_bedside(term));
        let opening = keeper.initial().to_vec();
        let hidden = findings.iter().filter(|f| !opening.contains(f)).cloned().collect();
        Opened { opening, hidden }
    }

    /// Convenes the panel on a case; `judge` gives the rank of the right diagnosis.
    pub(crate) fn convene(
        &self,
        case: &Case,
        setup: Setup<'_>,
        judge: &dyn Fn(&Differential) -> Option<usize>,
    ) -> Result<Course, String> {
        let whole = self.chart(case)?;
        let mut chart = whole.clone();
        let mut hidden = Vec::new();
        if setup.sequential {
            let opened = self.open(&chart.findings);
            (chart.findings, hidden) = (opened.opening, opened.hidden);
        }
        let nobody = || "0".repeat(32);
        let panel = Panel::convene(nobody(), nobody(), String::new(), setup.budget, setup.sequential, case.subject);
        let mut session = Session { members: self, setup, panel, hidden, rank: None, dissent: 0.0, stages: vec![] };
        let mut escalated_for = Vec::new();
        let mut queue: VecDeque<Command> = session.take(&Event::Begun)?.into();
        while let Some(command) = queue.pop_front() {
            let event = match command {
                Command::Ask { call, inquiry: Inquiry::Extract, .. } => {
                    let withheld = u32::try_from(session.hidden.len()).unwrap_or(u32::MAX);
                    Event::Opened { call, intake: Box::new(chart.clone()), withheld }
                }
                Command::Ask { call, inquiry: Inquiry::Put(question), .. } => {
                    Event::Answered { call, opinion: Box::new(session.ask(&question, judge)?) }
                }
                Command::Authorize { acts } => {
                    let stage = Stage { spent: session.panel.session.spent, rank: session.rank };
                    session.stages.push(stage);
                    let (rulings, asked) = session.rule(&acts);
                    escalated_for = asked;
                    Event::Ruled { rulings, salt: nobody() }
                }
                Command::Place { test, .. } => {
                    let shown = |f: &mut Finding| self.pack.shows(&test, &f.term);
                    let findings = session.hidden.extract_if(.., shown);
                    let findings = findings.map(|f| Finding { origin: Origin::ResultOf(test.clone()), ..f }).collect();
                    Event::Resulted { test, findings }
                }
                Command::Ask { call, inquiry: Inquiry::Read { .. }, .. } => {
                    return Err(format!("question {call} is on an amendment, and a benchmark amends nothing"));
                }
                Command::Raise { .. } | Command::Incident { .. } | Command::Close => continue,
            };
            queue.extend(session.take(&event)?);
        }
        let Session { panel, dissent, stages, .. } = session;
        Ok(Course {
            chart: whole,
            differential: panel.state.round().map(|r| r.differential.clone()).unwrap_or_default(),
            spent: panel.session.spent,
            orders: u32::try_from(stages.len().saturating_sub(1)).unwrap_or(u32::MAX),
            escalated_for,
            dissent,
            stages,
        })
    }

    /// The diagnostician's differential.
    pub(crate) fn rank(&self, subject: &Subject, findings: &[Finding], leave_out: Option<&str>) -> Differential {
        rank(&self.pack, subject, findings, &Evidence { exclude_publication: leave_out })
    }

    /// Why policy has a physician see the act first; nothing when it need not be.
    fn reasons(&self, act: &Act, panel: &Panel) -> Vec<Reason> {
        let (kind, id, context) = act.as_policies_see_it(panel, 0);
        let (principal, resource) = (Entity::service("orchestrator"), Entity::new(kind, id));
        match self.policies.decide(&Request { principal, action: act.name(), resource, context }).verdict {
            Verdict::Ask(reasons) => reasons,
            Verdict::Allow => Vec::new(),
            // Whatever is denied does not happen; as a reason it has no kind of its own.
            Verdict::Deny => vec![Reason {
                policy: String::new(),
                role: String::new(),
                kind: "denied".to_owned(),
                reason: String::new(),
                signers: 1,
            }],
        }
    }
}

/// One case at work.
struct Session<'a> {
    members: &'a InProcess,
    setup: Setup<'a>,
    panel: Panel,
    hidden: Vec<Finding>,
    rank: Option<usize>,
    dissent: f64,
    stages: Vec<Stage>,
}

impl Session<'_> {
    fn take(&mut self, event: &Event) -> Result<Vec<Command>, String> {
        let (next, commands) = step(&self.panel, event, 0).map_err(|wrong| wrong.to_string())?;
        self.panel = next;
        Ok(commands)
    }

    fn ask(&mut self, question: &Question, judge: &dyn Fn(&Differential) -> Option<usize>) -> Result<Opinion, String> {
        let pack = &self.members.pack;
        let answer = match question {
            Question::Differential { subject, findings } if self.setup.leave_out.is_some() => {
                Ok(Opinion::Differential(self.members.rank(subject, findings, self.setup.leave_out)))
            }
            Question::Verify { differential, second, .. } if self.setup.leave_out.is_some() => {
                let leading = |d: &Differential| d.leading().map(|h| h.id.clone());
                Ok(Opinion::Verify(Verification {
                    dissent: dissent(differential, second),
                    same_leading: leading(differential) == leading(second),
                    ..Verification::default()
                }))
            }
            Question::Differential { .. } => bodh_diagnostician::answer(question, pack),
            Question::SecondOpinion { .. } | Question::Verify { .. } => bodh_reasoning_verifier::answer(question, pack),
            Question::Plan { .. } => bodh_test_planner::answer(question, pack),
            Question::Price { .. } => bodh_cost_guardian::answer(question, pack),
            Question::Next { .. } => bodh_supervisor::answer(question, pack),
            Question::Extract { .. } => return Err("the panel never holds the note".to_owned()),
        };
        let answer = answer.map_err(|wrong| wrong.to_string())?;
        match &answer {
            Opinion::Differential(differential) => self.rank = judge(differential),
            Opinion::Verify(verification) => self.dissent = verification.dissent,
            _ => {}
        }
        Ok(answer)
    }

    /// The rulings on the acts of a round, and what their conclusion asks.
    fn rule(&self, acts: &[Act]) -> (Vec<Ruling>, Vec<String>) {
        let mut asked = BTreeSet::new();
        let mut one = |act: &Act| {
            let reasons = self.members.reasons(act, &self.panel);
            let goes_on = match act {
                Act::Conclude(_) => {
                    asked.extend(reasons.into_iter().map(|reason| reason.kind));
                    true
                }
                Act::Propose(_) => true,
                Act::Order(_) => reasons.iter().all(|reason| reason.kind == DEAR),
            };
            let policies = Vec::new();
            if goes_on { Ruling::Allow { policies } } else { Ruling::Deny { policies } }
        };
        let rulings = acts.iter().map(&mut one).collect();
        (rulings, asked.into_iter().collect())
    }
}

#[cfg(test)]
#[path = "tests/convene.rs"]
mod tests;
