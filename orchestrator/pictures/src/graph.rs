//! Who called whom: a node per actor in a fixed place, an arrow per pair with the number of calls.

mod curve;

use curve::Curve;

use super::Table;
use super::marks::{Shape, shape};
use super::svg::{Anchor, At, Svg, number};
use super::words::{count, grouped};

/// All calls of one actor to another.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Who called, in words: `orchestrator`.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// How often.
    pub calls: u64,
    /// How many of these were refused.
    pub refused: u64,
}

/// Where the orchestrator stands.
const CENTRE: At = (330.0, 216.0);
/// Where everyone stands: the orchestrator in the middle, people on the left, agents on the right.
const PLACES: [(&str, At); 12] = [
    ("orchestrator", CENTRE),
    ("clinician", (82.0, 90.0)),
    ("physician", (82.0, 216.0)),
    ("operator", (82.0, 342.0)),
    ("guardian", (330.0, 42.0)),
    ("audit", (330.0, 390.0)),
    ("intake", (596.0, 30.0)),
    ("diagnostician", (596.0, 104.0)),
    ("test planner", (596.0, 178.0)),
    ("cost guardian", (596.0, 252.0)),
    ("reasoning verifier", (596.0, 326.0)),
    ("supervisor", (596.0, 400.0)),
];
/// The drawing without strangers.
const SIZE: At = (680.0, 432.0);
/// Half a node's size.
const HALF: At = (74.0, 18.0);
/// Where along an arrow its number may stand, best first.
const STANDS: [f64; 9] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72, 0.22, 0.78];

/// The nodes: those of [`PLACES`] that took part, then strangers in rows below.
fn nodes(calls: &[Call]) -> Vec<(&str, At)> {
    let mut names: Vec<&str> = calls.iter().flat_map(|call| [call.from.as_str(), call.to.as_str()]).collect();
    names.sort_unstable();
    names.dedup();
    let mut strangers = 0.0_f64;
    let stand = |name: &str| {
        PLACES.iter().find(|(known, _)| *known == name).map_or_else(
            || {
                let (column, row) = (strangers % 4.0, (strangers / 4.0).floor());
                strangers += 1.0;
                (82.0 + 171.0 * column, SIZE.1 + 26.0 + 56.0 * row)
            },
            |(_, at)| *at,
        )
    };
    let places: Vec<At> = names.iter().copied().map(stand).collect();
    names.into_iter().zip(places).collect()
}

/// The drawing.
pub fn draw(id: &str, calls: &[Call]) -> String {
    let nodes = nodes(calls);
    let lowest = nodes.iter().map(|(_, at)| at.1 + 32.0).fold(0.0, f64::max);
    if nodes.is_empty() {
        return Svg::nothing(id, "graph", "Who called whom", "No call to show.");
    }
    let size = (SIZE.0, lowest.max(SIZE.1));
    let mut svg = Svg::open(id, "graph", size, "Who called whom", &message(calls));
    let place = |name: &str| nodes.iter().find(|(node, _)| *node == name).map(|(_, at)| *at);
    let mut taken: Vec<(At, f64)> = Vec::new();
    let mut numbers: Vec<(&Call, At)> = Vec::new();
    let mut order: Vec<&Call> = calls.iter().filter(|call| call.calls > 0 && call.from != call.to).collect();
    order.sort_by_key(|call| (call.refused > 0, call.calls));
    for call in order {
        let (Some(from), Some(to)) = (place(&call.from), place(&call.to)) else { continue };
        let curve = Curve::between(from, to, CENTRE);
        arrow(&mut svg, call, &curve);
        let half = half_badge(call);
        let free = |at: &At| {
            nodes
                .iter()
                .all(|(_, node)| (node.0 - at.0).abs() > HALF.0 + half + 3.0 || (node.1 - at.1).abs() > HALF.1 + 12.0)
                && taken.iter().all(|((x, y), other)| (x - at.0).abs() > half + other + 3.0 || (y - at.1).abs() > 20.0)
        };
        let at = STANDS.iter().map(|share| curve.at(*share)).find(free).unwrap_or_else(|| curve.at(0.5));
        taken.push((at, half));
        numbers.push((call, at));
    }
    for (name, at) in &nodes {
        let own: u64 = calls.iter().filter(|call| call.from == *name && call.to == *name).map(|call| call.calls).sum();
        node(&mut svg, name, *at, own);
    }
    for (call, at) in numbers {
        badge(&mut svg, call, at);
    }
    svg.finish()
}

