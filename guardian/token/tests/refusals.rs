//! Every refusal, produced exactly. A raw signer makes what the crate itself refuses to write.

#![allow(clippy::needless_pass_by_value, reason = "changes are written where they are passed")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod chain;

use std::collections::BTreeSet;

use bodh_token::{
    CallGrant, Chain, Expect, Grant, Hop, Parent, Refusal, SigningKey, Spent, VerifiedRoot, mint_root, narrow, sha256,
    verify,
};
use chain::*;
use serde_json::{Value, json};

fn refused(root: &str, call: &str) -> Refusal {
    refused_by(root, call, &expect())
}

fn refused_by(root: &str, call: &str, expect: &Expect<'_>) -> Refusal {
    verify(root, call, expect).expect_err("the chain is refused")
}

/// The refusal of a root with these claims changed, signed as it should be.
fn with_root(changes: Value) -> Refusal {
    let root = raw_root(changes);
    refused(&root, &raw_call_under(&root, json!({})))
}

/// The refusal of a call with these claims changed, signed as it should be.
fn with_call(changes: Value) -> Refusal {
    refused(&root(), &raw_call(changes))
}

#[test]
fn a_good_chain_is_accepted_and_says_everything() {
    let chain = verify(&root(), &call(), &expect()).unwrap();
    assert_eq!(chain.root.subject, PERSON);
    assert_eq!(chain.root.actors, [PERSON, HOLDER]);
    assert_eq!(chain.root.parent, Parent::Root);
    assert_eq!(chain.call.parent, Parent::Hash(sha256(root().as_bytes())));
    assert_eq!((chain.call.depth, chain.call.budget_cents, chain.call.tool.as_str()), (0, 10, TOOL));
    assert_eq!(chain.session(), session());
    assert_eq!(chain.call_hash, sha256(call().as_bytes()));
    // What the raw signer writes without changes is what the crate writes: the other tests change what they mean to.
    assert_eq!(raw_root(json!({})), root());
    assert_eq!(raw_call(json!({})), call());
}

#[test]
fn times() {
    let (root, call) = (root(), call());
    let at = |now| refused_by(&root, &call, &Expect { now, ..expect() });
    assert_eq!(at(T0 - 1), Refusal::NotYetValid(Hop::Root));
    assert_eq!(at(T0 + 1_000 - 1), Refusal::NotYetValid(Hop::Call));
    assert_eq!(at(T0 + 61_000), Refusal::Expired(Hop::Call));
    assert!(verify(&root, &call, &Expect { now: T0 + 61_000 - 1, ..expect() }).is_ok());
    assert_eq!(at(T0 + 300_000), Refusal::Expired(Hop::Root));
    let started = |started| refused_by(&root, &call, &Expect { started, ..expect() });
    assert_eq!(started(T0 + 1), Refusal::BeforeStart(Hop::Root));
    // A call is never older than its root, so a root from after the start vouches for both.
    let root = raw_root(json!({ "issued_ms": T0 - 10, "expires_ms": T0 + 60_000 }));
    let call = raw_call_under(&root, json!({ "issued_ms": T0 - 5, "expires_ms": T0 + 50_000 }));
    let started = |started| verify(&root, &call, &Expect { started, ..expect() }).map(|chain| chain.call.issued_ms);
    assert_eq!(started(T0 - 10), Ok(T0 - 5));
    for moment in [T0 - 9, T0 - 5, T0 - 4] {
        assert_eq!(started(moment), Err(Refusal::BeforeStart(Hop::Root)));
    }
}

#[test]
fn lifetimes() {
    assert_eq!(with_root(json!({ "expires_ms": T0 + 300_001 })), Refusal::Lifetime(Hop::Root));
    assert_eq!(with_root(json!({ "expires_ms": T0 })), Refusal::Lifetime(Hop::Root));
    assert_eq!(with_root(json!({ "expires_ms": T0 - 1 })), Refusal::Lifetime(Hop::Root));
    assert_eq!(with_call(json!({ "expires_ms": T0 + 61_001 })), Refusal::Lifetime(Hop::Call));
    assert_eq!(with_call(json!({ "expires_ms": T0 + 1_000 })), Refusal::Lifetime(Hop::Call));
    let root = raw_root(json!({ "expires_ms": T0 + 30_000 }));
    assert_eq!(refused(&root, &raw_call_under(&root, json!({}))), Refusal::Outlives);
    assert_eq!(with_call(json!({ "issued_ms": T0 - 1, "expires_ms": T0 + 59_000 })), Refusal::Predates);
}

