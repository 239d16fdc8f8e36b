//! Several keys at once.

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client};
use crate::key::Key;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("no keys at all are no work", none::<C, V>),
        ("answers come in the order of the keys", order::<C, V>),
        ("a key that comes twice is answered twice", twice::<C, V>),
        ("get_ttl_multi shows what get_ttl shows", entries::<C, V>),
        ("put_multi stores every value", put_multi::<C, V>),
        ("put_multi replaces", put_multi_replaces::<C, V>),
    ]
}

fn none<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    bench.same(&bench.done(bench.client.get_multi::<V>(&[] as &[Key])), &Vec::new(), "get_multi");
    bench.holds(bench.done(bench.client.get_ttl_multi::<V>(&[] as &[Key])).is_empty(), "get_ttl_multi");
    bench.done(bench.client.put_multi::<V>(&[] as &[(Key, V)], HOUR));
}

fn order<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    // Every third key is absent, and the keys come in neither rising nor falling order.
    let numbers: Vec<u64> = (0..60).map(|number| number * 37 % 60).collect();
    let held = |number: u64| !number.is_multiple_of(3);
    for number in numbers.iter().copied().filter(|number| held(*number)) {
        bench.put(&bench.key(number), V::sample(number));
    }
    let keys: Vec<Key> = numbers.iter().map(|number| bench.key(number)).collect();
    let expected: Vec<Option<V>> = numbers.iter().map(|number| held(*number).then(|| V::sample(*number))).collect();
    for time in ["the first time", "the second time"] {
        bench.same(&bench.done(bench.client.get_multi(&keys)), &expected, time);
    }
}

fn twice<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (one, other, absent) = (bench.key(1), bench.key(2), bench.key(3));
    bench.put(&one, V::sample(1));
    bench.put(&other, V::sample(2));
    let keys = [one.clone(), absent.clone(), other, one.clone(), absent, one];
    let first = Some(V::sample(1));
    let expected = vec![first.clone(), None, Some(V::sample(2)), first.clone(), None, first];
    bench.same(&bench.done(bench.client.get_multi(&keys)), &expected, "get_multi");
}

fn entries<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let keys = [bench.key(1), bench.key(2), bench.key(3)];
    bench.put(&keys[0], V::sample(1));
    bench.put(&keys[1], V::sample(2));
    bench.done(bench.client.expire(&keys[1]));
    let several = bench.done(bench.client.get_ttl_multi::<V>(&keys));
    bench.same(&several.len(), &keys.len(), "one answer for each key");
    for (key, entry) in keys.iter().zip(several) {
        let shown = entry.map(|entry| (entry.is_stale(), entry.value));
        let alone = bench.entry::<V>(key).map(|entry| (entry.is_stale(), entry.value));
        bench.same(&shown, &alone, "the entry");
    }
}

fn put_multi<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let entries: Vec<(Key, V)> = (0..50).map(|number| (bench.key(number), V::sample(number))).collect();
    bench.done(bench.client.put_multi(&entries, HOUR));
    for (key, value) in &entries {
        bench.hits(key, value, "after put_multi");
    }
}

fn put_multi_replaces<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (one, other) = (bench.key(1), bench.key(2));
    bench.put(&one, V::sample(1));
    bench.put(&other, V::sample(2));
    bench.done(bench.client.expire(&other));
    bench.done(bench.client.put_multi(&[(one.clone(), V::sample(3)), (other.clone(), V::sample(4))], HOUR));
    bench.hits(&one, &V::sample(3), "after put_multi over a valid entry");
    bench.hits(&other, &V::sample(4), "after put_multi over a stale entry");
}
