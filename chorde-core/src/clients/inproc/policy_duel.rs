//! Evicts by frequency while that pays, and by recency where recency rules.
//!
//! Newcomers wait in a *cold* queue; those used again, there or soon after they left it, join the protected *hot*
//! clock. So far this is 2Q, LIRS, Clock-PRO or S3-FIFO, and one pass over many keys leaves the hot ones alone. What
//! differs is how the budget is split between the two. Each family has a workload on which it does worse than plain
//! LRU, or scores nothing at all; so the policy reckons, hit by hit, what LRU would have done in its place:
//!
//! - a miss of a key that LRU would still hold speaks for recency: the cold queue's share grows;
//! - a hit on an entry that LRU would have dropped speaks for protection: it shrinks.
//!
//! LRU of `n` entries holds a key exactly if fewer than `n` distinct keys were used since. Hits are not reported, but
//! marks tell distinct ones apart: the *clock* counts misses, and the marks found by a hand that goes once round the hot
//! queue for every `n` ticks. An entry that the hand finds marked, and found unmarked one round before, was away for
//! more than `n`: a hit that LRU would have lost. A returning key whose last use is fewer than `n` ticks ago is one that
//! it would have won.
//!
//! The hand also keeps each hot entry's *heat*, a decaying average of its marked rounds, so that frequency is remembered
//! with one-bit marks. Of the few entries next to be visited the coolest makes room when a newcomer is promoted; it gets
//! a last chance in the cold queue. A returning key is promoted if it was away for less long than the hot entry next in
//! turn (LIRS's test, in rounds).
//!
//! Sources: Johnson and Shasha, "2Q" (VLDB 1994); Jiang and Zhang, "LIRS" (SIGMETRICS 2002); Jiang, Chen and Zhang,
//! "CLOCK-Pro" (USENIX ATC 2005); Bansal and Modha, "CAR: Clock with Adaptive Replacement" (FAST 2004); Li, "DLIRS"
//! (SYSTOR 2018); Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023); Qureshi et al., "Adaptive
//! insertion policies" (ISCA 2007), for duelling.
//!
//! Costs 20 bytes for each live entry and 8 to 12 for the ghosts that go with it. Every operation is O(1) amortised;
//! `victim` looks at some hundreds of nodes at most.

mod ghosts;
mod queues;
mod seat;
mod share;

use super::policy::{EvictionPolicy, Marks, Node};
use ghosts::{Ghosts, fingerprint};
use queues::Queues;
use seat::{Place, Seat, elapsed};
use share::Share;

/// Rounds without a mark after which a hot entry has no claim to its place.
const FORGOTTEN: u8 = 32;
/// What one marked round adds to an entry's heat; sixteen times this is the most there can be.
const WARMTH: u16 = 4095;
/// How many misses that LRU would have shared weigh as much against it as one hit that it would have missed. Without
/// them a policy that has come to do as LRU does would see nothing of what it could gain by doing otherwise.
const DOUBT: u32 = 32;
/// Hot entries compared when one must make room.
const COMPARED: usize = 16;
/// Hot entries visited at most in one call; the rest wait for the next.
const VISITS: usize = 128;
/// Hot entries demoted, and cold ones promoted, at most in one call.
const MOVES: usize = 32;

/// Evicts adaptively between frequency and recency; the default.
#[derive(Debug)]
pub(super) struct Duel {
    /// The live entries.
    queues: Queues,
    /// Keys evicted lately.
    ghosts: Ghosts,
    /// How much of `full` the cold queue may fill.
    share: Share,
    /// Weight of the live entries but the newest when a victim was last asked for: the real budget, whatever was
    /// announced.
    full: u64,
    /// Distinct uses so far; wraps.
    clock: u32,
    /// What the hand is owed: the number of hot entries for each tick, paid off by that of live ones for each visit.
    owed: i64,
    /// The entry inserted last.
    newest: Option<Newest>,
}

/// Is the entry inserted last, which must not leave while there is another.
#[derive(Debug, Clone, Copy)]
struct Newest {
    /// The entry.
    node: Node,
    /// When its key was last used before, if it was a ghost. Judged when the next victim is asked for, since only then
    /// are the marks at hand that bring the clock up to date.
    used: Option<u32>,
}

