//! Logs on standard error as JSON; spans by OTLP when an endpoint is configured. Neither carries content: only names,
//! ids, codes, counts and times are ever passed to them.

use crate::Fatal;
use opentelemetry::{
    KeyValue,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider},
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// The metadata key of the W3C trace context.
pub const TRACE_METADATA: &str = "traceparent";

/// The span pipeline; ended so that nothing is lost.
pub(crate) struct Spans(Option<SdkTracerProvider>);

impl Spans {
    pub(crate) fn end(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
            tracing::debug!(%error, "spans could not be flushed");
        }
    }
}

pub(crate) fn start(name: &'static str, endpoint: Option<&str>) -> Result<Spans, Fatal> {
    // The environment is cleared by the launcher, so the level is fixed here.
    let logs = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::stderr)
        .with_current_span(false)
        .with_span_list(false)
        .with_filter(EnvFilter::new("warn,bodh=info,bodh_host=info,bodh_gate=info"));
    let provider = endpoint.map(|endpoint| provider(name, endpoint)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(name)).with_location(false);
        // Only spans that were made for export: libraries' own spans say nothing here.
        layer.with_threads(false).with_filter(EnvFilter::new("off,gen_ai=info"))
    });
    let started = tracing_subscriber::registry().with(logs).with(spans).try_init();
    started.map_err(|cause| Fatal::failure(format!("telemetry: {cause}")))?;
    Ok(Spans(provider))
}

fn provider(name: &'static str, endpoint: &str) -> Result<SdkTracerProvider, Fatal> {
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
    let exporter =
        exporter.map_err(|cause| Fatal::usage(format!("otlp: {cause}; give an http://host:port endpoint")))?;
    let resource = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", format!("bodh-{name}")))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The current span as a `traceparent` value (W3C Trace Context), or the bare trace when nothing is exported.
#[must_use]
pub fn trace_metadata(trace: &str) -> String {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    if span.is_valid() {
        return format!("00-{}-{}-01", span.trace_id(), span.span_id());
    }
    let root = trace.get(..16).filter(|half| half.bytes().any(|b| b != b'0')).unwrap_or("0000000000000001");
    format!("00-{trace}-{root}-01")
}

/// Makes `span` a child of what `traceparent` names. Anything malformed is ignored: a trace decides nothing.
pub fn span_parent(span: &tracing::Span, traceparent: &str) {
    let mut parts = traceparent.split('-');
    let (Some("00"), Some(trace), Some(parent), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let (Ok(trace), Ok(parent)) = (TraceId::from_hex(trace), SpanId::from_hex(parent)) else { return };
    let context = SpanContext::new(trace, parent, TraceFlags::SAMPLED, true, TraceState::default());
    let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context));
}
