//! The picture of what accuracy costs, as SVG without a script: it reads in black and white too, and its numbers are in text.

use std::fmt::Write as _;

/// A line of a picture: a label, and points.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Drawn as what the picture is about.
    pub(crate) leads: bool,
    /// A point to mark.
    pub(crate) mark: Option<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 384.0;
/// Strokes that differ without colour.
const DASHES: [&str; 5] = ["", "7 4", "2 4", "10 4 2 4", "1 6"];

/// Where on the picture a share lies.
fn up(share: f64) -> f64 {
    BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
}

fn frame(title: &str, described: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>{title}</title>\n<desc>{described}</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\" font-weight=\"600\" fill=\"#17202a\">{title}</text>\n"
    );
    for tenth in (0..=10).step_by(2) {
        let y = up(f64::from(tenth) / 10.0);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"#d5dbe1\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#4a5763\">{} %</text>\n",
            LEFT - 8.0,
            y + 4.0,
            tenth * 10
        );
    }
    svg
}

fn under(svg: &mut String, x: f64, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#4a5763\">{text}</text>",
        BOTTOM + 18.0
    );
}

fn caption(svg: &mut String, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#17202a\">{text}</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 42.0
    );
}

/// Share of right diagnoses against mean dollars, which are on a logarithmic scale.
pub(crate) fn dollars(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points).map(|p| p.0.max(1.0));
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(1.0, f64::max));
    let across = |x: f64| LEFT + (x.max(1.0) / least).ln() / (most / least).ln().max(1e-9) * (RIGHT - LEFT);
    let mut svg = frame(title, "Share of cases with the right diagnosis in the lead, against mean cost in US dollars.");
    for mark in [300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0] {
        if mark >= least && mark <= most {
            under(&mut svg, across(mark), &format!("${mark}"));
        }
    }
    caption(&mut svg, "mean cost of a case, first visit included (logarithmic)");
    let mut labels: Vec<(f64, String, String)> = Vec::new();
    for (line, dash) in lines.iter().zip(DASHES.iter().cycle()) {
        let points: Vec<String> = line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", across(*x), up(*y))).collect();
        let (colour, width) = if line.leads { ("#0b5cad", 3.0) } else { ("#4a5763", 1.5) };
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>",
            points.join(" ")
        );
        if let Some((x, y)) = line.mark {
            let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/>", across(x), up(y));
        }
        let end = line.points.last().map_or(TOP, |(_, y)| up(*y));
        let stroke = format!("stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"");
        labels.push((end, stroke, format!("fill=\"{colour}\">{}", line.label)));
    }
    // Each label with a sample of its stroke; they keep a line's height from one another.
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = TOP;
    for (wanted, stroke, text) in labels {
        let y = wanted.max(free);
        let (from, to) = (RIGHT + 10.0, RIGHT + 40.0);
        let _ = write!(
            svg,
            "<line x1=\"{from}\" y1=\"{y:.1}\" x2=\"{to}\" y2=\"{y:.1}\" {stroke}/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" {text}</text>\n",
            to + 6.0,
            y + 4.0
        );
        free = y + 18.0;
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_well_formed() {
        let line = |label: &str, leads| Line {
            label: label.to_owned(),
            points: vec![(300.0, 0.1), (70_000.0, 0.6)],
            leads,
            mark: Some((900.0, 0.5)),
        };
        let svg = dollars("A title", &[line("panel", true), line("random", false)]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<script"));
        assert!(svg.contains("<title>A title</title>") && svg.contains("<desc>"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(dollars("Nothing", &[]).ends_with("</svg>\n"));
    }
}
