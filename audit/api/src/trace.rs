//! Which sessions' traces a call belongs to (W3C Trace Context), known from the entries that it carries.

use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

use crate::pb;

/// The metadata key of the W3C trace context.
pub const TRACE_METADATA: &str = "traceparent";
/// A batch names the traces of so many sessions at most; a call's metadata is bounded.
const MOST: usize = 16;

/// The first span of a session's trace as a `traceparent` value: the first half of the trace id is that span's id, so
/// that whoever knows the trace can name it.
#[must_use]
pub fn first_span_of(trace: &str) -> String {
    format!("00-{trace}-{}-01", trace.get(..16).unwrap_or_default())
}

/// Names each session's trace once.
pub(crate) fn name_traces(drafts: &[pb::Draft], metadata: &mut MetadataMap) {
    let mut traces: Vec<&str> = Vec::new();
    for draft in drafts.iter().filter(|draft| !draft.session.is_empty() && draft.trace.len() == 32) {
        if traces.len() < MOST && !traces.contains(&draft.trace.as_str()) {
            traces.push(&draft.trace);
        }
    }
    for trace in traces {
        if let Ok(value) = MetadataValue::<Ascii>::try_from(first_span_of(trace)) {
            metadata.append(TRACE_METADATA, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_of_a_batch_is_named_once_and_no_more_than_a_few() {
        let draft = |session: &str, n: u32| pb::Draft {
            session: session.to_owned(),
            trace: format!("{n:032x}"),
            ..pb::Draft::default()
        };
        let mut metadata = MetadataMap::new();
        name_traces(&[draft("s", 7), draft("s", 7), draft("", 8), draft("t", 9)], &mut metadata);
        let named: Vec<_> = metadata.get_all(TRACE_METADATA).iter().map(|value| value.to_str().unwrap()).collect();
        let expected = [7, 9].map(|n| format!("00-{n:032x}-0000000000000000-01"));
        assert_eq!(named, expected);
        let many: Vec<_> = (0..100).map(|n| draft("s", n)).collect();
        let mut metadata = MetadataMap::new();
        name_traces(&many, &mut metadata);
        assert_eq!(metadata.get_all(TRACE_METADATA).iter().count(), MOST);
    }
}