impl Duel {
    /// Creates a policy for a shard whose budget is `capacity`, in units of weight.
    #[must_use]
    pub(super) fn new(capacity: u64) -> Self {
        Self {
            queues: Queues::new(),
            ghosts: Ghosts::default(),
            share: Share::new(),
            full: capacity,
            clock: 0,
            owed: 0,
            newest: None,
        }
    }

    /// Returns the number of live entries as a span of the clock: what LRU would hold.
    fn span(&self) -> u32 {
        self.queues.len()
    }

    /// Returns the weight that the hot queue may have.
    fn hot_target(&self) -> u64 {
        self.full.saturating_sub(self.share.of(self.full))
    }

    /// Returns whether the hot queue may take `weight` more.
    fn hot_has_room(&self, weight: u32) -> bool {
        self.queues.hot.weight.saturating_add(u64::from(weight)) <= self.hot_target()
    }

    /// Returns whether `node` was inserted last.
    fn is_newest(&self, node: Node) -> bool {
        self.newest.is_some_and(|newest| newest.node == node)
    }

    /// Counts one distinct use. The hand is never owed more than a round: what happened before that, while no victim
    /// was wanted, is too old to matter.
    fn tick(&mut self) {
        self.clock = self.clock.wrapping_add(1);
        let (hot, len) = (i64::from(self.queues.hot.len), i64::from(self.queues.len()));
        self.owed = (self.owed + hot).min(hot.saturating_mul(len));
    }

    /// Moves the hand over the hot queue as far as the clock has run, and over what is marked beyond, so that the
    /// clock runs on with it. Returns whether it caught up.
    fn visit(&mut self, marks: &mut Marks) -> bool {
        for _ in 0..VISITS {
            let Some(node) = self.queues.hot.oldest() else {
                return true;
            };
            let len = i64::from(self.queues.len());
            let marked = marks.get(node) > 0;
            if self.owed < len && !marked {
                return true;
            }
            self.owed = (self.owed - len).max(-len.saturating_mul(len));
            if marked {
                marks.set(node, 0);
                self.visit_marked(node);
            } else {
                self.visit_unmarked(node);
            }
        }
        false
    }

    /// Notes that a hot entry was used in the round that ends now.
    fn visit_marked(&mut self, node: Node) {
        let place = self.queues.seat(node).place;
        if place.idle() > 0 {
            self.share.shrink(1, 1);
        }
        self.queues.renew(node, Place::hot(cooled(place.heat()) + WARMTH, 0));
        self.tick();
    }

    /// Notes that a hot entry was not used in the round that ends now.
    fn visit_unmarked(&mut self, node: Node) {
        let place = self.queues.seat(node).place;
        let idle = place.idle().saturating_add(1);
        if idle < FORGOTTEN || self.is_newest(node) {
            self.queues.renew(node, Place::hot(cooled(place.heat()), idle));
        } else {
            self.queues.put_first(node, Place::demoted(self.last_use(idle)));
        }
    }

    /// Estimates when a hot entry that is idle for so many rounds was used.
    fn last_use(&self, idle: u8) -> u32 {
        self.clock.wrapping_sub(self.span().saturating_mul(u32::from(idle)))
    }

    /// Judges the entry inserted last, if its key was a ghost: which side does it speak for, and is it to be hot?
    fn judge_newest(&mut self) {
        let Some(Newest { node, used: Some(used) }) = self.newest else {
            return;
        };
        self.newest = Some(Newest { node, used: None });
        let away = u64::from(elapsed(used, self.clock));
        let span = u64::from(self.span());
        if away < span {
            self.share.grow();
        } else {
            // Neither held it, but protection might have.
            self.share.shrink(1, DOUBT);
        }
        let idle = self.queues.hot.oldest().map_or(0, |next| self.queues.seat(next).place.idle());
        if away < span * u64::from(idle.max(1)) {
            self.queues.renew(node, Place::hot(WARMTH, 0));
        }
    }

