//! A summary of durations.

use std::fmt;
use std::time::Duration;

use super::bins::{Bins, TimingBin};
use crate::clock::nanos;

/// Summarises how long something took: extremes, sums, and a histogram.
///
/// The bins are logarithmic: 138 of them, from a microsecond to 4.9 hours, each 19 % wide, so that [`quantile`](Self::quantile) is
/// off by 9.1 % at most. [`with_bins`](Self::with_bins) divides a shorter range equally. In either case the last bin holds all
/// that is longer as well; it says so by having no upper bound.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::Timings;
///
/// let mut timings = Timings::default();
/// for millis in 1..=1000 {
///     timings.record(Duration::from_millis(millis));
/// }
/// let p99 = timings.quantile(0.99).unwrap().as_secs_f64();
/// assert!((p99 / 0.99 - 1.0).abs() < 0.1);
/// assert_eq!(timings.max(), Some(Duration::from_secs(1)));
/// assert_eq!(timings.mean(), Some(Duration::from_micros(500_500)));
/// ```
///
/// For Prometheus, whose buckets hold all that is not longer than `le`:
///
/// ```
/// # use std::{fmt::Write, time::Duration};
/// # let mut timings = chorde_core::Timings::with_bins(2, Duration::from_secs(1));
/// # timings.record(Duration::from_millis(250));
/// # timings.record(Duration::from_secs(3));
/// # let mut page = String::new();
/// let mut total = 0;
/// for bin in timings.bins() {
///     total += bin.count;
///     let le = bin.upper.map_or("+Inf".to_owned(), |upper| upper.as_secs_f64().to_string());
///     writeln!(page, "compute_seconds_bucket{{le=\"{le}\"}} {total}")?;
/// }
/// writeln!(page, "compute_seconds_sum {}", timings.sum().as_secs_f64())?;
/// writeln!(page, "compute_seconds_count {}", timings.count())?;
/// # assert_eq!(
/// #     page,
/// #     "compute_seconds_bucket{le=\"0.5\"} 1\ncompute_seconds_bucket{le=\"+Inf\"} 2\n\
/// #      compute_seconds_sum 3.25\ncompute_seconds_count 2\n"
/// # );
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Timings {
    count: u64,
    /// Nanoseconds, as the next two.
    min: u64,
    max: u64,
    sum: u64,
    /// Square seconds.
    sum_sq: f64,
    /// How the histogram is divided.
    bins: Bins,
    counts: Box<[u64]>,
}

impl Default for Timings {
    fn default() -> Self {
        Self::divided(Bins::Logarithmic)
    }
}

impl Timings {
    /// Creates an empty summary whose histogram has `bins` equal bins up to `up_to`, in place of the logarithmic ones; the last one
    /// holds all above as well.
    ///
    /// No bins, or bins of no width, count as one bin.
    #[must_use]
    pub fn with_bins(bins: usize, up_to: Duration) -> Self {
        Self::divided(Bins::equal(bins, nanos(up_to)))
    }

    fn divided(bins: Bins) -> Self {
        let counts = vec![0; bins.count()].into();
        Self { count: 0, min: u64::MAX, max: 0, sum: 0, sum_sq: 0.0, bins, counts }
    }

    /// Adds one duration. What is longer than 584 years counts as that.
    pub fn record(&mut self, time: Duration) {
        self.record_nanos(nanos(time));
    }

    /// Adds a duration in nanoseconds.
    pub(crate) fn record_nanos(&mut self, time: u64) {
        self.count += 1;
        self.min = self.min.min(time);
        self.max = self.max.max(time);
        self.sum = self.sum.saturating_add(time);
        self.sum_sq += (time as f64 * 1e-9).powi(2);
        self.counts[self.bins.of(time)] += 1;
    }

