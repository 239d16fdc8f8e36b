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
//! Costs 20 bytes for each live entry and 8 to 12 for each ghost, of which there are as many. Every operation is O(1)
//! amortised; `victim` looks at no more than a few hundred nodes.

mod ghosts;
mod seat;
mod share;

use super::links::{Chain, Links};
use super::policy::{EvictionPolicy, Marks, Node};
use ghosts::{Ghosts, fingerprint};
use seat::{Place, Seat, elapsed};
use share::Share;

/// Rounds without a mark after which a hot entry has no claim to its place.
const FORGOTTEN: u8 = 32;
/// Hot entries compared when one must make room.
const COMPARED: usize = 16;
/// What one marked round adds to an entry's heat; sixteen times this is the most there can be.
const WARMTH: u16 = 4095;
/// How many misses that LRU would have shared weigh as much against it as one hit that it would have missed. Without
/// them a policy that has come to do as LRU does would see nothing of what it could gain by doing otherwise.
const DOUBT: u32 = 32;
/// Hot entries visited at most in one call; the rest wait for the next.
const VISITS: usize = 128;
/// Hot entries demoted, and cold ones promoted, at most in one call.
const MOVES: usize = 32;

/// Evicts adaptively between frequency and recency; the default.
#[derive(Debug)]
pub struct Duel {
    /// Neighbours within either queue.
    links: Links,
    /// What is known of each live node.
    seats: Vec<Seat>,
    /// Newcomers and the demoted, first in first out.
    cold: Queue,
    /// The protected; the oldest is the next that the hand visits.
    hot: Queue,
    /// Keys evicted lately.
    ghosts: Ghosts,
    /// How much of `full` the cold queue may fill.
    share: Share,
    /// Weight of the live entries but the newest when a victim was last asked for: the real budget, whatever was
    /// announced.
    full: u64,
    /// Distinct uses so far; wraps.
    clock: u32,
    /// What the hand is owed: `hot.len` for each tick, paid off by `len` for each visit.
    owed: i64,
    /// The entry inserted last, and if it was a ghost, when that key was used before. Judged when the next victim is
    /// asked for, since only then are the marks at hand that bring the clock up to date.
    newest: Option<(Node, Option<u32>)>,
}

/// Is one queue and its sums.
#[derive(Debug)]
struct Queue {
    /// Its nodes, in order.
    chain: Chain,
    /// How many they are.
    len: usize,
    /// Their weights' sum.
    weight: u64,
}

impl Queue {
    /// Is a queue of no nodes.
    const EMPTY: Self = Self { chain: Chain::EMPTY, len: 0, weight: 0 };
}

