//! The one encoding of an entry, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_audit_log::{Draft, Entry, Kind, LeafFault, Time, Verdict};
use proptest::prelude::*;

fn full() -> Entry {
    let mut draft = Draft::new(Kind::Attempt, "ask", "0123/round_1/attempt/1");
    draft.actors = vec!["spiffe://bodh.internal/human/ada".to_owned()];
    draft.session = "0123456789abcdef0123456789abcdef".to_owned();
    draft.trace = "fedcba9876543210fedcba9876543210".to_owned();
    draft.step = "round_1".to_owned();
    draft.try_number = 1;
    draft.verdict = Some(Verdict::Allow);
    draft.cause = "none".to_owned();
    draft.resource = "tool:observe".to_owned();
    draft.token = Some([1; 32]);
    draft.policy = Some([2; 32]);
    draft.policies = vec!["log.cedar:append".to_owned()];
    draft.commitments.insert("request".to_owned(), [3; 32]);
    draft.versions.insert("pack".to_owned(), "2026.01".to_owned());
    draft.count = 2;
    draft.amount_cents = -150;
    draft.observed = Time::from_unix_ns(1_709_210_096_000_000_000);
    Entry {
        time: Time::from_unix_ns(1_709_210_096_123_456_789).unwrap(),
        reporter: "spiffe://bodh.internal/service/orchestrator".to_owned(),
        draft,
    }
}

#[test]
fn the_full_leaf() {
    let [one, two, three] = ["01", "02", "03"].map(|byte| byte.repeat(32));
    let expected = format!(
        "{{\"v\":1,\"time\":\"2024-02-29T12:34:56.123456789Z\",\
         \"reporter\":\"spiffe://bodh.internal/service/orchestrator\",\"key\":\"0123/round_1/attempt/1\",\
         \"kind\":\"attempt\",\"action\":\"ask\",\"actors\":[\"spiffe://bodh.internal/human/ada\"],\
         \"session\":\"0123456789abcdef0123456789abcdef\",\"trace\":\"fedcba9876543210fedcba9876543210\",\
         \"step\":\"round_1\",\"try\":1,\"verdict\":\"allow\",\"cause\":\"none\",\"resource\":\"tool:observe\",\
         \"token\":\"{one}\",\"policy\":\"{two}\",\"policies\":[\"log.cedar:append\"],\
         \"commitments\":{{\"request\":\"{three}\"}},\"versions\":{{\"pack\":\"2026.01\"}},\"count\":2,\
         \"amount_cents\":-150,\"observed\":\"2024-02-29T12:34:56.000000000Z\"}}"
    );
    let leaf = full().encode().unwrap();
    assert_eq!(String::from_utf8(leaf.clone()).unwrap(), expected);
    assert_eq!(Entry::parse(&leaf).unwrap(), full());
    assert_eq!(full().reporter_name(), "orchestrator");
}

