//! Results of notes against ranges.

use super::*;
use crate::token::{sentences, tokens};
use bodh_knowledge::Range;

fn measure(names: &[&str], unit: &str, units: &[(&str, f64)], possible: (f64, f64), range: (f64, f64)) -> Measure {
    let id = |way: &str| Some(format!("T:{}-{way}", names[0].replace(' ', "_")));
    let everybody = Range { ages: None, sex: None, low: Some(range.0), high: Some(range.1) };
    Measure {
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        unit: unit.to_owned(),
        units: units.iter().map(|(u, f)| ((*u).to_owned(), *f)).collect(),
        possible: Some(possible),
        ranges: vec![everybody],
        high: id("high"),
        low: id("low"),
        positive: None,
        negative: None,
    }
}

fn measures() -> Measures {
    let mut heart = measure(&["heart rate", "hr"], "/min", &[("bpm", 1.0)], (15.0, 320.0), (60.0, 100.0));
    let newborn = Range { ages: Some((0, 28)), sex: None, low: Some(100.0), high: Some(180.0) };
    heart.ranges.insert(0, newborn);
    let mut hemoglobin = measure(&["hemoglobin", "hgb"], "g/dL", &[("g/L", 0.1)], (2.0, 24.0), (12.0, 17.5));
    let men = Range { ages: None, sex: Some(Sex::Male), low: Some(13.0), high: Some(17.5) };
    hemoglobin.ranges.insert(0, men);
    let mut spot = measure(&["monospot"], "", &[], (0.0, 0.0), (0.0, 0.0));
    (spot.possible, spot.high, spot.low) = (None, None, None);
    spot.positive = Some("T:monospot".to_owned());
    Measures::new(vec![
        measure(&["body temperature", "temperature", "temp"], "C", &[], (20.0, 44.0), (36.0, 37.9)),
        heart,
        measure(&["systolic blood pressure"], "mmHg", &[], (30.0, 300.0), (90.0, 139.0)),
        measure(&["diastolic blood pressure"], "mmHg", &[], (10.0, 200.0), (50.0, 89.0)),
        measure(&["leukocyte count", "wbc"], "10^3/uL", &[("/mm3", 0.001)], (0.1, 500.0), (4.0, 11.0)),
        measure(&["creatinine"], "mg/dL", &[("umol/L", 0.0113)], (0.1, 25.0), (0.5, 1.3)),
        measure(&["sodium", "na"], "mmol/L", &[("mEq/L", 1.0)], (90.0, 200.0), (135.0, 145.0)),
        hemoglobin,
        measure(&["troponin"], "ng/mL", &[], (0.0, 500.0), (0.0, 0.04)),
        spot,
    ])
}

fn said(text: &str, age_days: Option<u32>, sex: Sex) -> Vec<String> {
    let (measures, tokens) = (measures(), tokens(text));
    let read = |s| measures.read(text, s, Person { age_days, sex });
    let found: Vec<Measured<'_>> = sentences(&tokens).flat_map(read).collect();
    let sign = |m: &Measured<'_>| if m.presence == Presence::Present { "" } else { "not " };
    found.iter().map(|m| format!("{}{}", sign(m), m.term.trim_start_matches("T:"))).collect()
}

#[test]
fn results_against_their_ranges() {
    for (text, expected) in [
        ("Temperature: 38.0°C", "body_temperature-high"),
        ("temp 101.3 F", "body_temperature-high"),
        ("Temperature: 102°F (38.9°C)", "body_temperature-high"),
        ("Temperature: 37.2 C", "not body_temperature-high, not body_temperature-low"),
        ("Heart rate: 112 bpm", "heart_rate-high"),
        ("HR 48/min", "heart_rate-low"),
        (
            "Blood Pressure: 84/50 mmHg",
            "systolic_blood_pressure-low, not diastolic_blood_pressure-high, not diastolic_blood_pressure-low",
        ),
        ("BP 150/95", "systolic_blood_pressure-high, diastolic_blood_pressure-high"),
        ("BP 50/120", ""),
        ("WBC: 15,000/mm3", "leukocyte_count-high"),
        ("WBC 15.2", "leukocyte_count-high"),
        ("creatinine 250 µmol/L", "creatinine-high"),
        ("creatinine 90 mmol/L", ""),
        ("Sodium 128 mEq/L", "sodium-low"),
        ("hemoglobin 105 g/L", "hemoglobin-low"),
        ("Elevated troponin", "troponin-high"),
        ("Troponin: positive", "troponin-high"),
        ("troponin within normal limits", "not troponin-high, not troponin-low"),
        ("Monospot: positive", "monospot"),
        ("Monospot test negative", "not monospot"),
        ("Monospot: pending", ""),
        ("sodium 5000", ""),
        ("temperature 2 hours ago", ""),
    ] {
        assert_eq!(said(text, Some(15_000), Sex::Female).join(", "), expected, "{text}");
    }
}

#[test]
fn age_and_sex_decide_which_range_holds() {
    assert!(said("Heart rate: 150 bpm", Some(5), Sex::Unknown).iter().all(|s| s.starts_with("not ")));
    assert_eq!(said("Heart rate: 150 bpm", None, Sex::Unknown), ["heart_rate-high"]);
    assert_eq!(said("hgb 12.5", Some(15_000), Sex::Male), ["hemoglobin-low"]);
    assert!(said("hgb 12.5", Some(15_000), Sex::Female).iter().all(|s| s.starts_with("not ")));
}

#[test]
fn a_normal_number_is_weak() {
    let (measures, text) = (measures(), "Temperature: 37.0 C");
    let tokens = tokens(text);
    let person = Person { age_days: None, sex: Sex::Unknown };
    let found: Vec<_> = sentences(&tokens).flat_map(|s| measures.read(text, s, person)).collect();
    assert!(found.len() == 2 && found.iter().all(|m| m.weak));
}
