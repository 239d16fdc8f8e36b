//! Compares the chain with a deque.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Debug, Clone)]
enum Step {
    Insert,
    Update(usize),
    Touch(usize),
    Remove(usize),
    Victim,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Insert),
        2 => any::<usize>().prop_map(Step::Update),
        3 => any::<usize>().prop_map(Step::Touch),
        1 => any::<usize>().prop_map(Step::Remove),
        2 => Just(Step::Victim),
    ]
}

/// Takes the live node that a random number stands for out of the model.
fn pick(order: &mut VecDeque<Node>, random: usize) -> Option<Node> {
    let at = random.checked_rem(order.len())?;
    order.remove(at)
}

proptest! {
    #[test]
    fn evicts_as_a_deque_would(touch_on_read: bool, steps in prop::collection::vec(step(), 1..300)) {
        let mut lru = Lru::new(touch_on_read);
        prop_assert_eq!(lru.wants_touch(), touch_on_read);
        let mut marks = Marks::new();
        // The least recently used first.
        let mut order: VecDeque<Node> = VecDeque::new();
        let mut free: Vec<Node> = (0..300).collect();
        for step in steps {
            match step {
                Step::Insert => {
                    let Some(node) = free.pop() else { continue };
                    lru.insert(node, u64::from(node), 1);
                    order.push_back(node);
                }
                Step::Update(random) => {
                    if let Some(node) = pick(&mut order, random) {
                        lru.update(node, 2);
                        order.push_back(node);
                    }
                }
                Step::Touch(random) => {
                    if let Some(node) = pick(&mut order, random) {
                        lru.touch(node);
                        order.push_back(node);
                    }
                }
                Step::Remove(random) => {
                    if let Some(node) = pick(&mut order, random) {
                        lru.remove(node);
                        free.push(node);
                    }
                }
                Step::Victim => {
                    let expected = order.pop_front();
                    prop_assert_eq!(lru.victim(&mut marks), expected);
                    free.extend(expected);
                }
            }
        }
        while let Some(node) = order.pop_front() {
            prop_assert_eq!(lru.victim(&mut marks), Some(node));
        }
        prop_assert_eq!(lru.victim(&mut marks), None);
    }
}

#[test]
fn the_entry_inserted_last_stays_while_there_is_another() {
    let mut lru = Lru::new(true);
    let mut marks = Marks::new();
    lru.insert(0, 0, 1);
    for node in 1..10 {
        lru.insert(node, 0, 1);
        assert_eq!(lru.victim(&mut marks), Some(node - 1));
    }
}
