//! Findings and intake's opinion.

use crate::case::{presence, presence_out};
use crate::pb::{self, finding::Origin as Wire, ignored::Cause};
use crate::wire::{WireError, Within, label, limits, list, required, terms};
use bodh_clinical::{Finding, Ignored, IgnoredCause, Intake, Origin, Span, TermId, TestId};

pub(crate) fn findings(items: Vec<pb::Finding>) -> Result<Vec<Finding>, WireError> {
    list(items, limits::FINDINGS, "findings", finding)
}

fn finding(value: pb::Finding) -> Result<Finding, WireError> {
    Ok(Finding {
        term: TermId::parse(&value.term).within("term")?,
        label: label(value.label, limits::LABEL, "label")?,
        presence: presence(value.presence)?,
        origin: origin(required(value.origin, "origin")?)?,
        past: value.past,
    })
}

fn origin(value: Wire) -> Result<Origin, WireError> {
    match value {
        Wire::Coded(n) if (n as usize) < limits::FINDINGS => Ok(Origin::Coded(n)),
        Wire::Coded(_) => Err(WireError::new("coded", "beyond the last feature that a case can have")),
        Wire::Text(bytes) => Ok(Origin::Text(span(bytes, "text")?)),
        Wire::ResultOf(test) => Ok(Origin::ResultOf(TestId::parse(&test).within("result_of")?)),
        Wire::Added(pb::Added { statement, span: bytes }) => {
            let span = span(required(bytes, "added.span")?, "added.span")?;
            Ok(Origin::Added { amendment: nth(statement, "added.statement")?, span })
        }
        Wire::Corrected(n) => Ok(Origin::Corrected { amendment: nth(n, "corrected")? }),
    }
}

fn span(value: pb::Span, field: &str) -> Result<Span, WireError> {
    if value.start < value.end && (value.end as usize) <= limits::NOTE {
        Ok(Span { start: value.start, end: value.end })
    } else {
        Err(WireError::new(field, "not a span of a note"))
    }
}

fn nth(value: u32, field: &str) -> Result<u32, WireError> {
    if value < limits::STATEMENTS { Ok(value) } else { Err(WireError::new(field, "beyond the last statement")) }
}

fn span_out(span: Span) -> pb::Span {
    pb::Span { start: span.start, end: span.end }
}

pub(crate) fn findings_out(items: Vec<Finding>) -> Vec<pb::Finding> {
    let one = |f: Finding| pb::Finding {
        term: f.term.into(),
        label: f.label,
        presence: presence_out(f.presence),
        origin: Some(match f.origin {
            Origin::Coded(n) => Wire::Coded(n),
            Origin::Text(span) => Wire::Text(span_out(span)),
            Origin::ResultOf(test) => Wire::ResultOf(test.into()),
            Origin::Added { amendment, span } => {
                Wire::Added(pb::Added { statement: amendment, span: Some(span_out(span)) })
            }
            Origin::Corrected { amendment } => Wire::Corrected(amendment),
        }),
        past: f.past,
    };
    items.into_iter().map(one).collect()
}

pub(crate) fn intake(value: pb::Intake) -> Result<Intake, WireError> {
    Ok(Intake {
        findings: findings(value.findings)?,
        ignored: list(value.ignored, limits::FINDINGS, "ignored", |one| ignored(&one))?,
        contradictory: terms(value.contradictory, limits::FINDINGS, "contradictory")?,
    })
}

fn ignored(value: &pb::Ignored) -> Result<Ignored, WireError> {
    let cause = match Cause::try_from(value.cause) {
        Ok(Cause::UnknownTerm) => IgnoredCause::UnknownTerm,
        Ok(Cause::Obsolete) => IgnoredCause::Obsolete,
        Ok(Cause::NotPhenotypic) => IgnoredCause::NotPhenotypic,
        Ok(Cause::Duplicate) => IgnoredCause::Duplicate,
        Ok(Cause::Contradicted) => IgnoredCause::Contradicted,
        Ok(Cause::Unspecified) | Err(_) => return Err(WireError::new("cause", "not a known cause")),
    };
    Ok(Ignored { term: TermId::parse(&value.term).within("term")?, cause })
}

pub(crate) fn intake_out(value: Intake) -> pb::Intake {
    let ignored = |i: Ignored| {
        let cause = match i.cause {
            IgnoredCause::UnknownTerm => Cause::UnknownTerm,
            IgnoredCause::Obsolete => Cause::Obsolete,
            IgnoredCause::NotPhenotypic => Cause::NotPhenotypic,
            IgnoredCause::Duplicate => Cause::Duplicate,
            IgnoredCause::Contradicted => Cause::Contradicted,
        };
        pb::Ignored { term: i.term.into(), cause: cause.into() }
    };
    pb::Intake {
        findings: findings_out(value.findings),
        ignored: value.ignored.into_iter().map(ignored).collect(),
        contradictory: value.contradictory.into_iter().map(Into::into).collect(),
    }
}
