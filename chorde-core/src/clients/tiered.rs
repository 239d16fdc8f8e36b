//! Two clients as one: a near, fast and small one in front of a far, shared and large one.
//!
//! What a tiered client is not: a replica set. The far tier is where the truth is; the near tier holds copies of it for
//! a limited time, and losing one of them costs a read of the far tier and nothing else. Two rules follow: writes go
//! to the far tier first, and whenever it is doubtful which of two values is the newer one the near copy is dropped.
//!
//! | file | what it does |
//! |---|---|
//! | `builder.rs` | settings and their checks |
//! | `share.rs` | pure: how much life each tier gives an entry |
//! | `overlap.rs` | notices operations on one key that overlap in time |
//! | `revised.rs` | what the near tier's keys look like once a namespace has been cleared |
//! | `stats.rs` | what a failing tier leaves behind |
//! | `promote.rs`, `read.rs`, `write.rs`, `lease.rs` | the operations, near to far and back |
//! | `client.rs` | the traits |

mod builder;
mod client;
mod lease;
mod overlap;
mod promote;
mod read;
mod revised;
mod share;
mod stats;
mod write;

use std::fmt;
use std::sync::Arc;

pub use builder::TieredBuilder;
pub use stats::TierStats;

use self::overlap::Overlaps;
use self::share::Fractions;
use self::stats::{Counters, Tier};
use crate::client::{Cache, Identity, covered};
use crate::entry::Entry;
use crate::error::{ErrorKind, Result};
use crate::key::Probe;
use crate::log_limit::LogLimit;
use crate::user_code::tell;

/// Puts a near client in front of a far one. Nest it for more tiers: the far client may be a tiered one.
///
/// Cheap to clone; clones are handles of the same tiers.
///
/// | operation | near tier | far tier |
/// |---|---|---|
/// | reading | asked first; a valid entry is the answer | asked for the rest; promotes each valid entry |
/// | `put`, `put_multi` | written last | written first |
/// | `add` | written if the far tier took the value, otherwise left alone | decides |
/// | `renew` | lengthened too | lengthened first |
/// | `delete`, `expire`, `clear`, `clear_namespace`, `purge` | last | first |
/// | `contains` | asked first | asked if the near tier says no |
/// | claims | holds copies only | grants them |
///
/// # Time to live
///
/// Each tier gives an entry its fraction of the ttl asked for ([`TieredBuilder::ttl_fractions`], 1 unless set). A
/// promoted entry lives in the near tier for the near fraction of the life that the far entry has left, less the time
/// that reading it took and what the far client shows of it too much ([`Cache::resolution`]): never longer than the far
/// one. A smaller near fraction bounds how long this process may show a
/// value that another one replaced.
///
/// # Stale entries
///
/// `get_ttl` prefers a valid entry, then the one with more life left, then the nearer one: a stale near entry shows
/// only if the far tier has nothing better.
///
/// # Errors
///
/// A failing tier is a miss of that tier, and counted in [`stats`](Self::stats), and in
/// [`client_errors`](crate::Stats::client_errors) of the cached function whose call it was. Reads, writes and `renew` fail only if
/// all tiers that they concern failed. In particular a put that only the near tier took is `Ok`: the value serves from
/// there for its near life, after which the far tier's older value may show again if it has one. What takes values away
/// (`delete`, `expire`, `clear`, `clear_namespace`) is carried out in every tier that can be reached, and is an error
/// if *any* of them failed, because what was to go would come back from there.
///
/// # Concurrency
///
/// Among the clones of one client, once a `put`, `add`, `delete`, `expire`, `fill` or `clear` and all that overlapped
/// it have ended, the near tier holds no value older than the far tier's: overlapping operations are noticed and the
/// near copy in doubt is dropped. While they still run, the values before and after may both be seen. What others write
/// to the far tier is seen when the near copy's life ends; a cleared namespace as soon as the far client's
/// [`revision`](Cache::revision) shows it, which in process is at once.
///
/// # Cancel safety
///
/// A write dropped halfway may have reached the far tier only; the near tier then shows the value before it until its
/// life ends. A read may be dropped at any time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, TieredClient, Wait};
///
/// let (near, far) = (InprocClient::new(10), InprocClient::new(1_000));
/// far.put(&1, "one", Duration::from_secs(60)).wait()?;
///
/// let tiers = TieredClient::new(near, far);
/// assert_eq!(tiers.get::<&str>(&1).wait()?, Some("one"));
/// assert_eq!(tiers.near().get::<&str>(&1).wait()?, Some("one"));
/// assert_eq!(tiers.stats().promotions, 1);
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct TieredClient<N, F>(Arc<Tiers<N, F>>);

