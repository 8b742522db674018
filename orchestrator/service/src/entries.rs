//! The audit entries that tell of a step. Pure: from the event, the panel before and after, and the commands.

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_panel::{Act, Command, Event, FailureCause, Panel, Ruling, State};

/// What is needed beside the step itself.
pub(crate) struct Told<'a> {
    pub(crate) before: &'a Panel,
    pub(crate) after: &'a Panel,
    pub(crate) event: &'a Event,
    pub(crate) commands: &'a [Command],
    /// The event's number.
    pub(crate) seq: i64,
    /// SHA-256 of the sealed event.
    pub(crate) sealed_sha256: [u8; 32],
    /// The commitment to the event's words.
    pub(crate) content: [u8; 32],
    /// The policy bundle that rulings rest on.
    pub(crate) policy_hash: Option<[u8; 32]>,
    /// SHA-256 of each raised record, in order.
    pub(crate) records: &'a [[u8; 32]],
}

/// The entries of one step, in order.
pub(crate) fn entries(told: &Told<'_>) -> Vec<Draft> {
    let mut drafts = event_entries(told);
    drafts.push(state_entry(told));
    drafts.extend(told.commands.iter().flat_map(|command| command_entries(told, command)));
    drafts
}

fn draft(told: &Told<'_>, kind: Kind, action: &str, what: &str) -> Draft {
    let session = &told.after.session;
    let mut draft = Draft::new(kind, action, format!("{}/{what}/{}", session.id, kind.as_str()));
    draft.actors = vec![session.requester.clone()];
    draft.session.clone_from(&session.id);
    draft.trace.clone_from(&session.trace);
    draft
}

fn state_entry(told: &Told<'_>) -> Draft {
    let mut draft = draft(told, Kind::State, event_name(told.event), &format!("e{}", told.seq));
    draft.step = format!("e{}", told.seq);
    draft.resource = told.after.state.name().to_owned();
    if let Event::Amended { by, .. } = told.event {
        draft.actors = vec![by.clone()];
    }
    draft.commitments.insert("event".to_owned(), told.sealed_sha256);
    draft.commitments.insert("content".to_owned(), told.content);
    draft
}

fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Begun => "begun",
        Event::Answered { .. } | Event::Opened { .. } => "answered",
        Event::Failed { .. } => "failed",
        Event::Ruled { .. } => "ruled",
        Event::Resulted { .. } => "resulted",
        Event::NotSpent { .. } => "not_spent",
        Event::Decided { .. } => "decided",
        Event::Voided { .. } => "voided",
        Event::Marked { .. } => "marked",
        Event::Amended { .. } => "amended",
        Event::Expired => "expired",
        Event::Stopped => "stopped",
    }
}

fn event_entries(told: &Told<'_>) -> Vec<Draft> {
    match told.event {
        Event::Answered { call, .. } | Event::Opened { call, .. } => {
            asked(told, *call, Kind::Outcome, Verdict::Ok, "").into_iter().collect()
        }
        Event::Failed { call, cause } => {
            let verdict = if *cause == FailureCause::Interrupted { Verdict::Interrupted } else { Verdict::Failed };
            asked(told, *call, Kind::Outcome, verdict, cause_code(*cause)).into_iter().collect()
        }
        Event::Ruled { rulings, .. } => ruled(told, rulings),
        Event::Resulted { test, .. } => vec![order_outcome(told, test.as_str(), Verdict::Ok)],
        Event::NotSpent { test } => vec![order_outcome(told, test.as_str(), Verdict::Failed)],
        Event::Decided { decision, .. } => {
            // The first of two commits nothing: the question is not answered yet, and may be approved first again.
            let first = told.after.session.firsts.len() > told.before.session.firsts.len();
            let mut draft = if first {
                draft(told, Kind::Decision, "approve_first", &format!("x{}/{}", decision.escalation, told.seq))
            } else {
                draft(told, Kind::Decision, "decide", &format!("x{}", decision.escalation))
            };
            draft.actors = vec![decision.signer.clone()];
            draft.resource.clone_from(&decision.escalation);
            draft.cause = decision.verdict.word().to_owned();
            draft.amount_cents = decision.amount_cents.and_then(|c| i64::try_from(c).ok()).unwrap_or(0);
            vec![draft]
        }
        Event::Voided { escalation } => {
            let mut draft = draft(told, Kind::Decision, "void_first", &format!("x{escalation}/{}", told.seq));
            draft.resource.clone_from(escalation);
            draft.cause = "signer_gone".to_owned();
            vec![draft]
        }
        Event::Marked { incident, .. } => {
            let mut draft = draft(told, Kind::Incident, "mark", &format!("i{incident}"));
            draft.resource.clone_from(incident);
            draft.cause = "hallucination_marked".to_owned();
            vec![draft]
        }
        Event::Begun | Event::Amended { .. } | Event::Expired | Event::Stopped => Vec::new(),
    }
}

