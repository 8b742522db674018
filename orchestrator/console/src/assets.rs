//! The style sheets and scripts, in the program itself, each under a path that names its content.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

macro_rules! assets {
    ($($name:ident = $file:literal, $kind:literal;)+) => {
        /// One file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Asset { $($name,)+ }

        static ALL: LazyLock<Vec<(Asset, String, &'static str, &'static str)>> = LazyLock::new(|| {
            vec![$((Asset::$name, path($file, include_str!(concat!("../assets/", $file))),
                $kind, include_str!(concat!("../assets/", $file))),)+]
        });
    };
}

assets! {
    Style = "console.css", "text/css; charset=utf-8";
    Passkey = "passkey.js", "text/javascript; charset=utf-8";
    Pictures = "pictures.css", "text/css; charset=utf-8";
    Record = "record.css", "text/css; charset=utf-8";
    Tlog = "tlog.js", "text/javascript; charset=utf-8";
    Verify = "verify.js", "text/javascript; charset=utf-8";
    VerifyPage = "verify_page.js", "text/javascript; charset=utf-8";
    Live = "live.js", "text/javascript; charset=utf-8";
}

/// `/assets/HASH/console.css`: another content is another path.
fn path(file: &str, content: &str) -> String {
    let hash = HEXLOWER.encode(digest(&SHA256, content.as_bytes()).as_ref());
    format!("/assets/{}/{file}", hash.get(..16).unwrap_or_default())
}

impl Asset {
    /// SHA-256 of its bytes, hex.
    pub(crate) fn sha256(self) -> String {
        let content = ALL.iter().find(|(asset, ..)| *asset == self).map_or("", |(.., content)| *content);
        HEXLOWER.encode(digest(&SHA256, content.as_bytes()).as_ref())
    }

    /// A style sheet and not a script.
    pub(crate) fn is_style(self) -> bool {
        matches!(self, Asset::Style | Asset::Pictures | Asset::Record)
    }

    /// Where it is.
    pub(crate) fn path(self) -> String {
        ALL.iter().find(|(asset, ..)| *asset == self).map(|(_, path, ..)| path.clone()).unwrap_or_default()
    }
}

/// The file of a path; it never changes, so a browser keeps it.
pub(crate) fn serve(path: &str) -> Response {
    let Some((_, _, kind, content)) = ALL.iter().find(|(_, known, ..)| known == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, kept)], *content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_content() {
        let path = Asset::Style.path();
        assert!(path.starts_with("/assets/") && path.ends_with("/console.css"), "{path}");
        assert_eq!(serve(&path).status(), StatusCode::OK);
        for wrong in ["/assets/0000000000000000/console.css", "/assets/../main.rs", "", "/assets/"] {
            assert_eq!(serve(wrong).status(), StatusCode::NOT_FOUND, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere_and_nothing_is_evaluated() {
        for (_, path, _, content) in ALL.iter() {
            for word in ["http://", "@import", "eval(", "innerHTML", "document.write", "url("] {
                assert!(!content.contains(word), "{path}: {word}");
            }
        }
    }
}
