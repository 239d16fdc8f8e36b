//! Holds the live entries in two queues, with the sums that the policy needs of them.

use super::super::links::{Chain, Links};
use super::super::policy::Node;
use super::seat::{Place, Seat};

/// Is one queue and its sums.
#[derive(Debug)]
pub(super) struct Queue {
    /// Its nodes, in order.
    chain: Chain,
    /// How many they are. Not as wide as the weight: the two would be added to as one pair, which waits until the halves
    /// that were just written have reached the cache.
    pub(super) len: u32,
    /// Their weights' sum.
    pub(super) weight: u64,
}

impl Queue {
    /// Is a queue of no nodes.
    const EMPTY: Self = Self { chain: Chain::EMPTY, len: 0, weight: 0 };

    /// Returns the node at the old end.
    pub(super) fn oldest(&self) -> Option<Node> {
        self.chain.oldest()
    }
}

/// Is all live entries, each in the queue that its place names.
#[derive(Debug)]
pub(super) struct Queues {
    /// What is known of each live node, and its neighbours within either queue.
    links: Links<Seat>,
    /// Newcomers and the demoted, first in first out.
    pub(super) cold: Queue,
    /// The protected; the oldest is the next that the hand visits.
    pub(super) hot: Queue,
    /// Whether there was a node of another weight than 1. Until then there is no need to look at any.
    weights_vary: bool,
}

impl Queues {
    /// Creates two empty queues.
    pub(super) fn new() -> Self {
        Self { links: Links::default(), cold: Queue::EMPTY, hot: Queue::EMPTY, weights_vary: false }
    }

    /// Returns the number of live entries.
    pub(super) fn len(&self) -> u32 {
        self.cold.len + self.hot.len
    }

    /// Returns the weight of the live entries.
    pub(super) fn weight(&self) -> u64 {
        self.cold.weight + self.hot.weight
    }

    /// Returns what is known of a live node.
    pub(super) fn seat(&self, node: Node) -> Seat {
        self.links.about(node)
    }

    /// Returns the neighbour of `node` on the way from the oldest of its queue to the newest.
    pub(super) fn newer(&self, node: Node) -> Option<Node> {
        self.links.newer(node)
    }

    /// Puts a new node at the new end of the queue that its place names.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn insert(&mut self, node: Node, seat: Seat) {
        self.links.reserve(node);
        self.weights_vary |= seat.weight != 1;
        // One by one: what was just written in parts and is read as a whole makes the processor wait for its caches.
        let Seat { fingerprint, weight, place } = seat;
        let held = self.links.about_mut(node);
        held.fingerprint = fingerprint;
        held.weight = weight;
        self.enter(node, place);
        let queue = Self::of(&mut self.cold, &mut self.hot, seat.place);
        self.links.push_newest(&mut queue.chain, node);
    }

    /// Moves a live node to the new end of the queue that `place` names.
    pub(super) fn renew(&mut self, node: Node, place: Place) {
        self.remove(node);
        self.enter(node, place);
        let queue = Self::of(&mut self.cold, &mut self.hot, place);
        self.links.push_newest(&mut queue.chain, node);
    }

    /// Moves a live node to the old end of the queue that `place` names.
    pub(super) fn put_first(&mut self, node: Node, place: Place) {
        self.remove(node);
        self.enter(node, place);
        let queue = Self::of(&mut self.cold, &mut self.hot, place);
        self.links.push_oldest(&mut queue.chain, node);
    }

    /// Takes a live node out of its queue.
    pub(super) fn remove(&mut self, node: Node) {
        let seat = self.seat(node);
        let queue = Self::of(&mut self.cold, &mut self.hot, seat.place);
        queue.len -= 1;
        queue.weight -= u64::from(seat.weight);
        self.links.unlink(&mut queue.chain, node);
    }

    /// Changes the weight of a live node.
    pub(super) fn reweigh(&mut self, node: Node, weight: u32) {
        self.weights_vary |= weight != 1;
        if !self.weights_vary {
            return;
        }
        let seat = self.links.about_mut(node);
        let queue = Self::of(&mut self.cold, &mut self.hot, seat.place);
        queue.weight = queue.weight - u64::from(seat.weight) + u64::from(weight);
        seat.weight = weight;
    }

    /// Accounts for a node that is about to be linked into the queue that `place` names.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn enter(&mut self, node: Node, place: Place) {
        let seat = self.links.about_mut(node);
        seat.place = place;
        let queue = Self::of(&mut self.cold, &mut self.hot, place);
        queue.len += 1;
        queue.weight += u64::from(seat.weight);
    }

    /// Returns the queue that `place` names.
    fn of<'a>(cold: &'a mut Queue, hot: &'a mut Queue, place: Place) -> &'a mut Queue {
        if place.is_hot() { hot } else { cold }
    }
}
