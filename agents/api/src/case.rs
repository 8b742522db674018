//! Subject and coded features.

use crate::pb;
use crate::wire::{WireError, Within, limits, list};
use bodh_clinical::{CodedFeature, Presence, Sex, Subject, TermId};

pub(crate) fn presence(value: i32) -> Result<Presence, WireError> {
    match pb::Presence::try_from(value) {
        Ok(pb::Presence::Present) => Ok(Presence::Present),
        Ok(pb::Presence::Excluded) => Ok(Presence::Excluded),
        Ok(pb::Presence::Unspecified) | Err(_) => Err(WireError::new("presence", "neither present nor excluded")),
    }
}

pub(crate) fn presence_out(value: Presence) -> i32 {
    match value {
        Presence::Present => pb::Presence::Present,
        Presence::Excluded => pb::Presence::Excluded,
    }
    .into()
}

/// An absent subject is one of whom nothing is known.
pub(crate) fn subject(value: Option<pb::Subject>) -> Result<Subject, WireError> {
    let value = value.unwrap_or_default();
    let sex = match pb::Sex::try_from(value.sex) {
        Ok(pb::Sex::Unknown) => Sex::Unknown,
        Ok(pb::Sex::Female) => Sex::Female,
        Ok(pb::Sex::Male) => Sex::Male,
        Ok(pb::Sex::Other) => Sex::Other,
        Err(_) => return Err(WireError::new("subject.sex", "not a known value")),
    };
    if value.age_days.is_some_and(|days| days > limits::AGE_DAYS) {
        return Err(WireError::new("subject.age_days", "more than 130 years"));
    }
    Ok(Subject { age_days: value.age_days, sex })
}

pub(crate) fn subject_out(value: Subject) -> Option<pb::Subject> {
    let sex = match value.sex {
        Sex::Unknown => pb::Sex::Unknown,
        Sex::Female => pb::Sex::Female,
        Sex::Male => pb::Sex::Male,
        Sex::Other => pb::Sex::Other,
    };
    Some(pb::Subject { age_days: value.age_days, sex: sex.into() })
}

pub(crate) fn coded(items: Vec<pb::CodedFeature>) -> Result<Vec<CodedFeature>, WireError> {
    list(items, limits::FINDINGS, "coded", |item| {
        Ok(CodedFeature { term: TermId::parse(&item.term).within("term")?, presence: presence(item.presence)? })
    })
}

pub(crate) fn coded_out(items: Vec<CodedFeature>) -> Vec<pb::CodedFeature> {
    let one = |f: CodedFeature| pb::CodedFeature { term: f.term.into(), presence: presence_out(f.presence) };
    items.into_iter().map(one).collect()
}
