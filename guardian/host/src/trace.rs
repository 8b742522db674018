//! One trace per session across processes (W3C Trace Context): how its first span gets its ids, how a call carries it,
//! and how whoever is called continues it. A trace decides nothing; what is malformed is ignored.

use bodh_audit_api::{TRACE_METADATA, first_span_of};
use bodh_identity::{Kind, server::Peer};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
};
use tonic::codegen::http::{HeaderMap, HeaderValue, Request};
use tower::Service;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A call that serves several sessions at once (a batch of entries) names the trace of each; no more than these.
const MOST_TRACES: usize = 16;

thread_local! {
    /// The ids of the span that this thread is about to start.
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Random ids, but for a session's first span: its ids follow from the session's trace id.
#[derive(Debug, Default)]
pub(crate) struct SessionIds(RandomIdGenerator);

impl IdGenerator for SessionIds {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span)| span)
    }
}

/// The id of a session's first span: the first half of its trace id, so that every process can name it as a parent.
fn first(trace: &str) -> Option<(TraceId, SpanId)> {
    let ids = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(trace.get(..16)?).ok()?);
    (ids.0 != TraceId::INVALID && ids.1 != SpanId::INVALID).then_some(ids)
}

/// Makes `span` the first of the session's trace. To be called once per trace, before the span is entered.
pub fn first_span(span: &Span, trace: &str) {
    let Some(ids) = first(trace) else { return };
    NEXT.set(Some(ids));
    // Asking for its context starts the span, on this thread, with these ids.
    let _started = span.context();
    NEXT.set(None);
}

/// Makes `span` a child of the first span of the session's trace.
pub fn later_span(span: &Span, trace: &str) {
    if let Some((trace, parent)) = first(trace) {
        continue_from(span, trace, parent);
    }
}

/// The current span as a `traceparent` value; when nothing is exported, the session's first span.
#[must_use]
pub fn trace_metadata(trace: &str) -> String {
    let here = Span::current().context().span().span_context().clone();
    if here.is_valid() {
        return written(here.trace_id(), here.span_id());
    }
    first_span_of(trace)
}

fn written(trace: TraceId, span: SpanId) -> String {
    format!("00-{trace}-{span}-01")
}

fn continue_from(span: &Span, trace: TraceId, parent: SpanId) {
    let context = SpanContext::new(trace, parent, TraceFlags::SAMPLED, true, TraceState::default());
    let _exported = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context));
}

/// A channel whose calls carry the current span.
#[derive(Debug, Clone)]
pub struct Carrying<S>(pub(crate) S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Carrying<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let here = Span::current().context().span().span_context().clone();
        if here.is_valid()
            && !request.headers().contains_key(TRACE_METADATA)
            && let Ok(value) = HeaderValue::from_str(&written(here.trace_id(), here.span_id()))
        {
            request.headers_mut().insert(TRACE_METADATA, value);
        }
        self.0.call(request)
    }
}

/// A service whose handlers run in a span of the caller's trace.
#[derive(Debug, Clone)]
pub(crate) struct Continuing<S>(pub(crate) S);

impl<S, B> Service<Request<B>> for Continuing<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut spans = spans(&request);
        let answer = self.0.call(request);
        let Some(span) = spans.pop() else { return Box::pin(answer) };
        // The others last as long: the same work, in each session's trace.
        Box::pin(
            async move {
                let answered = answer.await;
                drop(spans);
                answered
            }
            .instrument(span),
        )
    }
}

/// One span for each trace that a call of one of our own services names.
fn spans<B>(request: &Request<B>) -> Vec<Span> {
    let own = |peer: &Peer| matches!(peer.id.kind(), Kind::Service(_) | Kind::Agent(_));
    let Some(peer) = request.extensions().get::<Peer>().filter(|peer| own(peer)) else { return Vec::new() };
    let method = request.uri().path().trim_start_matches('/');
    let named = |(trace, parent)| {
        let span = tracing::info_span!(
            target: "gen_ai",
            parent: None,
            "call",
            otel.name = method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = method,
            peer.service = peer.id.as_str(),
        );
        continue_from(&span, trace, parent);
        span
    };
    parents(request.headers()).into_iter().map(named).collect()
}

fn parents(headers: &HeaderMap) -> Vec<(TraceId, SpanId)> {
    let values = headers.get_all(TRACE_METADATA).iter().take(MOST_TRACES);
    values.filter_map(|value| read(value.to_str().ok()?)).collect()
}

fn read(value: &str) -> Option<(TraceId, SpanId)> {
    let mut parts = value.split('-');
    let (Some("00"), Some(trace), Some(parent), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if (trace.len(), parent.len()) != (32, 16) {
        return None;
    }
    let ids = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(parent).ok()?);
    (ids.0 != TraceId::INVALID && ids.1 != SpanId::INVALID).then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn only_a_well_formed_value_is_followed() {
        // The example of W3C Trace Context, section 3.2.
        let (trace, parent) = read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!((trace.to_string().as_str(), parent.to_string().as_str()), (TRACE, "b7ad6b7169203331"));
        for wrong in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c8031zz-b7ad6b7169203331-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_call_names_few_traces() {
        let mut headers = HeaderMap::new();
        for n in 1..40 {
            let value = format!("00-{n:032x}-{n:016x}-01");
            headers.append(TRACE_METADATA, value.parse().unwrap());
        }
        assert_eq!(parents(&headers).len(), MOST_TRACES);
    }

    #[test]
    fn the_first_span_is_known_by_the_trace() {
        let (trace, span) = first(TRACE).unwrap();
        assert_eq!((trace.to_string().as_str(), span.to_string().as_str()), (TRACE, "0af7651916cd43dd"));
        assert_eq!(first("0000000000000000000000000000000a"), None);
        assert_eq!(first(""), None);
        let ids = SessionIds::default();
        assert_ne!(ids.new_span_id(), ids.new_span_id());
        NEXT.set(Some((trace, span)));
        assert_eq!((ids.new_trace_id(), ids.new_span_id()), (trace, span));
        NEXT.set(None);
        assert_ne!(ids.new_trace_id(), trace);
    }

    #[test]
    fn without_an_exporter_a_call_still_names_its_trace() {
        assert_eq!(trace_metadata(TRACE), format!("00-{TRACE}-0af7651916cd43dd-01"));
    }
}
