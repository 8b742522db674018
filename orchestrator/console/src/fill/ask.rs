//! What a physician can ask for instead of deciding, and what was asked for.

use super::words;
use crate::view::{
    escalation::Choices,
    parts::{Asked, News},
};
use bodh_clinical::TestId;
use bodh_panel::{AskLine, Escalation, Report};
use bodh_panel_api::pb::{Askable, DecidedItem, InboxItem};

/// The list: what would tell most stands first, then the questions, then the tests, each by its name.
pub(crate) fn choices(record: &Escalation, askable: &[Askable]) -> Vec<Choices> {
    let next = |one: &&Askable| record.shown.next_tests.iter().any(|test| test.id.as_str() == one.test);
    let group = |name: &str, of: Vec<&Askable>| {
        let mut tests: Vec<_> = of.into_iter().map(|one| (one.test.clone(), one.label.clone())).collect();
        tests.sort_by(|a, b| a.1.cmp(&b.1));
        Choices { name: name.to_owned(), tests }
    };
    let (next, rest): (Vec<_>, Vec<_>) = askable.iter().partition(next);
    let (questions, tests): (Vec<_>, Vec<_>) = rest.into_iter().partition(|one| one.is_question);
    let groups =
        [group("Would tell most next", next), group("Questions", questions), group("Tests", tests)].into_iter();
    groups.filter(|group| !group.tests.is_empty()).collect()
}

/// What the decision asked for, in a sentence.
pub(crate) fn named(test: &TestId, askable: &[Askable]) -> String {
    let known = askable.iter().find(|one| one.test == test.as_str());
    format!("Asked for: {}.", known.map_or_else(|| test.to_string(), |one| one.label.clone()))
}

/// What was decided of the reader's own sessions, and not seen yet.
pub(crate) fn news(decided: &[DecidedItem]) -> Vec<News> {
    let one = |item: &DecidedItem| News {
        href: format!("/sessions/{}", item.session),
        session: words::short(&item.session),
        kind: words::kind(&item.kind),
        verdict: words::status(&item.verdict),
        by: words::person(&item.by),
        at: words::when(item.at_unix_ms),
    };
    decided.iter().map(one).collect()
}

/// What a signer should know where two people have to approve, and none where one decides.
pub(crate) fn second(record: &Escalation, item: &InboxItem) -> Option<String> {
    let commits = "Nothing is done before two different people have approved exactly this record.";
    match (record.signers, item.first_by.as_str()) {
        (0 | 1, _) => None,
        (_, "") => Some(format!("{commits} An approval now is the first of two.")),
        (_, first) => Some(format!("{commits} {} has approved: an approval now is the second.", words::person(first))),
    }
}

/// Every request, as a session's pages show it.
pub(crate) fn asked(report: &Report) -> Vec<Asked> {
    let one = |line: &AskLine| Asked {
        by: words::person(&line.by),
        at: words::when(line.at_unix_ms),
        what: if line.label.is_empty() { "an answer".to_owned() } else { line.label.clone() },
        words: words::reason(&line.words),
        waits: line.waits,
    };
    report.asks.iter().map(one).collect()
}

/// What the session waits for, in a sentence.
pub(crate) fn waits(report: &Report) -> String {
    let Some(line) = report.asks.iter().find(|line| line.waits) else { return String::new() };
    let by = words::person(&line.by);
    match line.label.as_str() {
        "" => format!("{by} asked a question. Nothing goes on before it is answered below."),
        label => format!("{by} asked for: {label}. Nothing goes on before its result is entered below."),
    }
}

/// Who asked for this test.
pub(crate) fn by(report: &Report, test: &TestId) -> Option<String> {
    let of_it = report.asks.iter().rev().find(|line| line.test.as_ref() == Some(test));
    of_it.map(|line| words::person(&line.by))
}
