//! The entries of one value type in one shard, values inline.

use std::any::Any;

use hashbrown::HashTable;

use super::held::discard;
use super::policy::Node;
use crate::client::ReadOptions;
use crate::clock::{Clock, LAG};
use crate::decide::{Decision, decide};
use crate::digest::Digest;
use crate::entry::Vitals;
use crate::life;
use crate::policy::{CallPolicy, RefreshPoint};

/// Values taken out of a shard, to be dropped once its lock is released: a value's `Drop` is the user's code.
pub(super) struct Trash<'a> {
    /// An `Option` of the type of value that is most likely to come, so that the first needs no box.
    first: &'a mut (dyn Any + Send),
    others: Vec<Box<dyn Any + Send>>,
}

impl<'a> Trash<'a> {
    /// Starts with nothing; the place for the first value is to be empty.
    pub(super) fn new<V: Send + 'static>(first: &'a mut Option<V>) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Keeps a value for later if dropping it runs any code.
    #[inline]
    pub(super) fn keep<V: Send + 'static>(&mut self, value: V) {
        if !std::mem::needs_drop::<V>() {
            return;
        }
        let first: &mut dyn Any = self.first;
        match first.downcast_mut::<Option<V>>() {
            Some(first) if first.is_none() => *first = Some(value),
            _ => self.others.push(Box::new(value)),
        }
    }
}

impl Drop for Trash<'_> {
    fn drop(&mut self) {
        self.others.drain(..).for_each(discard);
    }
}

/// One entry: 32 bytes and the value.
pub(super) struct Slot<V> {
    /// Stands for the key; nothing else of it is kept.
    pub(super) digest: Digest,
    /// When the entry turns stale, in nanoseconds of the client's clock.
    pub(super) expires: u64,
    pub(super) value: V,
    /// Nanoseconds from the write to `expires`, from which the age follows; half the size of a time, exact to 24 bits.
    pub(super) life: f32,
    /// The name under which eviction and expiry know the entry.
    pub(super) node: Node,
}

/// The latest end there is, 292 years after the clock's origin, so that differences of times have signs.
const NEVER: u64 = i64::MAX as u64;

/// When an entry was written and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) expires: u64,
    pub(super) life: f32,
}

impl Times {
    /// The times of an entry kept from `now` on for `left` nanoseconds, whose value is `age` nanoseconds old already.
    pub(super) fn new(now: u64, left: u64, age: u64) -> Self {
        let expires = now.saturating_add(left).min(NEVER);
        Self::of(expires, age.saturating_add(expires.saturating_sub(now)))
    }

    /// The same entry, ending at another time.
    pub(super) fn ending(self, expires: u64) -> Self {
        let expires = expires.min(NEVER);
        let life = f64::from(self.life) + (expires as f64 - self.expires as f64);
        Self::of(expires, life.max(0.0).ceil() as u64)
    }

    /// Ends earlier than asked for where a life is so long that no age would follow from it.
    fn of(expires: u64, life: u64) -> Self {
        let storable = life::storable(life);
        Self { expires: expires.saturating_sub(life - storable), life: life::in_24_bits(storable) }
    }
}

/// How much life an entry must have left to be read.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Nanoseconds.
    least: u64,
    /// Of entries with more life left than this, as far as [`Clock::lately`] tells, nothing more exact is wanted.
    ample: i64,
}

impl Wanted {
    pub(super) fn by<V>(options: &ReadOptions<'_, V>) -> Self {
        let least = options.least_nanos();
        let ample = if options.is_rough() { least.saturating_add(LAG).min(NEVER).cast_signed() } else { i64::MAX };
        Self { least, ample }
    }
}

impl<V> Slot<V> {
    pub(super) fn times(&self) -> Times {
        Times { expires: self.expires, life: self.life }
    }

    /// How the entry stands, if it has life enough left. Whether it has, and whether it is stale, is exact.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn lasting(&self, clock: &Clock, wanted: Wanted) -> Option<Vitals> {
        self.lasting_since(clock.lately(), clock, wanted)
    }

    /// Does the same by a time that was `lately` on the clock.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn lasting_since(&self, lately: u64, clock: &Clock, wanted: Wanted) -> Option<Vitals> {
        let vitals = self.vitals(lately);
        if vitals.left > wanted.ample { Some(vitals) } else { self.lasting_exactly(clock, wanted.least) }
    }

    /// Whether a call on these terms can be served the value, without a refresh.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn serves(&self, clock: &Clock, policy: &CallPolicy) -> bool {
        let vitals = self.vitals(clock.lately());
        let is_clear = vitals.left > LAG.cast_signed() && !vitals.outlives(policy);
        if is_clear && policy.refresh == RefreshPoint::Never {
            return true;
        }
        // Near its end, and where its age counts as well, by the exact time.
        let vitals = if is_clear { vitals } else { self.vitals(clock.now()) };
        decide(Some(vitals), policy) == Decision::Serve
    }

    #[cold]
    fn lasting_exactly(&self, clock: &Clock, least: u64) -> Option<Vitals> {
        Some(self.vitals(clock.now())).filter(|vitals| vitals.remaining() >= least)
    }

    /// How the entry stands at `now`. Its seed lasts as long as the entry does.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn vitals(&self, now: u64) -> Vitals {
        let left = self.expires.wrapping_sub(now).cast_signed();
        Vitals { left, life: self.life, seed: self.digest.low() ^ self.expires, is_copy: false }
    }
}

/// The entries whose values are held as one type, by digest.
pub(super) struct Table<V> {
    slots: HashTable<Slot<V>>,
}

