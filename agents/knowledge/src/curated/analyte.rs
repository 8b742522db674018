//! What is measured, and when a value is out of its range: by age and sex, in several units.

use super::block::{Block, Faults, Field, Place};
use super::span::ages;
use super::test::Tests;
use bodh_clinical::{Sex, TestId};
use serde::{Deserialize, Serialize};

/// The range of one group of people, in the analyte's own unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// First and last age in days, both included; everybody when none.
    pub ages: Option<(u32, u32)>,
    /// Of this sex only, where given.
    pub sex: Option<Sex>,
    /// Below it is low.
    pub low: Option<f64>,
    /// Above it is high.
    pub high: Option<f64>,
}

/// An analyte, a vital sign or a qualitative test as intake reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Lower-case names and abbreviations, the first the usual one.
    pub names: Vec<String>,
    /// Its own unit; empty for a qualitative test.
    pub unit: String,
    /// Other units, with the factor that turns a value into the own unit.
    pub units: Vec<(String, f64)>,
    /// What a living person can have, in the own unit.
    pub possible: Option<(f64, f64)>,
    /// Special groups first, everybody last.
    pub ranges: Vec<Range>,
    /// Id of the finding of a high value.
    pub high: Option<String>,
    /// Of a low value.
    pub low: Option<String>,
    /// Of a positive result.
    pub positive: Option<String>,
    /// Of a negative result that is a finding of its own.
    pub negative: Option<String>,
}

impl Measure {
    /// The range that holds for this person.
    #[must_use]
    pub fn range(&self, age_days: Option<u32>, sex: Sex) -> Option<&Range> {
        let holds = |r: &&Range| {
            let age = r.ages.is_none_or(|(from, to)| age_days.is_some_and(|age| (from..=to).contains(&age)));
            age && r.sex.is_none_or(|s| s == sex)
        };
        self.ranges.iter().find(holds)
    }
}

/// One block of `analytes.txt`.
#[derive(Debug, Clone)]
pub(crate) struct Analyte<'a> {
    pub(crate) name: &'a str,
    also: Vec<&'a str>,
    qualitative: bool,
    stated: [Option<Field<'a>>; 4],
    unit: &'a str,
    units: Vec<(String, f64)>,
    possible: Option<(f64, f64)>,
    ranges: Vec<Range>,
    pub(crate) test: Option<TestId>,
}

const KEYS: [&str; 12] =
    ["also", "kind", "unit", "units", "possible", "range", "high", "low", "positive", "negative", "source", "test"];

