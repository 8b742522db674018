//! Where review rules live: sessions of their own, whose keys seal them and which the guardian opens again at a start.
//!
//! The guardian opens a session again for ninety days only, so a rule must lapse within that time of its home's making:
//! a home takes in rules for a day, and a rule lasts eighty-five days at most (the launcher's bound).

use crate::{
    error::Error,
    grant::{random_id, session_key},
    keys::Keys,
    runner::Runner,
};
use bodh_guardian_api::OpenSession;
use data_encoding::BASE64;

/// A home takes in rules for this long.
const FRESH_MS: i64 = 24 * 3600 * 1000;
/// The store's names for homes: this and the session.
const NAME: &str = "rules_home/";

struct Home {
    session: String,
    made_ms: i64,
    keys: Keys,
}

/// The homes that are open.
#[derive(Default)]
pub(crate) struct Homes {
    open: Vec<Home>,
}

impl Homes {
    /// The keys of this home, opened by the guardian if they are not open yet.
    pub(crate) async fn opened(&mut self, runner: &Runner, session: &str) -> Result<&Keys, Error> {
        if !self.open.iter().any(|home| home.session == session) {
            let bad = || Error::Corrupt("the review rules' key");
            let stored = runner.store.meta(&format!("{NAME}{session}")).await?.ok_or_else(bad)?;
            let (made, sealed) = stored.split_once(' ').ok_or_else(bad)?;
            let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| bad())?;
            let grant = runner.guardian.renew_session(session, session_key()?.public(), "", None).await?;
            let keys = Keys::open_all(session, &grant, &sealed)?;
            self.open.push(Home { session: session.to_owned(), made_ms: made.parse().map_err(|_| bad())?, keys });
        }
        let home = self.open.iter().find(|home| home.session == session);
        home.map(|home| &home.keys).ok_or(Error::Corrupt("the review rules"))
    }

    /// A home for a rule that is made now: the newest, or a new one on behalf of who makes the rule.
    pub(crate) async fn fresh(&mut self, runner: &Runner, on_behalf: &str) -> Result<(String, &Keys), Error> {
        let since = runner.now_ms() - FRESH_MS;
        if self.open.last().is_none_or(|home| home.made_ms <= since) {
            let made = make(runner, on_behalf).await?;
            self.open.push(made);
        }
        let home = self.open.last().ok_or(Error::Corrupt("the review rules"))?;
        Ok((home.session.clone(), &home.keys))
    }
}

async fn make(runner: &Runner, human: &str) -> Result<Home, Error> {
    let (session, trace) = (random_id()?, random_id()?);
    let open = OpenSession {
        session: session.clone(),
        session_key: session_key()?.public(),
        human: human.to_owned(),
        purpose: "review_rules".to_owned(),
        budget_cents: 0,
        trace,
        standing: true,
    };
    let grant = runner.guardian.open_session(open).await?;
    let (keys, sealed) = Keys::create(&session, &grant)?;
    let made_ms = runner.now_ms();
    // Durable before the first rule that it seals.
    let value = format!("{made_ms} {}", BASE64.encode(&sealed));
    runner.store.set_meta(&format!("{NAME}{session}"), &value).await?;
    Ok(Home { session, made_ms, keys })
}
