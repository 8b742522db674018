//! The page on which a browser verifies the log by itself, and the published log that it reads.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    view::record_verify::{RecordVerifyPage, Script},
};
use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::sync::Arc;

/// The longest file of the log that is served: a bundle of 256 entries of at most 64 KiB each.
const MOST: u64 = 20 << 20;

/// Which entry to look for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    index: String,
}

pub(crate) async fn page(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>, signed: Signed) -> Response {
    let scripts = [("tlog.js", Asset::Tlog), ("verify.js", Asset::Verify), ("verify_page.js", Asset::VerifyPage)];
    let files = [Asset::Record, Asset::Tlog, Asset::Verify, Asset::VerifyPage];
    let script =
        |(name, asset): (&str, Asset)| Script { name: name.to_owned(), href: asset.path(), sha256: asset.sha256() };
    show(&RecordVerifyPage {
        frame: app.frame(Some(&signed.0), "Verify in this browser", "/record", &files),
        log: "/log/".to_owned(),
        index: wanted.index.chars().filter(char::is_ascii_digit).take(12).collect(),
        scripts: scripts.map(script).to_vec(),
    })
}

/// A file of the published log, which holds no patient's data: its names are the log's own and no others.
pub(crate) async fn file(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    _signed: Signed,
) -> Result<Response, Fault> {
    if !is_published(&path) {
        return Err(Fault::none());
    }
    let place = app.config.state_dir.join("log").join(&path);
    let size = tokio::fs::metadata(&place).await.map_err(|_| Fault::none())?.len();
    if size > MOST {
        return Err(Fault::internal("a file of the log is too large"));
    }
    let bytes = tokio::fs::read(&place).await.map_err(|_| Fault::none())?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// `checkpoint`, `key`, or a tile (C2SP tlog-tiles: `tile/L/N`, `tile/entries/N`, `.p/W` at the end of a partial one).
fn is_published(path: &str) -> bool {
    let number = |part: &str| {
        let digits = part.strip_prefix('x').unwrap_or(part);
        digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let width = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = path.split('/');
    match (parts.next(), parts.next()) {
        (Some("checkpoint" | "key"), None) => true,
        (Some("tile"), Some(level)) if level == "entries" || width(level) => {
            let rest: Vec<&str> = parts.collect();
            let (last, before) = match rest.as_slice() {
                [before @ .., partial, w] if partial.strip_suffix(".p").is_some_and(number) => {
                    return width(w) && before.iter().all(|part| number(part));
                }
                [before @ .., last] => (last, before),
                [] => return false,
            };
            number(last) && before.iter().all(|part| number(part))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_logs_own_names_are_served() {
        for good in ["checkpoint", "key", "tile/0/000", "tile/0/x001/234", "tile/entries/004.p/17", "tile/1/000.p/3"] {
            assert!(is_published(good), "{good}");
        }
        for bad in [
            "",
            "checkpoint/x",
            "../guardian/guardian.db",
            "tile",
            "tile/0",
            "tile/0/..",
            "tile/0/0000",
            "tile/x/000",
            "tile/entries/000.p/",
            "tile/entries/000.p/../../key",
            "tile/entries/000.p/9999",
            "logs/audit.log",
            "tile//000",
        ] {
            assert!(!is_published(bad), "{bad}");
        }
    }
}
