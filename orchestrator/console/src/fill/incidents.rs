//! Incidents, newest first, and the review rules that were made of them.

use super::words;
use crate::view::{
    Chip, Tone,
    format::percent,
    operations::{Incident, Rule, Signing},
    parts::Link,
};
use bodh_panel::ReviewRule;
use serde::Deserialize;

/// An incident as the orchestrator tells of it from the log.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Incidence {
    /// The incident's id where a person marked it; the step of the session where the panel found it.
    id: String,
    /// `mark` or `refute`.
    action: String,
    cause: String,
    session: String,
    at_unix_ms: i64,
}

impl Incidence {
    fn is_marked(&self) -> bool {
        self.action == "mark"
    }
}

fn chip(tone: Tone, word: &str) -> Chip {
    Chip { tone, word: word.to_owned() }
}

/// Why the panel, or a person, says that a claim does not stand.
fn cause(cause: &str) -> String {
    match cause {
        "hallucination_marked" => "A physician marked a claim as false".to_owned(),
        "notinchart" => "A claim cited a finding that the chart does not hold".to_owned(),
        "notinpack" => "A claim cited an annotation that the knowledge does not hold".to_owned(),
        "wrongratio" => "A claim's number did not follow from the knowledge".to_owned(),
        "wrongsource" => "A claim cited a source that its annotation does not have".to_owned(),
        other => words::capital(&other.replace('_', " ")),
    }
}

/// The incidents as a list; a session's trace is a link where the reader may see it.
pub(super) fn incidents(list: &[Incidence], rules: &[ReviewRule], may_trace: bool, now_ms: i64) -> Vec<Incident> {
    let one = |incident: &Incidence| {
        let rule = rules.iter().find(|rule| incident.is_marked() && rule.incident == incident.id);
        let state = match rule {
            Some(rule) => standing(rule, now_ms),
            None if incident.is_marked() => chip(Tone::Quiet, "no rule"),
            None => chip(Tone::Good, "refuted, not shown"),
        };
        Incident {
            anchor: incident.is_marked().then(|| incident.id.clone()),
            at: words::when(incident.at_unix_ms),
            what: cause(&incident.cause),
            session: Link {
                label: words::short(&incident.session),
                href: may_trace.then(|| format!("/record/{}", incident.session)),
            },
            rule: rule.map(|rule| Link { label: words::rule(&rule.id), href: Some(format!("#{}", rule.id)) }),
            state,
        }
    };
    list.iter().map(one).collect()
}

fn standing(rule: &ReviewRule, now_ms: i64) -> Chip {
    match (rule.reversed, rule.in_force(now_ms)) {
        (true, _) => chip(Tone::Quiet, "rule reversed"),
        (_, true) => chip(Tone::Warning, "rule in force"),
        _ => chip(Tone::Quiet, "rule lapsed"),
    }
}

