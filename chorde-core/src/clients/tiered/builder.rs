//! The settings of a tiered client.

use super::TieredClient;
use super::share::Fractions;
use crate::client::Cache;
use crate::error::{Error, ErrorKind, Result};

/// Collects the settings of a [`TieredClient`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, ManualClock, TieredClient, Wait};
///
/// let clock = ManualClock::new();
/// let store = || InprocClient::builder().capacity(100).clock(clock.clone()).build();
/// let tiers = TieredClient::builder().ttl_fractions([0.1, 1.0]).build(store()?, store()?)?;
///
/// tiers.put(&1, 1, Duration::from_secs(100)).wait()?;
/// let remaining = |entry: Option<chorde_core::Entry<i32>>| entry.map(|entry| entry.remaining().as_secs());
/// assert_eq!(remaining(tiers.near().get_ttl(&1).wait()?), Some(10));
/// assert_eq!(remaining(tiers.far().get_ttl(&1).wait()?), Some(100));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TieredBuilder {
    /// As given: the near tier's, the far tier's.
    ttl_fractions: [f64; 2],
}

impl TieredBuilder {
    pub(super) fn new() -> Self {
        Self { ttl_fractions: [1.0, 1.0] }
    }

    /// Sets which fraction of a ttl the near and the far tier give to an entry; both are 1 unless set.
    ///
    /// A promoted entry gets the near fraction of the life that the far entry has left.
    #[must_use]
    pub fn ttl_fractions(mut self, near_and_far: [f64; 2]) -> Self {
        self.ttl_fractions = near_and_far;
        self
    }

    /// Puts `near` in front of `far`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a fraction that is not above 0 and at most 1.
    pub fn build<N: Cache, F: Cache>(self, near: N, far: F) -> Result<TieredClient<N, F>> {
        let fractions = Fractions::new(self.ttl_fractions).ok_or_else(|| {
            let [near, far] = self.ttl_fractions;
            let message = format!("ttl_fractions([{near}, {far}]): give each tier a fraction above 0 and at most 1");
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(TieredClient::with_fractions(near, far, fractions))
    }
}
