//! Finds the entries whose time is up, in O(1) amortised however many there are.
//!
//! A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987): eight levels of
//! 64 slots, each slot of a level as wide as the whole level below, cover all of `u64`. An entry sits at the level of
//! the highest group of bits in which its tick differs from the present one, and moves down as that time comes near, at
//! most once per level. Occupied slots are found by a bitmask, so a jump of years costs no more than one of a tick.
//!
//! Most entries leave long before their time, and their nodes serve new ones that end later still. Therefore a node
//! stays in the slot where it is, even when it is cancelled, unless it is to expire before that slot's time: where it
//! belongs is looked up when that time has come.
//!
//! Pure bookkeeping: it reads no clock and knows no keys. The shard that owns it calls it under its write lock.

use super::links::{Chain, Links};
use super::policy::Node;

/// Bits of a tick's length: 2^16 ns, 65.5 µs.
const TICK_BITS: u32 = 16;
/// Bits of a slot's index within its level.
const SLOT_BITS: u32 = 6;
/// Slots of a level.
const SLOTS: usize = 1 << SLOT_BITS;
/// Levels that it takes to cover the ticks of a `u64` of nanoseconds.
const LEVELS: usize = (u64::BITS - TICK_BITS).div_ceil(SLOT_BITS) as usize;
/// Is the tick of what never expires, and of a node that is not scheduled.
const NEVER: u64 = u64::MAX >> TICK_BITS;
/// Is the place of what is past, ahead of all slots.
const PAST: u16 = 0;
/// Is the place of a node that is in no chain.
const NOWHERE: u16 = u16::MAX;

/// Is when a node expires, to a tick, and where the wheel keeps it: a tick takes 48 bits, which leaves 16 for the place.
#[derive(Debug, Clone, Copy)]
struct Timer(u64);

impl Timer {
    fn new(tick: u64, place: u16) -> Self {
        Self(tick << TICK_BITS | u64::from(place))
    }

    /// Returns the tick in which the node expires.
    fn tick(self) -> u64 {
        self.0 >> TICK_BITS
    }

    /// Returns the place: one more than the number of a slot, counted from the lowest level, or one of those with names.
    fn place(self) -> u16 {
        (self.0 & u64::from(u16::MAX)) as u16
    }
}

/// Is the timer of a node, and what else its owner keeps of it.
#[derive(Debug, Clone, Copy, Default)]
struct Timed<T> {
    timer: Timer,
    about: T,
}

impl Default for Timer {
    fn default() -> Self {
        Self::new(NEVER, NOWHERE)
    }
}

/// Keeps nodes by the time at which they expire, and with each something else that is asked for at the same time as its
/// expiry, so that one line of the cache serves for both.
///
/// # Units
///
/// Nanoseconds on whatever clock the caller uses, which should not run backwards: if it does, nothing is popped before
/// its time, but some of it late. Costs 16 bytes for each node and what is kept with it, and 4 KiB once anything is scheduled.
#[derive(Debug)]
pub(super) struct Expiry<T = ()> {
    /// When each node expires, and its neighbours within its chain.
    timers: Links<Timed<T>>,
    /// By place: what is past, and the slots of all levels, the lowest level first; empty until anything is scheduled.
    chains: Vec<Chain>,
    /// Which slots of each level hold anything, one bit for each.
    occupied: [u64; LEVELS],
    /// The last tick that is wholly past; every occupied slot starts after it.
    reached: u64,
}

impl<T: Copy + Default> Default for Expiry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy + Default> Expiry<T> {
    /// Creates an index of nothing.
    #[must_use]
    pub(super) fn new() -> Self {
        Self { timers: Links::default(), chains: Vec::new(), occupied: [0; LEVELS], reached: 0 }
    }

    /// Keeps `about` of a node which is not scheduled.
    pub(super) fn add(&mut self, node: Node, about: T) {
        self.timers.reserve(node);
        self.timers.about_mut(node).about = about;
    }

    /// Returns what is kept of a node that was added.
    pub(super) fn about(&self, node: Node) -> T {
        self.timers.about(node).about
    }

    /// Returns what is kept of a node that was added, to be changed.
    pub(super) fn about_mut(&mut self, node: Node) -> &mut T {
        &mut self.timers.about_mut(node).about
    }

    /// Sets when `node` expires, whether or not it was scheduled before; what shares its tick with `u64::MAX` never does.
    pub(super) fn schedule(&mut self, node: Node, expires_ns: u64) {
        let tick = expires_ns >> TICK_BITS;
        if tick == NEVER {
            return self.cancel(node);
        }
        self.timers.reserve(node);
        let place = self.place_of(tick);
        let timer = &mut self.timers.about_mut(node).timer;
        let held = timer.place();
        *timer = Timer::new(tick, held);
        if held > place {
            self.leave(node, held);
            self.enter(node, tick);
        }
    }

