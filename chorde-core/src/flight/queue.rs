//! Those who wait for a flight, in the order of their arrival.

use std::collections::VecDeque;
use std::task::Waker;

/// The places of those who wait, sorted by number. Those who left are swept out once they are the majority.
#[derive(Debug, Default)]
pub(super) struct Queue {
    places: VecDeque<(u64, Option<Waker>)>,
    /// How many places nobody holds any more.
    left: usize,
    last: u64,
}

impl Queue {
    /// Returns a number for one who arrives.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Keeps the place of a number, with the waker to be used from now on; returns the one before, to be dropped when no
    /// lock is held.
    pub(super) fn enter(&mut self, number: u64, waker: Waker) -> Option<Waker> {
        match self.find(number) {
            Ok(at) => {
                let before = self.places[at].1.replace(waker);
                self.left -= usize::from(before.is_none());
                before
            }
            // It comes last, unless it was woken and did not get what it was woken for.
            Err(at) => {
                self.places.insert(at, (number, Some(waker)));
                None
            }
        }
    }

    /// Gives up the place of a number; returns its waker, to be dropped when no lock is held.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waker> {
        let at = self.find(number).ok()?;
        let waker = self.places[at].1.take()?;
        self.left += 1;
        if self.left * 2 > self.places.len() {
            self.places.retain(|(_, waker)| waker.is_some());
            self.left = 0;
        }
        Some(waker)
    }

    /// Takes out the first.
    pub(super) fn pop(&mut self) -> Option<Waker> {
        while let Some((_, waker)) = self.places.pop_front() {
            if waker.is_some() {
                return waker;
            }
            self.left -= 1;
        }
        None
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        // Whoever arrives is looked up at the end.
        match self.places.back() {
            Some((last, _)) if *last >= number => self.places.binary_search_by_key(&number, |(number, _)| *number),
            _ => Err(self.places.len()),
        }
    }
}

impl IntoIterator for Queue {
    type Item = Waker;
    type IntoIter = std::iter::FilterMap<
        std::collections::vec_deque::IntoIter<(u64, Option<Waker>)>,
        fn((u64, Option<Waker>)) -> Option<Waker>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter().filter_map(|(_, waker)| waker)
    }
}
