//! One good chain, and a signer that signs anything.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::needless_pass_by_value, reason = "changes are written where they are passed")]

use std::collections::BTreeSet;

use bodh_token::{CallGrant, Expect, Grant, SessionId, SigningKey, VerifiedRoot, mint_root, narrow, sha256};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

pub(crate) const T0: u64 = 1_800_000_000_000;
pub(crate) const NOW: u64 = T0 + 2_000;
pub(crate) const GUARDIAN: &str = "spiffe://bodh.internal/service/guardian";
pub(crate) const HOLDER: &str = "spiffe://bodh.internal/service/orchestrator";
pub(crate) const PERSON: &str = "spiffe://bodh.internal/human/ada";
pub(crate) const ME: &str = "spiffe://bodh.internal/agent/first";
pub(crate) const SECOND: &str = "spiffe://bodh.internal/agent/second";
pub(crate) const TOOL: &str = "weigh";
const ARGUMENTS: &[u8] = b"arguments";

static ARGUMENT_HASH: std::sync::LazyLock<[u8; 32]> = std::sync::LazyLock::new(|| sha256(ARGUMENTS));
static TOKEN_KEY: std::sync::LazyLock<[u8; 32]> = std::sync::LazyLock::new(|| key(1).public());
const POLICY: [u8; 32] = [7; 32];

/// 1 is the guardian's, 2 the session's, any other a stranger's.
pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32]).unwrap()
}

pub(crate) fn session() -> SessionId {
    SessionId::from_bytes([3; 16])
}

pub(crate) fn grant() -> Grant {
    Grant {
        issuer: GUARDIAN.into(),
        subject: PERSON.into(),
        session: session(),
        actors: vec![PERSON.into(), HOLDER.into()],
        key: key(2).public(),
        holder: HOLDER.into(),
        purpose: "work".into(),
        audience: BTreeSet::from([ME.into(), SECOND.into()]),
        tools: BTreeSet::from([TOOL.into(), "verify".into()]),
        budget_cents: 1_000,
        depth: 1,
        policy_hash: POLICY,
        lifetime_ms: 300_000,
    }
}

pub(crate) fn call_grant() -> CallGrant {
    CallGrant {
        audience: ME.into(),
        tool: TOOL.into(),
        argument_hash: *ARGUMENT_HASH,
        budget_cents: 10,
        lifetime_ms: 60_000,
    }
}

pub(crate) fn root() -> String {
    mint_root(grant(), [1; 16], T0, |message| Some(key(1).sign(message))).unwrap()
}

pub(crate) fn call() -> String {
    let root = VerifiedRoot::verify(&root(), &TOKEN_KEY).unwrap();
    narrow(&root, call_grant(), [2; 16], T0 + 1_000, &key(2)).unwrap()
}

pub(crate) fn expect() -> Expect<'static> {
    Expect {
        token_key: &TOKEN_KEY,
        issuer: GUARDIAN,
        now: NOW,
        started: T0 - 60_000,
        me: ME,
        tool: TOOL,
        argument_hash: &ARGUMENT_HASH,
        peer: HOLDER,
        policy_hash: &POLICY,
    }
}

/// The good root's claims with changes, in the order in which they are written.
pub(crate) fn root_claims(changes: Value) -> String {
    changed(&root(), changes)
}

pub(crate) fn call_claims(root: &str, changes: Value) -> String {
    let parent = data_encoding::HEXLOWER.encode(&sha256(root.as_bytes()));
    let mut all = Map::from_iter([("parent".to_owned(), Value::String(parent))]);
    all.extend(changes.as_object().unwrap().clone());
    changed(&call(), Value::Object(all))
}

/// Replaces members in place, textually, so that the order of the claims stays canonical.
fn changed(token: &str, changes: Value) -> String {
    let payload = BASE64URL_NOPAD.decode(token.split_once('.').unwrap().0.as_bytes()).unwrap();
    let mut text = String::from_utf8(payload).unwrap();
    let members: Map<String, Value> = serde_json::from_str(&text).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        let (from, to) = (format!("\"{name}\":{}", members[name]), format!("\"{name}\":{value}"));
        assert!(text.contains(&from), "{name} is a claim");
        text = text.replacen(&from, &to, 1);
    }
    text
}

pub(crate) fn raw_root(changes: Value) -> String {
    raw("root", &root_claims(changes), &key(1))
}

pub(crate) fn raw_call(changes: Value) -> String {
    raw_call_under(&root(), changes)
}

pub(crate) fn raw_call_under(root: &str, changes: Value) -> String {
    raw("call", &call_claims(root, changes), &key(2))
}

/// Signs any text as a token of this kind.
pub(crate) fn raw(kind: &str, payload: &str, key: &SigningKey) -> String {
    let signature = key.sign(format!("bodh/v1/{kind}-token\0{payload}").as_bytes());
    format!("{}.{}", BASE64URL_NOPAD.encode(payload.as_bytes()), BASE64URL_NOPAD.encode(&signature))
}