/// The rules, those in force first and the newest of each first. Those in force have a form where the reader may reverse them.
pub(super) fn rules(list: &[ReviewRule], incidents: &[Incidence], may_reverse: bool, now_ms: i64) -> Vec<Rule> {
    let mut sorted: Vec<&ReviewRule> = list.iter().collect();
    sorted.sort_by_key(|rule| (!rule.in_force(now_ms), std::cmp::Reverse(rule.made_unix_ms)));
    let listed = |rule: &ReviewRule| incidents.iter().any(|one| one.is_marked() && one.id == rule.incident);
    let one = |rule: &&ReviewRule| Rule {
        anchor: rule.id.clone(),
        id: words::rule(&rule.id),
        what: format!(
            "Asks a physician about cases whose findings are at least {} alike, and from {} on where the same disease \
             is considered.",
            percent(rule.similarity),
            percent(rule.similarity_if_considered)
        ),
        from: Link {
            label: format!("incident {}, marked by {}", words::short(&rule.incident), words::person(&rule.signer)),
            href: listed(rule).then(|| format!("#incident-{}", rule.incident)),
        },
        lapses: words::when(rule.expires_unix_ms),
        state: match (rule.reversed, rule.in_force(now_ms)) {
            (true, _) => chip(Tone::Quiet, "reversed"),
            (_, true) => chip(Tone::Good, "in force"),
            _ => chip(Tone::Quiet, "lapsed"),
        },
        reversed: rule.reversal.as_ref().map(|by| {
            format!("Reversed by {} on {}: {}", words::person(&by.signer), words::when(by.at_unix_ms), by.reason)
        }),
        reverse: (may_reverse && rule.in_force(now_ms)).then(|| {
            let at = format!("/operations/rules/{}", rule.id);
            Signing { options: format!("{at}/options"), action: format!("{at}/reverse") }
        }),
    };
    sorted.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(incident: &str, reversed: bool) -> ReviewRule {
        let by = json!({ "signer": "spiffe://d/human/bob", "reason": "too wide", "at_unix_ms": 5 });
        serde_json::from_value(json!({
            "id": format!("rule-{incident}"), "incident": incident, "claim": "OMIM:1/HP:2", "disease": "OMIM:1",
            "pattern": ["HP:2"], "similarity": 0.6, "similarity_if_considered": 0.4,
            "signer": "spiffe://d/human/ann", "made_unix_ms": 0, "expires_unix_ms": 1000, "reversed": reversed,
            "reversal": reversed.then_some(by),
        }))
        .unwrap()
    }

    fn incident(id: &str, action: &str, cause: &str) -> Incidence {
        let (id, action, cause) = (id.to_owned(), action.to_owned(), cause.to_owned());
        Incidence { id, action, cause, session: "ab".repeat(16), at_unix_ms: 0 }
    }

    #[test]
    fn an_incident_tells_its_rule_and_where_that_stands() {
        let list = [
            incident("aaaa0001", "mark", "hallucination_marked"),
            incident("e3", "refute", "notinchart"),
            incident("bbbb0001", "mark", "x"),
        ];
        let rules = [made("aaaa0001", false), made("e3", false)];
        let shown = incidents(&list, &rules, true, 10);
        assert_eq!(shown[0].rule.as_ref().unwrap().href.as_deref(), Some("#rule-aaaa0001"));
        assert_eq!(shown[0].session.href.as_deref(), Some(format!("/record/{}", "ab".repeat(16)).as_str()));
        let states: Vec<&str> = shown.iter().map(|one| one.state.word.as_str()).collect();
        assert_eq!(states, ["rule in force", "refuted, not shown", "no rule"]);
        assert_eq!(shown[1].rule.as_ref().map(|rule| &rule.label), None, "nobody marked it");
        assert_eq!(incidents(&list, &rules, false, 2000)[0].session.href, None);
        assert_eq!(incidents(&list, &rules, false, 2000)[0].state.word, "rule lapsed");
    }

    #[test]
    fn rules_in_force_come_first_and_a_reversal_names_who_and_why() {
        let list = [made("aaaa0001", true), made("bbbb0001", false)];
        let shown = rules(&list, &[incident("bbbb0001", "mark", "x")], true, 10);
        let told: Vec<(&str, &str)> = shown.iter().map(|rule| (rule.id.as_str(), rule.state.word.as_str())).collect();
        assert_eq!(told, [("bbbb 0001", "in force"), ("aaaa 0001", "reversed")]);
        assert_eq!(shown[0].from.href.as_deref(), Some("#incident-bbbb0001"));
        assert!(shown[1].reversed.as_deref().unwrap().starts_with("Reversed by bob on 1 Jan 1970"));
        assert_eq!(shown[1].from.href, None, "not among those listed");
        let forms = |may, now_ms| rules(&list, &[], may, now_ms).iter().filter(|rule| rule.reverse.is_some()).count();
        assert_eq!((forms(true, 10), forms(true, 1000), forms(false, 10)), (1, 0, 0));
    }
}
