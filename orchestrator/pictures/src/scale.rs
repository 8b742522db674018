//! From values to places, and labels that do not lie on each other.

/// A linear scale. A domain without extent lies in the middle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The values at the two ends.
    domain: (f64, f64),
    /// The places of the two ends.
    range: (f64, f64),
}

impl Scale {
    /// From two values to two places.
    pub(crate) const fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { domain, range }
    }

    /// The place of a value; outside the domain it stays at the end.
    pub(crate) fn at(self, value: f64) -> f64 {
        let ((low, high), (from, to)) = (self.domain, self.range);
        let extent = high - low;
        if !value.is_finite() || extent.abs() < f64::EPSILON {
            return f64::midpoint(from, to);
        }
        from + (to - from) * ((value - low) / extent).clamp(0.0, 1.0)
    }
}

/// A step of 1, 2 or 5 times a power of ten that divides `max` into at most `parts`; 1 for nothing.
pub(crate) fn round_step(max: f64, parts: f64) -> f64 {
    if !max.is_finite() || max <= 0.0 {
        return 1.0;
    }
    let raw = max / parts;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|step| *step >= raw * 0.999_999);
    step.unwrap_or(power * 10.0)
}

/// Multiples of a step from 0 to `max`, at most 50.
pub(crate) fn ticks(max: f64, step: f64) -> Vec<f64> {
    (0..50).map(|n| f64::from(n) * step).take_while(|tick| *tick <= max * 1.000_001).collect()
}

/// Moves labels apart. Each wants its centre at `wanted` and is `height` high; the order stays, and all stay between `low`
/// and `high` if they fit.
pub(crate) fn spread(wanted: &[f64], heights: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut labels: Vec<(usize, f64, f64)> =
        wanted.iter().zip(heights).enumerate().map(|(place, (at, height))| (place, *at, *height)).collect();
    labels.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut floor = low;
    for (_, at, height) in &mut labels {
        *at = at.max(floor + *height / 2.0);
        floor = *at + *height / 2.0;
    }
    let mut ceiling = high;
    for (_, at, height) in labels.iter_mut().rev() {
        *at = at.min(ceiling - *height / 2.0);
        ceiling = *at - *height / 2.0;
    }
    labels.sort_by_key(|(place, ..)| *place);
    labels.into_iter().map(|(_, at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::super::svg::number;
    use super::*;

    #[test]
    fn values_stay_inside() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        assert_eq!(
            [0.0, 5.0, 10.0, 20.0, -3.0, f64::NAN].map(|v| number(scale.at(v))),
            ["100", "50", "0", "0", "100", "50"]
        );
        assert_eq!(number(Scale::new((3.0, 3.0), (0.0, 8.0)).at(3.0)), "4");
    }

    #[test]
    fn steps_are_round() {
        assert_eq!([2_500.0, 0.0, 7.0].map(|max| number(round_step(max, 5.0))), ["500", "1", "2"]);
        assert_eq!(ticks(10.0, 5.0), [0.0, 5.0, 10.0]);
    }

    #[test]
    fn labels_do_not_overlap() {
        let at = spread(&[50.0, 51.0, 52.0, 99.0], &[10.0; 4], 0.0, 100.0);
        let mut sorted = at.clone();
        sorted.sort_by(f64::total_cmp);
        assert_eq!(sorted, at, "the order stays");
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 9.999), "{at:?}");
        assert!(at[0] >= 5.0 && at[3] <= 95.0);
        assert!(spread(&[], &[], 0.0, 1.0).is_empty());
    }
}
