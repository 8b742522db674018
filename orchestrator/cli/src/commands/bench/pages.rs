//! `bodh bench pages`: what the console's pages take and weigh, and two hundred people who watch one session.

use super::super::demo::{SAMPLES, Sample, convene};
use super::super::human::invitation;
use super::super::options::StartOptions;
use super::load::machine;
use super::viewers::{self, Watched};
use crate::bench::authenticator::Authenticator;
use crate::bench::plain_page;
use crate::bench::web::{Connection, Web};
use crate::commands::visit::print_json;
use crate::failure::{Failure, Outcome};
use crate::launch::{Access, CONSOLE, Settings, until_stopped};
use crate::people::{LOCAL, Visitor};
use crate::state::Folder;
use crate::terminal;
use bodh_panel::{EscalationStatus, Report};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  bodh bench pages --count 100 --json

A panel of its own with the demo's sample cases, over HTTPS on loopback; one person signs in with a passkey in software. HTML: from
the request to the last byte, on a kept connection. Plain: a page of the same size from axum behind the same TLS, asked in turn.
First visit: a new connection, its handshake, the HTML and every file that it names, one after the other; a browser's own
work comes on top. The session shown is the longest of the samples.

Then many watch one session at work, each over connections of their own, and fetch the page's part anew at every change, as the console's
script does.")]
pub(super) struct Args {
    /// Requests of each page
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(50..=10_000))]
    count: u32,
    /// People who watch one session
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1000))]
    viewers: u32,
    #[command(flatten)]
    start: StartOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The goals: bytes of a page with everything that it names, and milliseconds to what a browser can draw.
const MOST_BYTES: usize = 100_000;
const MOST_MS: f64 = 200.0;
/// One first visit to so many requests on a kept connection.
const VISIT_EVERY: u32 = 5;
/// Whoever sees every page but what only operators do.
const NAME: &str = "bench";
const ROLES: [&str; 3] = ["clinician", "compliance", "physician"];

/// Median and p95 in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Span {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
}

impl Span {
    /// Nearest rank; nothing of nothing.
    pub(super) fn of(mut ms: Vec<f64>) -> Option<Self> {
        ms.sort_by(f64::total_cmp);
        let at = |percent: usize| ms.get((ms.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { p50_ms: at(50)?, p95_ms: at(95)? })
    }
}

/// One page.
#[derive(Debug, Serialize)]
struct Measured {
    page: &'static str,
    html_bytes: usize,
    /// With style sheets, scripts and pictures.
    bytes: usize,
    html: Span,
    plain: Span,
    first_visit: Span,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings { with_console: true, ..args.start.settings()? };
    let folder = Folder::passing()?;
    let (pages, watched) = until_stopped(async {
        let mut access = Access::to(folder, None, None, &settings).await?;
        let operator = Visitor::enter(access.running(), &access.ring, LOCAL).await?;
        let web = web(&access)?;
        let path = invitation(&operator, &access.running().trust_domain, NAME, &ROLES, 1)?;
        let all = measured(args, &web, &operator, &path);
        tokio::select! {
            all = all => all,
            failure = access.gave_up() => Err(failure),
        }
    })?;
    let machine = machine(None);
    if args.json {
        let goals = json!({ "bytes": MOST_BYTES, "first_render_ms": MOST_MS });
        return print_json(&json!({
            "requests": args.count, "pages": pages, "goals": goals, "viewers": watched, "machine": machine,
        }));
    }
    let text = format!("{}{}  {machine}\n", table(&pages, args.count), watched.text());
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))
}

fn web(access: &Access) -> Outcome<Web> {
    let site = access.site.as_ref().ok_or_else(|| Failure::failed("the panel has no console"))?;
    let at = access.running().addresses.get(CONSOLE);
    let at = at.ok_or_else(|| Failure::failed("run/panel.json gives no address of the console"))?;
    let authority = site.certificate()?.0.pop().unwrap_or_default();
    Web::new(*at, &site.origin, authority)
}

