//! Chains of tokens with anything in them, signed with any key: what a forger can write who knows the format.

use super::guarded::{DOMAIN, HOLDER, ME, START, TOOL, key, question, view};
use bodh_token::{CallClaims, Parent, RootClaims, SessionId, TokenId, sha256};
use data_encoding::BASE64URL_NOPAD;
use prost::Message;
use serde::Serialize;
use std::collections::BTreeSet;

/// When tokens are issued unless a test says otherwise: a second after the gate's start.
pub(super) const ISSUED: u64 = START.unsigned_abs() + 1_000;

/// A chain before it is written. As it comes it is good; a test changes one thing.
pub(super) struct Forged {
    pub(super) root: RootClaims,
    pub(super) call: CallClaims,
    /// Which keys sign.
    pub(super) root_key: u8,
    pub(super) call_key: u8,
    /// The call is narrowed from another root than the one beside it.
    pub(super) spliced: bool,
    /// One letter of the written token is changed.
    pub(super) root_altered: bool,
    pub(super) call_altered: bool,
}

pub(super) fn name(path: &str) -> String {
    format!("spiffe://{DOMAIN}{path}")
}

/// A good chain; `number` makes its ids unlike those of others.
pub(super) fn chain(number: u8) -> Forged {
    let root = RootClaims {
        id: TokenId::from_bytes([number; 16]),
        issuer: name("/service/guardian"),
        subject: name("/human/ada"),
        session: SessionId::from_bytes([3; 16]),
        actors: vec![name("/human/ada"), name(HOLDER)],
        parent: Parent::Root,
        key: key(2).public(),
        holder: name(HOLDER),
        purpose: "diagnosis".to_owned(),
        audience: BTreeSet::from([name(ME), name("/agent/test_planner")]),
        tools: BTreeSet::from([TOOL.to_owned(), "plan".to_owned()]),
        budget_cents: 1_000,
        depth: 1,
        policy_hash: view().policy_hash,
        issued_ms: ISSUED,
        expires_ms: ISSUED + 120_000,
    };
    let call = CallClaims {
        id: TokenId::from_bytes([number; 16]),
        parent: Parent::Root,
        audience: name(ME),
        tool: TOOL.to_owned(),
        argument_hash: sha256(&question().encode_to_vec()),
        budget_cents: 10,
        depth: 0,
        issued_ms: ISSUED,
        expires_ms: ISSUED + 60_000,
    };
    Forged { root, call, root_key: 1, call_key: 2, spliced: false, root_altered: false, call_altered: false }
}

impl Forged {
    /// Root and call, as they go on the wire.
    pub(super) fn write(mut self) -> (String, String) {
        let root = written("root", &self.root, self.root_key, self.root_altered);
        self.call.parent = Parent::Hash(if self.spliced { [9; 32] } else { sha256(root.as_bytes()) });
        let call = written("call", &self.call, self.call_key, self.call_altered);
        (root, call)
    }
}

/// The encoded form (`bodh-token`): the payload and its signature under the token's own context.
fn written(kind: &str, claims: &impl Serialize, signer: u8, altered: bool) -> String {
    let payload = serde_json::to_vec(claims).unwrap();
    let signed = [format!("bodh/v1/{kind}-token\0").as_bytes(), &payload].concat();
    let mut shown = payload;
    if altered {
        // The last digit of the expiry: still canonical JSON, and a little more time.
        let digit = shown.iter_mut().rev().find(|byte| byte.is_ascii_digit()).unwrap();
        *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    }
    format!("{}.{}", BASE64URL_NOPAD.encode(&shown), BASE64URL_NOPAD.encode(&key(signer).sign(&signed)))
}
