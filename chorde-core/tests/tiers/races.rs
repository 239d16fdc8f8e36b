//! Operations that overtake each other at every step: the near tier never ends up with the older value.

use std::sync::Arc;
use std::time::Duration;

use chorde_core::{CacheExt, InprocClient, Key, ReadOptions, TieredClient, Wait};

use crate::staged::{Moment, Op, Staged};

const MINUTE: Duration = Duration::from_secs(60);

type Tiers = TieredClient<Arc<Staged>, Arc<Staged>>;

fn tiers() -> Tiers {
    TieredClient::new(Staged::new(InprocClient::new(100)), Staged::remote(InprocClient::new(100)))
}

/// Puts a value into the far tier alone.
fn far_only(tiers: &Tiers, value: i32) {
    tiers.far().put(&1, value, MINUTE).wait().unwrap();
}

fn near(tiers: &Tiers) -> Option<i32> {
    tiers.near().get(&1).wait().unwrap()
}

fn get(tiers: &Tiers) -> Option<i32> {
    tiers.get(&1).wait().unwrap()
}

/// Lets `act` happen on the tiers when that moment comes in the far tier.
fn when_far(tiers: &Tiers, moment: Moment, act: impl FnOnce(&Tiers) + Send + 'static) {
    let again = tiers.clone();
    tiers.far().at(moment, move || act(&again));
}

/// The same for the near tier.
fn when_near(tiers: &Tiers, moment: Moment, act: impl FnOnce(&Tiers) + Send + 'static) {
    let again = tiers.clone();
    tiers.near().at(moment, move || act(&again));
}

fn delete(tiers: &Tiers) {
    assert!(tiers.delete(&1).wait().unwrap());
}

fn put_new(tiers: &Tiers) {
    tiers.put(&1, 2, MINUTE).wait().unwrap();
}

fn clear(tiers: &Tiers) {
    tiers.clear().wait().unwrap();
}

#[test]
fn a_delete_between_reading_far_and_promoting_leaves_nothing_near() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::After(Op::Get), delete);
    get(&tiers);
    assert_eq!((near(&tiers), get(&tiers)), (None, None));
    assert_eq!(tiers.stats().promotions, 0);
}

#[test]
fn a_put_between_reading_far_and_promoting_wins() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::After(Op::Get), put_new);
    get(&tiers);
    assert_eq!((near(&tiers), get(&tiers)), (Some(2), Some(2)));
}

#[test]
fn a_put_between_reading_far_and_replacing_the_near_copy_wins() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::After(Op::Get), put_new);
    tiers.get_with::<i32>(&1, ReadOptions::new().min_ttl(Duration::from_secs(1))).wait().unwrap();
    assert_eq!((near(&tiers), get(&tiers)), (Some(2), Some(2)));
}

#[test]
fn a_clear_between_reading_far_and_promoting_leaves_nothing_near() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::After(Op::Get), clear);
    get(&tiers);
    assert_eq!((near(&tiers), get(&tiers)), (None, None));
}

#[test]
fn a_delete_just_before_the_copy_lands_leaves_nothing_near() {
    for op in [Op::Add, Op::Put] {
        let tiers = tiers();
        far_only(&tiers, 1);
        when_near(&tiers, Moment::Before(op), delete);
        // With a least life, the copy is put instead of added.
        let least = if op == Op::Put { Duration::from_secs(1) } else { Duration::ZERO };
        tiers.get_with::<i32>(&1, ReadOptions::new().min_ttl(least)).wait().unwrap();
        assert_eq!((near(&tiers), get(&tiers)), (None, None), "{op:?}");
    }
}

#[test]
fn a_put_just_before_the_copy_lands_wins() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_near(&tiers, Moment::Before(Op::Add), put_new);
    get(&tiers);
    assert_eq!(get(&tiers), Some(2));
}

#[test]
fn a_put_just_before_a_replacing_copy_lands_wins() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_near(&tiers, Moment::Before(Op::Put), put_new);
    tiers.get_with::<i32>(&1, ReadOptions::new().min_ttl(Duration::from_secs(1))).wait().unwrap();
    assert_eq!(get(&tiers), Some(2));
}

