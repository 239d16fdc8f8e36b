//! What two tiers make of reading, writing, promoting and failing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "tiers/leases.rs"]
mod leases;
#[path = "tiers/look.rs"]
mod look;
#[path = "tiers/model.rs"]
mod model;
#[path = "tiers/nested.rs"]
mod nested;
#[path = "tiers/races.rs"]
mod races;
#[path = "tiers/staged.rs"]
mod staged;
#[path = "tiers/trouble.rs"]
mod trouble;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chorde_core::{
    Cache, CacheExt, Client, ErrorKind, InprocClient, Key, ManualClock, ReadOptions, TieredClient, Token, Value, Wait,
    WriteOptions,
};
use staged::{Op, Staged};

type Tiers = TieredClient<Arc<Staged>, Arc<Staged>>;

/// Two tiers on one clock, the far one as reticent as a remote store.
struct Pair {
    clock: ManualClock,
    tiers: Tiers,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn store(clock: &ManualClock) -> InprocClient {
    InprocClient::builder().capacity(1_000).clock(clock.clone()).build().unwrap()
}

fn pair_with(fractions: [f64; 2]) -> Pair {
    let clock = ManualClock::new();
    let (near, far) = (Staged::new(store(&clock)), Staged::remote(store(&clock)));
    Pair { tiers: TieredClient::builder().ttl_fractions(fractions).build(near, far).unwrap(), clock }
}

fn pair() -> Pair {
    pair_with([1.0, 1.0])
}

/// Returns value and whole seconds of life left of what a client shows.
fn shown<V: Value>(client: &impl Client<V>, key: impl serde::Serialize + Sync) -> Option<(V, u64)> {
    client.get_ttl(&key).wait().unwrap().map(|entry| (entry.value.clone(), entry.remaining().as_secs()))
}

#[test]
fn a_far_value_is_read_through_and_promoted_with_its_remaining_life() {
    let Pair { clock, tiers } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    clock.advance(seconds(4));
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("far"));
    assert_eq!(shown(tiers.near(), 1), Some(("far", 6)));
    assert_eq!(tiers.stats().promotions, 1);

    tiers.far().calls();
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("far"));
    assert_eq!(tiers.far().calls(), [], "the near tier answers alone");
    clock.advance(seconds(6));
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), None, "both end at the same time");
}

#[test]
fn a_write_reaches_the_far_tier_first_and_then_the_near_one() {
    let Pair { tiers, .. } = pair();
    let (near, far) = (Arc::clone(tiers.near()), Arc::clone(tiers.far()));
    let order = Arc::new(Mutex::new(Vec::new()));
    for (name, tier) in [("near", near), ("far", far)] {
        let order = Arc::clone(&order);
        tier.at(staged::Moment::Before(Op::Put), move || order.lock().unwrap().push(name));
    }
    tiers.put(&1, "new", seconds(10)).wait().unwrap();
    assert_eq!(*order.lock().unwrap(), ["far", "near"]);
    assert_eq!((shown(tiers.near(), 1), shown(tiers.far(), 1)), (Some(("new", 10)), Some(("new", 10))));
}

#[test]
fn the_near_copy_of_a_slow_answer_does_not_outlive_the_far_entry() {
    let Pair { clock, tiers } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    tiers.far().at(staged::Moment::After(Op::Get), {
        let clock = clock.clone();
        move || clock.advance(seconds(3))
    });
    tiers.get::<&str>(&1).wait().unwrap();
    assert_eq!(shown(tiers.near(), 1), Some(("far", 7)));
}

