//! Hits and misses, options, what can be said at once.

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client, ReadOptions};
use crate::entry::Lookup;
use crate::key::Key;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("an absent key is a miss for every operation", absent::<C, V>),
        ("what was put is a hit for every operation", present::<C, V>),
        ("a key shows its own value", own_value::<C, V>),
        ("entries with less life than min_ttl are passed over", min_ttl::<C, V>),
        ("contains_for asks for more life than that", contains_for::<C, V>),
        ("what is said at once agrees with what is read", look::<C, V>),
        ("all tiers may be read unless told otherwise", max_tiers::<C, V>),
        ("promote says whether there is a valid entry", promote::<C, V>),
        ("identity, tiers, capacities and usages fit together", shape::<C, V>),
    ]
}

fn absent<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("absent"));
    bench.misses::<V>(&key, "of an absent key");
    bench.holds(bench.entry::<V>(&key).is_none(), "get_ttl shows nothing");
    bench.holds(!bench.done(client.delete(&key)), "delete finds nothing valid");
    bench.holds(!bench.done(client.expire(&key)), "expire finds nothing valid");
    bench.holds(!bench.done(client.renew(&key, HOUR)), "renew finds nothing valid");
    bench.misses::<V>(&key, "after delete, expire and renew of an absent key");
}

fn present<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("present"));
    bench.put(&key, V::sample(1));
    bench.hits(&key, &V::sample(1), "after put");
    let remaining = bench.entry::<V>(&key).map(|entry| entry.remaining());
    // Shared stores may round a life up to their resolution.
    bench.holds(remaining.is_some_and(|remaining| remaining <= HOUR + bench.unit()), "no more life than asked for");
    bench.holds(bench.done(client.renew(&key, HOUR)), "renew finds it");
    bench.holds(bench.done(client.expire(&key)), "expire finds it");
    bench.put(&key, V::sample(2));
    bench.holds(bench.done(client.delete(&key)), "delete finds it");
    bench.misses::<V>(&key, "after delete");
}

fn own_value<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for number in 0..100 {
        bench.put(&bench.key(number), V::sample(number));
    }
    for number in 0..100 {
        bench.same(&bench.get(&bench.key(number)), &Some(V::sample(number)), "get");
    }
}

fn min_ttl<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("min_ttl"));
    bench.put(&key, V::sample(1));
    let with = |min_ttl| bench.done(client.get_with::<V>(&key, ReadOptions::new().min_ttl(min_ttl)));
    bench.same(&with(HOUR / 2), &Some(V::sample(1)), "half of the life");
    bench.same(&with(2 * HOUR), &None, "twice the life");
    if bench.is_exact() {
        bench.same(&with(HOUR), &Some(V::sample(1)), "exactly the life");
    }
    bench.hits(&key, &V::sample(1), "after it was passed over");
    let options = ReadOptions::<V>::new().min_ttl(2 * HOUR);
    let entries = bench.done(client.get_multi_with(&[key], options));
    bench.same(&entries, &vec![None], "several keys at once");
}

fn contains_for<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("contains_for"));
    bench.put(&key, V::sample(1));
    bench.holds(bench.done(client.contains_for(&key, HOUR / 2)), "valid for longer than half of its life");
    bench.holds(!bench.done(client.contains_for(&key, 2 * HOUR)), "not valid for longer than twice its life");
    if bench.is_exact() {
        bench.holds(!bench.done(client.contains_for(&key, HOUR)), "not valid for longer than exactly its life");
    }
}

fn look<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key(("look", 1));
    agrees::<C, V>(bench, &key, ReadOptions::new(), "for an absent key");
    bench.put(&key, V::sample(1));
    agrees::<C, V>(bench, &key, ReadOptions::new(), "for a valid entry");
    agrees::<C, V>(bench, &key, ReadOptions::new().min_ttl(2 * HOUR), "for an entry with too little life");
    agrees::<C, V>(bench, &key, ReadOptions::new().max_tiers(1), "for the nearest tier");
    bench.put(&key, V::sample(2));
    agrees::<C, V>(bench, &key, ReadOptions::new(), "for a replaced entry");
    bench.done(bench.client.expire(&key));
    agrees::<C, V>(bench, &key, ReadOptions::new(), "for a stale entry");
    agrees::<C, V>(bench, &key, ReadOptions::new().min_ttl(bench.unit()), "for a stale entry and min_ttl");
    bench.done(bench.client.delete(&key));
    agrees::<C, V>(bench, &key, ReadOptions::new(), "for a deleted entry");
}

/// Demands that `look` and `is_absent`, where they answer, say what `get_entry` says.
fn agrees<C: Client<V>, V: Sample>(bench: &Bench<'_, C>, key: &Key, options: ReadOptions<'_, V>, when: &str) {
    let said = bench.client.look(&key.probe(), options).map(Lookup::into_entry);
    let read = bench.done(bench.client.get_entry(key, options)).map(|entry| (entry.is_stale(), entry.value));
    if bench.client.is_absent(&key.probe()) {
        bench.same(&read, &None, &format!("is_absent {when}"));
    }
    if let Some(said) = said {
        bench.same(&said.map(|entry| (entry.is_stale(), entry.value)), &read, &format!("look {when}"));
    }
}

fn max_tiers<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("max_tiers"));
    bench.put(&key, V::sample(1));
    for tiers in [1, bench.tiers(), bench.tiers() + 1, usize::MAX] {
        let found = bench.done(client.get_with::<V>(&key, ReadOptions::new().max_tiers(tiers)));
        bench.same(&found, &Some(V::sample(1)), &format!("with {tiers} tiers"));
    }
}

fn promote<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("promote"));
    bench.holds(!bench.done(client.promote::<V>(&key)), "there is none for an absent key");
    bench.put(&key, V::sample(1));
    bench.holds(bench.done(client.promote::<V>(&key)), "there is one after put");
    bench.hits(&key, &V::sample(1), "after promote");
    bench.done(client.expire(&key));
    bench.holds(!bench.done(client.promote::<V>(&key)), "there is none after expire");
    bench.misses::<V>(&key, "after promote of a stale entry");
}

fn shape<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let client = &bench.client;
    bench.same(&client.identity().id(), &client.identity().id(), "the identity stays the same");
    bench.holds(bench.tiers() > 0, "there is a tier");
    bench.put(&bench.key(1), V::sample(1));
    bench.same(&bench.done(client.capacity()).len(), &bench.tiers(), "one capacity for each tier");
    bench.same(&bench.done(client.usage()).len(), &bench.tiers(), "one usage for each tier");
}
