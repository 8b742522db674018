//! Differentials and their claims.

use crate::case::{presence, presence_out};
use crate::pb;
use crate::wire::{WireError, Within, bits, label, labels, limits, list, probability};
use bodh_clinical::{Claim, ClaimId, Differential, DiseaseId, Expected, Hypothesis, Prevalence, TermId};

pub(crate) fn differential(value: pb::Differential) -> Result<Differential, WireError> {
    Ok(Differential {
        hypotheses: list(value.hypotheses, limits::HYPOTHESES, "hypotheses", hypothesis)?,
        other: probability(value.other, "other")?,
        exponent: exponent(value.exponent)?,
    })
}

/// Positive, and within what calibration may do.
fn exponent(value: f64) -> Result<f64, WireError> {
    if (1e-3..=1e3).contains(&value) { Ok(value) } else { Err(WireError::new("exponent", "is out of range")) }
}

fn hypothesis(value: pb::Hypothesis) -> Result<Hypothesis, WireError> {
    Ok(Hypothesis {
        id: DiseaseId::parse(&value.id).within("id")?,
        also: list(value.also, limits::ALSO, "also", |id| DiseaseId::parse(&id).within(""))?,
        label: label(value.label, limits::LABEL, "label")?,
        probability: probability(value.probability, "probability")?,
        prevalence: value.prevalence.map(|p| probability(p, "prevalence").map(Prevalence)).transpose()?,
        red_flag: value.red_flag,
        prior_bits: bits(value.prior_bits, "prior_bits")?,
        expected: list(value.expected, limits::EXPECTED, "expected", expected)?,
        claims: list(value.claims, limits::CLAIMS, "claims", claim)?.into(),
    })
}

fn expected(value: pb::Expected) -> Result<Expected, WireError> {
    Ok(Expected {
        term: TermId::parse(&value.term).within("term")?,
        label: label(value.label, limits::LABEL, "label")?,
        frequency: probability(value.frequency, "frequency")?,
        tells_bits: bits(value.tells_bits, "tells_bits")?,
    })
}

fn expected_out(value: Expected) -> pb::Expected {
    let Expected { term, label, frequency, tells_bits } = value;
    pb::Expected { term: term.into(), label, frequency, tells_bits }
}

fn claim(value: pb::Claim) -> Result<Claim, WireError> {
    let disease = DiseaseId::parse(&value.disease).within("disease")?;
    let finding = TermId::parse(&value.finding).within("finding")?;
    let id = ClaimId::parse(&value.id).within("id")?;
    if id != ClaimId::of(&disease, &finding) {
        return Err(WireError::new("id", "is not its disease and its finding"));
    }
    let matched = (!value.matched.is_empty()).then(|| TermId::parse(&value.matched).within("matched"));
    Ok(Claim {
        id,
        disease,
        finding,
        presence: presence(value.presence)?,
        matched: matched.transpose()?,
        frequency: value.frequency.map(|f| probability(f, "frequency")).transpose()?,
        background: probability(value.background, "background")?,
        bits: bits(value.bits, "bits")?,
        sources: labels(value.sources, limits::SOURCES, limits::LABEL, "sources")?,
    })
}

pub(crate) fn differential_out(value: Differential) -> pb::Differential {
    let hypothesis = |h: Hypothesis| pb::Hypothesis {
        id: h.id.into(),
        also: h.also.into_iter().map(Into::into).collect(),
        label: h.label,
        probability: h.probability,
        prevalence: h.prevalence.map(|p| p.0),
        red_flag: h.red_flag,
        prior_bits: h.prior_bits,
        expected: h.expected.into_iter().map(expected_out).collect(),
        claims: h.claims.iter().cloned().map(claim_out).collect(),
    };
    let hypotheses = value.hypotheses.into_iter().map(hypothesis).collect();
    pb::Differential { hypotheses, other: value.other, exponent: value.exponent }
}

fn claim_out(value: Claim) -> pb::Claim {
    pb::Claim {
        id: value.id.into(),
        disease: value.disease.into(),
        finding: value.finding.into(),
        presence: presence_out(value.presence),
        matched: value.matched.map(Into::into).unwrap_or_default(),
        frequency: value.frequency,
        background: value.background,
        bits: value.bits,
        sources: value.sources,
    }
}
