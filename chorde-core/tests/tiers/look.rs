//! What the tiers say at once.

use chorde_core::{CacheExt, Client, Key, Lookup, ManualClock, ReadOptions, TieredClient, Wait};

use crate::{Pair, pair, seconds, store};

#[test]
fn what_is_said_at_once_is_a_near_hit_or_what_both_tiers_know() {
    let clock = ManualClock::new();
    let tiers = TieredClient::new(store(&clock), store(&clock));
    let said = |n| {
        let said = tiers.look(&Key::new(&1).unwrap().probe(), ReadOptions::new().max_tiers(n));
        said.map(|said: Lookup<&str>| said.into_entry().map(|entry| (entry.value, entry.is_stale())))
    };
    assert_eq!((said(0), said(1), said(2)), (Some(None), Some(None), Some(None)));
    tiers.far().put(&1, "far", seconds(10)).wait().unwrap();
    assert_eq!(said(1), Some(None), "the far tier may not be asked");
    assert_eq!(said(2), None, "the entry is to be promoted");
    tiers.get::<&str>(&1).wait().unwrap();
    assert_eq!((said(1), said(2)), (Some(Some(("far", false))), Some(Some(("far", false)))));
    tiers.near().expire(&1).wait().unwrap();
    assert_eq!((said(1), said(2)), (Some(Some(("far", true))), None));
    tiers.far().expire(&1).wait().unwrap();
    assert_eq!(said(2), Some(Some(("far", true))));
}

#[test]
fn a_far_tier_that_cannot_say_at_once_leaves_only_near_hits_to_be_said() {
    let Pair { tiers, .. } = pair();
    let said = |n| tiers.look(&Key::new(&1).unwrap().probe(), ReadOptions::<&str>::new().max_tiers(n)).is_some();
    assert_eq!((said(1), said(2)), (true, false));
    tiers.put(&1, "both", seconds(10)).wait().unwrap();
    assert_eq!((said(1), said(2)), (true, true));
}
