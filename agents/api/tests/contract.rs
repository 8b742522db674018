//! What `agent.proto` may and may not say, checked on the compiled descriptor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

/// Protobuf's field type numbers for text and bytes (descriptor.proto).
const TYPE_STRING: i32 = 9;
const TYPE_BYTES: i32 = 12;

/// Every text field that is an id or a word of the pack's vocabulary: never the patient's words.
const VOCABULARY: [&str; 20] = [
    "also",
    "claim",
    "contradictory",
    "disease",
    "done",
    "finding",
    "id",
    "label",
    "matched",
    "reasons",
    "result_of",
    "reveals",
    "session",
    "settles",
    "source",
    "sources",
    "term",
    "test",
    "tests",
    "pack_sha256",
];

#[test]
fn free_text_goes_to_intake_alone() {
    let files = protox::compile(["proto/agent.proto"], ["proto"]).unwrap();
    let mut free = BTreeSet::new();
    for file in &files.file {
        for message in &file.message_type {
            assert!(message.nested_type.is_empty(), "a nested message would escape this test");
            for field in &message.field {
                let text = [TYPE_STRING, TYPE_BYTES].contains(&field.r#type.unwrap_or_default());
                if text && !VOCABULARY.contains(&field.name()) {
                    free.insert(format!("{}.{}", message.name(), field.name()));
                }
            }
        }
    }
    assert_eq!(free, BTreeSet::from(["IntakeQuestion.note".to_owned()]));
}

#[test]
fn nothing_approves_signs_edits_or_writes() {
    let files = protox::compile(["proto/agent.proto"], ["proto"]).unwrap();
    let mut names = Vec::new();
    for file in &files.file {
        for service in &file.service {
            names.push(service.name().to_owned());
            names.extend(service.method.iter().map(|m| m.name().to_owned()));
        }
        for message in &file.message_type {
            names.push(message.name().to_owned());
            names.extend(message.oneof_decl.iter().map(|o| o.name().to_owned()));
            names.extend(message.field.iter().map(|f| f.name().to_owned()));
        }
    }
    assert!(names.iter().any(|n| n == "Ask") && names.iter().any(|n| n == "NextQuestion"));
    for name in names {
        let lower = name.to_ascii_lowercase();
        for power in ["approve", "sign", "edit", "decide", "write", "delete"] {
            assert!(!lower.contains(power), "{name} sounds like a power to {power}");
        }
    }
}

#[test]
fn an_agent_answers_and_forgets_and_nothing_else() {
    let files = protox::compile(["proto/agent.proto"], ["proto"]).unwrap();
    let methods: Vec<_> =
        files.file.iter().flat_map(|f| &f.service).flat_map(|s| &s.method).map(|m| m.name()).collect();
    assert_eq!(methods, ["Ask", "Dismiss"]);
}
