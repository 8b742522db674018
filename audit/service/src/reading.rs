//! What a reading asks for, and answering it: as a stream, in pieces of bounded size.

use std::ops::Range;

use bodh_audit_api::{MAX_SESSIONS, pb};
use bodh_audit_log::{Draft, Kind};
use tokio::sync::mpsc;
use tonic::Status;

use crate::{Error, Filter, Log};

/// Entries in one reading, at most, and when the caller names no limit.
const MAX_READ: u64 = 100_000;

/// Where the answer goes.
type Entries = mpsc::Sender<Result<pb::ReadReply, Status>>;

/// One reading, understood.
pub(crate) struct Asked {
    what: What,
    from: u64,
    before: u64,
    limit: u64,
}

enum What {
    /// Entries in their order.
    Matching(Filter),
    /// The same, of one session after the other.
    Several(Vec<Filter>),
    /// The first entry of each session, the newest first.
    Begins,
}

impl Asked {
    pub(crate) fn read(request: &pb::ReadRequest) -> Result<Self, Error> {
        let kind = match request.kind.as_str() {
            "" => None,
            word => Some(Kind::parse(word).ok_or(Error::TooMuch("an unknown kind"))?),
        };
        let filter = |session: &String| Filter { session: session.clone(), trace: request.trace.clone(), kind };
        // The same bounds as in an entry, for the entry about this reading carries both.
        for session in request.sessions.iter().chain([&request.session]) {
            let mut draft = Draft::new(Kind::Read, "read", "read");
            (draft.session, draft.trace) = (session.clone(), request.trace.clone());
            draft.validate().map_err(|invalid| Error::Draft { place: 0, invalid })?;
        }
        let one = !(request.session.is_empty() && request.trace.is_empty() && kind.is_none());
        let what = match (request.begins, request.sessions.as_slice()) {
            (false, []) => What::Matching(filter(&request.session)),
            (true, []) if !one => What::Begins,
            (true, _) => return Err(Error::TooMuch("where sessions begin, and only some of them")),
            (false, several) if several.len() > MAX_SESSIONS => {
                return Err(Error::TooMuch("more than 1,000 sessions at once"));
            }
            // An empty id would stand for all.
            (false, several) if !request.session.is_empty() || several.iter().any(String::is_empty) => {
                return Err(Error::TooMuch("one session and several"));
            }
            (false, several) => What::Several(several.iter().map(filter).collect()),
        };
        let limit = if request.limit == 0 { MAX_READ } else { request.limit.min(MAX_READ) };
        Ok(Self { what, from: request.from, before: request.before, limit })
    }

    /// How many sessions are read together; 0 when they are not.
    pub(crate) fn several(&self) -> u64 {
        match &self.what {
            What::Several(filters) => filters.len() as u64,
            What::Matching(_) | What::Begins => 0,
        }
    }

    /// Streams what is there below `end`, the entry about this reading.
    pub(crate) async fn answer(self, log: Log, end: u64, entries: Entries) {
        let end = if self.before == 0 { end } else { self.before.min(end) };
        let (range, mut left) = (self.from..end, self.limit);
        let done = match &self.what {
            What::Matching(filter) => matching(&log, filter, range, &mut left, &entries).await,
            What::Several(filters) => {
                let mut done = Ok(());
                for filter in filters {
                    done = matching(&log, filter, range.clone(), &mut left, &entries).await;
                    if done.is_err() {
                        break;
                    }
                }
                done
            }
            What::Begins => begins(&log, range, &mut left, &entries).await,
        };
        // Nobody may be listening any more.
        if let Err(Some(error)) = done {
            let _ = entries.send(Err(error.into())).await;
        }
    }
}

async fn matching(
    log: &Log,
    filter: &Filter,
    range: Range<u64>,
    left: &mut u64,
    entries: &Entries,
) -> Result<(), Option<Error>> {
    let mut from = Some(range.start);
    while let Some(start) = from.filter(|start| *start < range.end && *left > 0) {
        let (found, next) = log.read(filter, start, range.end).await?;
        send(found, left, entries).await?;
        from = next;
    }
    Ok(())
}

async fn begins(log: &Log, range: Range<u64>, left: &mut u64, entries: &Entries) -> Result<(), Option<Error>> {
    let mut before = Some(range.end);
    while let Some(end) = before.filter(|end| range.start < *end && *left > 0) {
        let (found, next) = log.begins(range.start, end).await?;
        send(found, left, entries).await?;
        before = next;
    }
    Ok(())
}

/// Sends as many as are left to send; nothing as error when nobody listens.
async fn send(found: Vec<(u64, Vec<u8>)>, left: &mut u64, entries: &Entries) -> Result<(), Option<Error>> {
    for (index, leaf) in found.into_iter().take(usize::try_from(*left).unwrap_or(usize::MAX)) {
        *left -= 1;
        entries.send(Ok(pb::ReadReply { index, leaf })).await.map_err(|_| None::<Error>)?;
    }
    Ok(())
}
