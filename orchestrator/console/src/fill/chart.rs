//! The note with its findings marked, and the findings as rows.

use super::{
    live::{Labels, named},
    words,
};
use crate::view::{
    amend::Amending,
    format::source,
    parts::{Finding, Presence},
    session::Segment,
};
use bodh_clinical::{Finding as Known, Origin, Presence as Seen};
use bodh_panel::AmendmentLine;

pub(crate) fn presence(seen: Seen) -> Presence {
    match seen {
        Seen::Present => Presence::Present,
        Seen::Excluded => Presence::Absent,
    }
}

/// What stands beside the chart.
pub(crate) struct Beside<'a> {
    /// Findings that have a mark in the note, or in what was added.
    pub(crate) marked: &'a [u32],
    pub(crate) labels: &'a Labels,
    pub(crate) amendments: &'a [AmendmentLine],
    /// The form for corrections, for whom it is.
    pub(crate) form: Option<&'a Amending>,
}

impl<'a> Beside<'a> {
    /// The chart alone.
    pub(crate) const fn nothing(labels: &'a Labels) -> Self {
        Self { marked: &[], labels, amendments: &[], form: None }
    }

    /// Who stated the n-th amendment.
    fn by(&self, amendment: u32) -> String {
        let line = usize::try_from(amendment).ok().and_then(|n| self.amendments.get(n));
        line.map_or_else(|| "a person".to_owned(), |line| words::person(&line.by))
    }
}

/// The chart's rows, numbered from 1.
pub(crate) fn findings(chart: &[Known], beside: &Beside<'_>) -> Vec<Finding> {
    let row = |(number, known): (u32, &Known)| Finding {
        number,
        label: known.label.clone(),
        presence: presence(known.presence),
        term: source(known.term.as_str()),
        origin: match &known.origin {
            Origin::Coded(_) => "coded in the case".to_owned(),
            Origin::Text(_) if known.past => "read in the note, of the past".to_owned(),
            Origin::Text(_) => "read in the note".to_owned(),
            Origin::ResultOf(test) => format!("result of: {}", named(test.as_str(), beside.labels)),
            Origin::Added { amendment, .. } => format!("added by {}", beside.by(*amendment)),
            Origin::Corrected { amendment } => format!("corrected by {}", beside.by(*amendment)),
        },
        in_note: beside.marked.contains(&number),
        correct: beside.form.map(|form| form.of(known.term.as_str())),
    };
    (1..).zip(chart).map(row).collect()
}

/// Which findings have a mark in these words.
pub(crate) fn marked<'s>(segments: impl Iterator<Item = &'s Segment>) -> Vec<u32> {
    let number = |segment: &Segment| match segment {
        Segment::Finding { number, .. } => Some(*number),
        Segment::Text(_) => None,
    };
    segments.filter_map(number).collect()
}

/// The note in pieces, or the text of an amendment. Where two findings were read from overlapping words, the first keeps them.
pub(crate) fn segments(note: &str, chart: &[Known], amendment: Option<u32>) -> Vec<Segment> {
    let mut marks: Vec<(usize, usize, u32, &Known)> = (1..)
        .zip(chart)
        .filter_map(|(number, known)| {
            let span = match (&known.origin, amendment) {
                (Origin::Text(span), None) => span,
                (Origin::Added { amendment, span }, Some(here)) if *amendment == here => span,
                _ => return None,
            };
            Some((usize::try_from(span.start).ok()?, usize::try_from(span.end).ok()?, number, known))
        })
        .collect();
    marks.sort_by_key(|(start, end, number, _)| (*start, *end, *number));
    let mut out = Vec::new();
    let mut done = 0;
    for (start, end, number, known) in marks {
        if start < done || start >= end {
            continue;
        }
        // A span that does not lie on the text's letters is not shown rather than guessed.
        let (Some(before), Some(text)) = (note.get(done..start), note.get(start..end)) else { continue };
        if !before.is_empty() {
            out.push(Segment::Text(before.to_owned()));
        }
        let (presence, label) = (presence(known.presence), known.label.clone());
        out.push(Segment::Finding { text: text.to_owned(), presence, label, number });
        done = end;
    }
    if let Some(rest) = note.get(done..).filter(|rest| !rest.is_empty()) {
        out.push(Segment::Text(rest.to_owned()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_clinical::{Span, TermId};

    fn known(start: u32, end: u32) -> Known {
        let origin = Origin::Text(Span { start, end });
        Known {
            term: TermId::parse("HP:0000001").unwrap(),
            label: "x".into(),
            presence: Seen::Present,
            origin,
            past: false,
        }
    }

    fn texts(note: &str, chart: &[Known]) -> Vec<String> {
        let text = |segment| match segment {
            Segment::Text(text) => text,
            Segment::Finding { text, number, .. } => format!("[{number}:{text}]"),
        };
        segments(note, chart, None).into_iter().map(text).collect()
    }

    #[test]
    fn marks_stand_where_the_words_do() {
        assert_eq!(texts("fever and cough.", &[known(10, 15), known(0, 5)]), ["[2:fever]", " and ", "[1:cough]", "."]);
        assert_eq!(texts("fever", &[]), ["fever"]);
        assert!(texts("", &[known(0, 3)]).is_empty());
    }

    #[test]
    fn overlapping_broken_and_strange_spans_lose_no_text() {
        for spans in [
            vec![known(0, 5), known(2, 7)],
            vec![known(5, 5)],
            vec![known(9, 2)],
            vec![known(0, 999)],
            vec![known(1, 3)],
        ] {
            let all = texts("é fever", &spans).concat();
            let plain: String = all.replace(['[', ']'], "").replace("1:", "").replace("2:", "");
            assert_eq!(plain, "é fever");
        }
    }
}