#[test]
fn who_and_what() {
    assert_eq!(with_root(json!({ "issuer": "spiffe://other.internal/service/guardian" })), Refusal::WrongIssuer);
    assert_eq!(with_root(json!({ "policy_hash": "00".repeat(32) })), Refusal::WrongPolicy);
    let other = "spiffe://bodh.internal/service/other";
    assert_eq!(refused_by(&root(), &call(), &Expect { peer: other, ..expect() }), Refusal::WrongHolder);
    assert_eq!(with_root(json!({ "holder": other, "actors": [PERSON, other] })), Refusal::WrongHolder);
    assert_eq!(with_root(json!({ "actors": [PERSON] })), Refusal::WrongActors);
    assert_eq!(with_root(json!({ "actors": [HOLDER] })), Refusal::WrongActors);
    assert_eq!(with_root(json!({ "actors": [other, HOLDER] })), Refusal::WrongActors);
    assert_eq!(with_call(json!({ "audience": SECOND })), Refusal::WrongAudience);
    assert_eq!(refused_by(&root(), &call(), &Expect { me: SECOND, ..expect() }), Refusal::WrongAudience);
    assert_eq!(with_call(json!({ "audience": other })), Refusal::AudienceWidened);
    assert_eq!(with_call(json!({ "tool": "verify" })), Refusal::WrongTool);
    assert_eq!(refused_by(&root(), &call(), &Expect { tool: "verify", ..expect() }), Refusal::WrongTool);
    assert_eq!(with_call(json!({ "tool": "destroy" })), Refusal::ToolWidened);
    let altered = sha256(b"other arguments");
    assert_eq!(refused_by(&root(), &call(), &Expect { argument_hash: &altered, ..expect() }), Refusal::WrongArguments);
    assert_eq!(with_call(json!({ "budget_cents": 1_001 })), Refusal::BudgetWidened);
    assert_eq!(with_call(json!({ "depth": 1 })), Refusal::DepthExhausted);
    let leaf = raw_root(json!({ "depth": 0 }));
    assert_eq!(refused(&leaf, &raw_call_under(&leaf, json!({}))), Refusal::DepthExhausted);
}

#[test]
fn spliced_chains() {
    // The same session renewed: the same key signs under both roots, and only the parent hash tells them apart.
    let renewed = raw_root(json!({ "id": "ee".repeat(16) }));
    assert_eq!(refused(&renewed, &call()), Refusal::WrongParent);
    // Another session's call under this root.
    let other = raw("call", &call_claims(&root(), json!({})), &key(9));
    assert_eq!(refused(&root(), &other), Refusal::Altered(Hop::Call));
}

#[test]
fn signatures() {
    let (root, call) = (root(), call());
    assert_eq!(refused(&raw("root", &root_claims(json!({})), &key(9)), &call), Refusal::Altered(Hop::Root));
    assert_eq!(refused(&root, &raw("call", &call_claims(&root, json!({})), &key(9))), Refusal::Altered(Hop::Call));
    let (payload, _) = root.split_once('.').unwrap();
    let (_, foreign) = call.split_once('.').unwrap();
    assert_eq!(refused(&format!("{payload}.{foreign}"), &call), Refusal::Altered(Hop::Root));
    assert_eq!(refused(&format!("{payload}.AAAA"), &call), Refusal::Altered(Hop::Root));
    let (_, call_signature) = call.split_once('.').unwrap();
    let altered = call_claims(&root, json!({ "budget_cents": 11 }));
    let altered = data_encoding::BASE64URL_NOPAD.encode(altered.as_bytes());
    assert_eq!(refused(&root, &format!("{altered}.{call_signature}")), Refusal::Altered(Hop::Call));
    // One kind of token never stands for the other, even under the same key.
    let as_root = raw("call", &root_claims(json!({})), &key(1));
    assert_eq!(refused(&as_root, &call), Refusal::Altered(Hop::Root));
    assert_eq!(refused(&root, &root), Refusal::Altered(Hop::Call));
}

