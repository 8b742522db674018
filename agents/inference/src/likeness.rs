//! How alike two charts are, from 0 to 1: what review rules use to find similar cases.
//!
//! Symmetric best-match average of information content (Resnik 1995; Pesquita et al. 2008), normalised: each term's best
//! common ancestor in the other chart counts its information, as a share of the term's own; both directions averaged.

use crate::chart::information;
use crate::domain::Domain;
use bodh_clinical::TermId;
use bodh_knowledge::{Pack, TermIx};

/// At most this many terms of a chart are compared.
const MOST: usize = 200;

/// 1 for the same terms, 0 for charts that share nothing but the root. Terms that the pack does not know are left out;
/// an empty chart is like no other.
#[must_use]
pub fn likeness(pack: &Pack, one: &[TermId], other: &[TermId]) -> f64 {
    let known = |terms: &[TermId]| -> Vec<TermIx> {
        terms.iter().filter_map(|t| pack.term(t.as_str())).filter(|t| pack.is_phenotypic(*t)).take(MOST).collect()
    };
    let (one, other) = (known(one), known(other));
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    f64::midpoint(explained(pack, &one, &other), explained(pack, &other, &one))
}

/// The share of the information of `terms` that their best matches among `others` carry.
fn explained(pack: &Pack, terms: &[TermIx], others: &[TermIx]) -> f64 {
    let mut shared = 0.0;
    let mut all = 0.0;
    for term in terms {
        let own = information(pack, Domain::Rare, *term);
        let ancestors: Vec<TermIx> = pack.ancestors(*term).collect();
        let best = others
            .iter()
            .flat_map(|other| pack.ancestors(*other).chain([*other]))
            .filter(|above| above == term || ancestors.contains(above))
            .map(|common| information(pack, Domain::Rare, common))
            .fold(0.0, f64::max);
        shared += best.min(own);
        all += own;
    }
    if all > 0.0 { shared / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(ids: &[&str]) -> Vec<TermId> {
        ids.iter().map(|id| TermId::parse(id).unwrap()).collect()
    }

    #[test]
    fn like_charts_are_near_one_and_unlike_ones_far() {
        let pack = Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED).unwrap()).unwrap();
        // Tall stature, arachnodactyly, ectopia lentis, aortic root aneurysm; and close relatives of three of them.
        let marfan = terms(&["HP:0000098", "HP:0001166", "HP:0001083", "HP:0002616"]);
        let near = terms(&["HP:0000098", "HP:0001166", "HP:0001083", "HP:0004970"]);
        // Seizure, ataxia, nystagmus.
        let far = terms(&["HP:0001250", "HP:0001251", "HP:0000639"]);
        assert!((likeness(&pack, &marfan, &marfan) - 1.0).abs() < 1e-9);
        assert!(likeness(&pack, &marfan, &near) > 0.75);
        assert!(likeness(&pack, &marfan, &far) < 0.4);
        assert!((likeness(&pack, &marfan, &near) - likeness(&pack, &near, &marfan)).abs() < 1e-12);
        assert!(likeness(&pack, &marfan, &[]) < 1e-12);
    }
}
