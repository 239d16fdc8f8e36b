//! Hits that a policy has yet to be told of, in their order.
//!
//! A policy that wants to hear of each hit would need the shard's write lock for each. Instead a reader, who holds the read
//! lock, notes its hit on a line that only its thread writes to, with a ticket that says in which order hits came.
//! Whoever takes the write lock first tells the policy of all that are noted, so that the policy never decides anything
//! without having heard of all hits before.

use crossbeam_utils::CachePadded;

use super::policy::Node;
use crate::lanes::{LANES, Lane};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// How many hits a thread can note before somebody has to take the write lock.
const NOTES: usize = 64;

/// A log for each lane, and one for all threads that own none.
pub(super) struct Touches {
    logs: Box<[CachePadded<Log>]>,
    /// The ticket of the next hit.
    next: CachePadded<AtomicU32>,
    /// The first ticket since the logs were empty: tickets wrap.
    first: u32,
    /// What is being told, kept for its room.
    told: Vec<(u32, Node)>,
}

struct Log {
    /// How many notes were tried to make, of which the first [`NOTES`] were made.
    len: AtomicU32,
    /// Ticket and node.
    notes: Box<[AtomicU64]>,
}

impl Touches {
    pub(super) fn new() -> Self {
        let log = |_| CachePadded::new(Log::new());
        Self { logs: (0..=LANES).map(log).collect(), next: CachePadded::default(), first: 0, told: Vec::new() }
    }

    /// Notes a hit. Returns false if there is no room: then the caller has to take the write lock.
    pub(super) fn note(&self, node: Node) -> bool {
        let lane = Lane::owned();
        let log = &self.logs[lane.map_or(LANES, Lane::index)];
        let at = if lane.is_some() {
            let at = log.len.load(Ordering::Relaxed);
            log.len.store((at + 1).min(NOTES as u32), Ordering::Relaxed);
            at
        } else {
            log.len.fetch_add(1, Ordering::Relaxed)
        };
        let Some(note) = log.notes.get(at as usize) else { return false };
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        note.store(u64::from(ticket) << 32 | u64::from(node), Ordering::Relaxed);
        true
    }

    /// Reports all noted hits, in their order, and forgets them.
    pub(super) fn tell(&mut self, mut hear: impl FnMut(Node)) {
        let next = self.next.load(Ordering::Relaxed);
        if next == self.first {
            // Those who found no room took no ticket.
            return self.empty();
        }
        for log in &self.logs {
            let len = (log.len.load(Ordering::Relaxed) as usize).min(NOTES);
            let notes = log.notes[..len].iter().map(|note| note.load(Ordering::Relaxed));
            self.told.extend(notes.map(|note| (((note >> 32) as u32).wrapping_sub(self.first), note as Node)));
        }
        self.told.sort_unstable();
        for (_, node) in self.told.drain(..) {
            hear(node);
        }
        self.first = next;
        self.empty();
    }

    fn empty(&mut self) {
        for log in &self.logs {
            if log.len.load(Ordering::Relaxed) > 0 {
                log.len.store(0, Ordering::Relaxed);
            }
        }
    }
}

impl Log {
    fn new() -> Self {
        Self { len: AtomicU32::new(0), notes: (0..NOTES).map(|_| AtomicU64::new(0)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn told(touches: &mut Touches) -> Vec<Node> {
        let mut nodes = Vec::new();
        touches.tell(|node| nodes.push(node));
        nodes
    }

    #[test]
    fn hits_are_told_in_their_order_once() {
        let mut touches = Touches::new();
        assert!([3, 1, 3, 2].into_iter().all(|node| touches.note(node)));
        assert_eq!(told(&mut touches), [3, 1, 3, 2]);
        assert_eq!(told(&mut touches), []);
        assert!(touches.note(7));
        assert_eq!(told(&mut touches), [7]);
    }

    #[test]
    fn the_order_holds_over_threads_and_when_tickets_wrap() {
        const THREADS: u32 = LANES as u32 + 8;
        let mut touches = Touches::new();
        touches.first = u32::MAX - 2;
        *touches.next = AtomicU32::new(u32::MAX - 2);
        let ended = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            let (touches, ended) = (&touches, &ended);
            for node in 0..THREADS {
                let (noted, wait) = std::sync::mpsc::channel();
                scope.spawn(move || {
                    Lane::mine();
                    assert!(touches.note(node));
                    noted.send(()).unwrap();
                    // Each thread keeps its lane until all have noted.
                    ended.wait();
                });
                wait.recv().unwrap();
            }
        });
        assert_eq!(told(&mut touches), (0..THREADS).collect::<Vec<_>>());
    }

    #[test]
    fn what_finds_no_room_is_refused_and_not_told() {
        let mut touches = Touches::new();
        let noted = (0..10 * NOTES as u32).filter(|node| touches.note(*node)).count();
        assert!((1..=NOTES).contains(&noted));
        assert_eq!(told(&mut touches).len(), noted);
        assert!(touches.note(1));
    }
}