#[test]
fn the_near_copy_of_what_was_written_is_as_old_as_the_value_however_long_the_far_tier_took() {
    type Write = fn(&Tiers);
    let writes: [(Op, Write); 4] = [
        (Op::Put, |tiers| tiers.put(&1, "new", seconds(10)).wait().unwrap()),
        (Op::PutMany, |tiers| tiers.put_multi(&[(&1, "new")], seconds(10)).wait().unwrap()),
        (Op::Add, |tiers| assert!(tiers.add(&1, "new", seconds(10)).wait().unwrap())),
        (Op::Fill, |tiers| {
            let key = Key::new(&1).unwrap();
            assert!(Client::fill(tiers, &key, Token::default(), "new", seconds(10)).wait().unwrap());
        }),
    ];
    for (op, write) in writes {
        let Pair { clock, tiers } = pair();
        tiers.far().at(staged::Moment::After(op), move || clock.advance(seconds(3)));
        write(&tiers);
        assert_eq!(shown(tiers.near(), 1), Some(("new", 7)), "{op:?}");
    }
}

#[test]
fn the_near_copy_does_not_outlive_a_far_entry_of_which_too_much_life_is_shown() {
    let Pair { clock, tiers } = pair();
    tiers.far().shows_too_much(1);
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    clock.advance(seconds(2));
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("far"));
    assert_eq!((shown(tiers.near(), 1), tiers.resolution()), (Some(("far", 7)), seconds(1)));
    clock.advance(seconds(7));
    // One second is shown, of which nothing may be left.
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("far"));
    assert_eq!(shown::<&str>(tiers.near(), 1).map(|(_, life)| life), Some(0));
}

#[test]
fn an_answer_that_took_longer_than_its_life_is_not_promoted() {
    let Pair { clock, tiers } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    tiers.far().at(staged::Moment::After(Op::Get), {
        let clock = clock.clone();
        move || clock.advance(seconds(10))
    });
    tiers.get::<&str>(&1).wait().unwrap();
    assert_eq!(shown::<&str>(tiers.near(), 1), None);
}

#[test]
fn every_key_of_a_multi_get_is_promoted_with_the_near_fraction() {
    let Pair { tiers, .. } = pair_with([0.1, 1.0]);
    for key in 0..10 {
        tiers.far().put(&key, key, seconds(100)).wait().unwrap();
    }
    let keys: Vec<i32> = (0..10).rev().collect();
    let expected: Vec<Option<i32>> = keys.iter().copied().map(Some).collect();
    assert_eq!(tiers.get_multi(&keys).wait().unwrap(), expected);
    for key in keys {
        assert_eq!(shown(tiers.near(), key), Some((key, 10)), "key {key}");
    }
    assert_eq!(tiers.stats().promotions, 10);
}

#[test]
fn a_multi_get_asks_each_tier_once_and_the_far_one_for_what_is_missing() {
    let Pair { tiers, .. } = pair();
    tiers.put_multi(&[(1, 1), (2, 2)], seconds(10)).wait().unwrap();
    tiers.far().put(&3, 3, seconds(10)).wait().unwrap();
    tiers.near().expire(&2).wait().unwrap();
    tiers.near().calls();
    tiers.far().calls();

    let found = tiers.get_multi::<i32>(&[4, 3, 1, 2]).wait().unwrap();
    assert_eq!(found, [None, Some(3), Some(1), Some(2)]);
    assert_eq!(tiers.far().calls(), [Op::GetMany(3)]);
    assert_eq!(tiers.near().calls(), [Op::GetMany(4), Op::Add, Op::Add]);

    assert_eq!(tiers.get_multi::<i32>(&[3, 1, 2]).wait().unwrap(), [Some(3), Some(1), Some(2)]);
    assert_eq!(tiers.far().calls(), []);
}

