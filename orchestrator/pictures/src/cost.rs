//! Money committed over the rounds, against the budget.

use super::Table;
use super::scale::{Scale, round_step, spread, ticks};
use super::svg::{Anchor, Svg};
use super::words::{count, dollars, wrap};

/// What one round committed.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Which round, from 1.
    pub round: u32,
    /// The tests that were ordered.
    pub orders: Vec<Order>,
}

/// One committed test.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Its name.
    pub label: String,
    /// Its price in cents.
    pub cents: i64,
}

/// The drawing's size.
const SIZE: (f64, f64) = (476.0, 320.0);
/// The plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (60.0, 252.0, 26.0, 284.0);
/// The most orders that are named in the drawing; the table has all.
const NAMED: usize = 8;

/// One order with where it stands.
struct Rise<'a> {
    /// The order.
    order: &'a Order,
    /// Its round.
    round: u32,
    /// Committed before it.
    before: i64,
    /// Committed with it.
    after: i64,
}

/// The orders one after the other, with the running total.
fn rises(steps: &[Step]) -> Vec<Rise<'_>> {
    let mut total: i64 = 0;
    let orders = steps.iter().flat_map(|step| step.orders.iter().map(|order| (step.round, order)));
    let rise = |(round, order): (u32, &'_ Order)| {
        let before = total;
        total = total.saturating_add(order.cents.max(0));
        (round, before, total)
    };
    let totals: Vec<(u32, i64, i64)> = orders.clone().map(rise).collect();
    orders.zip(totals).map(|((_, order), (round, before, after))| Rise { order, round, before, after }).collect()
}

/// The drawing.
pub fn draw(id: &str, steps: &[Step], budget_cents: i64) -> String {
    let rises = rises(steps);
    let spent = rises.last().map_or(0, |rise| rise.after);
    let mut svg =
        Svg::open(id, "cost", SIZE, "Money committed against the budget", &message(steps, spent, budget_cents));
    let (left, right, top, bottom) = PLOT;
    let most = (spent.max(budget_cents).max(100) as f64) * 1.06;
    let y = Scale::new((0.0, most), (bottom, top));
    for tick in ticks(most, round_step(most, 5.0).max(100.0)) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &format!("${}", whole(tick)));
    }
    let x = Scale::new((0.0, steps.len() as f64), (left, right));
    let every = steps.len().div_ceil(8).max(1);
    let mut points = vec![(left, bottom)];
    let mut after = 0;
    for (place, step) in steps.iter().enumerate() {
        let at = x.at(place as f64 + 0.5);
        if place.is_multiple_of(every) {
            svg.text("tick strong", (at, bottom + 18.0), Anchor::Middle, &step.round.to_string());
        }
        points.push((at, y.at(after as f64)));
        after = step.orders.iter().fold(after, |sum: i64, order| sum.saturating_add(order.cents.max(0)));
        points.push((at, y.at(after as f64)));
    }
    svg.text("tick strong", (left - 6.0, bottom + 18.0), Anchor::End, "round");
    points.push((right, y.at(after as f64)));
    name(&mut svg, steps, &rises, x, y);
    svg.polyline("line spent", "", &points);
    let cap = y.at(budget_cents as f64);
    let (over, class) = if spent > budget_cents { (true, "cap is-over") } else { (false, "cap") };
    svg.group(class, &format!("Budget {}", dollars(budget_cents)));
    svg.polyline("line", "8 4", &[(left, cap), (right, cap)]);
    svg.text("strong", (left + 4.0, cap - 6.0), Anchor::Start, &format!("budget {}", dollars(budget_cents)));
    svg.end_group();
    let end = y.at(spent as f64);
    let left_over = budget_cents.saturating_sub(spent);
    let rest = if over {
        format!("{} over", dollars(left_over.saturating_neg()))
    } else {
        format!("{} left", dollars(left_over))
    };
    let under_cap = end - cap < 36.0 && !over;
    let last = steps.iter().rposition(|step| step.orders.iter().any(|order| order.cents > 0));
    let rise = last.map_or(right, |place| x.at(place as f64 + 0.5));
    let (place, base) = if rise - left > 120.0 && last.is_some() {
        (rise - 8.0, (if end - cap < 36.0 { end + 14.0 } else { end + 4.0 }).min(bottom - 22.0))
    } else {
        (right - 4.0, if under_cap { (end + 16.0).min(bottom - 22.0) } else { end - 22.0 })
    };
    svg.group(if over { "verdict is-over" } else { "verdict" }, "");
    svg.text("strong", (place, base), Anchor::End, &format!("{} spent", dollars(spent)));
    svg.text("strong", (place, base + 15.0), Anchor::End, &rest);
    svg.end_group();
    svg.finish()
}

