//! An escalation as it is decided on: everything of the record that the signature covers, in a physician's order.

use super::words::{dollars_of, kind, likelihood, percent, presence, prevalence};
use crate::terminal::shown;
use bodh_clinical::Presence;
use bodh_panel::{Escalation, Shown};
use std::fmt::Write;

/// The whole record.
pub(crate) fn render(escalation: &Escalation) -> String {
    let mut out = String::new();
    // Writing to a String has no failure path.
    let _written = head(&mut out, escalation)
        .and_then(|()| evidence(&mut out, &escalation.shown))
        .and_then(|()| rest(&mut out, &escalation.shown));
    out
}

fn head(out: &mut String, e: &Escalation) -> std::fmt::Result {
    writeln!(out, "ESCALATION {}  {}", shown(&e.id), kind(&e.kind))?;
    writeln!(out, "  proposed: {}", shown(&e.action))?;
    if let Some(cents) = e.amount_cents {
        writeln!(out, "  amount:   {}", dollars_of(cents))?;
    }
    let s = &e.shown;
    writeln!(
        out,
        "  cost:     {} so far, {} after it, of {}",
        dollars_of(s.spent_cents),
        dollars_of(s.after_cents),
        dollars_of(s.budget_cents)
    )?;
    writeln!(out, "  reason:   {} (policy {})", shown(&e.reason), shown(&e.policy))?;
    if e.signers > 1 {
        writeln!(out, "  decides:  two different people approve exactly this record, or nothing is done")?;
    }
    for rule in &e.rules {
        let likeness = percent(f64::from(rule.likeness_permille) / 1000.0);
        writeln!(out, "  rule:     {} of incident {}, {likeness} alike", shown(&rule.rule), shown(&rule.incident))?;
    }
    writeln!(out, "  raised:   by {} in round {}, for a {}", shown(&e.agent), e.round, shown(&e.role))?;
    writeln!(out, "  asked by: {}", shown(&e.requester))?;
    if let Some(physician) = &e.asked_by {
        writeln!(out, "  test asked for by: {}", shown(physician))?;
    }
    writeln!(out, "  session:  {}\n  trace:    {}", shown(&e.session), shown(&e.trace))?;
    writeln!(out, "  covers:   {}", shown(&e.basis))
}

fn evidence(out: &mut String, s: &Shown) -> std::fmt::Result {
    writeln!(out, "\nWhat it could be")?;
    for (place, h) in s.differential.iter().enumerate() {
        let seen = prevalence(h.prevalence);
        writeln!(out, "  {}. {:>7}  {}  {} · {seen}", place + 1, percent(h.probability), shown(&h.label), h.id)?;
        for claim in &h.for_it {
            writeln!(
                out,
                "        for      {}",
                statement(&claim.finding, claim.presence, claim.bits, &claim.sources, &claim.claim)
            )?;
        }
        for claim in &h.against_it {
            writeln!(
                out,
                "        against  {}",
                statement(&claim.finding, claim.presence, claim.bits, &claim.sources, &claim.claim)
            )?;
        }
    }
    writeln!(out, "     {:>7}  none of these, nor anything else in the packs", percent(s.other))
}

fn statement(finding: &str, seen: Presence, bits: f64, sources: &[String], claim: &str) -> String {
    let sources: Vec<_> = sources.iter().map(|source| shown(source)).collect();
    let sources = if sources.is_empty() { "background rate only".into() } else { sources.join(", ") };
    let weight = likelihood(bits);
    format!("{} ({}): {weight} · {sources} · claim {}", shown(finding), presence(seen), shown(claim))
}

fn rest(out: &mut String, s: &Shown) -> std::fmt::Result {
    writeln!(out, "\nFindings")?;
    for finding in &s.findings {
        writeln!(out, "  {} ({})  {}", shown(&finding.label), presence(finding.presence), finding.term)?;
    }
    if !s.missing.is_empty() {
        let missing: Vec<_> = s.missing.iter().map(ToString::to_string).collect();
        writeln!(out, "  not known, and would matter most: {}", missing.join(", "))?;
    }
    let leads: Vec<_> = s.second_opinion.iter().map(ToString::to_string).collect();
    writeln!(out, "\nDissent {}; the reasoning verifier would lead with: {}", percent(s.dissent), leads.join(", "))?;
    for claim in &s.refuted {
        writeln!(out, "  refuted: {}", shown(claim))?;
    }
    if !s.next_tests.is_empty() {
        writeln!(out, "\nNext tests")?;
    }
    for test in &s.next_tests {
        let price = test.price_cents.map_or_else(|| "price unknown".into(), dollars_of);
        writeln!(out, "  {price:>13}  {}, {:.2} bits expected  ({})", shown(&test.label), test.gain_bits, test.id)?;
    }
    for reason in &s.reasons {
        writeln!(out, "\nThe supervisor: {}", shown(reason))?;
    }
    writeln!(out, "\n{}\n", super::NOT_A_DEVICE)
}
