//! A failing tier is a miss of that tier, and counted.

use std::time::Duration;

use chorde_core::{Cache, Path};
use chorde_core::{CacheExt, Claim, ClaimOptions, Client, ErrorKind, Key, Namespace, Token, Wait};

use crate::{Pair, pair, seconds, shown};

fn claim(pair: &Pair) -> Claim<i32> {
    pair.tiers.claim(&Key::new(&1).unwrap(), ClaimOptions::new(seconds(1))).wait().unwrap()
}

#[test]
fn with_the_far_tier_down_the_near_one_still_works() {
    let Pair { tiers, .. } = pair();
    tiers.far().fail(true);
    tiers.put(&1, 10, seconds(10)).wait().unwrap();
    tiers.put_multi(&[(2, 20)], seconds(10)).wait().unwrap();
    assert_eq!(tiers.stats().far_errors, 2);
    assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), Some(10));
    assert_eq!(tiers.stats().far_errors, 2, "the far tier was not needed");
    assert_eq!(tiers.get_multi::<i32>(&[1, 2, 3]).wait().unwrap(), [Some(10), Some(20), None]);
    assert_eq!(tiers.get::<i32>(&3).wait().unwrap(), None);
    assert!(tiers.add(&3, 30, seconds(10)).wait().unwrap());
    assert!(!tiers.add(&3, 31, seconds(10)).wait().unwrap());
    assert!(tiers.renew(&3, seconds(20)).wait().unwrap());
    assert!(tiers.contains(&3).wait().unwrap() && !tiers.contains(&4).wait().unwrap());
    assert!(tiers.promote::<i32>(&3).wait().unwrap() && !tiers.promote::<i32>(&4).wait().unwrap());
    tiers.purge(Duration::ZERO).wait().unwrap();
    assert_eq!(tiers.capacity().wait().unwrap(), [1_000, 0]);
    assert_eq!(tiers.usage().wait().unwrap(), [3, 0]);
    let stats = tiers.stats();
    assert_eq!((stats.far_errors, stats.near_errors), (12, 0));
}

#[test]
fn with_the_near_tier_down_the_far_one_still_works() {
    let Pair { tiers, .. } = pair();
    tiers.near().fail(true);
    tiers.put(&1, 10, seconds(10)).wait().unwrap();
    tiers.put_multi(&[(2, 20)], seconds(10)).wait().unwrap();
    assert_eq!(tiers.stats().near_errors, 2);
    assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), Some(10));
    assert_eq!(tiers.get_multi::<i32>(&[2, 1, 3]).wait().unwrap(), [Some(20), Some(10), None]);
    assert!(tiers.add(&3, 30, seconds(10)).wait().unwrap());
    assert!(tiers.renew(&3, seconds(20)).wait().unwrap() && tiers.contains(&3).wait().unwrap());
    assert!(tiers.promote::<i32>(&3).wait().unwrap());
    assert_eq!(tiers.capacity().wait().unwrap(), [0, 1_000]);
    assert_eq!((tiers.stats().far_errors, tiers.stats().promotions), (0, 0));
}

#[test]
fn with_all_tiers_down_the_error_shows() {
    let Pair { tiers, .. } = pair();
    tiers.near().fail(true);
    tiers.far().fail(true);
    let kinds = [
        tiers.get::<i32>(&1).wait().unwrap_err().kind(),
        tiers.get_multi::<i32>(&[1]).wait().unwrap_err().kind(),
        tiers.put(&1, 1, seconds(1)).wait().unwrap_err().kind(),
        tiers.put_multi(&[(1, 1)], seconds(1)).wait().unwrap_err().kind(),
        tiers.add(&1, 1, seconds(1)).wait().unwrap_err().kind(),
        tiers.renew(&1, seconds(1)).wait().unwrap_err().kind(),
        tiers.contains(&1).wait().unwrap_err().kind(),
        tiers.promote::<i32>(&1).wait().unwrap_err().kind(),
        tiers.purge(seconds(1)).wait().unwrap_err().kind(),
        tiers.capacity().wait().unwrap_err().kind(),
        tiers.clear().wait().unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Unavailable; 11]);
}

#[test]
fn what_could_not_be_taken_away_everywhere_is_an_error() {
    let pair = pair();
    let tiers = &pair.tiers;
    tiers.put(&1, 1, seconds(10)).wait().unwrap();
    tiers.far().fail(true);
    assert_eq!(tiers.delete(&1).wait().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), None, "it is gone from the tier that works");
    assert!(tiers.expire(&1).wait().is_err() && tiers.clear().wait().is_err());
    tiers.far().fail(false);
    assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), Some(1), "it comes back from the other one");
}

#[test]
fn a_near_tier_that_cannot_take_a_value_does_not_keep_the_old_one() {
    let Pair { tiers, .. } = pair();
    tiers.put(&1, 1, seconds(10)).wait().unwrap();
    let near = tiers.near().clone();
    near.fail(true);
    // Down for the put itself, up again for what follows.
    near.at(crate::staged::Moment::Before(crate::Op::Delete), {
        let near = near.clone();
        move || near.fail(false)
    });
    tiers.put(&1, 2, seconds(10)).wait().unwrap();
    assert_eq!(shown::<i32>(tiers.near(), 1), None);
    assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), Some(2));
    assert_eq!(tiers.stats().near_errors, 1);
}

#[test]
fn a_namespace_cleared_while_the_far_tier_is_down_is_gone_from_the_near_one() {
    let Pair { tiers, .. } = pair();
    let namespace = [Namespace::named("n")];
    let key = Key::in_namespace(&namespace[0], &1).unwrap();
    // Two rounds: in the second, the near keys carry a revision of the far tier's.
    for round in 1..3 {
        tiers.put(&key, round, seconds(10)).wait().unwrap();
        tiers.far().fail(true);
        let cleared = tiers.clear_namespace(Path::new(&namespace)).wait();
        assert_eq!(cleared.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(tiers.get::<i32>(&key).wait().unwrap(), None);
        tiers.far().fail(false);
        tiers.clear_namespace(Path::new(&namespace)).wait().unwrap();
        assert_eq!(tiers.get::<i32>(&key).wait().unwrap(), None);
    }
}

#[test]
fn a_claim_while_the_far_tier_is_down_is_won_by_whoever_asks() {
    let pair = pair();
    pair.tiers.far().fail(true);
    assert!(matches!(claim(&pair), Claim::Absent(token) if token == Token::default()));
    assert!(pair.tiers.fill(&Key::new(&1).unwrap(), Token::default(), 7, seconds(10)).wait().unwrap());
    assert!(matches!(claim(&pair), Claim::Fresh(entry) if entry.value == 7));
    assert_eq!(pair.tiers.stats().far_errors, 3);
}