/// An arrow; thicker for more calls, broken where some were refused.
fn arrow(svg: &mut Svg, call: &Call, curve: &Curve) {
    let weight = match call.calls {
        0..=2 => "thin",
        3..=20 => "middling",
        _ => "thick",
    };
    let refused = call.refused > 0;
    let mut title =
        format!("{} to {}: {}", call.from, call.to, count(usize::try_from(call.calls).unwrap_or(usize::MAX), "call"));
    if refused {
        title.push_str(&format!(", {} refused", call.refused));
    }
    svg.group(&format!("call {weight}{}", if refused { " is-refused" } else { "" }), &title);
    let [x1, y1, bx, by, x2, y2] = [curve.from, curve.bend, curve.to]
        .map(|(x, y)| [x, y])
        .as_flattened()
        .try_into()
        .unwrap_or([0.0; 6])
        .map(number);
    svg.path("line", &format!("M{x1} {y1}Q{bx} {by} {x2} {y2}"));
    let back = curve.at(0.97);
    let (dx, dy) = (curve.to.0 - back.0, curve.to.1 - back.1);
    let length = dx.hypot(dy).max(0.1);
    let (ux, uy) = (dx / length, dy / length);
    let wing = |side: f64| (curve.to.0 - ux * 9.0 - uy * 4.5 * side, curve.to.1 - uy * 9.0 + ux * 4.5 * side);
    let (a, b) = (wing(1.0), wing(-1.0));
    let [ax, ay, bx, by] = [a.0, a.1, b.0, b.1].map(number);
    svg.fill("head", &format!("M{x2} {y2}L{ax} {ay}L{bx} {by}Z"));
    svg.end_group();
}

/// What stands on an arrow.
fn number_on(call: &Call) -> String {
    let calls = grouped(call.calls);
    if call.refused > 0 { format!("{calls}, {} refused", grouped(call.refused)) } else { calls }
}

/// Half the width of what stands on an arrow.
fn half_badge(call: &Call) -> f64 {
    5.0 + 3.6 * number_on(call).chars().count() as f64 + if call.refused > 0 { 8.0 } else { 0.0 }
}

/// The number on an arrow.
fn badge(svg: &mut Svg, call: &Call, (x, y): At) {
    let (refused, text) = (call.refused > 0, number_on(call));
    let half = half_badge(call);
    svg.group(if refused { "badge is-refused" } else { "badge" }, "");
    svg.rect("plate", (x - half, y - 9.0), (2.0 * half, 18.0), 9.0);
    if refused {
        svg.fill("mark", &shape(Shape::Cross, (x - half + 11.0, y), 9.0));
    }
    svg.text("number", (x + if refused { 8.0 } else { 0.0 }, y + 4.0), Anchor::Middle, &text);
    svg.end_group();
}

/// A node with its name, and how often it called itself.
fn node(svg: &mut Svg, name: &str, (x, y): At, own: u64) {
    let class = if name == "orchestrator" { "node is-middle" } else { "node" };
    svg.group(class, name);
    svg.rect("plate", (x - HALF.0, y - HALF.1), (2.0 * HALF.0, 2.0 * HALF.1), 8.0);
    let short: String = name.chars().take(18).collect();
    let short = if short.len() < name.len() { format!("{short}…") } else { short };
    let text = if own > 0 { format!("{short} ({own})") } else { short };
    svg.text("name", (x, y + 4.5), Anchor::Middle, &text);
    svg.end_group();
}

/// The main message.
fn message(calls: &[Call]) -> String {
    let (total, refused) = calls.iter().fold((0_u64, 0_u64), |(total, refused), call| {
        (total.saturating_add(call.calls), refused.saturating_add(call.refused))
    });
    let Some(most) = calls.iter().max_by_key(|call| call.calls) else { return "There is no call.".to_owned() };
    let refused = if refused == 0 { "none refused".to_owned() } else { format!("{refused} refused") };
    format!(
        "{} calls between {} actors, {refused}. Most: {} to {}, {}.",
        grouped(total),
        nodes(calls).len(),
        most.from,
        most.to,
        grouped(most.calls)
    )
}

/// The same as a table: a row per pair, the busiest first.
pub fn table(calls: &[Call]) -> Table {
    let mut table = Table::new(&["From", "To", "Calls", "Refused"]);
    let mut sorted: Vec<&Call> = calls.iter().collect();
    sorted.sort_by(|a, b| b.calls.cmp(&a.calls).then(a.from.cmp(&b.from)).then(a.to.cmp(&b.to)));
    let row = |call: &&Call| vec![call.from.clone(), call.to.clone(), grouped(call.calls), grouped(call.refused)];
    table.rows = sorted.iter().map(row).collect();
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{NASTY, is_clean, is_square};
    use super::*;

    fn call(from: &str, to: &str, calls: u64, refused: u64) -> Call {
        Call { from: from.to_owned(), to: to.to_owned(), calls, refused }
    }

    #[test]
    fn nothing_one_and_many() {
        let many =
            (0..400).map(|n| call(&format!("actor {}", n % 23), &format!("actor {}", n % 19), n, n % 5)).collect();
        for calls in
            [vec![], vec![call("a", "a", 1, 0)], vec![call("a", "b", u64::MAX, u64::MAX), call("b", "a", 9, 0)], many]
        {
            is_clean(&draw("g", &calls));
            is_square(&table(&calls));
        }
        is_clean(&draw("g", &[call(NASTY, NASTY, 1, 1), call(NASTY, "audit", 1, 1)]));
    }

    #[test]
    fn refusals_are_said_in_a_word() {
        let calls = [call("orchestrator", "guardian", 12, 1), call("clinician", "orchestrator", 3, 0)];
        let svg = draw("g", &calls);
        assert!(
            svg.contains(">12, 1 refused</text>") && svg.contains("15 calls between 3 actors, 1 refused."),
            "{svg}"
        );
        assert_eq!(table(&calls).rows[0], ["orchestrator", "guardian", "12", "1"]);
    }
}
