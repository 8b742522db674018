//! The site: what its pages are made with, and what holds for every answer.

use crate::{
    assets::Asset,
    ceremony::Ceremonies,
    fault::{Fault, unread},
    pages,
    session::{cookie, same},
    signed_in::{People, SignedIn},
    view::frame::{Frame, NavItem, Person},
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use bodh_gate::Entity;
use bodh_host::{Config, Joined};
use ring::hmac;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// What is served under which name.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// `https://localhost:8443`.
    pub(crate) origin: String,
    /// `localhost:8443`, as browsers send it.
    host: String,
    /// `localhost`.
    pub(crate) rp_id: String,
}

impl Site {
    /// The origin is `https://RP_ID` or `https://RP_ID:PORT`.
    pub(crate) fn new(origin: &str, rp_id: &str) -> Option<Self> {
        let host = origin.strip_prefix("https://")?;
        let rest = host.strip_prefix(rp_id)?;
        let port = rest.strip_prefix(':').map(str::parse::<u16>);
        let sound = !rp_id.is_empty() && (rest.is_empty() || matches!(port, Some(Ok(_))));
        sound.then(|| Self { origin: origin.to_owned(), host: host.to_owned(), rp_id: rp_id.to_owned() })
    }
}

/// Everything that a page is made with.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) site: Site,
    pub(crate) joined: Joined,
    /// Makes each person's token: the same in every tab and after signing in again.
    pub(crate) csrf: hmac::Key,
    pub(crate) people: People,
    pub(crate) entering: Ceremonies<pages::sign_in::Entering>,
    pub(crate) enrolling: Ceremonies<pages::enrol::Enrolling>,
    pub(crate) adding: Ceremonies<pages::keys::Adding>,
    pub(crate) touches: Ceremonies<pages::touch::Statement>,
}

/// The largest case that a form takes.
pub(crate) const MOST_CASE: usize = 1 << 20;
/// The largest other request.
pub(crate) const MOST_FORM: usize = 64 << 10;

/// A request that has no answer by then has none: a replay of a long session takes a minute.
const LONGEST: Duration = Duration::from_secs(180);

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

impl App {
    pub(crate) fn new(config: Config, site: Site, joined: Joined, csrf: hmac::Key) -> Self {
        Self {
            config,
            site,
            joined,
            csrf,
            people: People::default(),
            entering: Ceremonies::default(),
            enrolling: Ceremonies::default(),
            adding: Ceremonies::default(),
            touches: Ceremonies::default(),
        }
    }

    pub(crate) fn now_ms() -> i64 {
        chrono::Utc::now().timestamp_millis()
    }

    /// For the footer.
    pub(crate) fn versions() -> Vec<String> {
        vec![format!("bodh {}", env!("CARGO_PKG_VERSION"))]
    }

    /// The roles of a person, as the guardian's feed has them now.
    pub(crate) fn roles(&self, who: &SignedIn) -> Vec<String> {
        let view = self.joined.gate.trust().current().ok();
        view.and_then(|view| view.people.get(&who.id).map(|person| person.roles.clone())).unwrap_or_default()
    }

    /// The roles of everybody who is enrolled, in words, by SPIFFE id.
    pub(crate) fn known_roles(&self) -> HashMap<String, String> {
        let view = self.joined.gate.trust().current().ok();
        let people = view.iter().flat_map(|view| &view.people);
        people.map(|(id, person)| (id.to_string(), person.roles.join(", "))).collect()
    }

    /// Whether policy would let this person do it now: what it would refuse is not offered. It is asked again when they do.
    pub(crate) fn may(&self, who: &SignedIn, action: &str, resource: Entity) -> bool {
        let judged = self.joined.gate.rule_for(&who.id, action, resource, serde_json::json!({}));
        judged.is_ok_and(|judgement| judgement.ruling.is_allowed())
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, who: Option<&SignedIn>, title: &str, here: &str, files: &[Asset]) -> Frame {
        let roles = who.map(|who| self.roles(who)).unwrap_or_default();
        let has = |role: &str| roles.iter().any(|known| known == role);
        let places = [
            ("Sessions", "/sessions", has("clinician")),
            ("Inbox", "/inbox", has("physician")),
            ("Record", "/record", has("compliance")),
            ("Operations", "/operations", who.is_some()),
        ];
        let item = |(label, href, _): (&str, &str, bool)| NavItem {
            label: label.to_owned(),
            href: href.to_owned(),
            current: href == here,
            count: None,
        };
        Frame {
            title: title.to_owned(),
            css: Asset::Style.path(),
            sheets: files.iter().filter(|asset| asset.is_style()).map(|asset| asset.path()).collect(),
            scripts: files.iter().filter(|asset| !asset.is_style()).map(|asset| asset.path()).collect(),
            nav: places.into_iter().filter(|(_, _, open)| *open).map(item).collect(),
            person: who.map(|who| Person {
                name: who.name.clone(),
                roles: roles.join(", "),
                until: crate::fill::words::clock(who.until_ms),
                csrf: who.csrf.clone(),
            }),
            notice: None,
            versions: Self::versions(),
        }
    }

