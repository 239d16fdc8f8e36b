//! Expiry and its boundary, renewing, purging.

use std::time::Duration;

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client, ReadOptions};

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("an entry is valid until its expiry, and not at it", boundary::<C, V>),
        ("every way of writing keeps the ttl", every_write::<C, V>),
        ("the remaining life shrinks as time passes", remaining_shrinks::<C, V>),
        ("min_ttl compares with the life that is left", min_ttl::<C, V>),
        ("renew lengthens", renew_lengthens::<C, V>),
        ("renew never shortens", renew_never_shortens::<C, V>),
        ("renew never revives", renew_never_revives::<C, V>),
        ("what has run out is not valid for any operation", run_out::<C, V>),
        ("add stores over what has run out", add_over_stale::<C, V>),
        ("purge removes what has been stale for longer than grace", purge::<C, V>),
    ]
}

fn boundary<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("boundary");
    bench.put_for_life(&key, V::sample(1));
    bench.advance_within_life();
    bench.hits(&key, &V::sample(1), "before its expiry");
    bench.advance_to_end_of_life();
    bench.misses::<V>(&key, "at its expiry");
    bench.shows_stale(&key, &V::sample(1), "at its expiry");
}

fn every_write<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, life) = (&bench.client, bench.life());
    let [added, one, other] = ["added", "one", "other"].map(|name| bench.key(name));
    bench.holds(bench.done(client.add(&added, V::sample(1), life)), "add");
    bench.done(client.put_multi(&[(one.clone(), V::sample(1)), (other.clone(), V::sample(1))], life));
    let keys = [added, one, other];
    bench.advance_within_life();
    for key in &keys {
        bench.hits(key, &V::sample(1), "before its expiry");
    }
    bench.advance_to_end_of_life();
    for key in &keys {
        bench.misses::<V>(key, "at its expiry");
    }
}

fn remaining_shrinks<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("shrinks");
    bench.put_for_life(&key, V::sample(1));
    bench.advance(bench.life() / 2);
    let remaining = bench.entry::<V>(&key).map(|entry| entry.remaining());
    let slack = if bench.is_exact() { Duration::ZERO } else { bench.unit() };
    let most = bench.life() / 2 + slack;
    bench.holds(remaining.is_some_and(|remaining| remaining <= most), "half of the life is over");
}

fn min_ttl<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("min_ttl");
    bench.done(bench.client.put(&key, V::sample(1), 8 * bench.unit()));
    bench.advance(4 * bench.unit());
    let with = |units| bench.done(bench.client.get_with(&key, ReadOptions::new().min_ttl(units * bench.unit())));
    bench.same(&with(2), &Some(V::sample(1)), "less than is left");
    bench.same(&with(6), &None, "more than is left");
    bench.holds(bench.done(bench.client.contains_for(&key, 2 * bench.unit())), "valid for longer than that");
    bench.holds(!bench.done(bench.client.contains_for(&key, 6 * bench.unit())), "not valid for that long");
}

fn renew_lengthens<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("renewed");
    bench.put_for_life(&key, V::sample(1));
    bench.advance_within_life();
    bench.holds(bench.done(bench.client.renew(&key, bench.life())), "renew finds it valid");
    bench.advance_within_life();
    bench.hits(&key, &V::sample(1), "within the new life");
    bench.advance_to_end_of_life();
    bench.misses::<V>(&key, "at the end of the new life");
}

fn renew_never_shortens<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("not shortened");
    bench.put_for_life(&key, V::sample(1));
    bench.holds(bench.done(bench.client.renew(&key, bench.unit() / 10)), "renew finds it valid");
    bench.advance_within_life();
    bench.hits(&key, &V::sample(1), "within the longer life");
    bench.advance_to_end_of_life();
    bench.misses::<V>(&key, "at the end of the longer life");
}

fn renew_never_revives<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("not revived");
    bench.put_for_life(&key, V::sample(1));
    bench.advance_within_life();
    bench.advance_to_end_of_life();
    bench.holds(!bench.done(bench.client.renew(&key, HOUR)), "renew says no");
    bench.misses::<V>(&key, "after renew of a stale entry");
    bench.shows_stale(&key, &V::sample(1), "after renew of a stale entry");
}

fn run_out<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("run out"));
    bench.put_for_life(&key, V::sample(1));
    bench.advance_within_life();
    bench.advance_to_end_of_life();
    bench.holds(!bench.done(client.expire(&key)), "expire finds nothing valid");
    bench.holds(!bench.done(client.promote::<V>(&key)), "promote finds nothing valid");
    bench.misses::<V>(&key, "after promote of a stale entry");
    let several = bench.done(client.get_multi::<V>(std::slice::from_ref(&key)));
    bench.same(&several, &vec![None], "get_multi");
    bench.holds(!bench.done(client.delete(&key)), "delete finds nothing valid");
}

fn add_over_stale<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("added over");
    bench.put_for_life(&key, V::sample(1));
    bench.advance_within_life();
    bench.holds(!bench.done(bench.client.add(&key, V::sample(2), HOUR)), "refused before its expiry");
    bench.advance_to_end_of_life();
    bench.holds(bench.done(bench.client.add(&key, V::sample(2), HOUR)), "stored at its expiry");
    bench.hits(&key, &V::sample(2), "after add");
}

fn purge<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, stale, live) = (&bench.client, bench.key("stale"), bench.key("live"));
    bench.put_for_life(&stale, V::sample(1));
    bench.put(&live, V::sample(2));
    bench.advance_within_life();
    bench.advance_to_end_of_life();
    bench.advance(bench.unit());
    bench.done(client.purge(HOUR));
    bench.shows_stale(&stale, &V::sample(1), "that is not older than grace");
    bench.done(client.purge(Duration::ZERO));
    bench.holds(bench.entry::<V>(&stale).is_none() || !bench.keeps_stale(), "it is gone without grace");
    bench.hits(&live, &V::sample(2), "of a valid entry after purge");
}