    /// Forgets `node`; does nothing if it is not scheduled.
    pub(super) fn cancel(&mut self, node: Node) {
        if let Some(Timed { timer, .. }) = self.timers.get_mut(node) {
            *timer = Timer::new(NEVER, timer.place());
        }
    }

    /// Takes out a node whose expiry is not after `now_ns`.
    ///
    /// Returns `None` only if no scheduled node expired more than one tick of 65.5 µs ago; what expired more lately than
    /// that comes out later. They come in no particular order.
    pub(super) fn pop_expired(&mut self, now_ns: u64) -> Option<Node> {
        let last = (now_ns >> TICK_BITS).checked_sub(1)?;
        while let Some(node) = self.oldest_past(last) {
            let tick = self.timers.about(node).timer.tick();
            if tick > last && tick <= self.reached {
                // The clock ran backwards.
                return None;
            }
            self.leave(node, PAST);
            if tick <= last {
                self.cancel(node);
                return Some(node);
            }
            self.enter(node, tick);
        }
        None
    }

    /// Returns a node from the chain of what is past, when all that was due by the tick `last` is there.
    fn oldest_past(&mut self, last: u64) -> Option<Node> {
        let oldest = self.chains.get(usize::from(PAST))?.oldest();
        if oldest.is_some() || last <= self.reached {
            return oldest;
        }
        self.advance(last);
        self.chains[usize::from(PAST)].oldest()
    }

    /// Moves on to the tick `to`, or to the first on the way that has anything past to offer.
    fn advance(&mut self, to: u64) {
        while self.chains[usize::from(PAST)].oldest().is_none() {
            match self.next_slot() {
                Some((place, start)) if start <= to => {
                    self.reached = start;
                    self.empty_slot(place);
                }
                _ => {
                    self.reached = self.reached.max(to);
                    return;
                }
            }
        }
    }

    /// Returns the first occupied slot, and the tick at which it starts. Everything at a level is due before anything
    /// at the levels above.
    fn next_slot(&self) -> Option<(u16, u64)> {
        let level = self.occupied.iter().position(|&occupied| occupied != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = SLOT_BITS * level as u32;
        let above = self.reached >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
        Some((place(level as u32, slot), above | u64::from(slot) << shift))
    }

    /// Moves the nodes of a slot that `reached` has come to to where they belong now.
    fn empty_slot(&mut self, place: u16) {
        while let Some(node) = self.chains[usize::from(place)].oldest() {
            self.leave(node, place);
            self.enter(node, self.timers.about(node).timer.tick());
        }
    }

    /// Takes a node out of the chain that it is in, if it is in any.
    fn leave(&mut self, node: Node, place: u16) {
        if place == NOWHERE {
            return;
        }
        let chain = &mut self.chains[usize::from(place)];
        self.timers.unlink(chain, node);
        if place != PAST && chain.oldest().is_none() {
            let slot = usize::from(place - 1);
            self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        }
        let tick = self.timers.about(node).timer.tick();
        self.timers.about_mut(node).timer = Timer::new(tick, NOWHERE);
    }

    /// Puts a node that is in no chain where its tick belongs; what never expires stays out.
    fn enter(&mut self, node: Node, tick: u64) {
        if tick == NEVER {
            return;
        }
        if self.chains.is_empty() {
            self.chains.resize(1 + LEVELS * SLOTS, Chain::EMPTY);
        }
        let place = self.place_of(tick);
        if place != PAST {
            let slot = usize::from(place - 1);
            self.occupied[slot / SLOTS] |= 1 << (slot % SLOTS);
        }
        self.timers.push_newest(&mut self.chains[usize::from(place)], node);
        self.timers.about_mut(node).timer = Timer::new(tick, place);
    }

    /// Returns the place for a tick; the later the tick, the higher.
    fn place_of(&self, tick: u64) -> u16 {
        if tick <= self.reached {
            return PAST;
        }
        let level = (tick ^ self.reached).ilog2() / SLOT_BITS;
        place(level, (tick >> (level * SLOT_BITS)) as u32 % SLOTS as u32)
    }
}

/// Returns the place of a slot.
fn place(level: u32, slot: u32) -> u16 {
    1 + (level * SLOTS as u32 + slot) as u16
}

#[cfg(test)]
mod tests;