#[test]
fn a_read_while_a_delete_is_under_way_promotes_nothing() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::Before(Op::Delete), |tiers| assert_eq!(get(tiers), Some(1)));
    delete(&tiers);
    assert_eq!((near(&tiers), get(&tiers)), (None, None));
}

#[test]
fn a_read_while_a_put_is_under_way_does_not_keep_the_old_value() {
    let tiers = tiers();
    far_only(&tiers, 1);
    when_far(&tiers, Moment::Before(Op::Put), |tiers| assert_eq!(get(tiers), Some(1)));
    put_new(&tiers);
    assert_eq!((near(&tiers), get(&tiers)), (Some(2), Some(2)));
}

#[test]
fn two_puts_that_overtake_each_other_leave_the_far_value() {
    let tiers = tiers();
    when_far(&tiers, Moment::After(Op::Put), put_new);
    tiers.put(&1, 1, MINUTE).wait().unwrap();
    assert_eq!(tiers.far().get(&1).wait().unwrap(), Some(2));
    assert_eq!(get(&tiers), Some(2), "the first put wrote the near tier last");
}

#[test]
fn a_multi_put_overtaken_by_a_put_leaves_the_far_value() {
    let tiers = tiers();
    when_far(&tiers, Moment::After(Op::PutMany), put_new);
    tiers.put_multi(&[(1, 1), (3, 3)], MINUTE).wait().unwrap();
    assert_eq!(tiers.get_multi(&[1, 3]).wait().unwrap(), [Some(2), Some(3)]);
}

#[test]
fn an_add_overtaken_by_a_delete_leaves_nothing_near() {
    let tiers = tiers();
    when_far(&tiers, Moment::After(Op::Add), delete);
    assert!(tiers.add(&1, 1, MINUTE).wait().unwrap());
    assert_eq!((near(&tiers), get(&tiers)), (None, None));
}

#[test]
fn a_fill_overtaken_by_a_put_leaves_the_far_value() {
    use chorde_core::{Client, Token};
    let tiers = tiers();
    when_far(&tiers, Moment::After(Op::Fill), put_new);
    let key = Key::new(&1).unwrap();
    tiers.fill(&key, Token::default(), 1, MINUTE).wait().unwrap();
    assert_eq!(get(&tiers), Some(2));
}

#[test]
fn no_key_of_a_multi_get_is_promoted_over_a_write_meanwhile() {
    let tiers = tiers();
    for key in [1, 2, 3] {
        tiers.far().put(&key, key, MINUTE).wait().unwrap();
    }
    when_far(&tiers, Moment::After(Op::GetMany(3)), delete);
    tiers.get_multi::<i32>(&[3, 1, 2]).wait().unwrap();
    assert_eq!(near(&tiers), None);
    assert_eq!(tiers.get_multi::<i32>(&[3, 1, 2]).wait().unwrap(), [Some(3), None, Some(2)]);
}

#[test]
fn a_put_of_the_near_tier_alone_survives_what_overlaps() {
    use chorde_core::WriteOptions;
    let tiers = tiers();
    when_far(&tiers, Moment::Before(Op::Delete), |tiers| {
        tiers.put_with(&1, 7, MINUTE, WriteOptions::new().max_tiers(1)).wait().unwrap();
        assert_eq!(get(tiers), Some(7));
    });
    tiers.delete(&1).wait().unwrap();
    assert_eq!(get(&tiers), None, "the delete ended last");
}

#[test]
fn threads_that_read_write_and_delete_leave_no_old_value_near() {
    let tiers = TieredClient::new(InprocClient::new(1_000), InprocClient::new(1_000));
    let work = |thread: u32| {
        for round in 0..3_000_u32 {
            let key = round % 4;
            match (round / 4 + thread) % 4 {
                0 => tiers.put(&key, (thread, round), MINUTE).wait().unwrap(),
                1 => drop(tiers.delete(&key).wait().unwrap()),
                2 => drop(tiers.get::<(u32, u32)>(&key).wait().unwrap()),
                _ => drop(tiers.get_multi::<(u32, u32)>(&[0, 1, 2, 3]).wait().unwrap()),
            }
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || work(thread));
        }
    });
    for key in 0..4_u32 {
        let held = |client: &InprocClient| client.get::<(u32, u32)>(&key).wait().unwrap();
        let near = held(tiers.near());
        assert!(near.is_none() || near == held(tiers.far()), "key {key}");
    }
}
