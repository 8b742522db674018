//! Plans and prices.

use crate::pb;
use crate::wire::{WireError, Within, bits, cents, label, limits, list, terms};
use bodh_clinical::{DiseaseId, Plan, PriceLine, Pricing, Proposal, TestId, Usd};

pub(crate) fn plan(value: pb::Plan) -> Result<Plan, WireError> {
    Ok(Plan { proposals: list(value.proposals, limits::PROPOSALS, "proposals", proposal)? })
}

fn proposal(value: pb::Proposal) -> Result<Proposal, WireError> {
    Ok(Proposal {
        test: TestId::parse(&value.test).within("test")?,
        label: label(value.label, limits::LABEL, "label")?,
        gain_bits: bits(value.gain_bits, "gain_bits")?,
        price: price(value.price_cents)?,
        reveals: terms(value.reveals, limits::REVEALS, "reveals")?,
        settles: value.settles.map(|id| DiseaseId::parse(&id).within("settles")).transpose()?,
    })
}

fn price(value: Option<u64>) -> Result<Option<Usd>, WireError> {
    value.map(|amount| cents(amount, "price_cents")).transpose()
}

pub(crate) fn plan_out(value: Plan) -> pb::Plan {
    let proposal = |p: Proposal| pb::Proposal {
        test: p.test.into(),
        label: p.label,
        gain_bits: p.gain_bits,
        price_cents: p.price.map(Usd::cents),
        reveals: p.reveals.into_iter().map(Into::into).collect(),
        settles: p.settles.map(Into::into),
    };
    pb::Plan { proposals: value.proposals.into_iter().map(proposal).collect() }
}

pub(crate) fn pricing(value: pb::Pricing) -> Result<Pricing, WireError> {
    let line = |line: pb::PriceLine| {
        Ok(PriceLine {
            test: TestId::parse(&line.test).within("test")?,
            price: price(line.price_cents)?,
            source: label(line.source, limits::LABEL, "source")?,
            over_budget: line.over_budget,
        })
    };
    Ok(Pricing { lines: list(value.lines, limits::TESTS, "lines", line)? })
}

pub(crate) fn pricing_out(value: Pricing) -> pb::Pricing {
    let line = |l: PriceLine| pb::PriceLine {
        test: l.test.into(),
        price_cents: l.price.map(Usd::cents),
        source: l.source,
        over_budget: l.over_budget,
    };
    pb::Pricing { lines: value.lines.into_iter().map(line).collect() }
}