#[test]
fn each_promotion_is_heard_once_with_key_value_and_remaining_life() {
    let Pair { tiers, .. } = pair_with([0.5, 1.0]);
    for key in 1..4 {
        tiers.far().put(&key, 10 * key, seconds(8)).wait().unwrap();
    }
    let heard = Mutex::new(Vec::new());
    let hear = |key: &Key, value: &i32, life: Duration| heard.lock().unwrap().push((key.clone(), *value, life));
    let options = ReadOptions::new().on_promote(&hear);
    tiers.get_with(&1, options).wait().unwrap();
    tiers.get_multi_with(&[2, 3, 2, 1], options).wait().unwrap();
    tiers.get_with(&1, options).wait().unwrap();
    let expected = [1, 2, 3].map(|key| (Key::new(&key).unwrap(), 10 * key, seconds(8)));
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn a_far_value_with_life_enough_is_found_past_a_near_one_without_and_promoted() {
    let Pair { tiers, .. } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    tiers.near().put(&1, "near", seconds(2)).wait().unwrap();
    let least = ReadOptions::new().min_ttl(seconds(5));
    assert_eq!(tiers.get_with::<&str>(&1, least).wait().unwrap(), Some("far"));
    assert_eq!(shown(tiers.near(), 1), Some(("far", 10)));
}

#[test]
fn a_near_value_without_life_enough_stays_when_the_far_tier_has_no_better() {
    let Pair { tiers, .. } = pair();
    let least = ReadOptions::new().min_ttl(seconds(5));
    for far in [None, Some(seconds(3))] {
        tiers.near().put(&1, "near", seconds(2)).wait().unwrap();
        if let Some(life) = far {
            tiers.far().put(&1, "far", life).wait().unwrap();
        }
        assert_eq!(tiers.get_with::<&str>(&1, least).wait().unwrap(), None);
        assert_eq!(tiers.get_multi_with::<&str>(&[1], least).wait().unwrap(), [None]);
        assert_eq!(shown(tiers.near(), 1), Some(("near", 2)));
        assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("near"));
    }
}

#[test]
fn a_stale_near_entry_shows_only_if_the_far_tier_has_nothing_better() {
    let Pair { clock, tiers } = pair();
    tiers.near().put(&1, "near", seconds(1)).wait().unwrap();
    clock.advance(seconds(1));
    assert_eq!(shown(&tiers, 1), Some(("near", 0)));
    tiers.far().put(&1, "far", seconds(5)).wait().unwrap();
    assert_eq!(shown(&tiers, 1), Some(("far", 5)));
    assert_eq!(shown(tiers.near(), 1), Some(("far", 5)), "it is promoted over the stale entry");
    let entries = tiers.get_ttl_multi::<&str>(&[1]).wait().unwrap();
    assert_eq!(entries[0].as_ref().map(|entry| entry.value), Some("far"));
}

#[test]
fn a_stale_far_entry_is_shown_but_not_promoted() {
    let Pair { clock, tiers } = pair();
    tiers.far().put(&1, "far", seconds(1)).wait().unwrap();
    clock.advance(seconds(1));
    assert_eq!(shown(&tiers, 1), Some(("far", 0)));
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), None);
    assert_eq!(shown::<&str>(tiers.near(), 1), None);
    assert_eq!(tiers.stats().promotions, 0);
}

#[test]
fn each_tier_gives_its_fraction_of_a_ttl() {
    let Pair { tiers, .. } = pair_with([0.1, 1.0]);
    let lives = |key: i32| (shown::<i32>(tiers.near(), key), shown::<i32>(tiers.far(), key));
    tiers.put(&1, 1, seconds(100)).wait().unwrap();
    assert_eq!(lives(1), (Some((1, 10)), Some((1, 100))));
    tiers.put_multi(&[(2, 2)], seconds(200)).wait().unwrap();
    assert_eq!(lives(2), (Some((2, 20)), Some((2, 200))));
    tiers.add(&3, 3, seconds(300)).wait().unwrap();
    assert_eq!(lives(3), (Some((3, 30)), Some((3, 300))));
    assert!(tiers.renew(&1, seconds(400)).wait().unwrap());
    assert_eq!(lives(1), (Some((1, 40)), Some((1, 400))));
    tiers.near().delete(&1).wait().unwrap();
    tiers.promote::<i32>(&1).wait().unwrap();
    assert_eq!(lives(1), (Some((1, 40)), Some((1, 400))));
}