/// What the handles share.
struct Tiers<N, F> {
    near: N,
    far: F,
    /// How much of a ttl each tier gives.
    fractions: Fractions,
    /// Keeps the near tier's time; its revisions count only the clears that the far tier failed to do.
    identity: Identity,
    /// Notices what overlaps.
    overlaps: Overlaps,
    /// Counts failures and promotions.
    counters: Counters,
    /// Keeps an outage of a tier from filling the log.
    log_limit: LogLimit<(Tier, ErrorKind)>,
}

impl TieredClient<(), ()> {
    /// Starts a tiered client with other settings than the default ones.
    #[must_use]
    pub fn builder() -> TieredBuilder {
        TieredBuilder::new()
    }
}

impl<N: Cache, F: Cache> TieredClient<N, F> {
    /// Puts `near` in front of `far`; both give entries the whole of their ttl.
    #[must_use]
    pub fn new(near: N, far: F) -> Self {
        Self::with_fractions(near, far, Fractions::WHOLE)
    }

    fn with_fractions(near: N, far: F, fractions: Fractions) -> Self {
        let identity = Identity::with_clock(near.identity().clock().clone());
        let (overlaps, counters, log_limit) = (Overlaps::new(), Counters::default(), LogLimit::new());
        Self(Arc::new(Tiers { near, far, fractions, identity, overlaps, counters, log_limit }))
    }
}

impl<N, F> TieredClient<N, F> {
    /// Returns the near tier.
    ///
    /// Writing to it directly is for tests and for warming up; the tiered client does not notice.
    #[must_use]
    pub fn near(&self) -> &N {
        &self.0.near
    }

    /// Returns the far tier.
    #[must_use]
    pub fn far(&self) -> &F {
        &self.0.far
    }

    /// Returns what was counted since the client was made.
    #[must_use]
    pub fn stats(&self) -> TierStats {
        self.0.counters.snapshot()
    }
}

impl<N, F> Tiers<N, F> {
    /// Counts a tier's failure, as one that the caller does not see: most are covered by the other tier.
    fn noted<T>(&self, tier: Tier, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| {
            if let Some(more) = self.log_limit.admit((tier, error.kind()), self.identity.clock().now()) {
                tell!(warn, "the {tier} tier failed: {error}{more}");
            }
            self.counters.failed(tier);
            covered::failed();
        })
    }
}

impl<N, F> Tiers<N, F> {
    /// Shows a near entry as one of this client.
    fn of_near<V>(&self, probe: &Probe<'_>, entry: Entry<V>) -> Entry<V> {
        let entry = entry.with_seed(seed(probe));
        if self.fractions.cut_near() { entry.copied() } else { entry }
    }
}

/// Returns what the refresh point of a key is drawn from in all tiers, so that they agree on it.
fn seed(probe: &Probe<'_>) -> u64 {
    probe.digest().low()
}

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Returns how many of the far client's tiers are left when `tiers` are allowed in all.
    fn left_for_far(&self, tiers: usize) -> usize {
        tiers.saturating_sub(self.near.tiers())
    }
}

impl<N, F> Clone for TieredClient<N, F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<N: fmt::Debug, F: fmt::Debug> fmt::Debug for TieredClient<N, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TieredClient")
            .field("near", &self.0.near)
            .field("far", &self.0.far)
            .field("fractions", &self.0.fractions)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
