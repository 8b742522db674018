//! The panel's members: what they are not made of, what they cannot call, and what their contract cannot say.

use super::{
    crates::along,
    finding::{Finding, at, finds, hold},
    graph::{Graph, Package},
    proto::Proto,
    source::{line_of, occurrences},
    tree::Tree,
    words,
};

/// The agents, and what all of them share.
pub(crate) const AGENTS: [&str; 6] = [
    "agents/cost_guardian",
    "agents/diagnostician",
    "agents/intake",
    "agents/reasoning_verifier",
    "agents/supervisor",
    "agents/test_planner",
];
const RUNTIME: &str = "agents/runtime";

/// Crates of ours that no agent is made of, beside all of orchestrator/.
const NOT_THEIRS: [&str; 3] = ["audit/service", "guardian/service", "guardian/vault"];

const CONTRACT: &str = "agents/api/proto/agent.proto";

/// Beginnings of words for a power that no agent has.
const POWERS: [&str; 19] = [
    "approv", "sign", "edit", "decid", "decision", "writ", "delet", "order", "pay", "spend", "charg", "purchas",
    "amend", "eras", "releas", "commit", "revok", "enrol", "overrid",
];

/// Names of fields that hold sentences.
const FREE_TEXT: [&str; 12] = [
    "note",
    "notes",
    "text",
    "comment",
    "narrative",
    "sentence",
    "description",
    "message",
    "content",
    "remark",
    "history",
    "summary",
];

fn forbidden(way: &[&Package], own: &str) -> bool {
    let Some(last) = way.last() else { return false };
    let theirs = last.folder.as_deref().is_some_and(|folder| {
        let other_agent = AGENTS.contains(&folder) && folder != own;
        other_agent || NOT_THEIRS.contains(&folder) || folder.starts_with("orchestrator/")
    });
    theirs || last.name == "sqlx" || last.name.starts_with("sqlx-")
}

fn reaching(tree: &Tree, graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in AGENTS.iter().chain([&RUNTIME]) {
        let Some(package) = graph.at(folder) else {
            findings.push(at(&format!("{folder}/Cargo.toml"), 1, "there is no such crate"));
            continue;
        };
        let bad = graph.closure(package).into_iter().filter(|way| forbidden(way, folder));
        findings.extend(bad.map(|way| along(tree, &way, "not for an agent")));
    }
    findings
}

/// Uses of the generated client for an agent, outside the generated module itself.
fn clients(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("agents/")) {
        let code = &file.source().code;
        for word in ["agent_client", "AgentClient", "panel_client", "PanelClient"] {
            let places =
                occurrences(code, word).map(|offset| at(&file.path, line_of(code, offset), format!("names `{word}`")));
            findings.extend(places);
        }
    }
    findings
}

/// Methods, messages and fields of the agents' contract that it must not have.
fn contract(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(CONTRACT) else { return vec![at(CONTRACT, 1, "there is no such contract")] };
    let proto = Proto::parse(&file.text);
    let methods = proto.services.iter().flat_map(|service| &service.methods);
    let named = methods.chain(proto.messages.iter().map(|message| &message.name));
    let mut findings = Vec::new();
    for name in named {
        let power = |word: &String| POWERS.iter().any(|power| word.starts_with(power));
        for word in words::of(&name.text).into_iter().filter(power) {
            findings.push(at(CONTRACT, name.line, format!("`{}` sounds like the power to {word}", name.text)));
        }
    }
    for message in proto.messages.iter().filter(|message| message.name.text != "IntakeQuestion") {
        let free = |word: &String| FREE_TEXT.contains(&word.as_str());
        for (kind, field) in &message.fields {
            if ["string", "bytes"].contains(&kind.as_str()) && words::of(&field.text).iter().any(free) {
                let what =
                    format!("`{}.{}` is free text for an agent that is not intake", message.name.text, field.text);
                findings.push(at(CONTRACT, field.line, what));
            }
        }
    }
    findings
}

