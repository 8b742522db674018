//! Between the message and the typed draft.

use bodh_audit_log::{Draft, Invalid, Kind, Time, Verdict};

use crate::pb;

impl From<Draft> for pb::Draft {
    fn from(draft: Draft) -> Self {
        let bytes = |hash: Option<[u8; 32]>| hash.map(|h| h.to_vec()).unwrap_or_default();
        Self {
            key: draft.key,
            kind: draft.kind.as_str().to_owned(),
            action: draft.action,
            actors: draft.actors,
            session: draft.session,
            trace: draft.trace,
            step: draft.step,
            r#try: draft.try_number,
            verdict: draft.verdict.map_or("", Verdict::as_str).to_owned(),
            cause: draft.cause,
            resource: draft.resource,
            token_sha256: bytes(draft.token),
            policy_sha256: bytes(draft.policy),
            policies: draft.policies,
            commitments: draft.commitments.into_iter().map(|(name, hash)| (name, hash.to_vec())).collect(),
            versions: draft.versions.into_iter().collect(),
            count: draft.count,
            amount_cents: draft.amount_cents,
            observed_unix_ns: draft.observed.map_or(0, Time::unix_ns),
        }
    }
}

impl TryFrom<pb::Draft> for Draft {
    type Error = Invalid;

    /// Types and bounds every field.
    fn try_from(message: pb::Draft) -> Result<Self, Invalid> {
        let commitment = |(name, bytes): (String, Vec<u8>)| Ok((name, exactly_32("commitments", &bytes)?));
        let draft = Self {
            key: message.key,
            kind: Kind::parse(&message.kind).ok_or(Invalid { field: "kind", why: "is unknown" })?,
            action: message.action,
            actors: message.actors,
            session: message.session,
            trace: message.trace,
            step: message.step,
            try_number: message.r#try,
            verdict: match message.verdict.as_str() {
                "" => None,
                text => Some(Verdict::parse(text).ok_or(Invalid { field: "verdict", why: "is unknown" })?),
            },
            cause: message.cause,
            resource: message.resource,
            token: hash("token_sha256", &message.token_sha256)?,
            policy: hash("policy_sha256", &message.policy_sha256)?,
            policies: message.policies,
            commitments: message.commitments.into_iter().map(commitment).collect::<Result<_, Invalid>>()?,
            versions: message.versions.into_iter().collect(),
            count: message.count,
            amount_cents: message.amount_cents,
            observed: match message.observed_unix_ns {
                0 => None,
                ns => Some(Time::from_unix_ns(ns).ok_or(Invalid { field: "observed_unix_ns", why: "is before 1970" })?),
            },
        };
        draft.validate()?;
        Ok(draft)
    }
}

fn hash(field: &'static str, bytes: &[u8]) -> Result<Option<[u8; 32]>, Invalid> {
    if bytes.is_empty() { Ok(None) } else { exactly_32(field, bytes).map(Some) }
}

fn exactly_32(field: &'static str, bytes: &[u8]) -> Result<[u8; 32], Invalid> {
    bytes.try_into().map_err(|_| Invalid { field, why: "is not 32 bytes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Draft {
        let mut draft = Draft::new(Kind::Decision, "decide", "k/1");
        draft.actors = vec!["spiffe://example.com/human/ada".to_owned()];
        (draft.session, draft.trace) = ("a".repeat(32), "b".repeat(32));
        (draft.step, draft.try_number) = ("round_1".to_owned(), 2);
        (draft.verdict, draft.cause, draft.resource) = (Some(Verdict::Deny), "late".to_owned(), "tool:x".to_owned());
        (draft.token, draft.policy) = (Some([1; 32]), Some([2; 32]));
        draft.policies = vec!["p".to_owned()];
        draft.commitments = [("shown".to_owned(), [3; 32])].into();
        draft.versions = [("pack".to_owned(), "1".to_owned())].into();
        (draft.count, draft.amount_cents, draft.observed) = (4, -5, Time::from_unix_ns(6));
        draft
    }

    #[test]
    fn a_draft_comes_back_the_same() {
        for draft in [full(), Draft::new(Kind::Note, "a", "k")] {
            assert_eq!(Draft::try_from(pb::Draft::from(draft.clone())), Ok(draft));
        }
    }

    #[test]
    fn what_has_no_type_is_refused() {
        let refused = |change: fn(&mut pb::Draft)| {
            let mut message = pb::Draft::from(full());
            change(&mut message);
            Draft::try_from(message).unwrap_err().field
        };
        assert_eq!(refused(|m| m.kind.clear()), "kind");
        assert_eq!(refused(|m| m.verdict = "maybe".to_owned()), "verdict");
        assert_eq!(refused(|m| m.token_sha256.truncate(31)), "token_sha256");
        assert_eq!(refused(|m| m.policy_sha256.push(0)), "policy_sha256");
        assert_eq!(refused(|m| m.commitments = [("x".to_owned(), Vec::new())].into()), "commitments");
        assert_eq!(refused(|m| m.observed_unix_ns = -1), "observed_unix_ns");
        assert_eq!(refused(|m| m.session = "A".repeat(32)), "session");
    }
}
