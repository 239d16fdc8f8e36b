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
        self.sweep();
        Some(waker)
    }

    /// Takes out the first.
    pub(super) fn pop(&mut self) -> Option<Waker> {
        let mut first = None;
        while let Some((_, waker)) = self.places.pop_front() {
            if waker.is_some() {
                first = waker;
                break;
            }
            self.left -= 1;
        }
        self.sweep();
        first
    }

    fn sweep(&mut self) {
        if self.left * 2 > self.places.len() {
            self.places.retain(|(_, waker)| waker.is_some());
            self.left = 0;
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use proptest::prelude::*;

    use super::Queue;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arrive,
        /// Comes again, whether or not it has a place at the time.
        Again(usize),
        Leave(usize),
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Arrive),
            1 => any::<usize>().prop_map(Step::Again),
            3 => any::<usize>().prop_map(Step::Leave),
            1 => Just(Step::Pop),
        ]
    }

    fn same(one: Option<&Waker>, other: Option<&Waker>) -> bool {
        one.map(Waker::data) == other.map(Waker::data)
    }

    proptest! {
        #[test]
        fn a_queue_is_a_map_in_the_order_of_arrival(steps in prop::collection::vec(step(), 1..200)) {
            let (mut queue, mut model, mut arrived) = (Queue::default(), BTreeMap::new(), Vec::new());
            for step in steps {
                let fresh = Waker::from(Arc::new(Nothing));
                match step {
                    Step::Arrive => {
                        let number = queue.number();
                        arrived.push(number);
                        prop_assert!(queue.enter(number, fresh.clone()).is_none());
                        model.insert(number, fresh);
                    }
                    Step::Again(which) if !arrived.is_empty() => {
                        let number = arrived[which % arrived.len()];
                        let before = queue.enter(number, fresh.clone());
                        prop_assert!(same(before.as_ref(), model.insert(number, fresh).as_ref()));
                    }
                    Step::Leave(which) if !arrived.is_empty() => {
                        let number = arrived[which % arrived.len()];
                        prop_assert!(same(queue.leave(number).as_ref(), model.remove(&number).as_ref()));
                    }
                    Step::Pop => {
                        let first = model.pop_first().map(|(_, waker)| waker);
                        prop_assert!(same(queue.pop().as_ref(), first.as_ref()));
                    }
                    Step::Again(_) | Step::Leave(_) => {}
                }
                prop_assert!(queue.places.len() <= 2 * model.len(), "those who left are swept out");
            }
            let rest: Vec<_> = queue.into_iter().map(|waker| waker.data()).collect();
            prop_assert_eq!(rest, model.into_values().map(|waker| waker.data()).collect::<Vec<_>>());
        }
    }
}