#[test]
fn a_cached_root_does_not_survive_a_new_token_key() {
    let cached = VerifiedRoot::verify(&root(), &key(1).public()).unwrap();
    let new_key = key(9).public();
    let refusal = cached.check(&call(), &Expect { token_key: &new_key, ..expect() }).unwrap_err();
    assert_eq!(refusal, Refusal::Altered(Hop::Root));
    assert_eq!(cached.check_time(T0 + 300_000, 0), Err(Refusal::Expired(Hop::Root)));
    assert_eq!(cached.check(&call(), &Expect { now: T0 + 300_000, ..expect() }), Err(Refusal::Expired(Hop::Root)));
}

#[test]
fn shapes() {
    let (root, call) = (root(), call());
    let long = "A".repeat(4097);
    assert_eq!(refused(&long, &call), Refusal::Oversize(Hop::Root));
    assert_eq!(refused(&root, &long), Refusal::Oversize(Hop::Call));
    for wrong in ["", ".", "A", "A.", ".A", &format!("{root}."), &format!("{root}.A")] {
        assert_eq!(refused(wrong, &call), Refusal::Malformed(Hop::Root), "{wrong}");
    }
    for (from, to) in [("", "="), ("", "\n"), ("", " ")] {
        let padded = format!("{root}{from}{to}");
        assert_eq!(refused(&padded, &call), Refusal::NonCanonicalBase64(Hop::Root));
    }
    // 64 bytes are 86 digits; the last has four stray bits, and only zeros are canonical.
    let last = root.chars().last().unwrap();
    let stray = char::from(last as u8 + 1);
    let stray = format!("{}{stray}", &root[..root.len() - 1]);
    assert_eq!(refused(&stray, &call), Refusal::NonCanonicalBase64(Hop::Root));
    let standard = root.replace(['-', '_'], "+");
    assert!(standard != root && refused(&standard, &call) == Refusal::NonCanonicalBase64(Hop::Root));
}

