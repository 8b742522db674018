//! One trace per session: its opening, its workflow, and each question under it. Names, ids, counts and scores; never
//! content.

use bodh_clinical::{Opinion, Question};

/// The first span of a session's trace: its opening. Its trace is the session's own, so that entries, escalations and
/// spans tell of the same thing.
pub(crate) fn convening(session: &str, trace: &str) -> tracing::Span {
    let span = tracing::info_span!(
        target: "gen_ai",
        parent: None,
        "convene",
        otel.name = "convene diagnostic_panel",
        otel.kind = "server",
        gen_ai.provider.name = "bodh",
        gen_ai.conversation.id = session,
        gen_ai.workflow.name = "diagnostic_panel",
    );
    bodh_host::first_span(&span, trace);
    span
}

/// The span of a session's work, from convening or resuming to rest.
pub(crate) fn workflow(session: &str, trace: &str) -> tracing::Span {
    let span = tracing::info_span!(
        target: "gen_ai",
        parent: None,
        "invoke_workflow",
        otel.name = "invoke_workflow diagnostic_panel",
        gen_ai.operation.name = "invoke_workflow",
        gen_ai.provider.name = "bodh",
        gen_ai.conversation.id = session,
        gen_ai.workflow.name = "diagnostic_panel",
    );
    bodh_host::later_span(&span, trace);
    span
}

/// The span of one question.
pub(crate) fn tool(session: &str, call: u32, attempt: u32, question: &Question) -> tracing::Span {
    tracing::info_span!(
        target: "gen_ai",
        "execute_tool",
        otel.name = format!("execute_tool {}", question.tool()),
        otel.kind = "client",
        gen_ai.operation.name = "execute_tool",
        gen_ai.provider.name = "bodh",
        gen_ai.conversation.id = session,
        gen_ai.agent.name = question.member().name(),
        gen_ai.tool.name = question.tool(),
        gen_ai.tool.call.id = format!("{call}/{attempt}"),
        gen_ai.evaluation.name = tracing::field::Empty,
        gen_ai.evaluation.score.value = tracing::field::Empty,
        gen_ai.evaluation.score.label = tracing::field::Empty,
        error.type = tracing::field::Empty,
    )
}

/// Adds what the verifier's opinion scored.
pub(crate) fn evaluated(span: &tracing::Span, opinion: &Opinion) {
    if let Opinion::Verify(verification) = opinion {
        span.record("gen_ai.evaluation.name", "dissent");
        span.record("gen_ai.evaluation.score.value", verification.dissent);
        let label = if verification.refuted.is_empty() { "claims_hold" } else { "claims_refuted" };
        span.record("gen_ai.evaluation.score.label", label);
    }
}