#[test]
fn a_fraction_that_cannot_work_is_refused_by_name() {
    for fractions in [[0.0, 1.0], [1.0, 1.5], [-0.1, 1.0], [f64::NAN, 1.0]] {
        let built = TieredClient::builder().ttl_fractions(fractions).build(InprocClient::new(1), InprocClient::new(1));
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("ttl_fractions"), "{error}");
        assert!(error.to_string().contains("above 0 and at most 1"), "{error}");
    }
}

#[test]
fn a_read_goes_no_farther_than_it_may() {
    let Pair { tiers, .. } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    let read = |n| tiers.get_with::<&str>(&1, ReadOptions::new().max_tiers(n)).wait().unwrap();
    assert_eq!((read(0), read(1)), (None, None));
    let one_tier = ReadOptions::new().max_tiers(1);
    assert_eq!(tiers.get_multi_with::<&str>(&[1, 2], one_tier).wait().unwrap(), [None, None]);
    assert_eq!(tiers.far().calls(), [Op::Put]);
    assert_eq!(read(2), Some("far"));
    assert_eq!(read(1), Some("far"), "it has been promoted");
    assert_eq!(read(0), None);
}

#[test]
fn a_write_goes_no_farther_than_it_may() {
    let Pair { tiers, .. } = pair_with([0.5, 1.0]);
    let put = |key, n| tiers.put_with(&key, "new", seconds(10), WriteOptions::new().max_tiers(n)).wait().unwrap();
    put(1, 0);
    assert_eq!((shown::<&str>(tiers.near(), 1), shown::<&str>(tiers.far(), 1)), (None, None));
    put(1, 1);
    assert_eq!((shown(tiers.near(), 1), shown::<&str>(tiers.far(), 1)), (Some(("new", 5)), None));
    put(2, 2);
    assert_eq!((shown(tiers.near(), 2), shown(tiers.far(), 2)), (Some(("new", 5)), Some(("new", 10))));
    let keys = vec![(Key::new(&3).unwrap(), "new")];
    tiers.put_entries(keys, seconds(10), WriteOptions::new().max_tiers(1)).wait().unwrap();
    assert_eq!((shown(tiers.near(), 3), shown::<&str>(tiers.far(), 3)), (Some(("new", 5)), None));
}

#[test]
fn contains_looks_near_and_then_far() {
    let Pair { tiers, .. } = pair();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    assert!(tiers.contains(&1).wait().unwrap());
    tiers.near().put(&1, "near", seconds(2)).wait().unwrap();
    assert!(tiers.contains_for(&1, seconds(5)).wait().unwrap());
    assert!(!tiers.contains_for(&1, seconds(10)).wait().unwrap());
    tiers.far().calls();
    assert!(tiers.contains(&1).wait().unwrap());
    assert_eq!(tiers.far().calls(), [], "the near tier knows");
    assert!(!tiers.contains(&2).wait().unwrap());
}

#[test]
fn renew_lengthens_in_every_tier_and_revives_in_none() {
    let Pair { clock, tiers } = pair();
    let lives = || (shown::<&str>(tiers.near(), 1), shown::<&str>(tiers.far(), 1));
    tiers.near().put(&1, "near", seconds(1)).wait().unwrap();
    tiers.far().put(&1, "far", seconds(5)).wait().unwrap();
    clock.advance(seconds(1));
    assert!(tiers.renew(&1, seconds(9)).wait().unwrap(), "the far entry is valid");
    assert_eq!(lives(), (Some(("near", 0)), Some(("far", 9))));
    clock.advance(seconds(9));
    assert!(!tiers.renew(&1, seconds(9)).wait().unwrap());
    assert_eq!(lives(), (Some(("near", 0)), Some(("far", 0))));
    tiers.near().put(&1, "near", seconds(3)).wait().unwrap();
    assert!(tiers.renew(&1, seconds(9)).wait().unwrap(), "the near entry is valid");
    assert_eq!(lives(), (Some(("near", 9)), Some(("far", 0))));
    assert!(tiers.renew(&1, seconds(2)).wait().unwrap());
    assert_eq!(lives(), (Some(("near", 9)), Some(("far", 0))), "never shortened");
}