#[test]
fn agents_reach_no_store_no_orchestrator_and_no_other_agent() {
    hold(
        "an agent depends on no sqlx, nothing of orchestrator/, no audit or guardian service, no vault, no other agent",
        "share through agents/runtime, agents/clinical, agents/knowledge or agents/inference",
        reaching(Tree::here(), Graph::here()),
    );
}

#[test]
fn no_agent_holds_a_client_for_another() {
    hold(
        "no agent holds a client for another agent or for the orchestrator",
        "let the orchestrator ask; an agent answers its question from the question and the pack alone",
        clients(Tree::here()),
    );
}

#[test]
fn the_contract_gives_agents_no_power_and_no_sentence() {
    hold(
        "no method or message of agent.proto approves, signs, edits, decides, writes, deletes or orders; only \
         IntakeQuestion has free text",
        "let the agent give an opinion on coded words; acts and sentences belong to people and to the orchestrator",
        contract(Tree::here()),
    );
    let file = Tree::here().file(CONTRACT).expect("the agents' contract");
    let proto = Proto::parse(&file.text);
    let intake = proto.messages.iter().find(|message| message.name.text == "IntakeQuestion").expect("IntakeQuestion");
    assert!(
        intake.fields.iter().any(|(kind, field)| kind == "string" && field.text == "note"),
        "the rule read no field"
    );
}

#[test]
fn a_planted_reach_is_found() {
    let mut packages: Vec<(&str, &str, &[&str])> =
        AGENTS.iter().map(|folder| (*folder, *folder, [].as_slice())).collect();
    packages.retain(|(_, folder, _)| !["agents/intake", "agents/supervisor"].contains(folder));
    packages.extend([
        ("intake", "agents/intake", ["runtime", "agents/diagnostician"].as_slice()),
        ("runtime", "agents/runtime", ["store", "vault"].as_slice()),
        ("store", "", ["sqlx-core"].as_slice()),
        ("sqlx-core", "", [].as_slice()),
        ("vault", "guardian/vault", [].as_slice()),
        ("panel", "orchestrator/panel", [].as_slice()),
        ("supervisor", "agents/supervisor", ["panel"].as_slice()),
    ]);
    finds(
        reaching(&Tree::planted(&[]), &Graph::planted(&packages)),
        &[
            ("agents/intake/Cargo.toml:1", "intake -> agents/diagnostician"),
            ("agents/intake/Cargo.toml:1", "intake -> runtime -> store -> sqlx-core"),
            ("agents/intake/Cargo.toml:1", "intake -> runtime -> vault"),
            ("agents/runtime/Cargo.toml:1", "runtime -> store -> sqlx-core"),
            ("agents/runtime/Cargo.toml:1", "runtime -> vault"),
            ("agents/supervisor/Cargo.toml:1", "supervisor -> panel"),
        ],
    );
}

#[test]
fn a_planted_client_is_found() {
    let tree = Tree::planted(&[
        ("agents/intake/src/a.rs", "// agent_client\nuse pb::agent_client::AgentClient;\n"),
        ("orchestrator/service/src/a.rs", "use pb::agent_client::AgentClient;\n"),
    ]);
    finds(clients(&tree), &[("agents/intake/src/a.rs:2", "AgentClient"), ("agents/intake/src/a.rs:2", "agent_client")]);
}

#[test]
fn planted_powers_and_sentences_are_found() {
    let text = "service Agent {\n  rpc Ask(Q) returns (A);\n  rpc ApproveOrder(Q) returns (A);\n}\n\
                message IntakeQuestion { string note = 1; }\nmessage Finding {\n  Span text = 1;\n  string raw_text = 2;\n}\n\
                message SignedReport { bytes note = 1; }\n";
    finds(
        contract(&Tree::planted(&[(CONTRACT, text)])),
        &[
            ("agents/api/proto/agent.proto:3", "power to approve"),
            ("agents/api/proto/agent.proto:3", "power to order"),
            ("agents/api/proto/agent.proto:8", "Finding.raw_text"),
            ("agents/api/proto/agent.proto:10", "Report.note"),
            ("agents/api/proto/agent.proto:10", "power to signed"),
        ],
    );
}
