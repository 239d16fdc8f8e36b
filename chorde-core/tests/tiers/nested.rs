//! Three tiers, nested either way.

use std::sync::Mutex;
use std::time::Duration;

use chorde_core::{
    Cache, CacheExt, Client, InprocClient, Key, ManualClock, Namespace, Path, ReadOptions, TieredClient, Wait,
    WriteOptions,
};

use crate::{seconds, shown, store};

type Three = TieredClient<InprocClient, TieredClient<InprocClient, InprocClient>>;

struct Stack {
    clock: ManualClock,
    three: Three,
    /// The nearest first.
    tiers: [InprocClient; 3],
}

fn stack_with(fractions: [f64; 3]) -> Stack {
    let clock = ManualClock::new();
    let tiers = [store(&clock), store(&clock), store(&clock)];
    let [near, middle, far] = tiers.clone();
    let [first, second, third] = fractions;
    let inner = TieredClient::builder().ttl_fractions([second, third]).build(middle, far).unwrap();
    let three = TieredClient::builder().ttl_fractions([first, 1.0]).build(near, inner).unwrap();
    Stack { clock, three, tiers }
}

fn stack() -> Stack {
    stack_with([1.0; 3])
}

impl Stack {
    fn lives(&self) -> [Option<u64>; 3] {
        self.tiers.each_ref().map(|tier| shown::<&str>(tier, 1).map(|(_, life)| life))
    }
}

#[test]
fn a_value_is_promoted_through_all_tiers() {
    let stack = stack();
    stack.tiers[2].put(&1, "far", seconds(10)).wait().unwrap();
    stack.clock.advance(seconds(3));
    assert_eq!(stack.three.get::<&str>(&1).wait().unwrap(), Some("far"));
    assert_eq!(stack.lives(), [Some(7); 3]);
    assert_eq!(stack.three.far().stats().promotions, 1);
    assert_eq!(stack.three.stats().promotions, 1);
}

#[test]
fn every_key_is_promoted_through_all_tiers() {
    let stack = stack_with([0.25, 0.5, 1.0]);
    for key in [1, 2, 3] {
        stack.tiers[2].put(&key, key, seconds(8)).wait().unwrap();
    }
    assert_eq!(stack.three.get_multi(&[3, 2, 4, 1]).wait().unwrap(), [Some(3), Some(2), None, Some(1)]);
    for key in [1, 2, 3] {
        let lives = stack.tiers.each_ref().map(|tier| shown::<i32>(tier, key));
        assert_eq!(lives, [Some((key, 2)), Some((key, 4)), Some((key, 8))]);
    }
}

#[test]
fn a_write_gives_each_of_three_tiers_its_fraction() {
    let stack = stack_with([0.01, 0.1, 1.0]);
    stack.three.put(&1, "new", seconds(1_000)).wait().unwrap();
    assert_eq!(stack.lives(), [Some(10), Some(100), Some(1_000)]);
}

#[test]
fn tiers_are_counted_over_all_levels() {
    let stack = stack();
    assert_eq!(stack.three.tiers(), 3);
    assert_eq!(stack.three.capacity().wait().unwrap(), [1_000; 3]);
    for (allowed, lives) in [(0, [None; 3]), (1, [Some(9), None, None]), (2, [Some(9), Some(9), None])] {
        stack.three.put_with(&1, "new", seconds(9), WriteOptions::new().max_tiers(allowed)).wait().unwrap();
        assert_eq!(stack.lives(), lives, "{allowed} tiers");
    }
    stack.three.put(&1, "new", seconds(9)).wait().unwrap();
    assert_eq!(stack.lives(), [Some(9); 3]);
    assert_eq!(stack.three.usage().wait().unwrap(), [1; 3]);
}

#[test]
fn a_read_of_three_tiers_goes_no_farther_than_it_may() {
    let clock = ManualClock::new();
    let leaf = || store(&clock);
    fn check<C: Client<i32>>(three: &C, far: &InprocClient) {
        far.put(&1, 1, seconds(9)).wait().unwrap();
        let read = |n| three.get_with::<i32>(&1, ReadOptions::new().max_tiers(n)).wait().unwrap();
        assert_eq!((read(0), read(1), read(2), read(3)), (None, None, None, Some(1)));
        assert_eq!((read(1), read(2)), (Some(1), Some(1)), "promoted to the nearest");
    }
    let far = leaf();
    check(&TieredClient::new(leaf(), TieredClient::new(leaf(), far.clone())), &far);
    let far = leaf();
    check(&TieredClient::new(TieredClient::new(leaf(), leaf()), far.clone()), &far);
}

#[test]
fn operations_concern_all_three_tiers() {
    let stack = stack();
    stack.tiers[2].put(&1, "far", seconds(5)).wait().unwrap();
    assert!(stack.three.contains(&1).wait().unwrap());
    assert_eq!(stack.lives(), [None, None, Some(5)], "contains promotes nothing");
    assert!(!stack.three.add(&1, "late", seconds(5)).wait().unwrap());
    assert_eq!(stack.lives(), [None, None, Some(5)], "a refused add leaves nothing nearer");
    assert!(stack.three.promote::<&str>(&1).wait().unwrap());
    assert!(stack.three.renew(&1, seconds(8)).wait().unwrap());
    assert_eq!(stack.lives(), [Some(8); 3]);
    assert!(stack.three.expire(&1).wait().unwrap());
    assert_eq!(stack.lives(), [Some(0); 3]);
    assert!(stack.three.add(&1, "again", seconds(4)).wait().unwrap());
    assert_eq!(stack.lives(), [Some(4); 3]);
    assert!(stack.three.delete(&1).wait().unwrap());
    assert_eq!(stack.lives(), [None; 3]);
}

#[test]
fn promotions_at_every_level_are_heard_with_the_callers_key() {
    let clock = ManualClock::new();
    let far = store(&clock);
    let three = TieredClient::new(TieredClient::new(store(&clock), store(&clock)), far.clone());
    let namespace = [Namespace::named("n")];
    let key = |number: i32| Key::in_namespace(&namespace[0], &number).unwrap();
    let heard = Mutex::new(Vec::new());
    let hear = |key: &Key, value: &i32, _: Duration| heard.lock().unwrap().push((key.clone(), *value));
    let options = ReadOptions::new().on_promote(&hear);
    // Once before and once after a clear, which changes what the near tiers call the keys.
    for round in 0..2 {
        for number in [1, 2] {
            three.put(&key(number), 10 * number, seconds(60)).wait().unwrap();
        }
        three.near().near().clear().wait().unwrap();
        three.get_with(&key(1), options).wait().unwrap();
        assert_eq!(std::mem::take(&mut *heard.lock().unwrap()), [(key(1), 10)], "round {round}");
        three.get_multi_with(&[key(2), key(1)], options).wait().unwrap();
        assert_eq!(std::mem::take(&mut *heard.lock().unwrap()), [(key(2), 20)], "round {round}");
        three.clear_namespace(Path::new(&namespace)).wait().unwrap();
        assert_eq!(three.get::<i32>(&key(1)).wait().unwrap(), None);
    }
}
