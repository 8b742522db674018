//! Whether a probability means what it says: stated against seen, a dot for each tenth, its area its number of cases.

use super::Table;
use super::marks::{Shape, shape};
use super::scale::Scale;
use super::svg::{Anchor, At, Svg};
use super::words::{count, grouped, percent};

/// The drawing's size.
const SIZE: At = (440.0, 360.0);
/// The plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (56.0, 416.0, 14.0, 306.0);
/// A dot's size: the least, and what the most cases add.
const DOT: (f64, f64) = (7.0, 21.0);
/// The drawing's name.
const TITLE: &str = "Stated probability against how often it was right";

/// The cases whose leading diagnosis has a probability within a tenth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Cases.
    pub n: usize,
    /// Mean stated probability.
    pub stated: f64,
    /// Share in which the leading diagnosis was right.
    pub seen: f64,
}

/// The drawing, for a page.
#[must_use]
pub fn draw(id: &str, bins: &[Bin]) -> String {
    let bins = held(bins);
    if bins.is_empty() {
        return Svg::nothing(id, "reliability", TITLE, &message(&bins));
    }
    let mut svg = Svg::open(id, "reliability", SIZE, TITLE, &message(&bins));
    plot(&mut svg, &bins);
    svg.finish()
}

/// The same drawing as a file of its own, under a heading.
#[must_use]
pub fn file(heading: &str, bins: &[Bin]) -> String {
    let bins = held(bins);
    let mut svg = Svg::alone("reliability", SIZE, heading, &message(&bins));
    plot(&mut svg, &bins);
    svg.finish() + "\n"
}

/// Those with a case.
fn held(bins: &[Bin]) -> Vec<&Bin> {
    bins.iter().filter(|bin| bin.n > 0).collect()
}

fn plot(svg: &mut Svg, bins: &[&Bin]) {
    let (left, right, top, bottom) = PLOT;
    let (x, y) = (Scale::new((0.0, 1.0), (left, right)), Scale::new((0.0, 1.0), (bottom, top)));
    for fifth in 0..=5_u8 {
        let share = f64::from(fifth) / 5.0;
        let label = format!("{} %", u32::from(fifth) * 20);
        svg.line(if fifth == 0 { "axis" } else { "grid" }, (left, y.at(share)), (right, y.at(share)));
        svg.text("tick", (left - 8.0, y.at(share) + 4.0), Anchor::End, &label);
        svg.text("tick", (x.at(share), bottom + 20.0), Anchor::Middle, &label);
    }
    svg.text("tick", (f64::midpoint(left, right), SIZE.1 - 12.0), Anchor::Middle, "stated probability");
    svg.polyline("diagonal", "6 4", &[(left, bottom), (right, top)]);
    svg.text("note", (x.at(0.03), y.at(0.95)), Anchor::Start, "above the line: right more often");
    let at = |bin: &&&Bin| (x.at(bin.stated), y.at(bin.seen));
    svg.polyline("thread", "", &bins.iter().map(|bin| at(&bin)).collect::<Vec<_>>());
    let most = bins.iter().map(|bin| bin.n).max().unwrap_or(1) as f64;
    let size = |bin: &Bin| DOT.0 + DOT.1 * (bin.n as f64 / most).sqrt();
    for bin in bins {
        let words = format!("{} stated, {} right, {}", percent(bin.stated), percent(bin.seen), count(bin.n, "case"));
        svg.group("bin", &words);
        svg.fill("dot", &shape(Shape::Circle, at(&bin), size(bin)));
        svg.end_group();
    }
    // Over every dot: to its left where it lies above the line, and otherwise above it, as long as there is room.
    for bin in bins {
        let (label, half, (across, up)) = (grouped(bin.n as u64), size(bin) / 2.0, at(&bin));
        if bin.seen > bin.stated || up - half < top + 10.0 {
            svg.text("value", (across - half - 4.0, up + 4.0), Anchor::End, &label);
        } else {
            svg.text("value", (across, up - half - 5.0), Anchor::Middle, &label);
        }
    }
}

/// The main message: how the two compare over all cases.
fn message(bins: &[&Bin]) -> String {
    let total = bins.iter().map(|bin| bin.n).fold(0, usize::saturating_add);
    if total == 0 {
        return "Nothing was measured.".to_owned();
    }
    let mean = |of: fn(&Bin) -> f64| bins.iter().map(|bin| of(bin) * bin.n as f64).sum::<f64>() / total as f64;
    format!(
        "Over {} the leading diagnosis was stated at {} on average and was right in {}.",
        count(total, "case"),
        percent(mean(|bin| bin.stated)),
        percent(mean(|bin| bin.seen))
    )
}

/// The same as a table: a row per tenth that holds a case.
#[must_use]
pub fn table(bins: &[Bin]) -> Table {
    let mut table = Table::new(&["Stated (mean)", "Right", "Cases"]);
    for bin in held(bins) {
        table.rows.push(vec![percent(bin.stated), percent(bin.seen), grouped(bin.n as u64)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{NASTY, is_clean, is_square};
    use super::*;

    #[test]
    fn nothing_one_and_many() {
        let bin = |n, stated, seen| Bin { n, stated, seen };
        let many: Vec<Bin> =
            (0..10_u8).map(|tenth| bin(usize::from(tenth) * 100, f64::from(tenth) / 10.0, 0.5)).collect();
        for bins in [vec![], vec![bin(0, 0.0, 0.0)], vec![bin(1, 1.0, 0.0)], vec![bin(usize::MAX, f64::NAN, 2.0)], many]
        {
            is_clean(&draw("r", &bins));
            is_square(&table(&bins));
        }
        let bins = [bin(30, 0.2, 0.1), bin(10, 1.0, 0.5), bin(0, 0.0, 0.0)];
        let svg = draw("r", &bins);
        let said = "Over 40 cases the leading diagnosis was stated at 40.0 % on average and was right in 20.0 %.";
        assert!(svg.contains(said), "{svg}");
        assert_eq!(svg.matches("p-dot").count(), 2);
    }

    #[test]
    fn a_file_holds_its_heading_and_its_colours_and_the_same_drawing() {
        let bins = [Bin { n: 3, stated: 0.05, seen: 0.0 }, Bin { n: 40, stated: 0.95, seen: 1.0 }];
        let (page, file) = (draw("r", &bins), file(NASTY, &bins));
        assert!(file.starts_with("<svg ") && file.ends_with("</svg>\n") && !file.contains("<script"), "{file}");
        let plot = |svg: &str| svg.split_once("class=\"p-axis\"").map(|(_, plot)| plot.trim_end().to_owned());
        assert_eq!(plot(&page), plot(&file));
        assert!(file.contains("<style>") && file.contains("p-ground"), "on white, in its own colours");
        assert!(super::file("Nothing", &[]).contains("Nothing was measured."));
    }
}
