//! An axis on which milliseconds of work and hours of waiting can both be seen: within a burst of work, room grows with
//! the logarithm of the time between two events; a longer silence is one break of fixed width that says how long it was.

/// A silence at least this long is a break.
const BREAK_MS: i64 = 5_000;
/// Room of a break, in units of room (see [`room`]).
const BREAK_ROOM: f64 = 9.0;

/// The axis.
#[derive(Debug)]
pub(crate) struct TimeAxis {
    /// The instants that have a place, in order.
    stops: Vec<(i64, f64)>,
    /// The breaks.
    pub(crate) breaks: Vec<Break>,
}

/// A silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Break {
    /// Its middle on the axis.
    pub(crate) at: f64,
    /// Half its width.
    pub(crate) half: f64,
    /// How long it was.
    pub(crate) ms: u64,
}

impl TimeAxis {
    /// An axis over these instants, from `left` to `right`.
    pub(crate) fn new(mut instants: Vec<i64>, left: f64, right: f64) -> Self {
        instants.sort_unstable();
        instants.dedup();
        let gaps = instants.windows(2).filter_map(|pair| match pair {
            [before, after] => Some(after.saturating_sub(*before)),
            _ => None,
        });
        let gaps: Vec<i64> = gaps.collect();
        let total: f64 = gaps.iter().map(|gap| room(*gap)).sum();
        let scale = if total > 0.0 { (right - left) / total } else { 0.0 };
        let mut at = if total > 0.0 { left } else { f64::midpoint(left, right) };
        let mut axis = Self { stops: Vec::new(), breaks: Vec::new() };
        for (place, instant) in instants.iter().enumerate() {
            axis.stops.push((*instant, at));
            let Some(gap) = gaps.get(place) else { break };
            let wide = room(*gap) * scale;
            if *gap >= BREAK_MS {
                axis.breaks.push(Break { at: at + wide / 2.0, half: wide / 2.0, ms: gap.unsigned_abs() });
            }
            at += wide;
        }
        axis
    }

    /// The place of an instant; between two stops it is where the time divides them.
    pub(crate) fn at(&self, instant: i64) -> f64 {
        let after = self.stops.partition_point(|(stop, _)| *stop < instant);
        let (before, after) = (after.checked_sub(1).and_then(|place| self.stops.get(place)), self.stops.get(after));
        match (before, after) {
            (_, Some((stop, at))) if *stop == instant => *at,
            (Some((from, a)), Some((to, b))) => {
                let share = instant.saturating_sub(*from) as f64 / to.saturating_sub(*from) as f64;
                a + (b - a) * share.clamp(0.0, 1.0)
            }
            (Some((_, at)), None) | (None, Some((_, at))) => *at,
            (None, None) => 0.0,
        }
    }
}

/// How much room the time between two events has.
fn room(gap: i64) -> f64 {
    if gap >= BREAK_MS { BREAK_ROOM } else { 0.6 + (1.0 + gap.max(0) as f64).log2() / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::super::svg::number;
    use super::*;

    #[test]
    fn milliseconds_and_hours_both_have_room() {
        let axis = TimeAxis::new(vec![0, 2, 50, 7_200_050, 7_200_060], 0.0, 100.0);
        let places: Vec<f64> = [0, 2, 50, 7_200_050, 7_200_060].map(|instant| axis.at(instant)).to_vec();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 4.0), "{places:?}");
        assert_eq!((places[0], places[4].round()), (0.0, 100.0));
        assert_eq!(axis.breaks.iter().map(|b| b.ms).collect::<Vec<_>>(), [7_200_000]);
        assert!(axis.at(3_600_000) > places[2] && axis.at(3_600_000) < places[3]);
    }

    #[test]
    fn none_one_and_far_apart() {
        assert_eq!(number(TimeAxis::new(vec![], 0.0, 10.0).at(5)), "0");
        assert_eq!(number(TimeAxis::new(vec![7, 7], 0.0, 10.0).at(7)), "5");
        assert!(TimeAxis::new(vec![i64::MIN, i64::MAX], 0.0, 10.0).at(0).is_finite());
    }
}
