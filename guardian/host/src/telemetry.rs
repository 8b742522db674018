//! Logs on standard error as JSON; spans by OTLP when a collector is configured. Neither carries content: only names,
//! ids, codes, counts and times are ever passed to them.

use crate::{Fatal, trace::SessionIds};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use std::{net::SocketAddr, time::Duration};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Spans wait at most this long to be sent.
const DELAY: Duration = Duration::from_secs(1);
/// A collector that takes longer loses a batch. The sessions never wait for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// At the end: a collector that does not answer must not keep the service from stopping.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The span pipeline; ended so that nothing is lost.
pub(crate) struct Spans(Option<SdkTracerProvider>);

impl Spans {
    pub(crate) fn end(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown_with_timeout(LAST_WORDS)) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

pub(crate) fn start(name: &'static str, collector: Option<SocketAddr>) -> Result<Spans, Fatal> {
    // The environment is cleared by the launcher, so the level is fixed here.
    let logs = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::stderr)
        .with_current_span(false)
        .with_span_list(false)
        .with_filter(EnvFilter::new("warn,bodh=info,bodh_host=info,bodh_gate=info"));
    let provider = collector.map(|collector| provider(name, collector)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(name)).with_location(false);
        let layer = layer.with_threads(false).with_target(false).with_tracked_inactivity(false);
        // Only spans that were made for export: libraries' own spans say nothing here.
        layer.with_filter(EnvFilter::new("off,gen_ai=info"))
    });
    let started = tracing_subscriber::registry().with(logs).with(spans).try_init();
    started.map_err(|cause| Fatal::failure(format!("telemetry: {cause}")))?;
    Ok(Spans(provider))
}

fn provider(name: &'static str, collector: SocketAddr) -> Result<SdkTracerProvider, Fatal> {
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    let exporter = exporter.with_endpoint(format!("http://{collector}")).with_timeout(PATIENCE).build();
    let exporter = exporter.map_err(|cause| Fatal::usage(format!("otlp: {cause}")))?;
    let resource = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", format!("bodh-{name}")))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let pace = BatchConfigBuilder::default().with_scheduled_delay(DELAY).build();
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(pace).build();
    let provider = SdkTracerProvider::builder().with_span_processor(batches).with_resource(resource);
    Ok(provider.with_id_generator(SessionIds::default()).build())
}
