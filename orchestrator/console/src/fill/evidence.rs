//! Diagnoses with what speaks for and against each.

use crate::view::{
    Tone,
    format::{bits, likelihood, percent, permille, prevalence, source, strength},
    parts::{Claim, Dissent, Expected, Hypothesis, Presence},
};
use bodh_clinical::{Finding, Presence as Seen, Prevalence, TermId};
use bodh_panel::{Escalation, Report};

/// Claims shown each way, of the first three diagnoses and of the others: a page stays light.
const CLAIMS: (usize, usize) = (5, 2);
/// From here on a finding that is missing would move a diagnosis, as a log2 ratio: twice as usual.
const TURNS: f64 = 1.0;
/// Above this the policy asks a physician (deploy/policies/conclusions.cedar).
const DISSENT: f64 = 0.48;

fn claim(finding: String, seen: Seen, weight: f64, sources: &[String], fallen: Option<String>) -> Claim {
    Claim {
        finding,
        presence: if seen == Seen::Present { Presence::Present } else { Presence::Absent },
        weight: likelihood(weight),
        bits: bits(weight),
        strength: strength(weight),
        sources: sources.iter().map(|id| source(id)).collect(),
        fallen,
    }
}

/// The first `most` diagnoses of a report.
pub(crate) fn differential(report: &Report, most: usize) -> Vec<Hypothesis> {
    let label = |term: &TermId| {
        let known = report.findings.iter().find(|f: &&Finding| f.term == *term);
        known.map_or_else(|| term.to_string(), |f| f.label.clone())
    };
    let one = |(rank, h): (u32, &bodh_clinical::Hypothesis)| {
        let most = if rank <= 3 { CLAIMS.0 } else { CLAIMS.1 };
        let mut claims: Vec<_> = h.claims.iter().collect();
        claims.sort_by(|a, b| b.bits.total_cmp(&a.bits).then_with(|| a.id.cmp(&b.id)));
        let fallen = |id: &str| {
            let in_list = |list: &[String]| list.iter().any(|other| other == id);
            if in_list(&report.refuted) {
                Some("the verifier could not derive it again".to_owned())
            } else {
                in_list(&report.struck).then(|| "a physician marked it as false".to_owned())
            }
        };
        let show = |c: &&bodh_clinical::Claim| {
            claim(label(&c.finding), c.presence, c.bits, &c.sources, fallen(&c.id.to_string()))
        };
        let turns = h.expected.iter().max_by(|a, b| a.tells_bits.total_cmp(&b.tells_bits));
        let beside = if rank == 1 { "the second" } else { "the leading one" };
        Hypothesis {
            rank,
            label: h.label.clone(),
            id: source(h.id.as_str()),
            percent: percent(h.probability),
            permille: permille(h.probability),
            prevalence: prevalence(h.prevalence.map(|p| p.0)),
            rare: Prevalence::is_rare(h.prevalence),
            red_flag: h.red_flag,
            for_it: claims.iter().filter(|c| c.bits > 0.0).take(most).map(show).collect(),
            against_it: claims.iter().rev().filter(|c| c.bits < 0.0).take(most).map(show).collect(),
            expected: h
                .expected
                .iter()
                .map(|e| Expected { label: e.label.clone(), share: percent(e.frequency) })
                .collect(),
            turns: turns.filter(|e| e.tells_bits >= TURNS).map(|e| {
                let times = likelihood(e.tells_bits).replace("likely", "usual");
                format!("Would change its place most: {}, {times} here than in {beside}.", e.label)
            }),
        }
    };
    (1..).zip(report.differential.iter().take(most)).map(one).collect()
}

/// The diagnoses of a record.
pub(crate) fn shown(record: &Escalation) -> Vec<Hypothesis> {
    let one = |(rank, h): (u32, &bodh_panel::ShownHypothesis)| {
        let show = |c: &bodh_panel::ShownClaim| {
            let fallen =
                record.shown.refuted.contains(&c.claim).then(|| "the verifier could not derive it again".to_owned());
            claim(c.finding.clone(), c.presence, c.bits, &c.sources, fallen)
        };
        Hypothesis {
            rank,
            label: h.label.clone(),
            id: source(h.id.as_str()),
            percent: percent(h.probability),
            permille: permille(h.probability),
            prevalence: prevalence(h.prevalence),
            rare: Prevalence::is_rare(h.prevalence.map(Prevalence)),
            red_flag: h.red_flag,
            for_it: h.for_it.iter().map(show).collect(),
            against_it: h.against_it.iter().map(show).collect(),
            expected: h
                .expected
                .iter()
                .map(|e| Expected { label: e.label.clone(), share: percent(e.frequency) })
                .collect(),
            turns: None,
        }
    };
    (1..).zip(&record.shown.differential).map(one).collect()
}

/// `ID label` without its id: people read the label.
pub(crate) fn labels(named: &[String]) -> Vec<String> {
    named.iter().map(|one| one.split_once(' ').map_or(one.as_str(), |(_, label)| label).to_owned()).collect()
}

/// How far the two methods are apart.
pub(crate) fn dissent(dissent: f64, leads: Vec<String>, refuted: &[String]) -> Dissent {
    let (tone, meaning) = if dissent > DISSENT {
        (
            Tone::Warning,
            "The reasoning verifier's own method puts other diagnoses first. Of published cases so far apart, the lead was right in one of eight.",
        )
    } else {
        (Tone::Good, "The reasoning verifier's own method agrees in the main.")
    };
    Dissent {
        percent: percent(dissent),
        permille: permille(dissent),
        tone,
        meaning: meaning.to_owned(),
        leads,
        refuted: refuted.iter().map(|id| format!("{id}: the verifier could not derive this claim again.")).collect(),
    }
}
