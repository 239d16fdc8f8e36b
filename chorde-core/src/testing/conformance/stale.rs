//! Entries that are marked stale before their time; nothing here needs a clock.

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client};

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("expire makes an entry stale, once", expire::<C, V>),
        ("an expired entry is not valid for any operation", not_valid::<C, V>),
        ("renew never revives an expired entry", not_revived::<C, V>),
        ("put makes an expired key valid again", put_again::<C, V>),
        ("expire concerns one key", one_key::<C, V>),
    ]
}

fn expired<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) -> crate::Key {
    let key = bench.key("expired");
    bench.put(&key, V::sample(1));
    bench.holds(bench.done(bench.client.expire(&key)), "expire finds a valid entry");
    key
}

fn expire<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = expired::<C, V>(bench);
    bench.misses::<V>(&key, "after expire");
    bench.shows_stale(&key, &V::sample(1), "after expire");
    bench.holds(!bench.done(bench.client.expire(&key)), "expiring it again finds nothing valid");
    bench.shows_stale(&key, &V::sample(1), "after expiring it again");
}

fn not_valid<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = expired::<C, V>(bench);
    let several = bench.done(bench.client.get_multi::<V>(std::slice::from_ref(&key)));
    bench.same(&several, &vec![None], "get_multi");
    bench.holds(!bench.done(bench.client.delete(&key)), "delete finds nothing valid");
    bench.holds(bench.entry::<V>(&key).is_none(), "delete takes it away all the same");
}

fn not_revived<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = expired::<C, V>(bench);
    bench.holds(!bench.done(bench.client.renew(&key, HOUR)), "renew says no");
    bench.misses::<V>(&key, "after renew of an expired entry");
}

fn put_again<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = expired::<C, V>(bench);
    bench.put(&key, V::sample(2));
    bench.hits(&key, &V::sample(2), "after put over a stale entry");
}

fn one_key<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let other = bench.key("other");
    bench.put(&other, V::sample(2));
    expired::<C, V>(bench);
    bench.hits(&other, &V::sample(2), "of another key after expire");
}
