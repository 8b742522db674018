//! What waits for a physician: one row per session, the most urgent first.

use crate::{
    app::{App, Signed, page as show},
    fault::Fault,
    fill::words,
    view::{
        Tone,
        format::{age, dollars},
        inbox::{InboxAsk, InboxPage, InboxRow, PastRow, Tier},
    },
};
use axum::{extract::State, response::Response};
use bodh_panel_api::pb::{self, InboxItem};
use std::{collections::BTreeMap, sync::Arc};

/// Older than this is late.
const LATE_MS: i64 = 60 * 60 * 1000;
/// Decided ones shown.
const PAST: usize = 50;

/// Name, what belongs in it, tone.
const TIERS: [(&str, &str, Tone); 3] = [
    ("Urgent", "a condition that must not be missed, or a claim that did not stand", Tone::Bad),
    ("To decide", "money, dissent, low confidence, a review rule", Tone::Warning),
    ("Rare alone", "nothing is asked but a look, because the diagnosis is rare", Tone::Info),
];

pub(crate) async fn page(State(app): State<Arc<App>>, signed: Signed) -> Result<Response, Fault> {
    let pb::InboxReply { items, decided } =
        signed.0.panel.clone().inbox(pb::InboxRequest { all: true }).await?.into_inner();
    let me = signed.0.id.as_str();
    // Whoever may not decide sees which of their own sessions wait.
    let decides = app.roles(&signed.0).iter().any(|role| role == "physician");
    let items = items.into_iter().filter(|item| decides || item.requester == me);
    let (open, past): (Vec<_>, Vec<_>) = items.partition(|item| item.status == "open");
    let tiers = tiers(&open, me, App::now_ms());
    let waiting: usize = tiers.iter().map(|tier| tier.rows.len()).sum();
    let oldest = open.iter().map(|item| App::now_ms() - item.raised_unix_ms).max();
    let summary = match (waiting, oldest) {
        (0, _) | (_, None) => "Nothing waits.".to_owned(),
        (1, Some(oldest)) => format!("One session waits, for {}.", age(oldest)),
        (n, Some(oldest)) => format!("{n} sessions wait. The oldest for {}.", age(oldest)),
    };
    let row = |item: InboxItem| PastRow {
        href: if decides && item.requester != me {
            format!("/escalations/{}", item.escalation)
        } else {
            format!("/sessions/{}", item.session)
        },
        session: words::short(&item.session),
        kind: words::kind(&item.kind),
        outcome: words::status(&item.status),
        at: words::when(item.raised_unix_ms),
    };
    Ok(show(&InboxPage {
        frame: app.frame(Some(&signed.0), "Inbox", "/inbox", &[]),
        summary,
        news: crate::fill::ask::news(&decided),
        tiers,
        past: past.into_iter().rev().take(PAST).map(row).collect(),
        older: None,
    }))
}

fn tier_of(kind: &str) -> usize {
    match words::tone(kind) {
        Tone::Bad => 0,
        Tone::Info => 2,
        _ => 1,
    }
}

/// The sessions in their tiers, each by its most serious question, the oldest first.
fn tiers(open: &[InboxItem], me: &str, now_ms: i64) -> Vec<Tier> {
    let mut sessions: BTreeMap<&str, Vec<&InboxItem>> = BTreeMap::new();
    for item in open {
        sessions.entry(item.session.as_str()).or_default().push(item);
    }
    let mut rows: Vec<(usize, i64, InboxRow)> = Vec::new();
    for (session, mut asks) in sessions {
        asks.sort_by_key(|item| (tier_of(&item.kind), item.raised_unix_ms));
        let (Some(first), Some(raised)) = (asks.first(), asks.iter().map(|item| item.raised_unix_ms).min()) else {
            continue;
        };
        let own = first.requester == me;
        let row = InboxRow {
            href: if own { format!("/sessions/{session}") } else { format!("/escalations/{}", first.escalation) },
            session: words::short(session),
            asks: asks.iter().map(|item| ask(item, own)).collect(),
            age: age(now_ms - raised),
            late: now_ms - raised > LATE_MS,
            lapses: String::new(),
            requester: words::person(&first.requester),
            who: "a physician".to_owned(),
            own,
        };
        rows.push((tier_of(&first.kind), raised, row));
    }
    rows.sort_by_key(|(tier, raised, _)| (*tier, *raised));
    let tier = |(place, (name, holds, tone)): (usize, (&str, &str, Tone))| Tier {
        name: name.to_owned(),
        holds: holds.to_owned(),
        tone,
        rows: rows.iter().filter(|(tier, ..)| *tier == place).map(|(.., row)| row.clone()).collect(),
    };
    TIERS.into_iter().enumerate().map(tier).filter(|tier| !tier.rows.is_empty()).collect()
}

fn ask(item: &InboxItem, own: bool) -> InboxAsk {
    InboxAsk {
        kind: words::kind(&item.kind),
        half: (!item.first_by.is_empty()).then(|| words::waits(item)),
        amount: (item.amount_cents > 0).then(|| dollars(item.amount_cents)),
        tone: words::tone(&item.kind),
        href: if own { format!("/sessions/{}", item.session) } else { format!("/escalations/{}", item.escalation) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(session: &str, kind: &str, raised: i64, requester: &str) -> InboxItem {
        InboxItem {
            escalation: format!("{session}-{kind}"),
            session: session.into(),
            kind: kind.into(),
            raised_unix_ms: raised,
            requester: requester.into(),
            ..InboxItem::default()
        }
    }

    #[test]
    fn a_session_stands_once_under_its_most_serious_question() {
        let open = [
            item("a", "rare_diagnosis", 0, "me"),
            item("b", "low_confidence", 5, "x"),
            item("b", "red_flag", 9, "x"),
            item("c", "dissent", 1, "x"),
        ];
        let tiers = tiers(&open, "me", LATE_MS + 2);
        assert_eq!(tiers.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["Urgent", "To decide", "Rare alone"]);
        assert_eq!(tiers[0].rows[0].asks.len(), 2);
        assert_eq!(tiers[0].rows[0].href, "/escalations/b-red_flag");
        assert!(tiers[2].rows[0].own && tiers[2].rows[0].late && tiers[1].rows[0].late && !tiers[0].rows[0].late);
        assert!(super::tiers(&[], "me", 0).is_empty());
    }
}
