//! Finds the entries whose time is up, in O(1) amortised however many there are.
//!
//! A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987): eight levels of
//! 64 slots, each slot of a level as wide as the whole level below, cover all of `u64`. An entry sits at the level of
//! the highest group of bits in which its tick differs from the present one, and moves down as that time comes near, at
//! most once per level. Occupied slots are found by a bitmask, so a jump of years costs no more than one of a tick.
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
/// Is the expiry of what never expires, and of a node that is not scheduled.
const NEVER: u64 = u64::MAX;

/// Keeps nodes by the time at which they expire.
///
/// # Units
///
/// Nanoseconds on whatever clock the caller uses, which should not run backwards: if it does, nothing is popped before
/// its time, but some of it late. Costs 16 bytes for each node, and 4 KiB once anything is scheduled.
#[derive(Debug)]
pub(super) struct Expiry {
    /// Neighbours within a slot.
    links: Links,
    /// The exact expiry, by node; `NEVER` for those that are in no slot.
    expires: Vec<u64>,
    /// The slots of all levels, the lowest level first; empty until anything is scheduled.
    slots: Vec<Chain>,
    /// Which slots of each level hold anything, one bit for each.
    occupied: [u64; LEVELS],
    /// The last tick that is wholly past; every occupied slot starts after it.
    reached: u64,
    /// Nodes whose tick is not after `reached`.
    past: Chain,
}

impl Default for Expiry {
    fn default() -> Self {
        Self::new()
    }
}

impl Expiry {
    /// Creates an index of nothing.
    #[must_use]
    pub(super) fn new() -> Self {
        Self {
            links: Links::default(),
            expires: Vec::new(),
            slots: Vec::new(),
            occupied: [0; LEVELS],
            reached: 0,
            past: Chain::EMPTY,
        }
    }

    /// Sets when `node` expires, whether or not it was scheduled before; `u64::MAX` is never.
    pub(super) fn schedule(&mut self, node: Node, expires_ns: u64) {
        self.cancel(node);
        if expires_ns == NEVER {
            return;
        }
        self.links.reserve(node);
        if node as usize >= self.expires.len() {
            self.expires.resize(node as usize + 1, NEVER);
        }
        if self.slots.is_empty() {
            self.slots.resize(LEVELS * SLOTS, Chain::EMPTY);
        }
        self.expires[node as usize] = expires_ns;
        self.place(node);
    }

    /// Forgets `node`; does nothing if it is not scheduled.
    pub(super) fn cancel(&mut self, node: Node) {
        let Some(expires) = self.expires_at(node) else { return };
        match self.slot_of(expires) {
            None => self.links.unlink(&mut self.past, node),
            Some((level, slot)) => {
                let chain = &mut self.slots[level * SLOTS + slot];
                self.links.unlink(chain, node);
                if chain.oldest().is_none() {
                    self.occupied[level] &= !(1 << slot);
                }
            }
        }
        self.expires[node as usize] = NEVER;
    }

    /// Returns when `node` expires, if it is scheduled.
    #[must_use]
    pub(super) fn expires_at(&self, node: Node) -> Option<u64> {
        self.expires.get(node as usize).copied().filter(|&expires| expires != NEVER)
    }

    /// Takes out a node whose expiry is not after `now_ns`.
    ///
    /// Returns `None` only if no scheduled node expired more than one tick of 65.5 µs ago; what expired more lately than
    /// that may come out now or later. They come in no particular order.
    pub(super) fn pop_expired(&mut self, now_ns: u64) -> Option<Node> {
        if self.past.oldest().is_none() {
            self.advance((now_ns >> TICK_BITS).saturating_sub(1));
        }
        let node = self.past.oldest()?;
        if self.expires[node as usize] > now_ns {
            return None;
        }
        self.links.unlink(&mut self.past, node);
        self.expires[node as usize] = NEVER;
        Some(node)
    }

    /// Moves on to the tick `to`, or to the first on the way that has anything past to offer.
    fn advance(&mut self, to: u64) {
        while self.past.oldest().is_none() {
            match self.next_slot() {
                Some((level, slot, start)) if start <= to => {
                    self.reached = start;
                    self.empty_slot(level, slot);
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
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&occupied| occupied != 0)?;
        let slot = self.occupied[level].trailing_zeros() as usize;
        let shift = SLOT_BITS * level as u32;
        let above = self.reached >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
        Some((level, slot, above | (slot as u64) << shift))
    }

    /// Moves the nodes of a slot that `reached` has come to down to where they belong now.
    fn empty_slot(&mut self, level: usize, slot: usize) {
        self.occupied[level] &= !(1 << slot);
        let mut chain = std::mem::replace(&mut self.slots[level * SLOTS + slot], Chain::EMPTY);
        while let Some(node) = chain.oldest() {
            self.links.unlink(&mut chain, node);
            self.place(node);
        }
    }

    /// Puts a node that is in no chain where its expiry belongs.
    fn place(&mut self, node: Node) {
        match self.slot_of(self.expires[node as usize]) {
            None => self.links.push_newest(&mut self.past, node),
            Some((level, slot)) => {
                self.occupied[level] |= 1 << slot;
                self.links.push_newest(&mut self.slots[level * SLOTS + slot], node);
            }
        }
    }

    /// Returns the level and slot for an expiry, or `None` for one that is past.
    fn slot_of(&self, expires: u64) -> Option<(usize, usize)> {
        let tick = expires >> TICK_BITS;
        if tick <= self.reached {
            return None;
        }
        let level = (tick ^ self.reached).ilog2() / SLOT_BITS;
        let slot = (tick >> (level * SLOT_BITS)) as usize % SLOTS;
        Some((level as usize, slot))
    }
}

#[cfg(test)]
mod tests;