/// The entry of a question's try that is open in `before`.
fn asked(told: &Told<'_>, call: u32, kind: Kind, verdict: Verdict, cause: &str) -> Option<Draft> {
    told.before.outstanding.iter().find_map(|command| match command {
        Command::Ask { call: asked, attempt, inquiry } if *asked == call => {
            let mut draft = draft(told, kind, "ask", &format!("c{call}/{attempt}"));
            draft.step = format!("{call}");
            draft.try_number = *attempt;
            draft.resource = format!("{}/{}", inquiry.member(), inquiry.tool());
            draft.verdict = Some(verdict);
            draft.cause = cause.to_owned();
            Some(draft)
        }
        _ => None,
    })
}

fn cause_code(cause: FailureCause) -> &'static str {
    match cause {
        FailureCause::Unavailable => "unavailable",
        FailureCause::Refused => "refused",
        FailureCause::Cell => "cell",
        FailureCause::Malformed => "malformed",
        FailureCause::Interrupted => "interrupted",
    }
}

fn ruled(told: &Told<'_>, rulings: &[Ruling]) -> Vec<Draft> {
    let State::Ruling { acts, .. } = &told.before.state else { return Vec::new() };
    let one = |(index, (act, ruling)): (usize, (&Act, &Ruling))| {
        let mut draft = draft(told, Kind::Attempt, act.name(), &format!("r{}/{index}", told.seq));
        draft.resource = act.resource();
        draft.amount_cents = act.amount().and_then(|usd| i64::try_from(usd.cents()).ok()).unwrap_or(0);
        draft.policy = told.policy_hash;
        (draft.verdict, draft.policies) = match ruling {
            Ruling::Allow { policies } => (Some(Verdict::Allow), policies.clone()),
            Ruling::Ask { reasons } => (Some(Verdict::Ask), reasons.iter().map(|r| r.policy.clone()).collect()),
            Ruling::Deny { policies } => (Some(Verdict::Deny), policies.clone()),
        };
        // What it could be is nobody's business but the session's.
        if matches!(act, Act::Conclude(_)) {
            draft.resource = String::new();
        }
        draft
    };
    acts.iter().zip(rulings).enumerate().map(one).collect()
}

fn order_outcome(told: &Told<'_>, test: &str, verdict: Verdict) -> Draft {
    let mut draft = draft(told, Kind::Outcome, "order", &format!("o{test}"));
    draft.resource = test.to_owned();
    draft.verdict = Some(verdict);
    let spent = told.after.session.spent.minus(told.before.session.spent);
    draft.amount_cents = i64::try_from(spent.cents()).unwrap_or(0);
    draft
}

fn command_entries(told: &Told<'_>, command: &Command) -> Vec<Draft> {
    match command {
        Command::Ask { call, attempt, inquiry } => {
            let mut draft = draft(told, Kind::Attempt, "ask", &format!("c{call}/{attempt}"));
            draft.step = format!("{call}");
            draft.try_number = *attempt;
            draft.resource = format!("{}/{}", inquiry.member(), inquiry.tool());
            vec![draft]
        }
        Command::Raise { escalations } => escalations
            .iter()
            .zip(told.records)
            .map(|(escalation, record)| {
                let mut draft = draft(told, Kind::Escalation, "escalate", &format!("x{}", escalation.id));
                draft.resource.clone_from(&escalation.id);
                draft.cause.clone_from(&escalation.kind);
                draft.policies = vec![escalation.policy.clone()];
                // A review rule asks beside the policy that heeds it.
                draft.policies.extend(escalation.rules.iter().map(|resembled| resembled.rule.clone()));
                draft.amount_cents = escalation.amount_cents.and_then(|c| i64::try_from(c).ok()).unwrap_or(0);
                draft.commitments.insert("record".to_owned(), *record);
                draft
            })
            .collect(),
        Command::Incident { claim, cause } => {
            // The claim names a disease: its place in the sealed event is enough here.
            let nth = told.commands.iter().position(|c| c == command).unwrap_or(0);
            let mut draft = draft(told, Kind::Incident, "refute", &format!("i{}/{nth}", told.seq));
            draft.resource = format!("e{}", told.seq);
            let _ = claim;
            draft.cause = format!("{cause:?}").to_lowercase();
            vec![draft]
        }
        Command::Authorize { .. } | Command::Place { .. } | Command::Close => Vec::new(),
    }
}