impl Duel {
    /// Creates a policy for a shard whose budget is `capacity`, in units of weight.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self {
            links: Links::default(),
            seats: Vec::new(),
            cold: Queue::EMPTY,
            hot: Queue::EMPTY,
            ghosts: Ghosts::default(),
            share: Share::new(),
            full: capacity,
            clock: 0,
            owed: 0,
            newest: None,
        }
    }

    /// Returns the number of live entries.
    fn len(&self) -> usize {
        self.cold.len + self.hot.len
    }

    /// Returns the number of live entries as a span of the clock: what LRU would hold.
    fn span(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    /// Returns whether the hot queue may take `weight` more.
    fn hot_has_room(&self, weight: u32) -> bool {
        self.hot.weight + u64::from(weight) <= self.hot_target()
    }

    /// Returns the weight that the hot queue may have.
    fn hot_target(&self) -> u64 {
        self.full.saturating_sub(self.share.of(self.full))
    }

    /// Counts one distinct use.
    fn tick(&mut self) {
        self.clock = self.clock.wrapping_add(1);
        self.owed += as_i64(self.hot.len);
    }

    /// Puts a node that is in neither queue at the new end of the hot one.
    fn push_hot(&mut self, node: Node, heat: u16, idle: u8) {
        let seat = &mut self.seats[node as usize];
        seat.place = Place::hot(heat, idle);
        self.hot.len += 1;
        self.hot.weight += u64::from(seat.weight);
        self.links.push_newest(&mut self.hot.chain, node);
    }

    /// Accounts for a node that is about to be pushed to either end of the cold queue.
    fn enter_cold(&mut self, node: Node, place: Place) {
        let seat = &mut self.seats[node as usize];
        seat.place = place;
        self.cold.len += 1;
        self.cold.weight += u64::from(seat.weight);
    }

    /// Takes a live node out of its queue.
    fn unlink(&mut self, node: Node) {
        let seat = self.seats[node as usize];
        let queue = if seat.place.is_hot() { &mut self.hot } else { &mut self.cold };
        queue.len -= 1;
        queue.weight -= u64::from(seat.weight);
        self.links.unlink(&mut queue.chain, node);
    }

    /// Returns whether `node` was inserted last and so must not leave while there is another.
    fn is_newest(&self, node: Node) -> bool {
        self.newest.is_some_and(|(newest, _)| newest == node)
    }

    /// Moves the hand over the hot queue as far as the clock has run, and over what is marked beyond, so that the
    /// clock runs on with it. Returns whether it caught up.
    fn visit(&mut self, marks: &mut Marks) -> bool {
        let len = as_i64(self.len());
        for _ in 0..VISITS {
            let Some(node) = self.hot.chain.oldest() else { return true };
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
        let place = self.seats[node as usize].place;
        if place.idle() > 0 {
            self.share.shrink(1, 1);
        }
        self.seats[node as usize].place = Place::hot(cooled(place.heat()) + WARMTH, 0);
        self.links.unlink(&mut self.hot.chain, node);
        self.links.push_newest(&mut self.hot.chain, node);
        self.tick();
    }

    /// Notes that a hot entry was not used in the round that ends now.
    fn visit_unmarked(&mut self, node: Node) {
        let place = self.seats[node as usize].place;
        let idle = place.idle() + 1;
        if idle < FORGOTTEN || self.is_newest(node) {
            self.seats[node as usize].place = Place::hot(cooled(place.heat()), idle.min(FORGOTTEN));
            self.links.unlink(&mut self.hot.chain, node);
            self.links.push_newest(&mut self.hot.chain, node);
        } else {
            self.unlink(node);
            self.enter_cold(node, Place::demoted(self.last_use(idle)));
            self.links.push_oldest(&mut self.cold.chain, node);
        }
    }

    /// Estimates when a hot entry idle for so many rounds was used.
    fn last_use(&self, idle: u8) -> u32 {
        self.clock.wrapping_sub(self.span().saturating_mul(u32::from(idle)))
    }

    /// Judges the entry inserted last, if its key was a ghost: speaks it for recency, does it deserve a hot place?
    fn judge_newest(&mut self) {
        let Some((node, Some(used))) = self.newest else { return };
        self.newest = Some((node, None));
        let away = u64::from(elapsed(used, self.clock));
        let span = u64::from(self.span());
        if away < span {
            self.share.grow();
        } else {
            // Neither held it, but only protection might have.
            self.share.shrink(1, DOUBT);
        }
        let next_idle = self.hot.chain.oldest().map_or(0, |next| self.seats[next as usize].place.idle());
        if away < span * u64::from(next_idle.max(1)) {
            self.unlink(node);
            self.push_hot(node, WARMTH, 0);
        }
    }

    /// Moves the coolest of the hot entries next to be visited to the new end of the cold queue; returns whether there
    /// was one.
    fn demote(&mut self, marks: &mut Marks) -> bool {
        let mut coolest: Option<(u16, Node)> = None;
        let mut next = self.hot.chain.oldest();
        for _ in 0..COMPARED {
            let Some(node) = next else { break };
            next = self.links.newer(node);
            let warmth = if marks.get(node) > 0 { WARMTH } else { 0 };
            let heat = cooled(self.seats[node as usize].place.heat()) + warmth;
            if !self.is_newest(node) && coolest.is_none_or(|(least, _)| heat < least) {
                coolest = Some((heat, node));
            }
        }
        let Some((_, node)) = coolest else { return false };
        let idle = self.seats[node as usize].place.idle();
        let place = if marks.get(node) > 0 { Place::cold(self.clock) } else { Place::demoted(self.last_use(idle)) };
        marks.set(node, 0);
        self.unlink(node);
        self.enter_cold(node, place);
        self.links.push_newest(&mut self.cold.chain, node);
        true
    }

    /// Promotes a cold entry that was used since it came.
    fn promote(&mut self, node: Node) {
        let span = self.span();
        let place = self.seats[node as usize].place;
        let stay = elapsed(place.used(), self.clock);
        if stay > span {
            // Hits are spread evenly over its stay, for all we know; LRU would have missed the late ones.
            self.share.shrink(stay - span, stay);
        }
        self.unlink(node);
        self.push_hot(node, WARMTH, 0);
        self.tick();
    }

    /// Returns the cold entry next to leave, demoting a hot one if there is none but the newest of all.
    fn next_out(&mut self, marks: &mut Marks) -> Option<Node> {
        let oldest = self.cold.chain.oldest();
        match oldest {
            Some(node) if !self.is_newest(node) => return Some(node),
            Some(node) if self.cold.len > 1 => return self.links.newer(node),
            _ => {}
        }
        if !self.demote(marks) {
            // The newest is all there is, in whichever queue.
            return oldest.or_else(|| self.hot.chain.oldest());
        }
        oldest.map_or_else(|| self.cold.chain.oldest(), |newest| self.links.newer(newest))
    }

    /// Finds the entry to evict, moving those that deserve it to the hot queue on the way.
    fn choose(&mut self, marks: &mut Marks) -> Option<Node> {
        for _ in 0..MOVES {
            if self.hot.weight <= self.hot_target() || !self.demote(marks) {
                break;
            }
        }
        for _ in 0..MOVES {
            let node = self.next_out(marks)?;
            let seat = self.seats[node as usize];
            if marks.get(node) > 0 && !seat.place.is_hot() {
                marks.set(node, 0);
                self.promote(node);
                if self.hot.weight > self.hot_target() {
                    self.demote(marks);
                }
            } else if !seat.place.is_hot() && !seat.place.is_demoted() && self.hot_has_room(seat.weight) {
                self.unlink(node);
                self.push_hot(node, WARMTH, 0);
            } else {
                return Some(node);
            }
        }
        self.next_out(marks)
    }
}

impl EvictionPolicy for Duel {
    fn insert(&mut self, node: Node, hash: u64, weight: u64) {
        self.links.reserve(node);
        if node as usize >= self.seats.len() {
            self.seats.resize(node as usize + 1, Seat::default());
        }
        let fingerprint = fingerprint(hash);
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        self.seats[node as usize] = Seat { fingerprint, weight, place: Place::default() };
        self.tick();
        let used = self.ghosts.take(fingerprint);
        if self.hot_has_room(weight) && self.cold.weight + self.hot.weight + u64::from(weight) <= self.full {
            self.newest = Some((node, None));
            self.push_hot(node, WARMTH, 0);
        } else {
            self.newest = Some((node, used));
            self.enter_cold(node, Place::cold(self.clock));
            self.links.push_newest(&mut self.cold.chain, node);
        }
    }

    fn update(&mut self, node: Node, weight: u64) {
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let seat = &mut self.seats[node as usize];
        let queue = if seat.place.is_hot() { &mut self.hot } else { &mut self.cold };
        queue.weight = queue.weight - u64::from(seat.weight) + u64::from(weight);
        seat.weight = weight;
    }

    fn remove(&mut self, node: Node) {
        self.unlink(node);
        if self.is_newest(node) {
            self.newest = None;
        }
    }

    fn victim(&mut self, marks: &mut Marks) -> Option<Node> {
        let newest = self.newest.map_or(0, |(newest, _)| self.seats[newest as usize].weight);
        self.full = self.cold.weight + self.hot.weight - u64::from(newest);
        if self.visit(marks) {
            self.judge_newest();
        }
        let node = self.choose(marks)?;
        let seat = self.seats[node as usize];
        self.ghosts.reserve(self.len(), self.clock);
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

/// Converts a number of nodes, of which there are fewer than 2^32.
fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
