//! A measurement of stated probabilities as a small table of text: written by the benchmark, read by the console.
//!
//! Lines of `# name`, tab, value; then the heads `n`, `stated`, `seen`; then a line for each tenth, with tabs between.

use super::reliability::Bin;
use std::fmt::Write as _;

/// The columns.
const HEADS: &str = "n\tstated\tseen";

/// What was measured, how and when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The command that measures it again; the cases are `CASES` in it.
    pub command: String,
    /// The day: `2026-11-30`.
    pub date: String,
    /// Cases.
    pub cases: usize,
    /// A tenth of the probabilities each, from the least.
    pub bins: Vec<Bin>,
}

impl Measured {
    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { command, date, cases, bins } = self;
        let mut text = format!("# command\t{command}\n# date\t{date}\n# cases\t{cases}\n{HEADS}\n");
        for Bin { n, stated, seen } in bins {
            // Writing to a String has no failure path.
            let _written = writeln!(text, "{n}\t{stated:.4}\t{seen:.4}");
        }
        text
    }

    /// Reads [`Measured::to_text`]; none where it is anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut head = |name: &str| lines.next()?.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix('\t');
        let (command, date, cases) = (head("command")?, head("date")?, head("cases")?.parse().ok()?);
        lines.next().filter(|heads| *heads == HEADS)?;
        let share = |cell: &str| cell.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        let bin = |line: &str| match line.split('\t').collect::<Vec<_>>().as_slice() {
            [n, stated, seen] => Some(Bin { n: n.parse().ok()?, stated: share(stated)?, seen: share(seen)? }),
            _ => None,
        };
        let bins = lines.map(bin).collect::<Option<Vec<_>>>()?;
        Some(Self { command: command.to_owned(), date: date.to_owned(), cases, bins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bins = vec![Bin { n: 3, stated: 0.05, seen: 0.0 }, Bin { n: 40, stated: 0.95, seen: 1.0 }];
        let (command, date) = ("bodh bench accuracy CASES".to_owned(), "2026-11-30".to_owned());
        let measured = Measured { command, date, cases: 43, bins };
        let text = measured.to_text();
        assert_eq!(Measured::from_text(&text), Some(measured));
        for (from, to) in [
            ("# date", "# day"),
            ("stated\t", ""),
            ("40\t", "forty\t"),
            ("0.9500", "1.5"),
            ("0.9500", "NaN"),
            ("1.0000", "1.0000\t1"),
            ("# cases\t43\n", ""),
        ] {
            assert_eq!(Measured::from_text(&text.replacen(from, to, 1)), None, "{from} as {to}");
        }
        assert_eq!(Measured::from_text(""), None);
    }
}
