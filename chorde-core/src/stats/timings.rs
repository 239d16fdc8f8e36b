//! A summary of durations.

use std::fmt;
use std::time::Duration;

use crate::clock::nanos;

/// Summarises how long something took: extremes, sums, and a histogram of equal bins, the last of which has no end.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::Timings;
///
/// let mut timings = Timings::with_bins(4, Duration::from_secs(1));
/// for millis in [100, 300, 600, 5000] {
///     timings.record(Duration::from_millis(millis));
/// }
/// assert_eq!(timings.histogram(), [1, 1, 1, 1]);
/// assert_eq!(timings.min(), Some(Duration::from_millis(100)));
/// assert_eq!(timings.mean(), Some(Duration::from_millis(1500)));
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
    /// Where the last bin would end if it did.
    up_to: Duration,
    /// The width of a bin, in nanoseconds; infinite where there is one only.
    width: f64,
    bins: Vec<u64>,
}

/// The bins of a function that was not told otherwise: 20 of 50 ms.
const BINS: usize = 20;
const UP_TO: Duration = Duration::from_secs(1);

impl Default for Timings {
    fn default() -> Self {
        Self::with_bins(BINS, UP_TO)
    }
}

impl Timings {
    /// Creates an empty summary whose histogram has `bins` equal bins up to `up_to`; the last one also takes all above.
    ///
    /// No bins, or bins of no width, count as one bin.
    #[must_use]
    pub fn with_bins(bins: usize, up_to: Duration) -> Self {
        let bins = if up_to.is_zero() { 1 } else { bins.max(1) };
        let width = if bins == 1 { f64::INFINITY } else { nanos(up_to) as f64 / bins as f64 };
        Self { count: 0, min: u64::MAX, max: 0, sum: 0, sum_sq: 0.0, up_to, width, bins: vec![0; bins] }
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
        let last = self.bins.len() - 1;
        self.bins[((time as f64 / self.width) as usize).min(last)] += 1;
    }

    /// Adds the durations of another summary; those whose bins are others, since they are being exchanged, are in no bin.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.sum_sq += other.sum_sq;
        if (self.bins.len(), self.up_to) == (other.bins.len(), other.up_to) {
            self.bins.iter_mut().zip(&other.bins).for_each(|(bin, more)| *bin += more);
        }
    }

    /// Forgets all durations and keeps the bins.
    pub(crate) fn reset(&mut self) {
        *self = Self::with_bins(self.bins.len(), self.up_to);
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

    /// Returns how many durations fell into each bin; the last bin has no end.
    #[must_use]
    pub fn histogram(&self) -> &[u64] {
        &self.bins
    }

    /// Returns the width of a bin.
    #[must_use]
    pub fn bin_width(&self) -> Duration {
        self.up_to.div_f64(self.bins.len() as f64)
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timings")
            .field("count", &self.count)
            .field("min", &self.min())
            .field("max", &self.max())
            .field("sum", &self.sum())
            .field("bin_width", &self.bin_width())
            .field("histogram", &self.bins)
            .finish_non_exhaustive()
    }
}
