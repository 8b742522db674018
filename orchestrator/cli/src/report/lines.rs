//! The report, line by line.

use super::amendments::amendments;
use super::expected::expected;
use super::record::record;
use super::words::{dollars, kind, likelihood, pair, percent, presence, prevalence};
use crate::terminal::{Paint, shown};
use bodh_clinical::{Claim, Finding, Hypothesis, IgnoredCause};
use bodh_panel::{EscalationStatus, OrderStatus, Report, Status, Withdrawal};
use std::fmt::Write;
use std::path::Path;

/// How much of the differential, and of each side of the evidence, is shown.
const HYPOTHESES: usize = 5;
const CLAIMS: usize = 3;
/// In bits: a smaller weight is a ratio below 1.15, which nobody would act on. `--json` has every claim.
const WORTH_SAYING: f64 = 0.2;

/// The whole report.
pub(crate) fn render(report: &Report, state: Option<&Path>, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a String has no failure path.
    let _written = status(&mut out, report, state, paint)
        .and_then(|()| differential(&mut out, report, paint))
        .and_then(|()| orders(&mut out, report, paint))
        .and_then(|()| dissent(&mut out, report, paint))
        .and_then(|()| amendments(&mut out, report, paint))
        .and_then(|()| input(&mut out, report, paint))
        .and_then(|()| record(&mut out, report, state, paint));
    out
}

fn status(out: &mut String, report: &Report, state: Option<&Path>, paint: Paint) -> std::fmt::Result {
    let open: Vec<_> = report.escalations.iter().filter(|e| e.status == EscalationStatus::Open).collect();
    let leading = report.differential.first();
    let line = match report.status {
        Status::Concluded => {
            let standing = report.standing.as_deref().unwrap_or("preliminary");
            paint.good(&format!("CONCLUDED ({standing})"))
        }
        Status::AwaitingPhysician => paint.attention("WAITING FOR A PHYSICIAN — not released"),
        Status::AwaitingAnswer => paint.attention("WAITING FOR AN ANSWER — not released"),
        Status::AwaitingResults => paint.attention("WAITING FOR RESULTS — not released"),
        Status::Deliberating => paint.attention("STILL AT WORK — not released"),
        Status::Withdrawn => paint.attention("GIVEN UP — no conclusion"),
        Status::Expired => paint.attention("EXPIRED — nobody decided in time; nothing was approved"),
    };
    writeln!(out, "{line}")?;
    if let Some(leading) = leading {
        writeln!(out, "  Leading: {}, {}", paint.bold(&shown(&leading.label)), percent(leading.probability))?;
    }
    if let Some(why) = &report.withdrawal {
        writeln!(out, "  {}", withdrawal(why))?;
    }
    for escalation in &open {
        let amount = escalation.amount_usd.map(|usd| format!(", {}", dollars(usd))).unwrap_or_default();
        writeln!(
            out,
            "  For a {}: {} ({}{amount})",
            shown(&escalation.role),
            kind(&escalation.kind),
            shown(&escalation.action)
        )?;
        writeln!(out, "      {}", shown(&escalation.reason))?;
        let first = escalation.first.as_ref().map(|first| first.by.as_str()).unwrap_or_default();
        if let Some(pair) = pair(escalation.signers, first) {
            writeln!(out, "      {pair}")?;
        }
        for rule in &escalation.rules {
            writeln!(out, "      {} of incident {}", shown(&rule.rule), shown(&rule.incident))?;
        }
        if let Some(state) = state {
            let command = format!(
                "bodh decide {} approve|deny|amend|ask --reason TEXT --state {}",
                shown(&escalation.id),
                state.display()
            );
            writeln!(out, "      {}", paint.dim(&command))?;
        }
    }
    if !open.is_empty() && state.is_none() {
        writeln!(
            out,
            "  {}",
            paint.dim("Nothing is kept of this run; give --state DIR for a session that can be decided.")
        )?;
    }
    super::asked::asked(out, report, state, paint)?;
    for reservation in &report.reservations {
        writeln!(out, "  A physician's reservation: {}", shown(reservation))?;
    }
    if report.revision > 0 {
        writeln!(
            out,
            "  Amended {} time(s) since its first release; the earlier ones stay in the record.",
            report.revision
        )?;
    }
    Ok(())
}

fn withdrawal(why: &Withdrawal) -> String {
    match why {
        Withdrawal::NothingUsable => "The case holds no finding that the packs know.".into(),
        Withdrawal::AgentFailed { member, cause } => {
            let cause = serde_json::to_value(cause).ok().and_then(|v| v.as_str().map(str::to_owned));
            format!("The {member} could not answer ({}).", cause.unwrap_or_default())
        }
        Withdrawal::Denied => "Policy forbids this conclusion.".into(),
        Withdrawal::Declined => "A physician declined the conclusion.".into(),
        Withdrawal::Stopped => "A person stopped it.".into(),
    }
}

fn differential(out: &mut String, report: &Report, paint: Paint) -> std::fmt::Result {
    if report.differential.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("What it could be"))?;
    for (place, hypothesis) in report.differential.iter().take(HYPOTHESES).enumerate() {
        self::hypothesis(out, report, place + 1, hypothesis, paint)?;
    }
    let rest: f64 = report.differential.iter().skip(HYPOTHESES).map(|h| h.probability).sum();
    if report.differential.len() > HYPOTHESES {
        writeln!(out, "     {:>7}  {} more in --json", percent(rest), report.differential.len() - HYPOTHESES)?;
    }
    writeln!(out, "     {:>7}  none of these, nor anything else in the packs", percent(report.other))
}

