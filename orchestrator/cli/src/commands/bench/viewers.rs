//! Many people who watch one session at work: nobody may miss how it ends.

use super::super::demo::{Sample, convene};
use crate::bench::authenticator::Authenticator;
use crate::bench::web::{Connection, Web};
use crate::failure::{Failure, Outcome};
use crate::people::Visitor;
use crate::terminal;
use futures_util::future::try_join_all;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// The viewers come over so many sign-ins of one person; each has connections of its own.
const SIGN_INS: u32 = 10;
/// A viewer who has not seen the end by then has lost it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Watched {
    viewers: u32,
    rounds: u32,
    /// Viewers whose page does not show the last state.
    lost: usize,
    /// Why, each cause once.
    causes: Vec<String>,
    /// Viewers who saw a state before the last.
    at_work: usize,
    /// Changes that a viewer was told of; states between may be left out.
    changes: Option<Spread>,
    /// From the first viewer who shows the last state to the last who does.
    first_to_last_ms: f64,
    /// The session with nobody watching, and watched by all.
    alone_ms: f64,
    watched_ms: f64,
}

/// The least, the median and the most of a count.
#[derive(Debug, Serialize)]
struct Spread {
    least: u64,
    median: u64,
    most: u64,
}

/// One viewer at the end.
struct Seen {
    changes: u64,
    at_work: bool,
    /// What the page says of where the session stands.
    state: String,
    at: Instant,
}

fn lost(cause: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("the viewers: {cause}"))
}

/// What is compared: how many rounds are shown, and the sentence about where it stands.
fn state(html: &str) -> String {
    let value = |name: &str| html.split(name).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    format!("{} {}", value("data-version=\""), value("data-say=\""))
}

/// One session alone, the same watched by `viewers`.
pub(super) async fn watch(
    viewers: u32,
    web: &Web,
    operator: &Visitor,
    passkey: &Authenticator,
    sample: &Sample,
) -> Outcome<Watched> {
    let progress = terminal::spinner("viewers");
    let alone = Instant::now();
    convene(operator, sample, |_| ()).await?;
    let alone = alone.elapsed();
    let cookies = try_join_all((0..SIGN_INS.min(viewers)).map(|_| passkey.sign_in(web))).await?;
    // Connected before the session begins: it is at work for seconds, and they are to watch, not to knock.
    let mut seats = Vec::new();
    for cookie in cookies.iter().cycle().take(viewers as usize) {
        seats.push((web.connect(Some(cookie)).await?, web.connect(Some(cookie)).await?));
    }
    let (tell, told) = oneshot::channel();
    let begun = Instant::now();
    let session = convene(operator, sample, |id| {
        let _nobody_waits = tell.send(id.to_owned());
    });
    let watching = async {
        let id = told.await.map_err(|_| lost(&"the session did not begin"))?;
        let all = seats.into_iter().map(|(events, page)| tokio::spawn(view(id.clone(), events, page)));
        try_join_all(all).await.map_err(|cause| lost(&cause))
    };
    let session = async {
        let report = session.await?;
        Ok::<_, Failure>((report, begun.elapsed()))
    };
    let ((report, took), seen) = tokio::try_join!(session, watching)?;
    // The truth, read anew by somebody who has seen nothing of it.
    let path = format!("/sessions/{}", report.session);
    let fresh = passkey.sign_in(web).await?;
    let last = state(&web.connect(Some(&fresh)).await?.get(&path).await?.sound(&path)?.text());
    progress.finish_and_clear();
    let right: Vec<&Seen> = seen.iter().flatten().filter(|seen| seen.state == last).collect();
    let stale = seen.iter().flatten().filter(|seen| seen.state != last).map(|seen| format!("shows {:?}", seen.state));
    let failed = seen.iter().filter_map(|seen| seen.as_ref().err().map(ToString::to_string));
    let causes: BTreeSet<String> = stale.chain(failed).collect();
    let ends = || right.iter().map(|seen| seen.at);
    let between = ends().max().zip(ends().min()).map(|(last, first)| last - first).unwrap_or_default();
    let mut changes: Vec<u64> = right.iter().map(|seen| seen.changes).collect();
    changes.sort_unstable();
    let changes = changes.first().zip(changes.last()).zip(changes.get(changes.len() / 2));
    Ok(Watched {
        viewers,
        rounds: report.rounds,
        lost: seen.len() - right.len(),
        causes: causes.into_iter().collect(),
        at_work: right.iter().filter(|seen| seen.at_work).count(),
        changes: changes.map(|((least, most), median)| Spread { least: *least, median: *median, most: *most }),
        first_to_last_ms: between.as_secs_f64() * 1000.0,
        alone_ms: alone.as_secs_f64() * 1000.0,
        watched_ms: took.as_secs_f64() * 1000.0,
    })
}

/// One viewer, as the console's script is one: at every change the part is fetched anew, and changes that come meanwhile once more.
/// An error for whoever was cut off or did not see the end.
async fn view(id: String, mut events: Connection, mut page: Connection) -> Outcome<Seen> {
    let path = format!("/sessions/{id}/events");
    let part = format!("/sessions/{id}?part=live");
    let watching = async {
        events.ask(&path).await?.sound(&path)?;
        let (tell, mut told) = watch::channel((0_u64, false));
        let hear = async move {
            while let Some(event) = events.event().await? {
                let ended = event == "ended";
                tell.send_modify(|(changes, over)| {
                    *changes += u64::from(!ended);
                    *over |= ended;
                });
                if ended {
                    return Ok(());
                }
            }
            Err(lost(&"the events ended before the session"))
        };
        let show = async {
            let mut at_work = false;
            while told.changed().await.is_ok() {
                let (changes, over) = *told.borrow_and_update();
                let html = page.get(&part).await?.sound(&part)?.text();
                if over {
                    return Ok(Some(Seen { changes, at_work, state: state(&html), at: Instant::now() }));
                }
                at_work |= html.contains("data-events=");
            }
            Ok(None)
        };
        let (_, seen) = tokio::try_join!(hear, show)?;
        seen.ok_or_else(|| lost(&"the end was not told"))
    };
    tokio::time::timeout(PATIENCE, watching).await.map_err(|_| lost(&"the end did not come in two minutes"))?
}

impl Watched {
    pub(super) fn text(&self) -> String {
        let changes = self.changes.as_ref();
        let changes = changes.map(|c| format!("{} to {} (median {})", c.least, c.most, c.median)).unwrap_or_default();
        let causes: String = self.causes.iter().map(|cause| format!(" ({cause})")).collect();
        format!(
            "{} viewers of one session of {} rounds: {} lost the last state{}; {} saw it at work; changes told to each: {changes}\n  \
             from the first viewer's end to the last's {:.0} ms; the session took {:.0} ms, and {:.0} ms with nobody watching\n",
            self.viewers,
            self.rounds,
            self.lost,
            causes,
            self.at_work,
            self.first_to_last_ms,
            self.watched_ms,
            self.alone_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_its_rounds_and_its_sentence() {
        let html = r#"<div data-version="7"><section data-say="Concluded. Done.">"#;
        assert_eq!(state(html), "7 Concluded. Done.");
        assert_ne!(state(html), state(&html.replace('7', "6")));
    }
}
