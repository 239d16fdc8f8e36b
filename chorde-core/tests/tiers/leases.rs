//! Claims are granted by the far tier.

use chorde_core::{CacheExt, Claim, ClaimOptions, Client, Key, ReadOptions, Token, Wait};

use crate::{Pair, pair, pair_with, seconds, shown};

fn key() -> Key {
    Key::new(&1).unwrap()
}

fn claim(pair: &Pair) -> Claim<&'static str> {
    let options = ClaimOptions::new(seconds(1)).refresh_below(seconds(5));
    pair.tiers.claim(&key(), options).wait().unwrap()
}

#[test]
fn a_near_entry_that_is_due_is_replaced_by_a_fresh_far_one() {
    let pair = pair_with([0.5, 1.0]);
    pair.tiers.near().put(&1, "due", seconds(2)).wait().unwrap();
    pair.tiers.far().put(&1, "fresh", seconds(60)).wait().unwrap();
    assert!(matches!(claim(&pair), Claim::Fresh(entry) if entry.value == "fresh"));
    assert_eq!(shown(pair.tiers.near(), 1), Some(("fresh", 30)));
}

#[test]
fn a_fresh_near_entry_does_not_stand_in_for_an_absent_far_one() {
    let pair = pair();
    pair.tiers.near().put(&1, "copy", seconds(60)).wait().unwrap();
    assert!(matches!(claim(&pair), Claim::Absent(_)));
}

#[test]
fn a_due_far_entry_serves_from_the_near_tier_while_it_is_refreshed() {
    let pair = pair();
    pair.tiers.far().put(&1, "due", seconds(3)).wait().unwrap();
    assert!(matches!(claim(&pair), Claim::Due(entry, _) if entry.value == "due"));
    assert_eq!(shown(pair.tiers.near(), 1), Some(("due", 3)));
}

#[test]
fn a_claim_that_may_read_the_near_tier_only_is_won_there() {
    let pair = pair();
    pair.tiers.far().put(&1, "far", seconds(60)).wait().unwrap();
    pair.tiers.far().calls();
    let options = ClaimOptions::new(seconds(1)).reading(ReadOptions::<&str>::new().max_tiers(1));
    assert!(matches!(pair.tiers.claim(&key(), options).wait().unwrap(), Claim::Absent(_)));
    assert_eq!(pair.tiers.far().calls(), []);
}

#[test]
fn the_promotion_by_a_claim_is_heard() {
    let pair = pair();
    pair.tiers.far().put(&1, "far", seconds(60)).wait().unwrap();
    let heard = std::sync::Mutex::new(Vec::new());
    let hear = |key: &Key, value: &&'static str, life| heard.lock().unwrap().push((key.clone(), *value, life));
    let options = ClaimOptions::new(seconds(1)).reading(ReadOptions::new().on_promote(&hear));
    pair.tiers.claim(&key(), options).wait().unwrap();
    assert_eq!(*heard.lock().unwrap(), [(key(), "far", seconds(60))]);
}

#[test]
fn a_fill_goes_far_first_and_gives_each_tier_its_fraction() {
    let pair = pair_with([0.1, 1.0]);
    let Claim::Absent(token) = claim(&pair) else { panic!("nothing is there") };
    assert!(pair.tiers.fill(&key(), token, "filled", seconds(100)).wait().unwrap());
    assert_eq!(shown(pair.tiers.near(), 1), Some(("filled", 10)));
    assert_eq!(shown(pair.tiers.far(), 1), Some(("filled", 100)));
}

#[test]
fn a_fill_that_the_far_tier_refuses_does_not_reach_the_near_one() {
    let pair = pair();
    pair.tiers.far().refuse_fills();
    assert!(!pair.tiers.fill(&key(), Token::default(), "late", seconds(10)).wait().unwrap());
    assert_eq!(shown::<&str>(pair.tiers.near(), 1), None);
    assert_eq!(pair.tiers.near().calls(), []);
}

#[test]
fn a_claim_is_released_where_it_was_granted() {
    let pair = pair();
    Client::<&str>::release(&pair.tiers, &key(), Token::new(7));
    assert_eq!(pair.tiers.far().released(), [Token::new(7)]);
    assert_eq!(pair.tiers.near().released(), []);
}