fn hypothesis(out: &mut String, report: &Report, place: usize, h: &Hypothesis, paint: Paint) -> std::fmt::Result {
    let flag = if h.red_flag { format!("  {}", paint.attention("must not be missed")) } else { String::new() };
    let label = paint.bold(&shown(&h.label));
    let seen = prevalence(h.prevalence.map(|p| p.0));
    writeln!(out, "  {place}. {:>7}  {label}  {} · {seen}{flag}", percent(h.probability), h.id)?;
    let mut claims: Vec<_> = h.claims.iter().collect();
    claims.sort_by(|a, b| b.bits.total_cmp(&a.bits).then_with(|| a.id.cmp(&b.id)));
    for claim in claims.iter().filter(|c| c.bits >= WORTH_SAYING).take(CLAIMS) {
        writeln!(out, "        for      {}", statement(report, claim))?;
    }
    for claim in claims.iter().rev().filter(|c| c.bits <= -WORTH_SAYING).take(CLAIMS) {
        writeln!(out, "        against  {}", statement(report, claim))?;
    }
    expected(out, place, h)
}

fn statement(report: &Report, claim: &Claim) -> String {
    let label = report.findings.iter().find(|f| f.term == claim.finding);
    let label = label.map_or_else(|| claim.finding.to_string(), |f| shown(&f.label));
    let sources: Vec<_> = claim.sources.iter().take(3).map(|s| shown(s)).collect();
    let sources = if sources.is_empty() { "background rate only".into() } else { sources.join(", ") };
    let struck = report.struck.iter().chain(&report.refuted).any(|id| *id == claim.id.as_str());
    let struck = if struck { " [does not stand]" } else { "" };
    format!("{label} ({}): {} · {sources}{struck}", presence(claim.presence), likelihood(claim.bits))
}

fn orders(out: &mut String, report: &Report, paint: Paint) -> std::fmt::Result {
    if !report.orders.is_empty() {
        writeln!(out, "\n{}", paint.bold("Tests"))?;
    }
    for order in &report.orders {
        let price = order.price_usd.map_or_else(|| "price unknown".into(), dollars);
        let state = match order.status {
            OrderStatus::Proposed => "proposed",
            OrderStatus::AwaitingApproval => "waits for a physician",
            OrderStatus::Approved => "approved",
            OrderStatus::Committed => "ordered, result awaited",
            OrderStatus::Done => "done",
            OrderStatus::Reported => "result entered by a person, not paid for here",
            OrderStatus::Declined => "declined by a physician",
            OrderStatus::Refused => "refused",
        };
        writeln!(out, "  {price:>13}  {}  {state}, {}", shown(&order.label), super::asked::why(report, order))?;
    }
    writeln!(out, "\n{}", paint.bold("Cost"))?;
    writeln!(out, "  {} committed of {}", dollars(report.cost_usd), dollars(report.budget_usd))
}

fn dissent(out: &mut String, report: &Report, paint: Paint) -> std::fmt::Result {
    writeln!(out, "\n{}", paint.bold("Dissent"))?;
    let leads: Vec<_> = report.second_opinion.iter().map(|s| shown(s)).collect();
    let leads = if leads.is_empty() { "no opinion".into() } else { leads.join("; ") };
    writeln!(
        out,
        "  {} between diagnostician and reasoning verifier, which would lead with: {leads}",
        percent(report.dissent)
    )?;
    for claim in &report.refuted {
        writeln!(out, "  The verifier refuted {}", shown(claim))?;
    }
    for claim in &report.struck {
        writeln!(out, "  A physician marked {} as false", shown(claim))?;
    }
    for reason in &report.reasons {
        writeln!(out, "  The supervisor: {}", shown(reason))?;
    }
    Ok(())
}

fn input(out: &mut String, report: &Report, paint: Paint) -> std::fmt::Result {
    writeln!(out, "\n{}", paint.bold("Input"))?;
    let present = report.findings.iter().filter(|f| presence(f.presence) == "present");
    writeln!(out, "  present: {}", list(present))?;
    let absent = report.findings.iter().filter(|f| presence(f.presence) == "absent");
    writeln!(out, "  absent:  {}", list(absent))?;
    for ignored in &report.ignored {
        let why = match ignored.cause {
            IgnoredCause::UnknownTerm => "unknown to the packs",
            IgnoredCause::Obsolete => "obsolete, without a replacement",
            IgnoredCause::NotPhenotypic => "not an observation",
            IgnoredCause::Duplicate => "said before",
            IgnoredCause::Contradicted => "said absent, and something more specific present",
        };
        writeln!(out, "  ignored: {} ({why})", ignored.term)?;
    }
    for term in &report.contradictory {
        writeln!(out, "  ignored: {term} (said both present and absent)")?;
    }
    for warning in &report.warnings {
        writeln!(out, "  note:    {}", shown(warning))?;
    }
    Ok(())
}

fn list<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let labels: Vec<_> = findings.map(|f| shown(&f.label)).collect();
    if labels.is_empty() { "nothing".into() } else { labels.join(", ") }
}
