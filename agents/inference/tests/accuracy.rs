//! The figures that accuracy is reported in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Differential, DiseaseId, Hypothesis};
use bodh_inference::accuracy::{Outcome, evaluate};

fn id(text: &str) -> DiseaseId {
    DiseaseId::parse(text).unwrap()
}

fn hypothesis(name: &str, also: &[&str], probability: f64) -> Hypothesis {
    let also = also.iter().map(|a| id(a)).collect();
    Hypothesis {
        id: id(name),
        also,
        label: String::new(),
        probability,
        prevalence: None,
        red_flag: false,
        prior_bits: 0.0,
        expected: vec![],
        claims: std::sync::Arc::default(),
    }
}

#[test]
fn an_exact_id_or_an_equivalent_one_is_right() {
    let differential = Differential {
        exponent: 1.0,
        hypotheses: vec![hypothesis("OMIM:1", &[], 0.6), hypothesis("OMIM:2", &["ORPHA:2"], 0.2)],
        other: 0.2,
    };
    let rank = |truth: &str| Outcome::judge("c", "p", &[id(truth)], &differential).rank;
    assert_eq!((rank("OMIM:1"), rank("ORPHA:2"), rank("OMIM:3")), (Some(1), Some(2), None));
}

fn outcome(n: usize, publication: usize, rank: Option<usize>, leading: f64) -> Outcome {
    Outcome { case: format!("c{n:03}"), publication: format!("p{publication}"), rank, leading }
}

#[test]
fn shares_calibration_and_intervals() {
    // Ten publications of ten cases: within a publication all are right or all are wrong.
    let all = || (0..100).map(|n| outcome(n, n / 10, if n / 10 < 6 { Some(1) } else { Some(5) }, 0.6));
    let summary = evaluate(all(), 7);
    assert_eq!((summary.n, summary.publications), (100, 10));
    assert!((summary.top_1.value - 0.6).abs() < 1e-12 && (summary.top_3.value - 0.6).abs() < 1e-12);
    assert!((summary.top_10.value - 1.0).abs() < 1e-12);
    assert!(summary.calibration_error < 1e-12 && (summary.brier - 0.24).abs() < 1e-12);
    // Clustered: far wider than the ±0.1 of a hundred independent cases.
    assert!(summary.top_1.low <= 0.4 && summary.top_1.high >= 0.8);
    assert_eq!(summary, evaluate(all().collect::<Vec<_>>().into_iter().rev(), 7));
    assert_eq!(evaluate([], 7).n, 0);
}
