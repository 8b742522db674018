//! What is published of the reasoner's probabilities: the committed tables that `bodh bench accuracy --charts` wrote.

use crate::view::{Picture, format::thousands, operations::Calibration, parts::Figure};
use bodh_pictures::{
    measured::Measured,
    reliability::{draw, table},
};

/// Name, what was measured, the table.
const SETS: [(&str, &str, &str); 3] = [
    (
        "published",
        "Published cases of rare diseases, all annotations",
        include_str!("../../../../agents/figures/reliability_published.tsv"),
    ),
    (
        "left-out",
        "The same, without what the case's own publication says",
        include_str!("../../../../agents/figures/reliability_left_out.tsv"),
    ),
    (
        "examination",
        "Examination cases of general medicine, everything revealed",
        include_str!("../../../../agents/figures/reliability_examination.tsv"),
    ),
];

/// Each measurement as it is shown.
pub(super) fn all() -> Vec<Calibration> {
    let one = |(name, of, text): (&str, &str, &str)| {
        let measured = Measured::from_text(text)?;
        let (id, shown) = (format!("reliability-{name}"), table(&measured.bins));
        Some(Calibration {
            of: of.to_owned(),
            measured: format!("{} cases, measured on {}", thousands(measured.cases as u64), measured.date),
            command: measured.command,
            figure: Figure {
                picture: Picture(draw(&id, &measured.bins)),
                caption: format!("{of}: stated against right"),
                columns: shown.headers,
                rows: shown.rows,
                id,
            },
        })
    };
    SETS.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_tables_are_whole() {
        for (name, _, text) in SETS {
            let measured = Measured::from_text(text).unwrap_or_else(|| panic!("{name} does not read"));
            assert_eq!(measured.bins.iter().map(|bin| bin.n).sum::<usize>(), measured.cases, "{name}");
            assert!(measured.command.starts_with("bodh bench accuracy CASES"), "{name}");
            assert_eq!(measured.date.len(), 10, "{name}");
            assert!(!text.contains("/home") && !text.contains("/tmp"), "{name}: a path of somebody's machine");
        }
        assert_eq!(all().len(), SETS.len());
    }
}
