use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn key(number: u8) -> WireKey {
    WireKey::new([], &[number])
}

fn write(value: u32) -> Write {
    let head = Bytes::copy_from_slice(&value.to_le_bytes());
    Write { sealed: Arc::new(Sealed { head, tail: Vec::new(), tag: 0 }), until: 0, life: 1, key: None }
}

fn value(write: &Write) -> u32 {
    u32::from_le_bytes(write.sealed.head[..].try_into().unwrap())
}

fn queue() -> Queue {
    Queue::new(WriteBehind::new())
}

#[test]
fn a_later_value_takes_the_place_of_one_that_waits() {
    let mut queue = queue();
    assert!(matches!(queue.put(&key(1), write(1)), Put::Queued));
    assert!(matches!(queue.put(&key(2), write(2)), Put::Queued));
    assert!(matches!(queue.put(&key(1), write(3)), Put::Coalesced));
    assert_eq!(queue.find(&key(1)).map(value), Some(3));
    let (first, taken) = queue.take(queue.end()).unwrap();
    assert_eq!((first, value(&taken)), (key(1), 3), "in the place of the first");
}

#[test]
fn what_is_being_written_can_be_read_and_is_not_taken_twice() {
    let mut queue = queue();
    queue.put(&key(1), write(1));
    assert!(queue.take_of(&key(1)).is_some());
    assert_eq!(queue.find(&key(1)).map(value), Some(1));
    queue.put(&key(1), write(2));
    assert_eq!(queue.find(&key(1)).map(value), Some(2));
    assert!(queue.take(queue.end()).is_none() && queue.take_of(&key(1)).is_none());
    queue.land(&key(1));
    assert_eq!(queue.take(queue.end()).map(|(_, write)| value(&write)), Some(2));
    queue.land(&key(1));
    assert!(queue.is_empty() && queue.bytes == 0);
}

#[test]
fn what_was_put_later_is_not_waited_for() {
    let mut queue = queue();
    queue.put(&key(1), write(1));
    let end = queue.end();
    queue.put(&key(2), write(2));
    assert!(!queue.is_done_before(end));
    queue.take(end).unwrap();
    assert!(queue.take(end).is_none() && !queue.is_done_before(end));
    queue.land(&key(1));
    assert!(queue.is_done_before(end) && !queue.is_done_before(queue.end()));
}

#[test]
fn a_full_queue_takes_nothing_but_what_replaces() {
    let room = 2 * write(0).bytes();
    for limits in [WriteBehind::new().most(2), WriteBehind::new().most_bytes(room)] {
        let mut queue = Queue::new(limits);
        queue.put(&key(1), write(1));
        queue.put(&key(2), write(2));
        assert!(matches!(queue.put(&key(3), write(3)), Put::Full), "{limits:?}");
        assert!(matches!(queue.put(&key(2), write(4)), Put::Coalesced), "{limits:?}");
        queue.take(1).unwrap();
        assert!(matches!(queue.put(&key(3), write(3)), Put::Full), "what is being written counts: {limits:?}");
        queue.land(&key(1));
        assert!(matches!(queue.put(&key(3), write(3)), Put::Queued), "{limits:?}");
    }
}

#[test]
fn a_landing_is_heard_of_only_while_something_is_written() {
    let mut queue = queue();
    assert!(queue.landing(&key(1)).is_none());
    queue.put(&key(1), write(1));
    assert!(queue.landing(&key(1)).is_none());
    queue.take_of(&key(1)).unwrap();
    assert!(queue.landing(&key(1)).is_some());
    assert!(queue.land(&key(1)).is_some());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Put(u8),
    Withdraw(u8),
    Take,
    TakeOf(u8),
    Land(u8),
    WithdrawAll,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..5_u8;
    prop_oneof![
        4 => key.clone().prop_map(Step::Put),
        1 => key.clone().prop_map(Step::Withdraw),
        2 => Just(Step::Take),
        1 => key.clone().prop_map(Step::TakeOf),
        3 => key.prop_map(Step::Land),
        1 => Just(Step::WithdrawAll),
    ]
}

/// The same, said simply: a line of keys with their values, and what is being written.
#[derive(Default)]
struct Model {
    line: VecDeque<(u8, u32)>,
    flying: HashMap<u8, u32>,
}

impl Model {
    fn take(&mut self, which: impl Fn(u8) -> bool) -> Option<u32> {
        let place = self.line.iter().position(|(key, _)| which(*key) && !self.flying.contains_key(key))?;
        let (key, value) = self.line.remove(place)?;
        self.flying.insert(key, value);
        Some(value)
    }
}

proptest! {
    #[test]
    fn the_queue_is_a_line_in_which_each_key_stands_once(steps in proptest::collection::vec(step(), 0..60)) {
        let (mut queue, mut model) = (queue(), Model::default());
        for (value, step) in steps.into_iter().enumerate() {
            let value = value as u32;
            match step {
                Step::Put(number) => {
                    queue.put(&key(number), write(value));
                    match model.line.iter_mut().find(|(key, _)| *key == number) {
                        Some(waiting) => waiting.1 = value,
                        None => model.line.push_back((number, value)),
                    }
                }
                Step::Withdraw(number) => {
                    let was_there = model.line.iter().any(|(key, _)| *key == number);
                    model.line.retain(|(key, _)| *key != number);
                    prop_assert_eq!(queue.withdraw(&key(number)).is_some(), was_there);
                }
                Step::Take => {
                    let taken = queue.take(queue.end()).map(|(_, write)| super::tests::value(&write));
                    prop_assert_eq!(taken, model.take(|_| true));
                }
                Step::TakeOf(number) => {
                    let taken = queue.take_of(&key(number)).map(|write| super::tests::value(&write));
                    prop_assert_eq!(taken, model.take(|key| key == number));
                }
                Step::Land(number) => {
                    queue.land(&key(number));
                    model.flying.remove(&number);
                }
                Step::WithdrawAll => {
                    prop_assert_eq!(queue.withdraw_all().len(), model.line.len());
                    model.line.clear();
                }
            }
            prop_assert_eq!(queue.len(), model.line.len() + model.flying.len());
            prop_assert_eq!(queue.bytes, queue.len() * write(0).bytes());
            prop_assert_eq!(queue.is_empty(), model.line.is_empty() && model.flying.is_empty());
            prop_assert_eq!(queue.is_done_before(queue.end()), queue.is_empty());
            for number in 0..5 {
                let waiting = model.line.iter().find(|(key, _)| *key == number).map(|(_, value)| *value);
                let latest = waiting.or(model.flying.get(&number).copied());
                prop_assert_eq!(queue.find(&key(number)).map(super::tests::value), latest);
            }
        }
    }
}