    /// Adds the durations of another summary, as those of another process or another function.
    ///
    /// Of summaries with the same bins the result is exactly that of all durations in one. With other bins, the durations of each of
    /// them are put where a typical one of it belongs: all are in some bin, and quantiles are as imprecise as the wider bins.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.sum_sq += other.sum_sq;
        for (bin, count) in other.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let at = if self.bins == other.bins { bin } else { self.bins.of(other.typical(bin)) };
            self.counts[at] += count;
        }
    }

    /// Forgets all durations and keeps the bins.
    pub(crate) fn reset(&mut self) {
        *self = Self::divided(self.bins);
    }

    /// Returns a duration that may stand for all in a bin.
    fn typical(&self, bin: usize) -> u64 {
        self.bins.typical(bin, self.max).clamp(self.min.min(self.max), self.max)
    }

    /// Returns how many durations were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the shortest.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then_some(Duration::from_nanos(self.min))
    }

    /// Returns the longest.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(Duration::from_nanos(self.max))
    }

    /// Returns the sum.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// Returns the sum of the squares, in square seconds.
    #[must_use]
    pub fn sum_sq(&self) -> f64 {
        self.sum_sq
    }

    /// Returns the mean.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| self.sum().div_f64(self.count as f64))
    }

    /// Returns the standard deviation.
    #[must_use]
    pub fn std_dev(&self) -> Option<Duration> {
        let mean = self.mean()?.as_secs_f64();
        let variance = self.sum_sq / self.count as f64 - mean * mean;
        Some(Duration::from_secs_f64(variance.max(0.0).sqrt()))
    }

    /// Returns the duration that this part of all durations did not exceed, such as 0.99 for the 99th percentile: the middle of its
    /// bin, or the longest duration if that is the last bin; `None` if nothing was recorded.
    ///
    /// With logarithmic bins it is off by 9.1 % at most, between a microsecond and 4.9 hours. 0 and 1 are exact, and what is beyond
    /// counts as these.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        if part <= 0.0 {
            return self.min();
        }
        // At most the last one, where the product was rounded up; and none that is not a number.
        let rank = ((part * self.count as f64).ceil() as u64).clamp(1, self.count);
        if rank == self.count {
            return self.max();
        }
        let mut seen = 0;
        let bin = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bin.map(|bin| Duration::from_nanos(self.typical(bin)))
    }

    /// Returns how many durations fell into each bin; the last one holds all above as well.
    #[must_use]
    pub fn histogram(&self) -> &[u64] {
        &self.counts
    }

    /// Returns the bins with their upper bounds, the shortest durations first.
    pub fn bins(&self) -> impl ExactSizeIterator<Item = TimingBin> {
        let upper = |bin| self.bins.upper(bin).map(Duration::from_nanos);
        self.counts.iter().enumerate().map(move |(bin, count)| TimingBin { upper: upper(bin), count: *count })
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timings")
            .field("count", &self.count)
            .field("min", &self.min())
            .field("median", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .field("sum", &self.sum())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(times: &[u64], mut timings: Timings) -> Timings {
        times.iter().for_each(|time| timings.record_nanos(*time));
        timings
    }

    /// Durations of all magnitudes between a microsecond and hours.
    fn times() -> impl Strategy<Value = Vec<u64>> {
        let time =
            (10..44_u32, any::<u32>()).prop_map(|(octave, rest)| (1 << octave) + (u64::from(rest) << octave >> 32));
        proptest::collection::vec(time, 1..200)
    }

    proptest! {
        #[test]
        fn a_quantile_is_off_by_a_tenth_at_most(mut times in times(), part in 0.0..=1.0_f64) {
            let timings = of(&times, Timings::default());
            times.sort_unstable();
            let rank = ((part * times.len() as f64).ceil() as usize).clamp(1, times.len());
            let (exact, told) = (times[rank - 1] as f64, timings.quantile(part).unwrap().as_nanos() as f64);
            prop_assert!((told / exact - 1.0).abs() < 0.092, "{told} {exact}");
        }

        #[test]
        fn what_is_merged_is_as_if_recorded_in_one(one in times(), other in times()) {
            let all = [one.as_slice(), &other].concat();
            let mut merged = of(&one, Timings::default());
            merged.merge(&of(&other, Timings::default()));
            let expected = of(&all, Timings::default());
            prop_assert_eq!(merged.histogram(), expected.histogram());
            prop_assert_eq!((merged.count(), merged.min(), merged.max()), (expected.count(), expected.min(), expected.max()));
            let mut mixed = of(&one, Timings::with_bins(7, Duration::from_secs(100)));
            mixed.merge(&merged);
            prop_assert_eq!(mixed.histogram().iter().sum::<u64>(), mixed.count());
        }
    }

    #[test]
    fn the_first_and_the_last_are_exact_and_nothing_is_none() {
        let timings = of(&[5_000, 70_000, 900_000], Timings::default());
        let quantile = |part| timings.quantile(part).map(|time| time.as_nanos());
        assert_eq!(
            (quantile(0.0), quantile(1.0), quantile(2.0), quantile(-1.0)),
            (Some(5_000), Some(900_000), Some(900_000), Some(5_000))
        );
        assert!(quantile(f64::NAN).is_some());
        assert_eq!(Timings::default().quantile(0.5), None);
        let one = of(&[5_000], Timings::default());
        assert_eq!(one.quantile(0.5), Some(Duration::from_nanos(5_000)));
    }

    #[test]
    fn the_last_bin_says_that_it_holds_all_above() {
        for timings in [Timings::default(), Timings::with_bins(4, Duration::from_secs(1))] {
            let timings = of(&[u64::MAX, 1], timings);
            let bins: Vec<_> = timings.bins().collect();
            let (last, others) = bins.split_last().unwrap();
            assert_eq!((last.upper, last.count), (None, 1));
            assert!(others.iter().all(|bin| bin.upper.is_some()) && others.is_sorted_by_key(|bin| bin.upper));
            assert_eq!(others.iter().map(|bin| bin.count).sum::<u64>(), 1);
        }
    }
}
