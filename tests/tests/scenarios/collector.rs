//! A collector of spans: OTLP over gRPC on a loopback port, as the OpenTelemetry collector serves it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

/// One span as it arrived, its ids in hex, its attributes as text.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Span {
    /// The attribute, or nothing.
    pub(super) fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A collector that serves until it goes.
pub(super) struct Collector {
    at: SocketAddr,
    arrived: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    _serving: Runtime,
}

impl Collector {
    pub(super) fn start() -> Self {
        let serving = Runtime::new().unwrap();
        let listener = serving.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let arrived = Arc::default();
        let service = TraceServiceServer::new(Inbox(Arc::clone(&arrived)));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        serving.spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        Self { at, arrived, _serving: serving }
    }

    /// The line of a panel's configuration that names it.
    pub(super) fn configured(&self) -> String {
        format!("otlp = \"http://{}\"\n", self.at)
    }

    /// Everything that arrived, whole: resource, scope, spans, events, links.
    pub(super) fn all_text(&self) -> String {
        format!("{:?}", self.arrived.lock().unwrap())
    }

    /// The spans so far.
    pub(super) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for request in self.arrived.lock().unwrap().iter() {
            for resource in &request.resource_spans {
                let of = texts(&resource.resource.as_ref().unwrap().attributes);
                let all = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
                spans.extend(all.map(|span| Span {
                    service: of["service.name"].clone(),
                    name: span.name.clone(),
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    attributes: texts(&span.attributes),
                }));
            }
        }
        spans
    }
}

struct Inbox(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Inbox {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("an attribute is one plain value: {other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}
