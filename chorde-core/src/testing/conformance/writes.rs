//! Put, add, delete, clear.

use std::time::Duration;

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client, WriteOptions};
use crate::error::ErrorKind;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("put replaces value and life", put_replaces::<C, V>),
        ("all tiers are written unless told otherwise", put_with::<C, V>),
        ("add stores where no valid value is, and only there", add::<C, V>),
        ("delete takes away one key, once", delete::<C, V>),
        ("clear takes away all keys, and the client goes on", clear::<C, V>),
        ("a ttl of zero is an error and changes nothing", zero_ttl::<C, V>),
    ]
}

fn put_replaces<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("replaced"));
    bench.done(client.put(&key, V::sample(1), 10 * HOUR));
    bench.put(&key, V::sample(2));
    bench.hits(&key, &V::sample(2), "after the second put");
    bench.holds(!bench.done(client.contains_for(&key, 2 * HOUR)), "a shorter life replaces a longer one");
    bench.done(client.put(&key, V::sample(3), 10 * HOUR));
    bench.hits(&key, &V::sample(3), "after the third put");
    bench.holds(bench.done(client.contains_for(&key, 5 * HOUR)), "a longer life replaces a shorter one");
}

fn put_with<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for tiers in [1, bench.tiers(), bench.tiers() + 1] {
        let key = bench.key(tiers);
        let options = WriteOptions::new().max_tiers(tiers);
        bench.done(bench.client.put_with(&key, V::sample(1), HOUR, options));
        bench.hits(&key, &V::sample(1), &format!("after put with {tiers} tiers"));
    }
}

fn add<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("added"));
    bench.holds(bench.done(client.add(&key, V::sample(1), HOUR)), "stored where nothing is");
    bench.hits(&key, &V::sample(1), "after add");
    bench.holds(!bench.done(client.add(&key, V::sample(2), 10 * HOUR)), "refused where a valid value is");
    bench.hits(&key, &V::sample(1), "after the refused add");
    bench.holds(!bench.done(client.contains_for(&key, 5 * HOUR)), "a refused add does not lengthen the life");
    bench.done(client.delete(&key));
    bench.holds(bench.done(client.add(&key, V::sample(3), HOUR)), "stored after delete");
    bench.done(client.expire(&key));
    bench.holds(bench.done(client.add(&key, V::sample(4), HOUR)), "stored over a stale entry");
    bench.hits(&key, &V::sample(4), "after add over a stale entry");
}

fn delete<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, one, other) = (&bench.client, bench.key(1), bench.key(2));
    bench.put(&one, V::sample(1));
    bench.put(&other, V::sample(2));
    bench.holds(bench.done(client.delete(&one)), "the first delete finds it");
    bench.holds(!bench.done(client.delete(&one)), "the second delete finds nothing");
    bench.holds(bench.entry::<V>(&one).is_none(), "nothing is left to show");
    bench.hits(&other, &V::sample(2), "of another key after delete");
}

fn clear<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let keys: Vec<_> = (0..20).map(|number| bench.key(number)).collect();
    for round in 0..2 {
        for key in &keys {
            bench.put(key, V::sample(round));
        }
        bench.done(bench.client.clear());
        for key in &keys {
            bench.holds(bench.entry::<V>(key).is_none(), "nothing is left after clear");
            bench.misses::<V>(key, "after clear");
        }
    }
    bench.put(&keys[0], V::sample(9));
    bench.hits(&keys[0], &V::sample(9), "of a value put after clear");
}

fn zero_ttl<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("zero"));
    bench.put(&key, V::sample(1));
    let refused = crate::sync::block_on(client.put(&key, V::sample(2), Duration::ZERO));
    bench.same(&refused.err().map(|error| error.kind()), &Some(ErrorKind::Ttl), "put");
    let refused = crate::sync::block_on(client.add(&key, V::sample(2), Duration::ZERO));
    bench.same(&refused.err().map(|error| error.kind()), &Some(ErrorKind::Ttl), "add");
    bench.hits(&key, &V::sample(1), "after the refused writes");
}
