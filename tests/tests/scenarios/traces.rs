//! One trace per session, exported to a real receiver: complete, connected, the record's own, and without content.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use super::collector::{Collector, Span};
use super::privacy;
use crate::harness::{MARFAN, Output, Stage, holds, sample};

/// Who takes part in a session that comes to rest.
const SERVICES: [&str; 9] = [
    "bodh-guardian",
    "bodh-audit",
    "bodh-orchestrator",
    "bodh-intake",
    "bodh-supervisor",
    "bodh-test_planner",
    "bodh-diagnostician",
    "bodh-reasoning_verifier",
    "bodh-cost_guardian",
];

fn configured(stage: &Stage, line: &str) -> PathBuf {
    stage.write("panel.toml", line)
}

fn diagnose(stage: &Stage, collector: &Collector, case: PathBuf) -> Output {
    let config = configured(stage, &collector.configured());
    stage.diagnose(case, &["--config", config.to_str().unwrap()])
}

/// The traces that the record tells of, per session.
fn recorded(stage: &Stage) -> BTreeMap<String, BTreeSet<String>> {
    let mut traces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in stage.entries() {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        if !text("session").is_empty() && !text("trace").is_empty() {
            traces.entry(text("session")).or_default().insert(text("trace"));
        }
    }
    traces
}

#[track_caller]
fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "`{name}` once: {found:?}");
    found[0]
}

#[test]
fn a_session_is_one_trace_across_all_processes() {
    let (stage, collector) = (Stage::new(), Collector::start());
    let report = diagnose(&stage, &collector, sample(MARFAN)).ended(3).json();
    let (spans, session) = (collector.spans(), report["session"].as_str().unwrap());

    let services: BTreeSet<_> = spans.iter().map(|span| span.service.as_str()).collect();
    assert_eq!(services, BTreeSet::from(SERVICES), "every service that takes part");
    let traces: BTreeSet<_> = spans.iter().map(|span| span.trace.clone()).collect();
    assert_eq!(traces.len(), 1, "one trace: {traces:?}");
    assert_eq!(recorded(&stage), BTreeMap::from([(session.to_owned(), traces.clone())]), "the record's own trace");
    let escalations = report["escalations"].as_array().unwrap();
    assert!(!escalations.is_empty());
    assert!(escalations.iter().all(|escalation| traces.contains(escalation["trace"].as_str().unwrap())));

    let ids: BTreeSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "each span once");
    let first = one(&spans, "convene diagnostic_panel");
    assert_eq!((first.service.as_str(), first.parent.as_str()), ("bodh-orchestrator", ""));
    for span in spans.iter().filter(|span| span.id != first.id) {
        assert!(ids.contains(span.parent.as_str()), "its parent has arrived: {span:?}");
    }

    let workflow = one(&spans, "invoke_workflow diagnostic_panel");
    assert_eq!(workflow.parent, first.id);
    said(workflow, &[("operation.name", "invoke_workflow"), ("conversation.id", session)]);
    asked(&spans, workflow, session);
    let opened = one(&spans, "bodh.guardian.v1.Guardian/OpenSession");
    assert_eq!((opened.service.as_str(), &opened.parent), ("bodh-guardian", &first.id));
    assert!(spans.iter().any(|s| s.service == "bodh-audit" && s.name == "bodh.audit.v1.Audit/Append"));
}

/// The span has these `gen_ai` attributes.
#[track_caller]
fn said(span: &Span, attributes: &[(&str, &str)]) {
    assert_eq!(span.says("gen_ai.provider.name"), "bodh", "{span:?}");
    for (name, text) in attributes {
        assert_eq!(span.says(&format!("gen_ai.{name}")), *text, "{name} of {span:?}");
    }
}

/// Each question: a tool executed by the orchestrator, a call, an agent invoked by it.
fn asked(spans: &[Span], workflow: &Span, session: &str) {
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    let invoked: Vec<_> = spans.iter().filter(|span| span.name.starts_with("invoke_agent ")).collect();
    let tools: Vec<_> = spans.iter().filter(|span| span.name.starts_with("execute_tool ")).collect();
    assert_eq!(invoked.len(), tools.len(), "one agent answers each question");
    let mut members = BTreeSet::new();
    for agent in invoked {
        let call = by_id[agent.parent.as_str()];
        let tool = by_id[call.parent.as_str()];
        assert_eq!((call.name.as_str(), &call.service), ("bodh.agent.v1.Agent/Ask", &agent.service));
        assert_eq!((tool.service.as_str(), &tool.parent), ("bodh-orchestrator", &workflow.id));
        let member = agent.says("gen_ai.agent.name");
        let id = format!("spiffe://bodh.internal/agent/{member}");
        assert_eq!(agent.service, format!("bodh-{member}"));
        assert_eq!(agent.name, format!("invoke_agent {member}"));
        said(agent, &[("operation.name", "invoke_agent"), ("agent.id", &id), ("conversation.id", session)]);
        assert!(!agent.says("gen_ai.agent.version").is_empty());
        let name = tool.says("gen_ai.tool.name");
        assert_eq!(tool.name, format!("execute_tool {name}"));
        said(tool, &[("operation.name", "execute_tool"), ("conversation.id", session), ("agent.name", member)]);
        assert_eq!(agent.says("gen_ai.tool.name"), name);
        assert!(tool.says("gen_ai.tool.call.id").contains('/'), "{tool:?}");
        members.insert(member.to_owned());
    }
    assert_eq!(members.len(), 6, "{members:?}");
    let verified: Vec<_> = tools.iter().filter(|t| t.says("gen_ai.tool.name") == "verify").collect();
    assert!(!verified.is_empty());
    for span in verified {
        said(span, &[("evaluation.name", "dissent"), ("evaluation.score.label", "claims_hold")]);
        assert!(span.says("gen_ai.evaluation.score.value").parse::<f64>().is_ok(), "{span:?}");
    }
}

