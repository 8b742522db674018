//! The way of an arrow.

use super::super::svg::At;
use super::HALF;

/// A bow from one node's edge to another's; both directions of a pair bow to different sides.
pub(super) struct Curve {
    /// Where it begins.
    pub(super) from: At,
    /// Where it is drawn to.
    pub(super) bend: At,
    /// Where it ends.
    pub(super) to: At,
}

impl Curve {
    /// The bow between two nodes. `centre` is the middle column: between it and an outer node that is not beside it, the
    /// way leaves the outer column first, so that it crosses no node; within a column it goes around.
    pub(super) fn between(from: At, to: At, centre: At) -> Self {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let column = |at: At| (at.0 - centre.0).abs() < 1.0;
        let bend = if column(from) && column(to) || from == centre || to == centre {
            let length = dx.hypot(dy).max(1.0);
            let bow = (length * 0.07).min(18.0);
            (f64::midpoint(from.0, to.0) - dy / length * bow, f64::midpoint(from.1, to.1) + dx / length * bow)
        } else if column(to) {
            (from.0 + dx * 0.64, from.1)
        } else if column(from) {
            (to.0 - dx * 0.64, to.1)
        } else {
            let aside = if dx.abs() < 1.0 { (centre.0 - from.0).signum() * 170.0 } else { 0.0 };
            (f64::midpoint(from.0, to.0) + aside, f64::midpoint(from.1, to.1) + 12.0)
        };
        Self { from: edge(from, bend), bend, to: edge(to, bend) }
    }

    /// The place at a share of the way.
    pub(super) fn at(&self, share: f64) -> At {
        let rest = 1.0 - share;
        let mix = |a: f64, b: f64, c: f64| rest * rest * a + 2.0 * rest * share * b + share * share * c;
        (mix(self.from.0, self.bend.0, self.to.0), mix(self.from.1, self.bend.1, self.to.1))
    }
}

/// Where the way from a node's middle to `towards` leaves the node.
fn edge(node: At, towards: At) -> At {
    let (dx, dy) = (towards.0 - node.0, towards.1 - node.1);
    let share = ((HALF.0 + 3.0) / dx.abs().max(0.1)).min((HALF.1 + 3.0) / dy.abs().max(0.1)).min(1.0);
    (node.0 + dx * share, node.1 + dy * share)
}