#[test]
fn delete_and_expire_concern_every_tier() {
    let Pair { tiers, .. } = pair();
    for far_only in [false, true] {
        tiers.put(&1, "one", seconds(10)).wait().unwrap();
        tiers.put(&2, "two", seconds(10)).wait().unwrap();
        if far_only {
            tiers.near().clear().wait().unwrap();
        }
        assert!(tiers.delete(&1).wait().unwrap());
        assert_eq!((shown::<&str>(tiers.near(), 1), shown::<&str>(tiers.far(), 1)), (None, None));
        assert!(tiers.expire(&2).wait().unwrap());
        assert_eq!(shown(&tiers, 2), Some(("two", 0)));
        assert!(!tiers.contains(&2).wait().unwrap());
        assert!(!tiers.delete(&1).wait().unwrap() && !tiers.expire(&2).wait().unwrap());
    }
}

#[test]
fn an_add_that_is_refused_leaves_nothing_near() {
    let Pair { tiers, .. } = pair();
    tiers.far().put(&1, "theirs", seconds(10)).wait().unwrap();
    assert!(!tiers.add(&1, "mine", seconds(10)).wait().unwrap());
    assert_eq!(shown::<&str>(tiers.near(), 1), None);
    assert_eq!(tiers.get::<&str>(&1).wait().unwrap(), Some("theirs"));
}

#[test]
fn an_add_asks_the_far_tier_whatever_the_near_one_holds() {
    let Pair { tiers, .. } = pair();
    tiers.near().put(&1, "copy", seconds(10)).wait().unwrap();
    assert!(tiers.add(&1, "added", seconds(10)).wait().unwrap(), "the far tier decides for all processes");
    assert_eq!((shown(tiers.near(), 1), shown(tiers.far(), 1)), (Some(("added", 10)), Some(("added", 10))));
}

#[test]
fn clear_and_purge_concern_every_tier() {
    let Pair { clock, tiers } = pair();
    tiers.put(&1, "one", seconds(1)).wait().unwrap();
    tiers.put(&2, "two", seconds(100)).wait().unwrap();
    clock.advance(seconds(10));
    tiers.purge(seconds(60)).wait().unwrap();
    assert_eq!((shown(tiers.near(), 1), shown(tiers.far(), 1)), (Some(("one", 0)), Some(("one", 0))));
    tiers.purge(Duration::ZERO).wait().unwrap();
    assert_eq!((shown::<&str>(tiers.near(), 1), shown::<&str>(tiers.far(), 1)), (None, None));
    assert_eq!((shown(tiers.near(), 2), shown(tiers.far(), 2)), (Some(("two", 90)), Some(("two", 90))));
    tiers.clear().wait().unwrap();
    assert_eq!((shown::<&str>(tiers.near(), 2), shown::<&str>(tiers.far(), 2)), (None, None));
}

#[test]
fn promote_copies_a_valid_far_entry_and_nothing_else() {
    let Pair { tiers, .. } = pair();
    assert!(!tiers.promote::<&str>(&1).wait().unwrap());
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    assert!(tiers.promote::<&str>(&1).wait().unwrap());
    assert_eq!(shown(tiers.near(), 1), Some(("far", 10)));
    tiers.far().calls();
    assert!(tiers.promote::<&str>(&1).wait().unwrap());
    assert_eq!(tiers.far().calls(), [], "it is near already");
    tiers.expire(&1).wait().unwrap();
    assert!(!tiers.promote::<&str>(&1).wait().unwrap());
}

#[test]
fn handles_share_tiers_counters_and_identity() {
    let Pair { tiers, .. } = pair();
    let other = tiers.clone();
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    other.get::<&str>(&1).wait().unwrap();
    assert_eq!(tiers.stats(), other.stats());
    assert_eq!(tiers.identity().id(), other.identity().id());
    assert_ne!(tiers.identity().id(), tiers.near().identity().id());
    assert_eq!(tiers.identity().clock().now(), tiers.near().identity().clock().now());
}