/// The orders' names at the right, each with a thin line from where it raised the total.
fn name(svg: &mut Svg, steps: &[Step], rises: &[Rise<'_>], x: Scale, y: Scale) {
    let right = PLOT.1;
    let mut named: Vec<&Rise<'_>> = rises.iter().collect();
    named.sort_by_key(|rise| std::cmp::Reverse(rise.order.cents));
    named.truncate(NAMED);
    named.sort_by_key(|rise| std::cmp::Reverse(rise.after));
    let labels: Vec<Vec<String>> = named.iter().map(|rise| wrap(&rise.order.label, 18, 2)).collect();
    let heights: Vec<f64> = labels.iter().map(|label| 5.0 + 15.0 * label.len().max(1) as f64).collect();
    let middle = |rise: &Rise<'_>| y.at(f64::midpoint(rise.before as f64, rise.after as f64));
    let wanted: Vec<f64> = named.iter().map(|rise| middle(rise)).collect();
    let hidden = rises.len().saturating_sub(named.len());
    let floor = if hidden > 0 { SIZE.1 - 20.0 } else { SIZE.1 - 2.0 };
    for ((rise, label), at) in named.iter().zip(&labels).zip(spread(&wanted, &heights, 2.0, floor)) {
        let place = steps.iter().position(|step| step.round == rise.round).unwrap_or(0) as f64;
        svg.polyline("leader", "1 3", &[(x.at(place + 0.5), middle(rise)), (right, middle(rise))]);
        svg.polyline("leader", "", &[(right, middle(rise)), (right + 10.0, at), (right + 14.0, at)]);
        let first = at - 7.5 * label.len().saturating_sub(1) as f64 + 4.5;
        svg.text("value", (right + 80.0, first), Anchor::End, &dollars(rise.order.cents));
        for (row, text) in label.iter().enumerate() {
            svg.text("name", (right + 86.0, first + 15.0 * row as f64), Anchor::Start, text);
        }
    }
    if hidden > 0 {
        svg.text("tick", (right + 86.0, SIZE.1 - 5.0), Anchor::Start, &format!("and {hidden} more"));
    }
}

/// Whole dollars of some cents.
fn whole(cents: f64) -> String {
    let text = format!("{:.0}", cents / 100.0);
    text.parse().map_or(text, super::words::grouped)
}

/// The main message.
fn message(steps: &[Step], spent: i64, budget: i64) -> String {
    let orders = steps.iter().map(|step| step.orders.len()).sum();
    let rest = budget.saturating_sub(spent);
    let stand = if rest < 0 {
        format!("{} over it", dollars(rest.saturating_neg()))
    } else {
        format!("{} left", dollars(rest))
    };
    format!(
        "{} of a budget of {} committed by {} in {}: {stand}.",
        dollars(spent),
        dollars(budget),
        count(orders, "order"),
        count(steps.len(), "round")
    )
}

/// The same as a table: a row per order, with the running total.
pub fn table(steps: &[Step], budget_cents: i64) -> Table {
    let mut table = Table::new(&["Order", "Round", "Price", "Total", "Left of the budget"]);
    for rise in rises(steps) {
        let left = budget_cents.saturating_sub(rise.after);
        let row = [
            rise.order.label.clone(),
            rise.round.to_string(),
            dollars(rise.order.cents),
            dollars(rise.after),
            dollars(left),
        ];
        table.rows.push(row.to_vec());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{NASTY, is_clean, is_square};
    use super::*;

    fn step(round: u32, cents: &[i64]) -> Step {
        Step { round, orders: cents.iter().map(|&cents| Order { label: format!("Test {cents}"), cents }).collect() }
    }

    #[test]
    fn nothing_one_and_many() {
        let many: Vec<Step> = (1..30).map(|round| step(round, &[1_000, 2_500, 900])).collect();
        for (steps, budget) in [
            (vec![], 0),
            (vec![], 250_000),
            (vec![step(1, &[])], 100),
            (vec![step(1, &[800])], 250_000),
            (many, 50_000),
        ] {
            is_clean(&draw("c", &steps, budget));
            is_square(&table(&steps, budget));
        }
        is_clean(&draw("c", &[step(1, &[i64::MAX, i64::MAX, -5])], i64::MIN));
    }

    #[test]
    fn over_the_budget_is_said() {
        let steps = [step(1, &[40_000]), step(2, &[30_000])];
        let svg = draw("c", &steps, 50_000);
        assert!(
            svg.contains("$700.00 of a budget of $500.00 committed by 2 orders in 2 rounds: $200.00 over it."),
            "{svg}"
        );
        assert!(svg.contains(">$200.00 over</text>"));
        assert_eq!(table(&steps, 50_000).rows[1], ["Test 30000", "2", "$300.00", "$700.00", "-$200.00"]);
    }

    #[test]
    fn hostile_names() {
        is_clean(&draw("c", &[Step { round: 1, orders: vec![Order { label: NASTY.to_owned(), cents: 5 }] }], 10));
    }
}