#[test]
fn another_spelling_is_refused() {
    let leaf = String::from_utf8(full().encode().unwrap()).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(leaf.contains(from), "{from}");
        Entry::parse(leaf.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    for (from, to) in [
        (",\"step\"", ", \"step\""),
        ("\"step\":\"round_1\",\"try\":1", "\"try\":1,\"step\":\"round_1\""),
        ("\"round_1\"", "\"\\u0072ound_1\""),
        ("\"cause\":\"none\"", "\"cause\":\"\""),
        ("\"count\":2", "\"count\":0"),
        ("{\"pack\":\"2026.01\"}", "{\"pack\":\"2026.01\",\"pack\":\"2026.01\"}"),
        (",\"versions\":{\"pack\":\"2026.01\"}", ",\"versions\":{}"),
    ] {
        assert_eq!(refused(from, to), LeafFault::NotCanonical, "{to}");
    }
    for (from, to) in [
        ("\"v\":1", "\"v\":1,\"w\":1"),
        ("\"step\":\"round_1\"", "\"step\":\"round_1\",\"step\":\"round_1\""),
        ("\"try\":1", "\"try\":1.0"),
        ("\"try\":1", "\"try\":-1"),
        ("\"try\":1", "\"try\":\"1\""),
        ("\"action\":\"ask\",", ""),
        ("\"count\":2", "\"count\":null"),
    ] {
        assert!(matches!(refused(from, to), LeafFault::Shape { .. }), "{to}");
    }
    for (from, to, field) in [
        ("\"v\":1", "\"v\":2", "v"),
        ("\"kind\":\"attempt\"", "\"kind\":\"Attempt\"", "kind"),
        ("\"allow\"", "\"maybe\"", "verdict"),
        (".123456789Z", "Z", "time"),
        ("56.000000000Z", "56Z", "observed"),
        ("0101", "01", "token"),
        ("0202", "AB", "policy"),
        ("0303", "zz", "commitments"),
        ("service/orchestrator", "service//orchestrator", "reporter"),
        ("\"round_1\"", "\"round 1\"", "step"),
        ("\"0123456789abcdef", "\"0123456789ABCDEF", "session"),
    ] {
        match refused(from, to) {
            LeafFault::Field(invalid) => assert_eq!(invalid.field, field),
            other => panic!("{to}: {other}"),
        }
    }
    assert_eq!(Entry::parse(&vec![b' '; 65_536]), Err(LeafFault::TooLong));
}

#[test]
fn every_field_is_bounded() {
    let long = |count: usize| "x".repeat(count);
    type Change = fn(&mut Draft, String);
    let texts: [(&str, usize, Change); 9] = [
        ("key", 200, |d, s| d.key = s),
        ("action", 100, |d, s| d.action = s),
        ("step", 200, |d, s| d.step = s),
        ("cause", 100, |d, s| d.cause = s),
        ("resource", 300, |d, s| d.resource = s),
        ("policies", 200, |d, s| d.policies = vec![s]),
        ("commitments", 64, |d, s| d.commitments = [(s, [0; 32])].into()),
        ("versions", 64, |d, s| d.versions = [(s, "1".to_owned())].into()),
        ("versions", 128, |d, s| d.versions = [("pack".to_owned(), s)].into()),
    ];
    for (field, max, change) in texts {
        let with = |text: String| {
            let mut draft = full().draft;
            change(&mut draft, text);
            draft.validate()
        };
        assert_eq!(with(long(max)), Ok(()), "{field}");
        assert_eq!(with(long(max + 1)).unwrap_err().field, field);
        for bad in ["a b", "a\"b", "a\\b", "a\nb", "\u{e9}", "\u{7f}"] {
            assert_eq!(with(bad.to_owned()).unwrap_err().field, field, "{bad:?}");
        }
    }
    let with = |change: fn(&mut Draft)| {
        let mut draft = full().draft;
        change(&mut draft);
        draft.validate().map_err(|invalid| invalid.field)
    };
    assert_eq!(with(|d| d.key.clear()), Err("key"));
    assert_eq!(with(|d| d.action.clear()), Err("action"));
    assert_eq!(with(|d| d.policies = vec![String::new()]), Err("policies"));
    assert_eq!(with(|d| d.actors = vec!["spiffe://a/b".to_owned(); 17]), Err("actors"));
    assert_eq!(with(|d| d.policies = vec!["p".to_owned(); 65]), Err("policies"));
    assert_eq!(with(|d| d.commitments = (0..65).map(|i| (i.to_string(), [0; 32])).collect()), Err("commitments"));
    assert_eq!(with(|d| d.versions = (0..33).map(|i| (i.to_string(), "1".to_owned())).collect()), Err("versions"));
    assert_eq!(with(|d| d.trace = "12".to_owned()), Err("trace"));
    assert_eq!(with(|d| d.count = (1 << 53) + 1), Err("count"));
    assert_eq!(with(|d| d.amount_cents = i64::MIN), Err("amount_cents"));
    for actor in [
        "",
        "ada",
        "spiffe://",
        "spiffe:///x",
        "spiffe://d",
        "spiffe://d/",
        "spiffe://d/a/../b",
        "spiffe://D/a",
        "spiffe://d/a b",
    ] {
        let mut draft = full().draft;
        draft.actors = vec![actor.to_owned()];
        assert_eq!(draft.validate().unwrap_err().field, "actors", "{actor}");
    }
}

#[test]
fn the_largest_draft_fits_a_leaf() {
    let mut draft = Draft::new(Kind::Escalation, "a".repeat(100), "k".repeat(200));
    let id = format!("spiffe://{}", "d/".repeat(123) + "z");
    draft.actors = vec![id.clone(); 16];
    draft.session = "f".repeat(32);
    draft.trace = "f".repeat(32);
    draft.step = "s".repeat(200);
    draft.try_number = u32::MAX;
    draft.verdict = Some(Verdict::Interrupted);
    draft.cause = "c".repeat(100);
    draft.resource = "r".repeat(300);
    draft.token = Some([0; 32]);
    draft.policy = Some([0; 32]);
    draft.policies = vec!["p".repeat(200); 64];
    draft.commitments = (0..64).map(|i| (format!("{i:064}"), [0; 32])).collect();
    draft.versions = (0..32).map(|i| (format!("{i:064}"), "v".repeat(128))).collect();
    draft.count = 1 << 53;
    draft.amount_cents = -(1 << 53);
    draft.observed = Time::from_unix_ns(i64::MAX);
    let entry = Entry { time: Time::from_unix_ns(i64::MAX).unwrap(), reporter: id, draft };
    let leaf = entry.encode().unwrap();
    assert!(leaf.len() <= 60 * 1024, "{}", leaf.len());
    assert_eq!(Entry::parse(&leaf).unwrap(), entry);
}

#[test]
fn the_reporters_clock_does_not_make_another_draft() {
    let mut later = full().draft;
    later.observed = None;
    assert!(full().draft.says_the_same(&later));
    later.count = 3;
    assert!(!full().draft.says_the_same(&later));
}

proptest! {
    #[test]
    fn encode_and_parse(
        text in "[!#-\\[\\]-~]{1,60}", names in prop::collection::btree_map("[a-z]{1,8}", any::<[u8; 32]>(), 0..6),
        kind in prop::sample::select(Kind::ALL), verdict in prop::option::of(prop::sample::select(Verdict::ALL)),
        numbers in (any::<u32>(), 0..=1_u64 << 53, -(1_i64 << 53)..=1 << 53, 0..i64::MAX),
    ) {
        let mut draft = Draft::new(kind, text.clone(), text.clone());
        draft.step = text.clone();
        draft.policies = vec![text.clone()];
        draft.verdict = verdict;
        draft.versions = names.keys().map(|name| (name.clone(), text.clone())).collect();
        draft.commitments = names;
        (draft.try_number, draft.count, draft.amount_cents) = (numbers.0, numbers.1, numbers.2);
        draft.observed = Time::from_unix_ns(numbers.3);
        let entry = Entry { draft, ..full() };
        let leaf = entry.encode().unwrap();
        prop_assert_eq!(Entry::parse(&leaf).unwrap(), entry);
        // Any JSON library that keeps the order of fields writes the same bytes.
        let value: serde_json::Value = serde_json::from_slice(&leaf).unwrap();
        prop_assert_eq!(value["key"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn a_flipped_byte_is_another_entry_or_none(at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let mut leaf = full().encode().unwrap();
        let at = at.index(leaf.len());
        leaf[at] ^= mask;
        prop_assert_ne!(Entry::parse(&leaf).ok(), Some(full()));
    }
}
