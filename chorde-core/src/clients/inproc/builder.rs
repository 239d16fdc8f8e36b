//! How an in-process client is set up.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::client::InprocClient;
use super::policy::EvictionPolicy;
use super::policy_duel::Duel;
use super::policy_lru::Lru;
use crate::client::Value;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;

/// Weighs a value whose type is known to the one who made the closure.
pub(super) type Weigher = Box<dyn Fn(&Key, &dyn Any) -> u32 + Send + Sync>;

/// Makes the policy of a shard for its share of the capacity.
type MakePolicy = dyn Fn(u64) -> Box<dyn EvictionPolicy> + Send + Sync;

/// Bytes that an entry takes beside its value and what that refers to: its place in a table and in eviction's books, with the
/// room that tables leave free.
///
/// Counted by [`InprocBuilder::capacity_bytes`].
pub const ENTRY_OVERHEAD: u32 = 192;

/// Entries below which a store is not split: a policy needs some to tell good from bad. Three shards instead of one at 1,000
/// entries took 0.4 points off the hit ratio of a trace (`sprite` in benches/README.md).
const SMALLEST_SHARD: u64 = 1792;
/// Shards of this many entries fill a hash table of 2^14 buckets well, which grows without a pause that anybody notices.
const LARGE_SHARD: u64 = 14_336;
/// Shards of this many fill one of 2^18. They are for stores that would have more than [`MANY_SHARDS`] otherwise: where there
/// is much more room than entries, each entry would take a line of the processor's cache for its shard alone.
const LARGEST_SHARD: u64 = 229_376;
/// As many shards as writers need in order not to meet.
const MANY_SHARDS: u64 = 64;

/// A capacity beyond this many entries, which take more than 100 GiB, is taken to mean that there is no bound.
const FILLABLE: u64 = 1 << 30;

/// How many bytes an entry is taken to have, where capacity is in bytes and the number of shards is chosen.
const LIKELY_BYTES: u64 = 1024;

/// Chooses how entries are evicted.
///
/// # Examples
///
/// ```
/// use chorde_core::InprocClient;
/// use chorde_core::inproc::Policy;
///
/// let client = InprocClient::builder().capacity(1000).policy(Policy::lru()).build()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Policy {
    name: &'static str,
    make: Arc<MakePolicy>,
    /// Whether the order of entries must be exact over the whole client, which one shard alone can give.
    exact: bool,
}

impl Policy {
    /// Evicts by whichever of two policies has lately done better, one that goes by recency and one that resists scans;
    /// the default.
    #[must_use]
    pub fn adaptive() -> Self {
        Self { name: "adaptive", make: Arc::new(|capacity| Box::new(Duel::new(capacity))), exact: false }
    }

    /// Evicts the entry whose last use is the longest ago, exactly.
    ///
    /// Every hit notes its place in the order of all hits, which threads share, and one of 64 takes the write lock of the whole
    /// client; see [`lru_by_write`](Self::lru_by_write) and [`adaptive`](Self::adaptive) for hits that do not.
    #[must_use]
    pub fn lru() -> Self {
        Self { name: "lru", make: Arc::new(|_| Box::new(Lru::new(true))), exact: true }
    }

    /// Evicts the entry whose last write is the longest ago, exactly: [`lru`](Self::lru) without the touch on read.
    #[must_use]
    pub fn lru_by_write() -> Self {
        Self { name: "lru by write", make: Arc::new(|_| Box::new(Lru::new(false))), exact: true }
    }

    /// Evicts by a policy of your own, made for each shard with the shard's share of the capacity.
    #[must_use]
    pub fn custom<P: EvictionPolicy>(make: impl Fn(u64) -> P + Send + Sync + 'static) -> Self {
        Self { name: "custom", make: Arc::new(move |capacity| Box::new(make(capacity))), exact: false }
    }

    pub(super) fn make(&self, capacity: u64) -> Box<dyn EvictionPolicy> {
        (self.make)(capacity)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::adaptive()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({})", self.name)
    }
}

/// Sets up an [`InprocClient`].
///
/// # Examples
///
/// ```
/// use chorde_core::InprocClient;
///
/// let client = InprocClient::builder()
///     .name("pages")
///     .capacity_bytes(64 << 20)
///     .weigher(|_key, page: &String| page.capacity() as u32)
///     .build()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Default)]
#[must_use = "call `build`"]
pub struct InprocBuilder {
    pub(super) name: Option<String>,
    pub(super) capacity: Option<u64>,
    /// Whether that is in bytes.
    pub(super) counts_bytes: bool,
    pub(super) policy: Policy,
    pub(super) clock: Clock,
    pub(super) weighers: HashMap<TypeId, Weigher>,
    /// Types that are `Copy`, as the user says.
    pub(super) inline: HashSet<TypeId>,
    shards: Option<usize>,
}

impl InprocBuilder {
    /// Names the client in [`stats`](super::stats).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Limits the client to this much weight in all: to this many entries where no weigher is set. This or
    /// [`capacity_bytes`](Self::capacity_bytes) is required; the last one counts.
    ///
    /// A capacity of 0 switches the cache off, see [`InprocClient::new`].
    pub fn capacity(mut self, capacity: u64) -> Self {
        self.capacity = Some(capacity);
        self.counts_bytes = false;
        self
    }

