//! Into which bins a histogram of durations is divided. Pure.
//!
//! A bin holds what is longer than the upper bound of the bin before and not longer than its own; the last one has no bound.
//! Unless chosen otherwise the bounds are logarithmic, [`PER_OCTAVE`] to each power of two, as in the exponential histograms of
//! OpenTelemetry at scale 2 and in Prometheus' native ones of schema 2: a bin is 19 % wide, whatever the duration.

use std::time::Duration;

/// How many bins there are between a duration and its double.
const PER_OCTAVE: usize = 4;

/// The first bin ends at 2^10 ns, which is 1.024 µs.
const FIRST: usize = 10;

/// The last bin begins at 2^44 ns, which is 4.9 hours.
const LAST: usize = 44;

/// 2^63 times 2^(0/4), 2^(1/4), 2^(2/4) and 2^(3/4), rounded up.
const STEPS: [u64; PER_OCTAVE] =
    [0x8000_0000_0000_0000, 0x9837_f051_8db8_a970, 0xb504_f333_f9de_6485, 0xd744_fcca_d69d_6af5];

/// How durations are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bins {
    Logarithmic,
    /// So many bins of so many nanoseconds each, but for the last one.
    Equal {
        bins: usize,
        width: u64,
    },
}

impl Bins {
    /// Divides the time up to so many nanoseconds equally; no bins, or bins of no width, count as one bin.
    pub(super) fn equal(bins: usize, up_to: u64) -> Self {
        match up_to.checked_div(bins as u64) {
            None | Some(0) => Self::Equal { bins: 1, width: u64::MAX },
            Some(width) => Self::Equal { bins, width },
        }
    }

    /// Returns how many bins there are.
    pub(super) fn count(self) -> usize {
        match self {
            Self::Logarithmic => (LAST - FIRST) * PER_OCTAVE + 2,
            Self::Equal { bins, .. } => bins,
        }
    }

    /// Returns the bin of a duration in nanoseconds.
    pub(super) fn of(self, time: u64) -> usize {
        // A bound belongs to the bin below it.
        let below = time.saturating_sub(1);
        let bin = match self {
            Self::Logarithmic => {
                let octave = (u64::BITS - 1).saturating_sub(below.leading_zeros()) as usize;
                if octave < FIRST {
                    return 0;
                }
                let scaled = below << below.leading_zeros();
                let step = STEPS[1..].iter().map(|step| usize::from(scaled >= *step)).sum::<usize>();
                1 + (octave - FIRST) * PER_OCTAVE + step
            }
            Self::Equal { width, .. } => usize::try_from(below / width).unwrap_or(usize::MAX),
        };
        bin.min(self.count() - 1)
    }

    /// Returns the upper bound of a bin in nanoseconds; `None` for the last one.
    pub(super) fn upper(self, bin: usize) -> Option<u64> {
        if bin + 1 >= self.count() {
            return None;
        }
        Some(match self {
            Self::Logarithmic => {
                let (octave, step) = (FIRST + bin / PER_OCTAVE, STEPS[bin % PER_OCTAVE]);
                (step >> (63 - octave)) + u64::from(step.trailing_zeros() < 63 - octave as u32)
            }
            Self::Equal { width, .. } => width * (bin as u64 + 1),
        })
    }

    /// Returns a duration that may stand for all in a bin, of which the longest took `max`: of those of a logarithmic bin none is
    /// more than 9.1 % shorter or longer.
    pub(super) fn typical(self, bin: usize, max: u64) -> u64 {
        let lower = bin.checked_sub(1).and_then(|below| self.upper(below)).unwrap_or(0);
        match (self, self.upper(bin)) {
            (_, None) => max.max(lower),
            (Self::Logarithmic, Some(upper)) if lower > 0 => (lower as f64 * upper as f64).sqrt() as u64,
            (_, Some(upper)) => lower.midpoint(upper),
        }
    }
}

/// One bin of a histogram of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimingBin {
    /// The longest duration that belongs here; `None` for the last bin, which holds everything above the one before.
    pub upper: Option<Duration>,
    /// How many durations fell into it.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Bins; 4] = [
        Bins::Logarithmic,
        Bins::Equal { bins: 20, width: 50_000_000 },
        Bins::Equal { bins: 1, width: u64::MAX },
        Bins::Equal { bins: 3, width: 1 },
    ];

    #[test]
    fn a_bin_holds_its_upper_bound_and_not_that_of_the_bin_before() {
        for bins in ALL {
            let bounds: Vec<u64> = (0..bins.count()).map_while(|bin| bins.upper(bin)).collect();
            assert_eq!(bounds.len(), bins.count() - 1, "{bins:?}");
            for (bin, bound) in bounds.into_iter().enumerate() {
                assert_eq!((bins.of(bound), bins.of(bound + 1)), (bin, bin + 1), "{bins:?} {bound}");
            }
            assert_eq!((bins.of(0), bins.of(u64::MAX)), (0, bins.count() - 1), "{bins:?}");
        }
    }

    #[test]
    fn logarithmic_bins_reach_from_a_microsecond_to_hours() {
        let bins = Bins::Logarithmic;
        assert_eq!((bins.upper(0), bins.count()), (Some(1_024), 138));
        assert_eq!(bins.upper(bins.count() - 2), Some(1 << 44));
        for bin in 1..bins.count() - 1 {
            let [lower, upper] = [bin - 1, bin].map(|bin| bins.upper(bin).expect("not the last") as f64);
            let typical = bins.typical(bin, 0) as f64;
            assert!(typical / lower < 1.091 && upper / typical < 1.092, "{lower} {typical} {upper}");
        }
    }

    #[test]
    fn bins_of_nothing_are_one_bin() {
        for bins in [Bins::equal(0, 5), Bins::equal(5, 0), Bins::equal(5, 4), Bins::equal(0, 0)] {
            assert_eq!((bins.count(), bins.upper(0), bins.of(7)), (1, None, 0));
        }
    }
}
