//! Whether a history of operations that overlapped could have come of one after the other.
//!
//! The search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), with Lowe's memory of what was tried
//! (Testing for Linearizability, 2017): take first any operation that no other one had preceded, see whether a sequential
//! object would have answered as it did, go on with the rest; step back where nothing fits.

use std::collections::HashSet;
use std::hash::Hash;

/// One operation with its answer, from its call to its return, by stamps that order both.
#[derive(Clone, Debug)]
pub(crate) struct Timed<O> {
    pub(crate) what: O,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl<O: Copy> Timed<O> {
    /// Returns the same with something else as what was done.
    pub(crate) fn map<P>(&self, map: impl FnOnce(O) -> P) -> Timed<P> {
        Timed { what: map(self.what), start: self.start, end: self.end }
    }
}

/// Returns in which order the operations could have taken place; `None` if in none.
///
/// `step` is the sequential object: the state after an operation, unless it would have answered otherwise. At most 64
/// operations.
pub(crate) fn order<S, O>(history: &[Timed<O>], initial: &S, step: impl Fn(&S, &O) -> Option<S>) -> Option<Vec<usize>>
where
    S: Clone + Eq + Hash,
{
    let mut search = Search { history, step, tried: HashSet::new(), order: Vec::new() };
    search.go(0, initial).then_some(search.order)
}

struct Search<'a, S, O, F> {
    history: &'a [Timed<O>],
    step: F,
    /// What was done, as bits, and the state after that, from where nothing fits.
    tried: HashSet<(u64, S)>,
    order: Vec<usize>,
}

impl<S: Clone + Eq + Hash, O, F: Fn(&S, &O) -> Option<S>> Search<'_, S, O, F> {
    fn go(&mut self, done: u64, state: &S) -> bool {
        let left = || (0..self.history.len()).filter(|at| done & (1 << at) == 0);
        let Some(first_end) = left().map(|at| self.history[at].end).min() else { return true };
        if self.tried.contains(&(done, state.clone())) {
            return false;
        }
        // What was called after another had returned comes after that.
        let candidates: Vec<usize> = left().filter(|at| self.history[*at].start <= first_end).collect();
        for at in candidates {
            if let Some(next) = (self.step)(state, &self.history[at].what) {
                self.order.push(at);
                if self.go(done | (1 << at), &next) {
                    return true;
                }
                self.order.pop();
            }
        }
        self.tried.insert((done, state.clone()));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Write(u32),
        Read(u32),
    }
    use Op::{Read, Write};

    /// Judges operations on a register that holds 0 at first, each with its call and return.
    fn fits(history: &[(Op, u64, u64)]) -> bool {
        let history: Vec<_> =
            history.iter().map(|(what, start, end)| Timed { what: *what, start: *start, end: *end }).collect();
        order(&history, &0, |state, op| match op {
            Write(value) => Some(*value),
            Read(value) => (value == state).then_some(*state),
        })
        .is_some()
    }

    #[test]
    fn what_follows_in_time_follows_in_order() {
        assert!(fits(&[]));
        assert!(fits(&[(Write(1), 1, 2), (Read(1), 3, 4)]));
        assert!(!fits(&[(Write(1), 1, 2), (Read(0), 3, 4)]));
        assert!(!fits(&[(Read(1), 1, 2), (Write(1), 3, 4)]));
    }

    #[test]
    fn what_overlaps_may_be_seen_or_not() {
        assert!(fits(&[(Write(1), 1, 4), (Read(0), 2, 3)]));
        assert!(fits(&[(Write(1), 1, 4), (Read(1), 2, 3)]));
        assert!(!fits(&[(Write(1), 1, 4), (Read(2), 2, 3)]));
    }

    #[test]
    fn what_was_seen_once_is_not_unseen() {
        assert!(fits(&[(Write(1), 1, 10), (Read(0), 2, 3), (Read(1), 4, 5)]));
        assert!(!fits(&[(Write(1), 1, 10), (Read(1), 2, 3), (Read(0), 4, 5)]));
    }

    #[test]
    fn two_readers_see_two_writes_in_the_same_order() {
        let writes = [(Write(1), 1, 20), (Write(2), 1, 20)];
        let first = [(Read(1), 2, 3), (Read(2), 4, 5)];
        assert!(fits(&[&writes[..], &first, &[(Read(1), 2, 3), (Read(2), 6, 7)]].concat()));
        assert!(!fits(&[&writes[..], &first, &[(Read(2), 2, 3), (Read(1), 6, 7)]].concat()));
    }

    #[test]
    fn the_search_steps_back() {
        // The first write that fits is the wrong one to begin with.
        let history = [(Write(1), 1, 9), (Write(2), 1, 9), (Read(1), 10, 11)];
        assert!(fits(&history));
        let many: Vec<_> = (1..=12).map(|value| (Write(value), 1, 99)).collect();
        assert!(!fits(&[&many[..], &[(Read(13), 100, 101)]].concat()), "and ends, where each order is tried");
    }
}
