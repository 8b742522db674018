//! How the leading diagnoses' probabilities moved, round by round.

use super::Table;
use super::marks::{LINES, shape};
use super::scale::{Scale, spread};
use super::svg::{Anchor, Svg};
use super::words::{count, dollars, percent, wrap};

/// One round of the session.
#[derive(Debug, Clone, Default)]
pub struct Round {
    /// Which round, from 1: some may be left out between two.
    pub number: u32,
    /// Committed so far, in cents.
    pub spent_cents: i64,
    /// What was thought possible.
    pub shares: Vec<Share>,
}

/// How probable one diagnosis was in one round.
#[derive(Debug, Clone, Default)]
pub struct Share {
    /// Its id, which is the same in every round.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Between 0 and 1.
    pub probability: f64,
}

/// The most diagnoses that have a line of their own.
const MOST: usize = 6;
/// The drawing's size.
const SIZE: (f64, f64) = (470.0, 320.0);
/// The plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (46.0, 252.0, 18.0, 268.0);

/// A line: one diagnosis, or what is left over.
struct Line {
    /// Its name.
    label: String,
    /// Which of the seven looks it has.
    look: usize,
    /// Its probability per round; none where the round does not name it.
    values: Vec<Option<f64>>,
}

impl Line {
    /// Its last known probability.
    fn last(&self) -> f64 {
        self.values.last().copied().flatten().unwrap_or(0.0)
    }
}

/// The lines, most probable at the end first, then "other".
fn lines(rounds: &[Round]) -> Vec<Line> {
    let mut found: Vec<(&str, Line)> = Vec::new();
    for (place, round) in rounds.iter().enumerate() {
        for share in &round.shares {
            let known = found.iter().position(|(id, _)| *id == share.id);
            let at = known.unwrap_or_else(|| {
                found.push((&share.id, Line { label: share.label.clone(), look: 0, values: vec![None; rounds.len()] }));
                found.len() - 1
            });
            if let Some(value) = found.get_mut(at).and_then(|(_, line)| line.values.get_mut(place)) {
                *value = Some(if share.probability.is_finite() { share.probability.clamp(0.0, 1.0) } else { 0.0 });
            }
        }
    }
    let peak = |line: &Line| line.values.iter().flatten().copied().fold(0.0, f64::max);
    found.sort_by(|(a_id, a), (b_id, b)| {
        b.last().total_cmp(&a.last()).then(peak(b).total_cmp(&peak(a))).then(a_id.cmp(b_id))
    });
    let mut lines: Vec<Line> = found.into_iter().take(MOST).map(|(_, line)| line).collect();
    for (look, line) in lines.iter_mut().enumerate() {
        line.look = look;
    }
    let rest = |place: usize| {
        let shown: f64 = lines.iter().filter_map(|line| line.values.get(place).copied().flatten()).sum();
        Some((1.0 - shown).max(0.0))
    };
    let values: Vec<Option<f64>> = (0..rounds.len()).map(rest).collect();
    if !lines.is_empty() {
        lines.push(Line { label: "all others".to_owned(), look: MOST, values });
    }
    lines
}

/// The drawing.
pub fn draw(id: &str, rounds: &[Round]) -> String {
    let lines = lines(rounds);
    let title = "Differential over the rounds";
    if lines.is_empty() {
        return Svg::nothing(id, "differential", title, "No differential yet.");
    }
    let mut svg = Svg::open(id, "differential", SIZE, title, &message(rounds, &lines));
    let (left, right, top, bottom) = PLOT;
    let y = Scale::new((0.0, 1.0), (bottom, top));
    let x = Scale::new(
        (0.0, rounds.len().saturating_sub(1) as f64),
        (if rounds.len() > 1 { left + 12.0 } else { right - 12.0 }, right - 12.0),
    );
    for (share, label) in [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, "100 %")] {
        svg.line("grid", (left, y.at(share)), (right, y.at(share)));
        svg.text("tick", (left - 6.0, y.at(share) + 4.0), Anchor::End, label);
    }
    let every = rounds.len().div_ceil(4).max(1);
    for (place, round) in rounds.iter().enumerate() {
        let last = place + 1 == rounds.len();
        let near_last = rounds.len() - place <= every;
        if last || (place.is_multiple_of(every) && !near_last) {
            let at = x.at(place as f64);
            svg.text("tick strong", (at, bottom + 18.0), Anchor::Middle, &round.number.to_string());
            svg.text("tick", (at, bottom + 33.0), Anchor::Middle, &dollars(round.spent_cents).replace(".00", ""));
        }
    }
    svg.text("tick strong", (left - 6.0, bottom + 18.0), Anchor::End, "round");
    svg.text("tick", (left - 6.0, bottom + 33.0), Anchor::End, "spent");
    let labels: Vec<Vec<String>> = lines.iter().map(|line| wrap(&line.label, 19, 2)).collect();
    let heights: Vec<f64> = labels.iter().map(|label| 6.0 + 15.0 * label.len().max(1) as f64).collect();
    let wanted: Vec<f64> = lines.iter().map(|line| y.at(line.last())).collect();
    let places = spread(&wanted, &heights, 4.0, SIZE.1 - 4.0);
    for ((line, label), at) in lines.iter().zip(&labels).zip(&places).rev() {
        draw_line(&mut svg, line, x, y);
        let class = class(line);
        svg.group(&class, &format!("{}: {}", line.label, percent(line.last())));
        svg.polyline("leader", "", &[(right - 5.0, y.at(line.last())), (right + 12.0, *at), (right + 17.0, *at)]);
        let first = at - 7.5 * label.len().saturating_sub(1) as f64 + 4.5;
        svg.text("value", (right + 68.0, first), Anchor::End, &percent(line.last()));
        for (row, text) in label.iter().enumerate() {
            svg.text("name", (right + 74.0, first + 15.0 * row as f64), Anchor::Start, text);
        }
        svg.end_group();
    }
    svg.finish()
}