impl<'a> Analyte<'a> {
    /// The blocks of a file.
    pub(crate) fn all(blocks: &[Block<'a>], tests: &Tests, faults: &mut Faults) -> Vec<Self> {
        let analytes = blocks.iter().filter(|b| b.head.key == "analyte");
        analytes.map(|block| Self::read(block, tests, faults)).collect()
    }

    fn read(block: &Block<'a>, tests: &Tests, faults: &mut Faults) -> Self {
        for field in &block.fields {
            if !KEYS.contains(&field.key) && !field.key.starts_with("range ") {
                faults.add(field.place, format!("an analyte has no `{}`", field.key));
            }
        }
        let qualitative = match block.one("kind", faults) {
            Some(field) if field.value == "qualitative" => true,
            Some(field) => {
                faults.add(field.place, "the kind of an analyte is `qualitative` or left out");
                false
            }
            None => false,
        };
        let stated = super::vocabulary::RESULTS.map(|result| block.one(result, faults));
        let mut ranges: Vec<Range> = block.fields.iter().filter_map(|f| range(*f, faults)).collect();
        // The special before the general, whatever their order in the file.
        ranges.sort_by_key(|r| (r.ages.is_none(), r.sex.is_none()));
        let possible = block.one("possible", faults).and_then(|f| bounds(f, faults));
        let possible = possible.and_then(|(low, high)| low.zip(high));
        if !qualitative && (possible.is_none() || ranges.is_empty()) {
            faults.add(block.head.place, format!("`{}` needs `possible` and a `range`", block.head.value));
        }
        let units = block.one("units", faults);
        Self {
            name: block.head.value,
            also: block.all("also").flat_map(|f| f.items().collect::<Vec<_>>()).collect(),
            qualitative,
            stated,
            unit: block.one("unit", faults).map_or("", |f| f.value),
            units: units.map(|f| conversions(f, faults)).unwrap_or_default(),
            possible,
            ranges,
            test: block.one("test", faults).and_then(|f| tests.named(f, faults)),
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        [self.name].into_iter().chain(self.also.iter().copied())
    }

    /// The results that it can have, each with the finding that the file names for it.
    pub(crate) fn results(&self) -> impl Iterator<Item = (&'static str, Option<Field<'a>>)> + '_ {
        let possible = |result: &str| matches!(result, "positive" | "negative") == self.qualitative;
        super::vocabulary::RESULTS.into_iter().zip(self.stated).filter(move |(result, _)| possible(result))
    }

    /// As intake reads it; `id` gives the id of a result's finding.
    pub(crate) fn measure(&self, id: impl Fn(&'static str) -> Option<String>) -> Measure {
        let [high, low, positive, negative] = super::vocabulary::RESULTS.map(id);
        Measure {
            names: self.names().map(str::to_lowercase).collect(),
            unit: self.unit.to_owned(),
            units: self.units.clone(),
            possible: self.possible,
            ranges: self.ranges.clone(),
            high,
            low,
            positive,
            negative,
        }
    }
}

/// `range: 135-145`, `range male: 13-17`, `range 0-28d: -20`, `range 1-5y male: 3-`.
fn range(field: Field<'_>, faults: &mut Faults) -> Option<Range> {
    let group = field.key.strip_prefix("range")?;
    let mut found = Range { ages: None, sex: None, low: None, high: None };
    for word in group.split(' ').filter(|w| !w.is_empty()) {
        match word {
            "male" => found.sex = Some(Sex::Male),
            "female" => found.sex = Some(Sex::Female),
            span => match ages(span) {
                Some(ages) => found.ages = Some(ages),
                None => faults.add(field.place, format!("`{span}` is no age: expected e.g. 0-28d or 1-5y")),
            },
        }
    }
    (found.low, found.high) = bounds(field, faults)?;
    Some(found)
}

/// `135-145`, `-20` (no lower limit), `3-`, and with a negative lower limit `-2-2` or `-1-`.
fn bounds(field: Field<'_>, faults: &mut Faults) -> Option<(Option<f64>, Option<f64>)> {
    let read = |text: &str| match text.trim() {
        "" => Some(None),
        number => number.parse::<f64>().ok().filter(|n| n.is_finite()).map(Some),
    };
    let negative = field.value.starts_with('-') && field.value.matches('-').count() > 1;
    let from = usize::from(negative);
    let cut = field.value.get(from..).and_then(|rest| rest.find('-')).map(|at| at + from);
    let parts = cut.and_then(|at| field.value.get(..at).zip(field.value.get(at + 1..)));
    let parts = parts.and_then(|(low, high)| read(low).zip(read(high)));
    match parts {
        Some((Some(low), Some(high))) if low > high => {
            faults.add(field.place, format!("{low} is above {high}"));
            None
        }
        Some((None, None)) | None => {
            faults.add(field.place, format!("`{}` is no range: expected e.g. 135-145, -20 or 3-", field.value));
            None
        }
        found => found,
    }
}

/// `g/L x0.1, umol/L x0.0113`.
fn conversions(field: Field<'_>, faults: &mut Faults) -> Vec<(String, f64)> {
    let one = |text: &str| {
        let (unit, factor) = text.trim().rsplit_once(" x")?;
        let factor: f64 = factor.parse().ok().filter(|f: &f64| f.is_finite() && *f > 0.0)?;
        Some((unit.to_lowercase(), factor))
    };
    let mut all = Vec::new();
    for text in field.value.split([',', ';']) {
        match one(text) {
            Some(found) => all.push(found),
            None => faults.add(field.place, format!("`{}` is no conversion: expected e.g. g/L x0.1", text.trim())),
        }
    }
    all
}

/// Names that two analytes claim.
pub(crate) fn twice(analytes: &[Analyte<'_>], place: Place<'_>, faults: &mut Faults) {
    let mut seen = std::collections::BTreeMap::new();
    for analyte in analytes {
        for name in analyte.names() {
            if let Some(other) = seen.insert(name.to_lowercase(), analyte.name)
                && other != analyte.name
            {
                faults.add(place, format!("`{name}` names both `{other}` and `{}`", analyte.name));
            }
        }
    }
}