    /// Whoever the cookie belongs to, unless they have lost a key since they signed in: it may be the one.
    pub(crate) fn who(&self, headers: &HeaderMap) -> Option<Arc<SignedIn>> {
        let cookie = cookie(headers)?;
        let who = self.people.get(cookie, Self::now_ms())?;
        let Ok(view) = self.joined.gate.trust().current() else { return Some(who) };
        if view.check_peer(&who.id, who.from_ms).is_ok() {
            return Some(who);
        }
        self.people.remove(cookie);
        None
    }
}

/// A handler's argument: it runs for nobody who is not signed in.
pub(crate) struct Signed(pub(crate) Arc<SignedIn>);

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        if let Some(who) = app.who(&parts.headers) {
            return Ok(Self(who));
        }
        let wants_page =
            parts.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
        if parts.method == Method::GET && wants_page {
            let asked = parts.uri.path_and_query().map_or("/", |asked| asked.as_str());
            let next: String = data_encoding::BASE64URL_NOPAD.encode(asked.as_bytes());
            return Err(Redirect::to(&format!("/sign-in?next={next}")).into_response());
        }
        Err(if wants_page { Fault::signed_out() } else { Fault::signed_out().in_json() }.into_response())
    }
}

impl Signed {
    /// The form came from a page that this person was shown.
    pub(crate) fn check(&self, csrf: &str) -> Result<(), Fault> {
        if same(&self.0.csrf, csrf) { Ok(()) } else { Err(Fault::forged()) }
    }

    /// The same for a script's request.
    pub(crate) fn check_header(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let sent = headers.get("x-bodh-csrf").and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.check(sent).map_err(Fault::in_json)
    }
}

/// Refuses what another site made, and says on every answer what a browser may do with it.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let wants_json =
        request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"));
    let who = app.who(request.headers());
    let mut response = if is_ours(&app.site, request.method(), request.headers()) {
        // Most of it is the time for a body to arrive; a live page's answer begins at once.
        match tokio::time::timeout(LONGEST, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => unread(StatusCode::REQUEST_TIMEOUT).into_response(),
        }
    } else {
        tracing::warn!("a request that another site made was refused");
        app.joined.tally.count("cross_site");
        Fault::forged().into_response()
    };
    let status = response.status();
    let ours = response.headers().contains_key(header::SET_COOKIE)
        || response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != "text/plain; charset=utf-8");
    let carried = response.extensions_mut().remove::<Fault>();
    let fault = carried.or_else(|| (status.is_client_error() && !ours).then(|| unread(status)));
    if let Some(fault) = fault {
        let fault = if wants_json { fault.in_json() } else { fault };
        response = fault.answer(app.frame(who.as_deref(), "", "", &[]));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CSP),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=()",
        ),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The host is ours (no other name leads here), and what changes something was asked for by one of our pages.
fn is_ours(site: &Site, method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(&site.host));
    let fetched = text(HeaderName::from_static("sec-fetch-site"));
    match *method {
        Method::GET | Method::HEAD => host,
        Method::POST => {
            host && text(header::ORIGIN) == Some(site.origin.as_str())
                && fetched.is_none_or(|from| from == "same-origin")
        }
        _ => false,
    }
}

/// A page as it is: 200.
pub(crate) fn page(page: &impl askama::Template) -> Response {
    crate::fault::render(StatusCode::OK, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_origin_is_the_name_with_a_port() {
        assert!(Site::new("https://localhost:8443", "localhost").is_some());
        assert!(Site::new("https://localhost", "localhost").is_some());
        for (origin, rp_id) in [
            ("http://localhost:8443", "localhost"),
            ("https://localhost.example:8443", "localhost"),
            ("https://localhost:8443/x", "localhost"),
            ("https://localhost:99999", "localhost"),
            ("https://:8443", ""),
        ] {
            assert!(Site::new(origin, rp_id).is_none(), "{origin}");
        }
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let site = Site::new("https://localhost:8443", "localhost").unwrap();
        let (host, origin) = (("host", "localhost:8443"), ("origin", "https://localhost:8443"));
        assert!(is_ours(&site, &Method::GET, &headers(&[host])));
        assert!(is_ours(&site, &Method::POST, &headers(&[host, origin])));
        assert!(is_ours(&site, &Method::POST, &headers(&[host, origin, ("sec-fetch-site", "same-origin")])));
        for (method, sent) in [
            (Method::GET, vec![("host", "evil.example")]),
            (Method::GET, vec![]),
            (Method::POST, vec![host]),
            (Method::POST, vec![host, ("origin", "https://evil.example")]),
            (Method::POST, vec![host, ("origin", "null")]),
            (Method::POST, vec![host, origin, ("sec-fetch-site", "cross-site")]),
            (Method::PUT, vec![host, origin]),
            (Method::DELETE, vec![host, origin]),
        ] {
            assert!(!is_ours(&site, &method, &headers(&sent)), "{method} {sent:?}");
        }
    }
}
