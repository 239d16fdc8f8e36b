//! A queue in front of a number of places, both shared fairly by functions. Pure: who calls it holds the lock.
//!
//! A function gets another place only while it has fewer than are free, and another place in the queue likewise. So one
//! function alone gets half, a second one half of the rest, and so on: there is always room for one that has none,
//! however many refreshes of others hang. (The rule is that of dynamic thresholds for packet buffers: Choudhury and
//! Hahne, 1998.) Functions take turns; tasks of one function keep their order.

use std::collections::{HashMap, VecDeque};

/// Identifies a function; tasks of none are bounded by the whole only.
pub(super) type Function = Option<usize>;

/// What one function has.
#[derive(Debug)]
struct Share<T> {
    running: usize,
    queue: VecDeque<T>,
}

/// Tasks that run, and tasks that are queued.
#[derive(Debug)]
pub(super) struct Line<T> {
    /// How many may run at once.
    places: usize,
    /// How many may be queued.
    room: usize,
    running: usize,
    queued: usize,
    shares: HashMap<Function, Share<T>>,
    /// Functions with queued tasks, in the order of their turns.
    turns: VecDeque<Function>,
}

impl<T> Line<T> {
    pub(super) fn new(places: usize, room: usize) -> Self {
        Self { places, room, running: 0, queued: 0, shares: HashMap::new(), turns: VecDeque::new() }
    }

    pub(super) fn set_bounds(&mut self, places: usize, room: usize) {
        (self.places, self.room) = (places, room);
    }

    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Returns whether a function may find no place for its tasks.
    pub(super) fn is_crowded(&self) -> bool {
        self.queued > 0 || self.running >= self.places.div_ceil(2)
    }

    /// Returns whether a task of no function would be taken on.
    pub(super) fn has_room(&self) -> bool {
        self.queued < self.room || self.running < self.places
    }

    /// Returns the first queued task of each function.
    pub(super) fn fronts(&self) -> impl Iterator<Item = &T> {
        self.shares.values().filter_map(|share| share.queue.front())
    }

    /// Queues a task, or returns it: neither a place nor room in the queue is free. Whoever calls takes out what can
    /// start by [`next`](Self::next) before anybody else queues.
    pub(super) fn push(&mut self, function: Function, task: T) -> Result<(), T> {
        let free = self.room.saturating_sub(self.queued);
        let waiting = self.shares.get(&function).map_or(0, |share| share.queue.len());
        let fits = free > 0 && (function.is_none() || waiting < free);
        if !fits && !self.may_start(function) {
            return Err(task);
        }
        let share = self.share(function);
        share.queue.push_back(task);
        if share.queue.len() == 1 {
            self.turns.push_back(function);
        }
        self.queued += 1;
        Ok(())
    }

    /// Takes out the next task that can start, which runs from now on.
    pub(super) fn next(&mut self) -> Option<(Function, T)> {
        if self.running >= self.places {
            return None;
        }
        let at = self.turns.iter().position(|function| self.may_start(*function))?;
        let function = self.turns.remove(at)?;
        let share = self.shares.get_mut(&function)?;
        let task = share.queue.pop_front()?;
        if !share.queue.is_empty() {
            self.turns.push_back(function);
        }
        self.queued -= 1;
        self.seat(function);
        Some((function, task))
    }

    /// Gives a place to a task that runs on, whether or not one is free.
    pub(super) fn seat(&mut self, function: Function) {
        self.running += 1;
        self.share(function).running += 1;
    }

    /// Frees the place of a task.
    pub(super) fn release(&mut self, function: Function) {
        self.running -= 1;
        let share = self.share(function);
        share.running -= 1;
        if share.running == 0 && share.queue.is_empty() {
            self.shares.remove(&function);
        }
    }

    fn share(&mut self, function: Function) -> &mut Share<T> {
        self.shares.entry(function).or_insert_with(|| Share { running: 0, queue: VecDeque::new() })
    }

    fn may_start(&self, function: Function) -> bool {
        let free = self.places.saturating_sub(self.running);
        let running = self.shares.get(&function).map_or(0, |share| share.running);
        free > 0 && (function.is_none() || running < free)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Starts what can start.
    fn start(line: &mut Line<u32>) -> Vec<u32> {
        std::iter::from_fn(|| line.next().map(|(_, task)| task)).collect()
    }

    #[test]
    fn a_function_alone_gets_half_of_the_places_and_another_finds_some_free() {
        let mut line = Line::new(8, 8);
        let pushed = (0..20).filter(|task| line.push(Some(1), *task).is_ok() && !start(&mut line).is_empty()).count();
        assert_eq!((pushed, line.running(), line.queued()), (4, 4, 4));
        for (function, places) in [(2, 2), (3, 1), (4, 1), (5, 0)] {
            let started = (0..8).filter(|task| {
                let _ = line.push(Some(function), *task);
                !start(&mut line).is_empty()
            });
            assert_eq!(started.count(), places, "function {function}");
        }
        // Those of no function are bounded by the whole only.
        let mut line = Line::new(3, 0);
        let pushed = (0..9).filter(|task| line.push(None, *task).is_ok() && !start(&mut line).is_empty()).count();
        assert_eq!((pushed, line.running(), line.queued()), (3, 3, 0));
    }

    #[test]
    fn functions_take_turns_and_keep_their_order() {
        let mut line = Line::new(1, 100);
        for task in [10, 11, 12, 20, 21, 30] {
            line.push(Some(task as usize / 10), task).unwrap();
        }
        let mut order = Vec::new();
        while let Some((function, task)) = line.next() {
            order.push(task);
            line.release(function);
        }
        assert_eq!(order, [10, 20, 30, 11, 21, 12]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Function),
        Release(usize),
        Bound(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => prop_oneof![1 => Just(None), 4 => (0..4_usize).prop_map(Some)].prop_map(Step::Push),
            3 => any::<usize>().prop_map(Step::Release),
            1 => (1..9_usize, 0..9_usize).prop_map(|(places, room)| Step::Bound(places, room)),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_lost_nothing_exceeds_and_a_newcomer_has_room(steps in prop::collection::vec(step(), 1..200)) {
            let (mut line, mut running, mut queued) = (Line::new(4, 4), Vec::new(), VecDeque::new());
            let (mut places, mut room) = (4, 4);
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(function) => {
                        let has_none = queued.iter().chain(&running).all(|(other, _)| *other != function);
                        let any_free = running.len() < places || queued.len() < room;
                        let pushed = line.push(function, (function, number)).is_ok();
                        if pushed {
                            queued.push_back((function, number));
                        }
                        prop_assert!(pushed || !(has_none && any_free), "a newcomer is refused while there is room");
                        prop_assert!(!pushed || any_free);
                    }
                    Step::Release(which) if !running.is_empty() => {
                        let (function, _) = running.remove(which % running.len());
                        line.release(function);
                    }
                    Step::Release(_) => {}
                    Step::Bound(new_places, new_room) => {
                        (places, room) = (new_places, new_room);
                        line.set_bounds(places, room);
                    }
                }
                while let Some((function, task)) = line.next() {
                    let first = queued.iter().position(|(other, _)| *other == function);
                    prop_assert_eq!(queued.remove(first.unwrap()), Some(task), "the first of its function");
                    running.push(task);
                    prop_assert!(running.len() <= places);
                }
                prop_assert_eq!((line.running(), line.queued()), (running.len(), queued.len()));
                let alone = running.iter().filter(|(function, _)| *function == Some(0)).count() == running.len();
                prop_assert!(running.len() == places || queued.is_empty() || !alone || running.len() * 2 >= places);
            }
        }
    }
}