impl<V> Drop for Table<V> {
    fn drop(&mut self) {
        if std::mem::needs_drop::<V>() {
            self.slots.drain().for_each(|slot| discard(slot.value));
        }
    }
}

impl<V: Send + Sync + 'static> Table<V> {
    pub(super) fn new() -> Self {
        Self { slots: HashTable::new() }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn find(&self, digest: Digest) -> Option<&Slot<V>> {
        self.slots.find(digest.low(), |slot| slot.digest == digest)
    }

    fn find_mut(&mut self, digest: Digest) -> Option<&mut Slot<V>> {
        self.slots.find_mut(digest.low(), |slot| slot.digest == digest)
    }

    /// Puts another value and other times in the place of those of an entry; returns its node and when it would have
    /// ended, or the value if there is no such entry.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn replace(
        &mut self,
        digest: Digest,
        value: V,
        times: Times,
        trash: &mut Trash<'_>,
    ) -> Result<(Node, u64), V> {
        let Some(slot) = self.find_mut(digest) else { return Err(value) };
        let end = std::mem::replace(&mut slot.expires, times.expires);
        slot.life = times.life;
        trash.keep(std::mem::replace(&mut slot.value, value));
        Ok((slot.node, end))
    }

    /// Adds an entry whose digest is not in the table.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn insert(&mut self, slot: Slot<V>) {
        self.slots.insert_unique(slot.digest.low(), slot, |slot| slot.digest.low());
    }
}

/// What a shard does with a table without knowing the type of its values.
pub(super) trait AnyTable: Any + Send + Sync {
    fn len(&self) -> usize;
    /// The node and times of an entry.
    fn entry(&self, digest: Digest) -> Option<(Node, Times)>;
    /// Whether the entry of this digest has this node.
    fn holds(&self, digest: Digest, node: Node) -> bool {
        self.entry(digest).is_some_and(|(held, _)| held == node)
    }
    /// The node of any entry, if there is one.
    fn any(&self) -> Option<Node>;
    /// When the entry of a node ends, whose digest has these lower bits.
    fn end(&self, hash: u64, node: Node) -> Option<u64>;
    /// Changes the times of an entry.
    fn set_times(&mut self, digest: Digest, times: Times);
    /// Takes out the entry of a node, whose digest has these lower bits.
    fn remove(&mut self, hash: u64, node: Node, trash: &mut Trash<'_>);
}

impl<V: Send + Sync + 'static> AnyTable for Table<V> {
    fn len(&self) -> usize {
        self.slots.len()
    }

    fn entry(&self, digest: Digest) -> Option<(Node, Times)> {
        self.find(digest).map(|slot| (slot.node, slot.times()))
    }

    fn any(&self) -> Option<Node> {
        self.slots.iter().next().map(|slot| slot.node)
    }

    fn end(&self, hash: u64, node: Node) -> Option<u64> {
        self.slots.find(hash, |slot| slot.node == node).map(|slot| slot.expires)
    }

    fn set_times(&mut self, digest: Digest, times: Times) {
        if let Some(slot) = self.find_mut(digest) {
            (slot.expires, slot.life) = (times.expires, times.life);
        }
    }

    fn remove(&mut self, hash: u64, node: Node, trash: &mut Trash<'_>) {
        if let Ok(entry) = self.slots.find_entry(hash, |slot| slot.node == node) {
            trash.keep(entry.remove().0.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn an_entry_of_a_word_takes_40_bytes() {
        assert_eq!(size_of::<Slot<u64>>(), 40);
    }

    #[test]
    fn the_end_is_exact_however_rough_the_time() {
        let clock = Clock::from(ManualClock::new());
        let now = clock.now();
        let lasting = |left: u64, least: u64, lag: u64| {
            let Times { expires, life } = Times::new(now, left, 0);
            let slot = Slot { digest: Digest::of_text("k"), expires, value: (), life, node: 0 };
            let options = ReadOptions::<()>::new().min_ttl(Duration::from_nanos(least));
            let [exact, rough] =
                [options, options.roughly()].map(|options| slot.lasting_since(now - lag, &clock, Wanted::by(&options)));
            assert_eq!(exact.map(Vitals::remaining), (left >= least).then_some(left));
            rough.map(Vitals::remaining)
        };
        for lag in [0, 1, LAG / 2, LAG] {
            assert_eq!(lasting(0, 0, lag), Some(0), "stale");
            assert!(lasting(1, 0, lag).is_some_and(|left| left > 0), "valid");
            assert_eq!(lasting(5 * LAG, 5 * LAG, lag), Some(5 * LAG), "lasts just long enough");
            assert_eq!(lasting(5 * LAG, 5 * LAG + 1, lag), None, "does not");
            assert_eq!(lasting(5 * LAG, 0, lag), Some(5 * LAG + lag), "far from its end");
        }
    }

    #[test]
    fn the_age_follows_from_life_and_end() {
        let second = 1_000_000_000;
        let written = 1000 * second;
        let age = |times: Times, now| {
            let Times { expires, life } = times;
            Slot { digest: Digest::of_text("k"), expires, value: (), life, node: 0 }.vitals(now).age()
        };
        let times = Times::new(written, 10 * second, 0);
        assert_eq!(age(times, written), Some(0));
        assert_eq!(age(times, written + 3 * second), Some(3 * second));
        assert_eq!(age(times.ending(written + 20 * second), written + 3 * second), Some(3 * second));
        assert_eq!(age(times.ending(written + 4 * second), written + 4 * second), Some(4 * second));
    }
}