/// A line with a mark in every round.
fn draw_line(svg: &mut Svg, line: &Line, x: Scale, y: Scale) {
    let Some((mark, dash)) = LINES.get(line.look) else { return };
    svg.group(&class(line), &line.label);
    let mut run = Vec::new();
    for (place, value) in line.values.iter().enumerate() {
        match value {
            Some(value) => run.push((x.at(place as f64), y.at(*value))),
            None => svg.polyline("line", dash, &std::mem::take(&mut run)),
        }
    }
    svg.polyline("line", dash, &run);
    for (place, value) in line.values.iter().enumerate() {
        if let Some(value) = value {
            svg.fill("mark", &shape(*mark, (x.at(place as f64), y.at(*value)), 7.0));
        }
    }
    svg.end_group();
}

/// The class of a line and its label.
fn class(line: &Line) -> String {
    if line.look == MOST { "series other".to_owned() } else { format!("series series-{}", line.look + 1) }
}

/// The main message.
fn message(rounds: &[Round], lines: &[Line]) -> String {
    let (Some(lead), Some(round)) = (lines.first(), rounds.last()) else { return "There is no round yet.".to_owned() };
    let spent = format!("after {} and {}", count(rounds.len(), "round"), dollars(round.spent_cents));
    let began = lead.values.first().copied().flatten().filter(|_| rounds.len() > 1);
    let began = began.map_or(String::new(), |value| format!("; it began with {}", percent(value)));
    let second =
        lines.get(1).map_or(String::new(), |line| format!(" Next: {} with {}.", line.label, percent(line.last())));
    format!("{} leads with {} {spent}{began}.{second}", lead.label, percent(lead.last()))
}

/// The same as a table: a row per diagnosis, a column per round.
pub fn table(rounds: &[Round]) -> Table {
    let mut table = Table::new(&["Diagnosis"]);
    for round in rounds {
        table.headers.push(format!("Round {}, {}", round.number, dollars(round.spent_cents)));
    }
    for line in lines(rounds) {
        let cells = line.values.iter().map(|value| value.map_or("not named".to_owned(), percent));
        table.rows.push(std::iter::once(line.label.clone()).chain(cells).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{NASTY, is_clean, is_square};
    use super::*;

    fn round(spent_cents: i64, shares: &[(&str, f64)]) -> Round {
        let share =
            |(id, p): &(&str, f64)| Share { id: (*id).to_owned(), label: format!("Disease {id}"), probability: *p };
        Round { number: 1, spent_cents, shares: shares.iter().map(share).collect() }
    }

    #[test]
    fn nothing_one_and_many() {
        for rounds in [
            vec![],
            vec![Round::default()],
            vec![round(0, &[("a", 0.4)])],
            (0..40)
                .map(|n| {
                    round(
                        n * 1_000,
                        &[("a", 0.5), ("b", 0.2), ("c", 0.1), ("d", 0.05), ("e", 0.04), ("f", 0.03), ("g", 0.02)],
                    )
                })
                .collect(),
        ] {
            is_clean(&draw("d", &rounds));
            is_square(&table(&rounds));
        }
    }

    #[test]
    fn the_message_is_in_words() {
        let rounds = [round(0, &[("a", 0.3), ("b", 0.4)]), round(20_450, &[("a", 0.87), ("b", 0.1)])];
        let svg = draw("d", &rounds);
        let said = "Disease a leads with 87.0 % after 2 rounds and $204.50; it began with 30.0 %. Next: Disease b with 10.0 %.";
        assert!(svg.contains(said), "{svg}");
        assert_eq!(table(&rounds).rows[2], ["all others", "30.0 %", "3.0 %"]);
    }

    #[test]
    fn hostile_names_and_numbers() {
        let mut rounds = vec![round(i64::MIN, &[("x", f64::NAN)])];
        rounds[0].shares[0].label = NASTY.to_owned();
        is_clean(&draw(NASTY, &rounds));
    }
}
