//! What a batch amounts to.

use super::*;
use bodh_clinical::Usd;

fn stage(dollars: u64, rank: usize) -> Stage {
    Stage { spent: Usd::from_cents(dollars * 100), rank: Some(rank) }
}

#[test]
fn a_curve_rises_with_what_may_be_spent() {
    let cases = [vec![stage(0, 2), stage(100, 1)], vec![stage(0, 3), stage(200, 3), stage(900, 1)]];
    let way = way("a way", &cases);
    assert!((way.mean_usd - 800.0).abs() < 1e-9 && (way.top_1 - 1.0).abs() < 1e-9);
    assert!((way.mean_orders - 1.5).abs() < 1e-9);
    assert_eq!(way.curve[0], (300.0, 0.0));
    assert!(way.curve.iter().any(|(_, right)| (right - 0.5).abs() < 1e-9));
    assert!(way.curve.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
}