    /// Limits the client to about this many bytes of memory.
    ///
    /// Each entry counts [`ENTRY_OVERHEAD`], the size of its value's type, and what the type's [`weigher`](Self::weigher) says the
    /// value refers to, on the heap; nothing more where there is none.
    pub fn capacity_bytes(mut self, bytes: u64) -> Self {
        self.capacity = Some(bytes);
        self.counts_bytes = true;
        self
    }

    /// Keeps values of a type of your own that is `Copy` in the entries themselves, as numbers are.
    ///
    /// The store cannot see that a type is `Copy`, and a `Clone` of which it knows nothing runs outside of its locks, behind a
    /// counted reference: a hit takes about half as long again. Types of the standard library that are copied by their bits
    /// need not be named. Values of more than 1,024 bytes are not kept inline.
    ///
    /// ```
    /// use chorde_core::InprocClient;
    ///
    /// #[derive(Clone, Copy)]
    /// struct Price {
    ///     cents: u64,
    ///     tax: u32,
    /// }
    ///
    /// let client = InprocClient::builder().capacity(10_000).inline::<Price>().build()?;
    /// # Ok::<(), chorde_core::Error>(())
    /// ```
    pub fn inline<V: Copy + Send + Sync + 'static>(mut self) -> Self {
        self.inline.insert(TypeId::of::<V>());
        self
    }

    /// Chooses how entries are evicted; [`Policy::default`] unless set.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Takes the time from `clock`, for instance a [`ManualClock`](crate::ManualClock).
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Weighs each value of type `V`; may be called once for each type. Values of other types weigh 1, and no value weighs
    /// less. After [`capacity_bytes`](Self::capacity_bytes), says how many bytes a value refers to instead.
    ///
    /// A value that weighs more than the whole capacity is not kept, which [`InprocStats::too_heavy`](super::InprocStats)
    /// counts: a write of it removes what was there, and `add` returns an error.
    pub fn weigher<V: Value>(mut self, weigh: impl Fn(&Key, &V) -> u32 + Send + Sync + 'static) -> Self {
        let weigher = move |key: &Key, value: &dyn Any| value.downcast_ref().map_or(1, |value| weigh(key, value));
        self.weighers.insert(TypeId::of::<V>(), Box::new(weigher));
        self
    }

    /// Splits the store into this many shards instead of a number that suits the capacity.
    ///
    /// More shards let more writers in at once; each has a policy of its own, which sees that share of the traffic.
    /// Exact policies need one shard and keep it.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Creates the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the capacity is missing, or the number of shards is zero.
    pub fn build(self) -> Result<InprocClient> {
        let invalid = |message: &str| Err(Error::new(ErrorKind::Config, message));
        match (self.capacity, self.shards) {
            (None, _) => invalid("in-process client without a capacity: call `capacity(entries)` on the builder"),
            (_, Some(0)) => {
                invalid("in-process client with 0 `shards`: give at least 1, or leave the choice to the client")
            }
            (Some(capacity), _) => {
                let shards = self.shard_count(capacity);
                Ok(InprocClient::from_builder(self, capacity, shards))
            }
        }
    }

    fn shard_count(&self, capacity: u64) -> usize {
        if self.policy.exact {
            1
        } else if let Some(shards) = self.shards {
            shards.min(usize::try_from(capacity.max(1)).unwrap_or(usize::MAX))
        } else if self.counts_bytes {
            shards_for_entries(capacity / LIKELY_BYTES)
        } else if self.weighers.is_empty() {
            shards_for_entries(capacity)
        } else {
            // Nothing is known of the number of entries: split a little where the budget is large.
            (capacity / 4096).clamp(1, 32) as usize
        }
    }
}

/// Chooses how many shards share `capacity` entries.
///
/// Hash tables come in powers of two and are filled to 7/8, so that shards are best sized just below such a number; not
/// all shards get exactly their share, so that four standard deviations are left free.
fn shards_for_entries(capacity: u64) -> usize {
    let mut full = SMALLEST_SHARD;
    while full < LARGEST_SHARD {
        let enough = if full < LARGE_SHARD { MANY_SHARDS / 2 } else { MANY_SHARDS };
        if capacity / full <= enough {
            break;
        }
        full *= 2;
    }
    let share = full - 4 * full.isqrt();
    let most = if capacity > FILLABLE { MANY_SHARDS } else { 4 * MANY_SHARDS };
    capacity.div_ceil(share).clamp(1, most) as usize
}

impl fmt::Debug for InprocBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InprocBuilder")
            .field("name", &self.name)
            .field("capacity", &self.capacity)
            .field("policy", &self.policy)
            .field("clock", &self.clock)
            .field("weighers", &self.weighers.len())
            .field("shards", &self.shards)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_fill_their_tables() {
        assert_eq!(shards_for_entries(1), 1);
        assert_eq!(shards_for_entries(300), 1);
        assert_eq!(shards_for_entries(1624), 1);
        assert_eq!(shards_for_entries(10_000), 7);
        assert_eq!(shards_for_entries(1_000_000), 36);
        assert_eq!(shards_for_entries(10_000_000), 44);
        assert_eq!(shards_for_entries(1_000_000_000), 256);
        assert_eq!(shards_for_entries(u64::MAX), 64);
        assert_eq!(shards_for_entries(0), 1);
    }
}
