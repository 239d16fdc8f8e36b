//! Claim, fill, release: by those who lease and those who do not.

use std::time::Duration;

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Claim, ClaimOptions, Client, Token};

/// How often a claim is tried again that was released.
const RELEASED: usize = 5_000;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("claiming an absent key wins it, and fill stores", absent::<C, V>),
        ("what is known to be absent is won without a token", absent_at_once::<C, V>),
        ("claiming a valid entry shows it", fresh::<C, V>),
        ("claiming an entry with too little life wins its refresh", due::<C, V>),
        ("claiming a stale entry wins its computation", stale::<C, V>),
        ("a claim that was released can be won again", released::<C, V>),
        ("fill says whether it stored", overtaken::<C, V>),
    ]
}

fn claim<C: Client<V>, V: Sample>(bench: &Bench<'_, C>, key: &crate::Key, options: ClaimOptions<'_, V>) -> Claim<V> {
    bench.done(bench.client.claim(key, options))
}

fn absent<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("absent");
    let Claim::Absent(token) = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR)) else {
        return bench.holds(false, "the answer is Absent");
    };
    bench.misses::<V>(&key, "while it is claimed");
    let again = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR));
    bench.holds(matches!(again, Claim::Absent(_) | Claim::AbsentElsewhere), "a claim shows no value");
    bench.holds(bench.done(bench.client.fill(&key, token, V::sample(1), HOUR)), "fill stores");
    bench.hits(&key, &V::sample(1), "after fill");
}

fn absent_at_once<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("absent at once");
    if bench.client.is_absent(&key.probe()) {
        let claim = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR));
        bench.holds(
            matches!(claim, Claim::Absent(token) if token == Token::default()),
            "the answer is Absent, with no token",
        );
    }
    bench.put(&key, V::sample(1));
    bench.holds(!bench.client.is_absent(&key.probe()), "what was put is not absent");
}

fn fresh<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("fresh");
    bench.put(&key, V::sample(1));
    let shown = match claim::<C, V>(bench, &key, ClaimOptions::new(HOUR).refresh_below(HOUR / 4)) {
        Claim::Fresh(entry) => Some(entry.value),
        _ => None,
    };
    bench.same(&shown, &Some(V::sample(1)), "the fresh entry");
}

fn due<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("due");
    bench.put(&key, V::sample(1));
    let Claim::Due(entry, token) = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR).refresh_below(2 * HOUR)) else {
        return bench.holds(false, "the answer is Due");
    };
    bench.same(&entry.value, &V::sample(1), "the due entry");
    bench.hits(&key, &V::sample(1), "while it is refreshed");
    bench.holds(bench.done(bench.client.fill(&key, token, V::sample(2), HOUR)), "fill stores");
    bench.hits(&key, &V::sample(2), "after fill");
}

fn stale<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("stale");
    bench.put(&key, V::sample(1));
    bench.done(bench.client.expire(&key));
    let Claim::Absent(token) = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR)) else {
        return bench.holds(false, "the answer is Absent");
    };
    bench.holds(bench.done(bench.client.fill(&key, token, V::sample(2), HOUR)), "fill stores");
    bench.hits(&key, &V::sample(2), "after fill");
}

fn released<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("released");
    for _ in 0..3 {
        // A release does not block, so that it may take effect a little later.
        let won = (0..RELEASED).find_map(|_| match claim::<C, V>(bench, &key, ClaimOptions::new(HOUR)) {
            Claim::Absent(token) => Some(token),
            _ => {
                std::thread::sleep(Duration::from_millis(1));
                None
            }
        });
        let Some(token) = won else { return bench.holds(false, "sooner or later the answer is Absent") };
        Client::<V>::release(&bench.client, &key, token);
    }
    bench.misses::<V>(&key, "after release");
}

fn overtaken<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let key = bench.key("overtaken");
    let Claim::Absent(token) = claim::<C, V>(bench, &key, ClaimOptions::new(HOUR)) else {
        return bench.holds(false, "the answer is Absent");
    };
    bench.put(&key, V::sample(1));
    // A client that cannot lease may store it, but must say so.
    let stored = bench.done(bench.client.fill(&key, token, V::sample(2), HOUR));
    let expected = V::sample(if stored { 2 } else { 1 });
    bench.hits(&key, &expected, "after fill of a key written meanwhile");
}
