//! Numbers of a note that are a finding by definition: vital signs and common blood values of adults.
//!
//! Cut-offs are the ones of general practice, for adults; a number whose unit cannot be told, or that no living person
//! has in the unit meant, says nothing. A normal number excludes nothing: it is one moment's.

use crate::token::{Gap, Token};

/// A measurement found in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The term's id.
    pub(crate) term: &'static str,
    /// First token.
    pub(crate) start: usize,
    /// One past the last token.
    pub(crate) end: usize,
}

/// One cut-off: beyond it, the term.
enum Beyond {
    Over(f64, &'static str),
    AtLeast(f64, &'static str),
    Below(f64, &'static str),
}
use Beyond::{AtLeast, Below, Over};

/// What is measured: its names, the range that is possible in the unit meant, what it means, and whether for adults only.
struct Measure {
    names: &'static [&'static str],
    possible: (f64, f64),
    adults: bool,
    cuts: &'static [Beyond],
}

#[rustfmt::skip]
const MEASURES: &[Measure] = &[
    // Degrees Celsius; Fahrenheit is converted. Fever: 38.0 °C, the usual clinical definition at any age.
    Measure { names: &["temperature", "temp", "t"], possible: (30.0, 45.0), adults: false, cuts: &[AtLeast(38.0, "HP:0001945")] },
    // Beats per minute; the conventional adult range is 60 to 100. Slow rates are common in the fit and are not used.
    Measure { names: &["heart rate", "pulse rate", "pulse", "hr"], possible: (20.0, 300.0), adults: true, cuts: &[Over(100.0, "HP:0001649")] },
    // Breaths per minute; above 20 is the conventional adult cut-off (also of the SIRS criteria).
    Measure { names: &["respiratory rate", "respiration rate", "respirations", "rr"], possible: (4.0, 90.0), adults: true, cuts: &[Over(20.0, "HP:0002789")] },
    // Per cent by pulse oximetry; below 92 % is taken as hypoxemia in guidance on oxygen therapy.
    Measure { names: &["oxygen saturation", "o2 saturation", "o2 sat", "spo2", "sao2", "saturation", "pulse oximetry"], possible: (40.0, 100.0), adults: false,
        cuts: &[Below(92.0, "HP:0012418")] },
    // g/dL; below 12 is anaemia in women by the World Health Organization's definition, and so in every adult.
    Measure { names: &["hemoglobin", "haemoglobin", "hgb", "hb"], possible: (2.0, 24.0), adults: true, cuts: &[Below(12.0, "HP:0001903")] },
    // Thousands per microlitre; 150 to 450 is the conventional range.
    Measure { names: &["platelets", "platelet count", "plt"], possible: (1.0, 2_500.0), adults: true, cuts: &[Below(150.0, "HP:0001873"), Over(450.0, "HP:0001894")] },
    // Thousands per microlitre; 4 to 11 is the conventional adult range.
    Measure { names: &["wbc", "wbc count", "white blood cell count", "leukocyte count", "white blood cells", "total white blood cell count", "white cell count"],
        possible: (0.1, 500.0), adults: true, cuts: &[Below(4.0, "HP:0001882"), Over(11.0, "HP:0001974")] },
    // mmol/L (the same as mEq/L); 135 to 145 is the conventional range.
    Measure { names: &["sodium", "na", "serum sodium"], possible: (90.0, 200.0), adults: false, cuts: &[Below(135.0, "HP:0002902"), Over(145.0, "HP:0003228")] },
    // mmol/L; 3.5 to 5.0 in most, 5.5 at the highest.
    Measure { names: &["potassium", "serum potassium"], possible: (1.0, 11.0), adults: true, cuts: &[Below(3.5, "HP:0002900"), Over(5.5, "HP:0002153")] },
    // mg/dL; 8.5 to 10.5 is the conventional adult range.
    Measure { names: &["calcium", "serum calcium"], possible: (4.5, 20.0), adults: true, cuts: &[Below(8.5, "HP:0002901"), Over(10.5, "HP:0003072")] },
    // mg/dL; up to 1.3 in adults.
    Measure { names: &["creatinine", "serum creatinine"], possible: (0.1, 25.0), adults: true, cuts: &[Over(1.3, "HP:0003259")] },
    // mg/dL; 200 at any time of day and 70 are the American Diabetes Association's cut-offs.
    Measure { names: &["glucose", "blood glucose", "serum glucose"], possible: (10.0, 1_500.0), adults: true, cuts: &[Below(70.0, "HP:0001943"), AtLeast(200.0, "HP:0003074")] },
    // mm in the first hour; above 30 is raised at most ages.
    Measure { names: &["esr", "erythrocyte sedimentation rate"], possible: (0.0, 200.0), adults: true, cuts: &[Over(30.0, "HP:0003565")] },
    // U/L; above 50 is raised in every laboratory's adult range.
    Measure { names: &["alt", "alanine aminotransferase"], possible: (1.0, 20_000.0), adults: true, cuts: &[Over(50.0, "HP:0031964")] },
    Measure { names: &["ast", "aspartate aminotransferase"], possible: (1.0, 20_000.0), adults: true, cuts: &[Over(50.0, "HP:0031956")] },
    // U/L; above 130 is raised in adults.
    Measure { names: &["alkaline phosphatase", "alp"], possible: (5.0, 5_000.0), adults: true, cuts: &[Over(130.0, "HP:0003155")] },
    // mg/dL; total bilirubin above 1.2.
    Measure { names: &["bilirubin", "total bilirubin", "bilirubin total"], possible: (0.05, 60.0), adults: true, cuts: &[Over(1.2, "HP:0002904")] },
    // g/dL; below 3.5.
    Measure { names: &["albumin", "serum albumin"], possible: (0.5, 7.0), adults: true, cuts: &[Below(3.5, "HP:0003073")] },
];

/// Adults, in days: 18 years.
const ADULT: u32 = 6_575;
/// Words that may stand between a measure's name and its number.
#[rustfmt::skip]
const BETWEEN: [&str; 16] = ["is", "was", "of", "at", "to", "a", "were", "now", "measured", "reading", "level", "count", "oral", "rectal", "currently", "elevated"];
/// How many of them.
const REACH: usize = 4;

/// Every measurement of a sentence that is a finding.
pub(crate) fn measured(sentence: &[Token], age_days: Option<u32>) -> Vec<Measured> {
    let adult = age_days.is_some_and(|days| days >= ADULT);
    let mut found = Vec::new();
    for start in 0..sentence.len() {
        found.extend(pressure(sentence, start).filter(|_| adult));
        let named = MEASURES
            .iter()
            .filter(|m| adult || !m.adults)
            .filter_map(|m| longest(sentence, start, m.names).map(|n| (m, n)));
        let Some((measure, length)) = named.max_by_key(|(_, length)| *length) else { continue };
        let Some((at, value)) = number(sentence, start + length) else { continue };
        let Some(value) = in_unit(value, sentence.get(at + 1), measure) else { continue };
        let term = measure.cuts.iter().find_map(|cut| match *cut {
            Over(limit, term) => (value > limit).then_some(term),
            AtLeast(limit, term) => (value >= limit).then_some(term),
            Below(limit, term) => (value < limit).then_some(term),
        });
        found.extend(term.map(|term| Measured { term, start, end: at + 1 }));
    }
    found
}

/// Blood pressure, mmHg: at least 140 over 90 is hypertension (the European cut-off for a reading in a clinic), systolic below 90
/// hypotension.
fn pressure(sentence: &[Token], start: usize) -> Option<Measured> {
    let length = longest(sentence, start, &["blood pressure", "bp"])?;
    let (at, systolic) = number(sentence, start + length)?;
    let diastolic = sentence.get(at + 1).filter(|t| t.gap == Gap::Slash)?.word.parse::<f64>().ok()?;
    if !(40.0..=300.0).contains(&systolic) || !(10.0..=200.0).contains(&diastolic) || diastolic >= systolic {
        return None;
    }
    let term = if systolic >= 140.0 || diastolic >= 90.0 {
        "HP:0000822"
    } else if systolic < 90.0 {
        "HP:0002615"
    } else {
        return None;
    };
    Some(Measured { term, start, end: at + 2 })
}

/// The longest of the names that stands at `start`, in tokens.
fn longest(sentence: &[Token], start: usize, names: &[&str]) -> Option<usize> {
    let fits = |name: &&&str| {
        name.split(' ').enumerate().all(|(n, word)| sentence.get(start + n).is_some_and(|t| t.word == word))
    };
    names.iter().filter(fits).map(|name| name.split(' ').count()).max()
}

/// The first number after a name, with nothing but a few idle words between.
fn number(sentence: &[Token], from: usize) -> Option<(usize, f64)> {
    for (at, token) in sentence.iter().enumerate().skip(from).take(REACH) {
        if token.word.starts_with(|c: char| c.is_ascii_digit()) {
            return token.word.replace(',', "").parse().ok().map(|value| (at, value));
        }
        if !BETWEEN.contains(&token.word.as_str()) {
            return None;
        }
    }
    None
}

/// The value in the measure's own unit, if it can be one.
fn in_unit(value: f64, unit: Option<&Token>, measure: &Measure) -> Option<f64> {
    let (low, high) = measure.possible;
    let unit = unit.map_or("", |t| t.word.as_str());
    let value = if measure.names.contains(&"temperature") && (unit == "f" || (86.0..=113.0).contains(&value)) {
        (value - 32.0) / 1.8
    } else if measure.names.iter().any(|n| matches!(*n, "platelets" | "wbc")) && value >= 1_000.0 {
        value / 1_000.0
    } else {
        value
    };
    // Other units of the same measurement (g/L, µmol/L, mmol/L) are told by their sign where the ranges overlap.
    let molar = measure.names.iter().any(|n| matches!(*n, "sodium" | "potassium"));
    let foreign = matches!(unit, "mmol" | "µmol" | "umol" | "μmol") && !molar;
    ((low..=high).contains(&value) && !foreign).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{sentences, tokens};

    fn terms(text: &str, years: Option<u32>) -> Vec<&'static str> {
        let tokens = tokens(text);
        sentences(&tokens).flat_map(|s| measured(s, years.map(|y| y * 366))).map(|m| m.term).collect()
    }

    #[test]
    fn cut_offs() {
        for (text, expected) in [
            ("Temperature: 38.0°C", vec!["HP:0001945"]),
            ("Temperature: 37.9°C (100.2°F)", vec![]),
            ("T 101.3 F", vec!["HP:0001945"]),
            ("temp was 39", vec!["HP:0001945"]),
            ("Temperature: 102°F (38.9°C)", vec!["HP:0001945"]),
            ("Heart rate: 101 bpm", vec!["HP:0001649"]),
            ("Pulse 100/min", vec![]),
            ("BP 140/85", vec!["HP:0000822"]),
            ("Blood pressure: 139/89 mmHg", vec![]),
            ("blood pressure is 88/50 mm Hg", vec!["HP:0002615"]),
            ("BP 50/120", vec![]),
            ("respiratory rate of 21", vec!["HP:0002789"]),
            ("SpO2 91% on room air", vec!["HP:0012418"]),
            ("Oxygen saturation: 92%", vec![]),
            ("WBC: 15,000/mm3, platelets 90,000", vec!["HP:0001974", "HP:0001873"]),
            ("Hemoglobin: 9.1 g/dL", vec!["HP:0001903"]),
            ("hemoglobin 130 g/L", vec![]),
            ("creatinine 90 µmol/L", vec![]),
            ("Sodium 128 mmol/L, potassium 6.1 mmol/L", vec!["HP:0002902", "HP:0002153"]),
            ("glucose 5.5 mmol/L", vec![]),
            ("temperature 2 hours ago", vec![]),
            ("pulse in the left 120", vec![]),
        ] {
            assert_eq!(terms(text, Some(40)), expected, "{text}");
        }
    }

    #[test]
    fn adult_ranges_are_for_adults() {
        let text = "HR 130, RR 30, BP 150/95, temperature 39";
        assert_eq!(terms(text, Some(2)), ["HP:0001945"]);
        assert_eq!(terms(text, None), ["HP:0001945"]);
        assert_eq!(terms(text, Some(30)).len(), 4);
    }
}
