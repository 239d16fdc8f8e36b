//! What a tiered client counts.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shows how the tiers of a [`TieredClient`](super::TieredClient) are doing.
///
/// # Units
///
/// Numbers of operations since the client was made; a multi-get or a multi-put that fails counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// Operations that the near tier failed.
    pub near_errors: u64,
    /// Operations that the far tier failed.
    pub far_errors: u64,
    /// Entries copied to the near tier.
    pub promotions: u64,
}

/// Names a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Near,
    Far,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Near => "near",
            Self::Far => "far",
        })
    }
}

/// Counts; never on the way of a near hit.
#[derive(Debug, Default)]
pub(super) struct Counters {
    near_errors: AtomicU64,
    far_errors: AtomicU64,
    promotions: AtomicU64,
}

impl Counters {
    pub(super) fn failed(&self, tier: Tier) {
        let counter = match tier {
            Tier::Near => &self.near_errors,
            Tier::Far => &self.far_errors,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn promoted(&self) {
        self.promotions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> TierStats {
        TierStats {
            near_errors: self.near_errors.load(Ordering::Relaxed),
            far_errors: self.far_errors.load(Ordering::Relaxed),
            promotions: self.promotions.load(Ordering::Relaxed),
        }
    }
}
