//! What holds for all tokens, not only for those in the examples.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod chain;

use bodh_token::{CallGrant, Expect, Grant, Refusal, VerifiedRoot, mint_root, narrow, verify};
use chain::*;
use proptest::prelude::*;

/// `text` with one bit changed; nothing if that is not text any more, which a token as a string cannot be.
fn flipped(text: &str, bit: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    String::from_utf8(bytes).ok()
}

#[test]
fn any_single_bit_flip_anywhere_is_refused() {
    let (root, call) = (root(), call());
    let mut tried = 0;
    for (bits, in_root) in [(root.len() * 8, true), (call.len() * 8, false)] {
        for bit in 0..bits {
            let Some(wrong) = flipped(if in_root { &root } else { &call }, bit) else { continue };
            let result = if in_root { verify(&wrong, &call, &expect()) } else { verify(&root, &wrong, &expect()) };
            assert!(result.is_err(), "bit {bit} of the {} token", if in_root { "root" } else { "call" });
            tried += 1;
        }
    }
    assert!(tried >= (root.len() + call.len()) * 7, "every bit but the one that leaves ASCII");
}

fn grants() -> impl Strategy<Value = Grant> {
    (
        proptest::collection::btree_set("spiffe://[a-z]{1,8}/[a-z]{1,8}", 1..6),
        proptest::collection::btree_set("[a-z][a-z0-9_]{0,8}", 1..6),
        any::<u64>(),
        0..=8u8,
        1..=300_000u64,
    )
        .prop_map(|(audience, tools, budget_cents, depth, lifetime_ms)| Grant {
            audience,
            tools,
            budget_cents,
            depth,
            lifetime_ms,
            ..grant()
        })
}

/// What a caller may ask for under a grant: often just inside, often just outside.
fn asks(grant: Grant) -> impl Strategy<Value = (Grant, CallGrant, u64)> {
    let audiences: Vec<String> = grant.audience.iter().cloned().chain([ME.into()]).collect();
    let tools: Vec<String> = grant.tools.iter().cloned().chain([TOOL.into()]).collect();
    let budget = grant.budget_cents;
    (
        proptest::sample::select(audiences),
        proptest::sample::select(tools),
        prop_oneof![Just(budget), Just(budget.saturating_add(1)), any::<u64>(), 0..=1_000u64],
        0..=70_000u64,
        0..=310_000u64,
        any::<[u8; 32]>(),
    )
        .prop_map(move |(audience, tool, budget_cents, lifetime_ms, after, argument_hash)| {
            (grant.clone(), CallGrant { audience, tool, argument_hash, budget_cents, lifetime_ms }, T0 + after)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn narrowing_never_widens((grant, ask, now) in grants().prop_flat_map(asks)) {
        let encoded = mint_root(grant.clone(), [1; 16], T0, |message| Some(key(1).sign(message))).unwrap();
        let root = VerifiedRoot::verify(&encoded, &key(1).public()).unwrap();
        let within = grant.audience.contains(&ask.audience)
            && grant.tools.contains(&ask.tool)
            && ask.budget_cents <= grant.budget_cents
            && grant.depth > 0
            && (1..=60_000).contains(&ask.lifetime_ms)
            && now < T0 + grant.lifetime_ms;
        match narrow(&root, ask.clone(), [2; 16], now, &key(2)) {
            Ok(call) => {
                prop_assert!(within);
                let expect = Expect {
                    now, me: &ask.audience, tool: &ask.tool, argument_hash: &ask.argument_hash, ..expect()
                };
                let chain = verify(&encoded, &call, &expect).unwrap();
                prop_assert!(chain.call.expires_ms <= chain.root.expires_ms && chain.call.issued_ms >= chain.root.issued_ms);
                prop_assert!(chain.call.budget_cents <= chain.root.budget_cents);
                prop_assert!(chain.root.audience.contains(&chain.call.audience));
                prop_assert!(chain.root.tools.contains(&chain.call.tool));
                prop_assert_eq!(chain.call.depth + 1, chain.root.depth);
            },
            Err(refusal) => prop_assert!(!within, "{refusal}"),
        }
    }

    #[test]
    fn no_text_is_accepted_or_makes_it_panic(text in ".{0,300}") {
        prop_assert!(verify(&text, &call(), &expect()).is_err());
        prop_assert!(verify(&root(), &text, &expect()).is_err());
    }

    #[test]
    fn no_signed_payload_is_accepted_or_makes_it_panic(payload in prop_oneof![".{0,200}", "\\{(\"[a-z_]{1,9}\":[0-9\"\\[\\]{}]{1,5},?){0,6}\\}"]) {
        let refusal = verify(&raw("root", &payload, &key(1)), &call(), &expect()).unwrap_err();
        prop_assert!(!matches!(refusal, Refusal::Altered(_)), "it was refused for its content");
    }
}