    /// Moves the coolest of the hot entries next to be visited to the new end of the cold queue; returns whether there
    /// was one.
    fn demote(&mut self, marks: &mut Marks) -> bool {
        let mut coolest: Option<(u16, Node)> = None;
        let mut next = self.queues.hot.oldest();
        for _ in 0..COMPARED {
            let Some(node) = next else { break };
            next = self.queues.newer(node);
            let warmth = if marks.get(node) > 0 { WARMTH } else { 0 };
            let heat = cooled(self.queues.seat(node).place.heat()) + warmth;
            if !self.is_newest(node) && coolest.is_none_or(|(least, _)| heat < least) {
                coolest = Some((heat, node));
            }
        }
        let Some((_, node)) = coolest else { return false };
        let idle = self.queues.seat(node).place.idle();
        let place = if marks.get(node) > 0 { Place::cold(self.clock) } else { Place::demoted(self.last_use(idle)) };
        marks.set(node, 0);
        self.queues.renew(node, place);
        true
    }

    /// Promotes a cold entry that was used since it came.
    fn promote(&mut self, node: Node) {
        let span = self.span();
        let stay = elapsed(self.queues.seat(node).place.used(), self.clock);
        if stay > span {
            // Its hits may be anywhere in its stay, for all we know; LRU would have missed the late ones.
            self.share.shrink(stay - span, stay);
        }
        self.queues.renew(node, Place::hot(WARMTH, 0));
        self.tick();
    }

    /// Returns the entry next to leave: the oldest cold one but the newest of all. If there is none, demotes one.
    fn next_out(&mut self, marks: &mut Marks) -> Option<Node> {
        let oldest = self.queues.cold.oldest();
        match oldest {
            Some(node) if !self.is_newest(node) => Some(node),
            Some(node) if self.queues.cold.len > 1 || self.demote(marks) => self.queues.newer(node),
            Some(node) => Some(node),
            None if self.demote(marks) => self.queues.cold.oldest(),
            None => self.queues.hot.oldest(),
        }
    }

    /// Finds the entry to evict, moving those that deserve it to the hot queue on the way.
    fn choose(&mut self, marks: &mut Marks) -> Option<Node> {
        for _ in 0..MOVES {
            if self.queues.hot.weight <= self.hot_target() || !self.demote(marks) {
                break;
            }
        }
        for _ in 0..MOVES {
            let node = self.next_out(marks)?;
            let seat = self.queues.seat(node);
            if seat.place.is_hot() {
                return Some(node);
            } else if marks.get(node) > 0 {
                marks.set(node, 0);
                self.promote(node);
                if self.queues.hot.weight > self.hot_target() {
                    self.demote(marks);
                }
            } else if !seat.place.is_demoted() && self.hot_has_room(seat.weight) {
                self.queues.renew(node, Place::hot(WARMTH, 0));
            } else {
                return Some(node);
            }
        }
        self.next_out(marks)
    }
}

impl EvictionPolicy for Duel {
    fn insert(&mut self, node: Node, hash: u64, weight: u64) {
        self.tick();
        let fingerprint = fingerprint(hash);
        let weight = held(weight);
        let mut used = self.ghosts.take(fingerprint);
        let mut place = Place::cold(self.clock);
        if self.hot_has_room(weight) && self.queues.weight() + u64::from(weight) <= self.full {
            used = None;
            place = Place::hot(WARMTH, 0);
        }
        self.newest = Some(Newest { node, used });
        self.queues.insert(node, Seat { fingerprint, weight, place });
    }

    fn update(&mut self, node: Node, weight: u64) {
        self.queues.reweigh(node, held(weight));
    }

    fn remove(&mut self, node: Node) {
        self.queues.remove(node);
        if self.is_newest(node) {
            self.newest = None;
        }
    }

    fn victim(&mut self, marks: &mut Marks) -> Option<Node> {
        let newest = self.newest.map_or(0, |newest| self.queues.seat(newest.node).weight);
        self.full = self.queues.weight() - u64::from(newest);
        if self.visit(marks) {
            self.judge_newest();
        }
        let node = self.choose(marks)?;
        let seat = self.queues.seat(node);
        self.ghosts.reserve(self.queues.len() as usize, self.clock);
        if !seat.place.is_hot() {
            self.ghosts.insert(seat.fingerprint, seat.place.used(), self.clock);
        }
        self.remove(node);
        Some(node)
    }

    fn mark_limit(&self) -> u8 {
        1
    }
}

/// Returns what is left of an entry's heat after one more round.
fn cooled(heat: u16) -> u16 {
    heat - heat / 16
}

/// Converts a weight to how it is held. Beyond 2^32 - 1 nothing in one shard is told apart.
fn held(weight: u64) -> u32 {
    u32::try_from(weight).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