#[test]
fn no_span_holds_content_of_a_case() {
    let (stage, collector) = (Stage::new(), Collector::start());
    let mut words: BTreeSet<String> = privacy::CANARIES.iter().map(|canary| (*canary).to_owned()).collect();
    let cases = [stage.write("one.json", privacy::packet()), stage.write("two.txt", privacy::note())];
    for case in cases {
        let report = diagnose(&stage, &collector, case).ended(3).json();
        let mut take = |list: &str, fields: &[&str]| {
            for item in report[list].as_array().unwrap() {
                words.extend(fields.iter().filter_map(|field| item[*field].as_str()).map(str::to_owned));
            }
        };
        take("findings", &["term", "label"]);
        take("differential", &["id", "label"]);
        take("orders", &["test", "label"]);
        take("escalations", &["reason"]);
    }
    // A word of everyday language is no proof of anything.
    words.retain(|word| word.len() > 6);
    assert!(words.len() > 40, "findings, diseases and canaries: {words:?}");
    let all = collector.all_text();
    assert!(all.contains("reasoning_verifier") && all.len() > 10_000, "the search finds what is there");
    let (text, spans) = (all.to_lowercase(), collector.spans());
    for word in &words {
        assert!(!text.contains(&word.to_lowercase()), "{word} is in a span");
    }
    // Two sessions, two traces: neither reaches into the other.
    let traces: BTreeSet<_> = recorded(&stage).into_values().flatten().collect();
    assert_eq!(traces.len(), 2);
    assert_eq!(spans.into_iter().map(|span| span.trace).collect::<BTreeSet<_>>(), traces);
}

#[test]
fn a_decision_continues_the_trace() {
    let (stage, collector) = (Stage::new(), Collector::start());
    diagnose(&stage, &collector, sample(MARFAN)).ended(3);
    stage.physician("ann");
    let trace = collector.spans()[0].trace.clone();
    let before = collector.spans().iter().filter(|span| span.name.starts_with("invoke_workflow")).count();
    let config = configured(&stage, &collector.configured());
    for item in stage.inbox() {
        let escalation = item["escalation"].as_str().unwrap();
        let line = ["decide", escalation, "approve", "--reason", "agrees", "--as", "ann", "--state", "DIR", "--config"];
        stage.bodh(&[&line[..], &[config.to_str().unwrap()]].concat());
    }
    let spans = collector.spans();
    let workflows: Vec<_> = spans.iter().filter(|span| span.name.starts_with("invoke_workflow")).collect();
    assert!(workflows.len() > before, "the session was carried on: {workflows:?}");
    let first = one(&spans, "convene diagnostic_panel");
    assert!(workflows.iter().all(|span| span.trace == trace && span.parent == first.id), "{workflows:?}");
}

/// What a session says that must not depend on a collector.
fn concluded(report: &Value) -> Value {
    serde_json::json!([report["status"], report["differential"], report["orders"], report["cost_usd"]])
}

#[test]
fn a_collector_that_is_not_there_or_never_answers_disturbs_nothing() {
    let plain = Stage::new();
    let begun = Instant::now();
    let expected = concluded(&plain.diagnose(sample(MARFAN), &[]).ended(3).json());
    let usual = begun.elapsed();
    // Nobody listens on a port that was just closed; a listener that is never accepted from takes all and says nothing.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for at in [gone, silent.local_addr().unwrap()] {
        let stage = Stage::new();
        let config = configured(&stage, &format!("otlp = \"http://{at}\"\n"));
        let begun = Instant::now();
        let said = stage.diagnose(sample(MARFAN), &["--config", config.to_str().unwrap()]).ended(3);
        let took = begun.elapsed();
        assert_eq!(concluded(&said.json()), expected, "{at}");
        assert_eq!(said.stderr, "", "nothing for the clinician to see");
        assert!(took < usual * 3 + std::time::Duration::from_secs(3), "{took:?}, usually {usual:?}");
        stage.bodh(&["audit", "verify", stage.dir().join("log").to_str().unwrap()]).ended(0);
        let log = std::fs::read(stage.dir().join("logs/orchestrator.log")).unwrap();
        assert!(!holds(&log, b"panicked"));
    }
}

#[test]
fn only_a_collector_on_this_machine_is_configured() {
    let stage = Stage::new();
    for (line, cause) in [
        ("otlp = \"http://10.0.0.1:4317\"", "on this machine"),
        ("otlp = \"https://collector.example:4317\"", "on this machine"),
        ("\notlp = 4317", "line 2: "),
        ("collector = \"http://127.0.0.1:4317\"", "unknown field"),
    ] {
        let config = configured(&stage, line);
        let said = stage.diagnose(sample(MARFAN), &["--config", config.to_str().unwrap()]).ended(2);
        assert!(said.stderr.contains("panel.toml") && said.stderr.contains(cause), "{line}: {said:?}");
        assert!(said.stderr.lines().count() == 1 && !stage.dir().exists(), "{line}: {said:?}");
    }
}