/// The same faults in both kinds of token.
#[test]
fn claims_are_exact() {
    let root = root();
    let root_with = |text: &str| refused(&raw("root", text, &key(1)), &call());
    let call_with = |text: &str| refused(&root, &raw("call", text, &key(2)));
    type Judge<'a> = &'a dyn Fn(&str) -> Refusal;
    let both: [(Hop, String, Judge<'_>); 2] =
        [(Hop::Root, root_claims(json!({})), &root_with), (Hop::Call, call_claims(&root, json!({})), &call_with)];
    for (hop, good, judge) in both {
        let open = good.trim_end_matches('}');
        assert_eq!(judge(&format!("{good} ")), Refusal::NonCanonicalJson(hop), "a space is no claim");
        assert_eq!(judge(&format!("{good}x")), Refusal::TrailingBytes(hop));
        assert_eq!(judge(&format!("{good}{good}")), Refusal::TrailingBytes(hop));
        assert_eq!(judge(&format!(" {good}")), Refusal::NonCanonicalJson(hop));
        assert_eq!(judge(&good.replacen("\"id\"", "\"\\u0069d\"", 1)), Refusal::NonCanonicalJson(hop));
        assert_eq!(judge(&format!("{open},\"depth\":0}}")), Refusal::DuplicateField(hop));
        assert_eq!(judge(&format!("{open},\"alg\":\"none\"}}")), Refusal::UnknownField(hop));
        for wrong in ["", "null", "[]", "7", "{", open, "\u{feff}{}"] {
            assert_eq!(judge(wrong), Refusal::Malformed(hop), "{wrong}");
        }
        let members: serde_json::Map<String, Value> = serde_json::from_str(&good).unwrap();
        for (name, value) in &members {
            let mut without = members.clone();
            without.remove(name);
            assert_eq!(judge(&json!(without).to_string()), Refusal::MissingField(hop), "{name}");
            for mistyped in mistypes(value) {
                let mut with = members.clone();
                with.insert(name.clone(), mistyped.clone());
                assert_eq!(judge(&json!(with).to_string()), Refusal::MistypedField(hop), "{name}: {mistyped}");
            }
        }
    }
}

/// Values of another type than `value`; an absent claim in disguise (null) among them.
fn mistypes(value: &Value) -> Vec<Value> {
    let foreign = [Value::Null, json!(true), json!({}), json!(1.5), json!(-1)];
    let more = match value {
        Value::Number(_) => vec![json!("7"), json!([7]), json!(1e30)],
        Value::String(_) => vec![json!(7), json!([value])],
        _ => vec![json!(7), json!("a"), json!([7])],
    };
    foreign.into_iter().chain(more).collect()
}

#[test]
fn values_are_bounded() {
    for changes in [
        json!({ "audience": [] }),
        json!({ "tools": [] }),
        json!({ "actors": [] }),
        json!({ "audience": (10..43).map(|i| format!("spiffe://a/b{i}")).collect::<Vec<_>>() }),
        json!({ "tools": (10..43).map(|i| format!("tool{i}")).collect::<Vec<_>>() }),
        json!({ "actors": [PERSON, PERSON, PERSON, PERSON, PERSON, PERSON, PERSON, PERSON, HOLDER] }),
        json!({ "depth": 9 }),
        json!({ "purpose": "" }),
        json!({ "purpose": "Work" }),
        json!({ "tools": ["a b"] }),
        json!({ "issuer": "guardian" }),
        json!({ "subject": "spiffe://bodh.internal/human/..", "actors": ["spiffe://bodh.internal/human/..", HOLDER] }),
        json!({ "parent": "00".repeat(32) }),
    ] {
        assert_eq!(with_root(changes.clone()), Refusal::Malformed(Hop::Root), "{changes}");
    }
    for changes in [json!({ "parent": "root" }), json!({ "tool": "A" }), json!({ "audience": "x" })] {
        assert_eq!(with_call(changes.clone()), Refusal::Malformed(Hop::Call), "{changes}");
    }
    // A set is written sorted and once.
    assert_eq!(with_root(json!({ "tools": ["weigh", "verify"] })), Refusal::NonCanonicalJson(Hop::Root));
    assert_eq!(with_root(json!({ "tools": ["verify", "verify"] })), Refusal::NonCanonicalJson(Hop::Root));
    // Hashes and ids are lower-case.
    assert_eq!(with_root(json!({ "key": "AA".repeat(32) })), Refusal::MistypedField(Hop::Root));
    assert_eq!(with_root(json!({ "session": "AA".repeat(16) })), Refusal::MistypedField(Hop::Root));
}

#[test]
fn the_minter_refuses_what_the_gate_refuses() {
    let mint = |grant: Grant| mint_root(grant, [1; 16], T0, |message| Some(key(1).sign(message)));
    assert_eq!(mint(Grant { lifetime_ms: 300_001, ..grant() }), Err(Refusal::Lifetime(Hop::Root)));
    assert_eq!(mint(Grant { lifetime_ms: u64::MAX, ..grant() }), Err(Refusal::Lifetime(Hop::Root)));
    assert_eq!(mint(Grant { tools: BTreeSet::new(), ..grant() }), Err(Refusal::Malformed(Hop::Root)));
    let names = |n: usize| (10..10 + n).map(|i| format!("spiffe://a/{i}{}", "b".repeat(200))).collect();
    assert_eq!(mint(Grant { audience: names(32), ..grant() }), Err(Refusal::Oversize(Hop::Root)));
    assert_eq!(mint_root(grant(), [1; 16], T0, |_| None), Err(Refusal::NotSigned));

    let root = VerifiedRoot::verify(&root(), &key(1).public()).unwrap();
    let make = |grant: CallGrant, now: u64, key: &SigningKey| narrow(&root, grant, [2; 16], now, key);
    let (mine, ask) = (key(2), call_grant());
    assert_eq!(make(ask.clone(), T0, &key(9)), Err(Refusal::WrongKey));
    assert_eq!(make(ask.clone(), T0 + 300_000, &mine), Err(Refusal::Expired(Hop::Root)));
    assert_eq!(make(ask.clone(), T0 - 1, &mine), Err(Refusal::Predates));
    assert_eq!(make(CallGrant { lifetime_ms: 60_001, ..ask.clone() }, T0, &mine), Err(Refusal::Lifetime(Hop::Call)));
    assert_eq!(make(CallGrant { lifetime_ms: 0, ..ask.clone() }, T0, &mine), Err(Refusal::Lifetime(Hop::Call)));
    assert_eq!(make(CallGrant { lifetime_ms: u64::MAX, ..ask.clone() }, T0, &mine), Err(Refusal::Lifetime(Hop::Call)));
    assert_eq!(make(CallGrant { tool: "destroy".into(), ..ask.clone() }, T0, &mine), Err(Refusal::ToolWidened));
    assert_eq!(make(CallGrant { audience: HOLDER.into(), ..ask.clone() }, T0, &mine), Err(Refusal::AudienceWidened));
    assert_eq!(make(CallGrant { budget_cents: 1_001, ..ask.clone() }, T0, &mine), Err(Refusal::BudgetWidened));
    // Near the end of its root a call is cut, not refused.
    let late = make(ask, T0 + 299_000, &mine).unwrap();
    let chain = root.check(&late, &Expect { now: T0 + 299_500, ..expect() }).unwrap();
    assert_eq!(chain.call.expires_ms, T0 + 300_000);
}

fn chain_with(changes: Value) -> Chain {
    verify(&root(), &raw_call(changes), &expect()).unwrap()
}

#[test]
fn a_call_is_used_once() {
    let mut spent = Spent::new(10);
    let chain = chain_with(json!({}));
    assert_eq!(spent.admit(&chain, NOW), Ok(()));
    assert_eq!(spent.admit(&chain, NOW), Err(Refusal::Replayed));
    assert_eq!(spent.admit(&chain, chain.call.expires_ms - 1), Err(Refusal::Replayed));
    // Forgotten when it has expired, and refused for that; also if the clock then goes back.
    assert_eq!(spent.admit(&chain, chain.call.expires_ms), Err(Refusal::Expired(Hop::Call)));
    assert!(spent.is_empty());
    assert_eq!(spent.admit(&chain, NOW), Err(Refusal::Expired(Hop::Call)));
}

#[test]
fn a_full_memory_refuses_and_does_not_forget() {
    let mut spent = Spent::new(2);
    let chains: Vec<Chain> =
        (1..=3u64).map(|i| chain_with(json!({ "id": format!("{i:032x}"), "expires_ms": T0 + 10_000 * i }))).collect();
    assert_eq!(spent.admit(&chains[0], NOW), Ok(()));
    assert_eq!(spent.admit(&chains[1], NOW), Ok(()));
    assert_eq!(spent.admit(&chains[2], NOW), Err(Refusal::MemoryFull));
    assert_eq!(spent.admit(&chains[0], NOW), Err(Refusal::Replayed));
    assert_eq!(spent.len(), 2);
    // The first has expired: there is room for one.
    assert_eq!(spent.admit(&chains[2], T0 + 10_000), Ok(()));
    assert_eq!(spent.admit(&chains[1], T0 + 10_000), Err(Refusal::Replayed));
}

#[test]
fn codes_are_distinct_words_and_texts_say_what_to_do() {
    let hop = Hop::Call;
    let all = [
        Refusal::Oversize(hop),
        Refusal::Malformed(hop),
        Refusal::NonCanonicalBase64(hop),
        Refusal::NonCanonicalJson(hop),
        Refusal::TrailingBytes(hop),
        Refusal::UnknownField(hop),
        Refusal::MissingField(hop),
        Refusal::MistypedField(hop),
        Refusal::DuplicateField(hop),
        Refusal::Altered(hop),
        Refusal::Lifetime(hop),
        Refusal::NotYetValid(hop),
        Refusal::Expired(hop),
        Refusal::BeforeStart(hop),
        Refusal::WrongIssuer,
        Refusal::WrongPolicy,
        Refusal::WrongHolder,
        Refusal::WrongActors,
        Refusal::WrongKey,
        Refusal::WrongParent,
        Refusal::WrongAudience,
        Refusal::AudienceWidened,
        Refusal::WrongTool,
        Refusal::ToolWidened,
        Refusal::WrongArguments,
        Refusal::Outlives,
        Refusal::Predates,
        Refusal::DepthExhausted,
        Refusal::BudgetWidened,
        Refusal::Replayed,
        Refusal::MemoryFull,
        Refusal::NotSigned,
    ];
    let codes: BTreeSet<&str> = all.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')));
    let renewable: Vec<&str> = all.iter().filter(|r| r.renewable()).map(|r| r.code()).collect();
    assert_eq!(renewable, ["expired", "before_start", "wrong_policy", "outlives"]);
}