async fn measured(args: &Args, web: &Web, operator: &Visitor, path: &str) -> Outcome<(Vec<Measured>, Watched)> {
    let bar = terminal::bar(SAMPLES.len() as u64, "sample cases");
    let mut reports = Vec::new();
    for sample in SAMPLES {
        reports.push(convene(operator, sample, |_| ()).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let passkey = Authenticator::enrol(web, path).await?;
    let cookie = passkey.sign_in(web).await?;
    let (beside, plain) = plain_page::start()?;
    let paths = paths(&reports)?;
    let bar = terminal::bar(paths.len() as u64, "pages");
    let mut pages = Vec::new();
    for (page, path) in &paths {
        pages.push(one(args.count, (web, &cookie), &plain, page, path).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    drop(beside);
    let longest = reports.iter().zip(SAMPLES).max_by_key(|(report, _)| report.rounds).map(|(_, sample)| sample);
    let longest: &Sample = longest.ok_or_else(|| Failure::failed("no sample case"))?;
    let watched = viewers::watch(args.viewers, web, operator, &passkey, longest).await?;
    Ok((pages, watched))
}

/// Every page, with the sample whose page is the longest.
fn paths(reports: &[Report]) -> Outcome<Vec<(&'static str, String)>> {
    let none = || Failure::failed("the sample cases left nothing to look at");
    let longest = reports.iter().max_by_key(|report| report.rounds).ok_or_else(none)?;
    let asked = |report: &&Report| report.escalations.iter().any(|asked| asked.status == EscalationStatus::Open);
    let asked = reports.iter().filter(asked).max_by_key(|report| report.findings.len()).ok_or_else(none)?;
    let question = asked.escalations.iter().find(|asked| asked.status == EscalationStatus::Open).ok_or_else(none)?;
    let id = &longest.session;
    Ok(vec![
        ("sign-in", "/sign-in".to_owned()),
        ("sessions, with the form of a new one", "/sessions".to_owned()),
        ("live session at rest", format!("/sessions/{id}")),
        ("report", format!("/sessions/{id}/report")),
        ("inbox", "/inbox".to_owned()),
        ("escalation, all shown", format!("/escalations/{}?show=1", question.id)),
        ("record: sessions", "/record".to_owned()),
        ("record: trace", format!("/record/{id}")),
        ("record: access", format!("/record/{id}/access")),
        ("verify", "/verify".to_owned()),
        ("operations", "/operations".to_owned()),
    ])
}

async fn one(
    count: u32,
    (web, cookie): (&Web, &str),
    plain: &Web,
    page: &'static str,
    path: &str,
) -> Outcome<Measured> {
    let (mut kept, mut beside) = (web.connect(Some(cookie)).await?, plain.connect(None).await?);
    let (html_bytes, _) = timed(&mut kept, path).await?;
    timed(&mut beside, &format!("/{html_bytes}")).await?;
    let (mut html, mut same, mut visits, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for turn in 0..count {
        let (length, ms) = timed(&mut kept, path).await?;
        html.push(ms);
        same.push(timed(&mut beside, &format!("/{length}")).await?.1);
        if turn % VISIT_EVERY == 0 {
            let begun = Instant::now();
            bytes = visit(web, cookie, path).await?;
            visits.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    let span = |ms| Span::of(ms).ok_or_else(|| Failure::failed("no request was measured"));
    Ok(Measured { page, html_bytes, bytes, html: span(html)?, plain: span(same)?, first_visit: span(visits)? })
}

/// One page: its length, and the milliseconds to its last byte.
async fn timed(connection: &mut Connection, path: &str) -> Outcome<(usize, f64)> {
    let begun = Instant::now();
    let answer = connection.get(path).await?.sound(path)?;
    Ok((answer.body.len(), begun.elapsed().as_secs_f64() * 1000.0))
}

/// The page and every file that it names, over a new connection; their bytes.
async fn visit(web: &Web, cookie: &str, path: &str) -> Outcome<usize> {
    let mut connection = web.connect(Some(cookie)).await?;
    let html = connection.get(path).await?.sound(path)?;
    let mut bytes = html.body.len();
    for file in files(&html.text()) {
        bytes += connection.get(&file).await?.sound(&file)?.body.len();
    }
    Ok(bytes)
}

/// The style sheets, scripts and pictures that a page names. Its drawings are in the page itself.
fn files(html: &str) -> BTreeSet<String> {
    let named = ["href=\"", "src=\""].into_iter().flat_map(|before| html.split(before).skip(1));
    let ends = named.filter_map(|rest| rest.split('"').next());
    ends.filter(|path| path.starts_with("/assets/")).map(str::to_owned).collect()
}

fn table(pages: &[Measured], count: u32) -> String {
    let mut text = format!(
        "{count} requests of each page; median and p95 in ms; goals: at most {} kB, first render within {MOST_MS:.0} ms\n  {:<38}{:>17}{:>17}{:>17}{:>9}\n",
        MOST_BYTES / 1000,
        "page",
        "HTML",
        "plain, same size",
        "first visit",
        "kB"
    );
    for page in pages {
        let span = |span: Span| format!("{:.1} {:.1}", span.p50_ms, span.p95_ms);
        let kept = page.bytes <= MOST_BYTES && page.first_visit.p95_ms <= MOST_MS;
        // Writing to a String has no failure path.
        let _written = writeln!(
            text,
            "  {:<38}{:>17}{:>17}{:>17}{:>9.1}{}",
            page.page,
            span(page.html),
            span(page.plain),
            span(page.first_visit),
            page.bytes as f64 / 1000.0,
            if kept { "" } else { "  over a goal" }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_page_are_counted_once() {
        let html = r#"<link href="/assets/1/a.css"><script src="/assets/2/b.js"></script><a href="/inbox"><link href="/assets/1/a.css">"#;
        assert_eq!(files(html).into_iter().collect::<Vec<_>>(), ["/assets/1/a.css", "/assets/2/b.js"]);
    }

    #[test]
    fn a_goal_that_is_missed_is_said() {
        let span = Span::of((1..=100).map(f64::from).collect()).unwrap();
        assert!((span.p50_ms - 50.0).abs() < 1e-9 && (span.p95_ms - 95.0).abs() < 1e-9);
        let page = |bytes| Measured { page: "inbox", html_bytes: 9, bytes, html: span, plain: span, first_visit: span };
        let text = table(&[page(100_000), page(100_001)], 50);
        assert_eq!(text.matches("over a goal").count(), 1, "{text}");
        assert!(text.contains("at most 100 kB, first render within 200 ms"), "{text}");
    }
}
