//! What a leading diagnosis would have made one expect and the chart does not have, and what of it would change the order.

use crate::chart::Sign;
use crate::domain::Domain;
use bodh_clinical::{Expected, Hypothesis, Presence, TermId};
use bodh_knowledge::{DiseaseIx, NEVER, Pack, TermIx, rate_of};
use std::collections::BTreeSet;

/// Hypotheses that are explained so.
const EXPLAINED: usize = 10;
/// Findings told of each.
const TOLD: usize = 4;
/// Fewer patients than this have it: its absence surprises nobody.
const OFTEN: f64 = 0.3;

/// Tells each leading hypothesis what it would have made one expect: the most telling first, and among them the finding that would
/// speak most for it against the leading one (for the leading one, against the second).
pub(crate) fn explain(pack: &Pack, signs: &[Sign], hypotheses: &mut [Hypothesis]) {
    let of = |h: &Hypothesis| pack.disease(h.id.as_str());
    let places: Vec<Option<DiseaseIx>> = hypotheses.iter().take(EXPLAINED).map(of).collect();
    let [first, second] = [0, 1].map(|place| places.get(place).copied().flatten());
    let told: BTreeSet<TermIx> = signs.iter().flat_map(|sign| known(pack, sign)).collect();
    for (place, (hypothesis, disease)) in hypotheses.iter_mut().zip(&places).enumerate() {
        let rival = if place == 0 { second } else { first };
        if let Some(disease) = disease {
            hypothesis.expected = expected(pack, &told, *disease, rival);
        }
    }
}

/// The terms that a sign answers: what is present with all above it, and what is excluded.
fn known(pack: &Pack, sign: &Sign) -> Vec<TermIx> {
    match sign.presence {
        Presence::Present => pack.ancestors(sign.term).collect(),
        Presence::Excluded => vec![sign.term],
    }
}

fn expected(pack: &Pack, told: &BTreeSet<TermIx>, disease: DiseaseIx, rival: Option<DiseaseIx>) -> Vec<Expected> {
    let annotated: BTreeSet<TermIx> = pack.annotations(disease).filter(|a| !a.not).map(|a| a.term).collect();
    let open = annotated.into_iter().filter(|t| pack.is_phenotypic(*t) && !told.contains(t));
    let domain = Domain::of(pack, disease);
    let mut all: Vec<(f64, Expected)> = open
        .filter_map(|term| {
            let frequency = pack.rate(disease, term).filter(|step| *step != NEVER).map(rate_of)?;
            let beside = rival.map_or_else(|| domain.background(pack, term), |rival| rate_in(pack, rival, term));
            let expected = Expected {
                term: TermId::parse(pack.term_id(term)).ok()?,
                label: pack.term_label(term).to_owned(),
                frequency,
                tells_bits: (frequency / beside).log2(),
            };
            let telling = frequency * -domain.background(pack, term).ln();
            (frequency >= OFTEN).then_some((telling, expected))
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.term.cmp(&b.1.term)));
    let most = all.iter().map(|(_, e)| e).max_by(|a, b| a.tells_bits.total_cmp(&b.tells_bits)).cloned();
    let mut told: Vec<Expected> = Vec::new();
    for (_, expected) in all {
        let term = |e: &Expected| pack.term(e.term.as_str());
        let related = |other: &Expected| {
            let pair = term(&expected).zip(term(other));
            pair.is_some_and(|(one, other)| pack.is_a(one, other) || pack.is_a(other, one))
        };
        if told.len() < TOLD && !told.iter().any(related) {
            told.push(expected);
        }
    }
    if let Some(most) = most.filter(|most| told.iter().all(|e| e.term != most.term)) {
        told.truncate(TOLD - 1);
        told.push(most);
    }
    told
}

/// How often a disease shows a term; what it is not known to show it has as often as the ranking grants.
fn rate_in(pack: &Pack, disease: DiseaseIx, term: TermIx) -> f64 {
    let domain = Domain::of(pack, disease);
    let unmentioned = || (domain.least(pack, term).exp() * domain.background(pack, term)).max(1e-4);
    pack.rate(disease, term).filter(|step| *step != NEVER).map_or_else(unmentioned, rate_of)
}
