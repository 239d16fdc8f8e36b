//! Values of all sizes, and of several types.

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client, ReadOptions};
use crate::entry::Lookup;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![("values of every size come back as they were", sizes::<C, V>)]
}

pub(super) fn type_rules<C: Client<u64> + Client<String>>() -> Vec<Rule<C>> {
    vec![
        ("a value read as another type is a miss", other_type::<C>),
        ("a value of another type replaces", other_type_replaces::<C>),
        ("values of several types are kept side by side", side_by_side::<C>),
    ]
}

fn sizes<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for bytes in [0, 1, 100, 10_000, 1 << 20] {
        let Some(value) = V::sized(bytes) else { return };
        let key = bench.key(bytes);
        bench.put(&key, value.clone());
        // Not by equality of what is shown, for a mebibyte makes no readable message.
        bench.holds(bench.get::<V>(&key).as_ref() == Some(&value), &format!("a value of {bytes} bytes"));
        bench.holds(bench.entry::<V>(&key).is_some_and(|entry| entry.value == value), "get_ttl of it");
        bench.put(&key, V::sample(1));
        bench.hits(&key, &V::sample(1), "after a value of another size");
    }
}

fn other_type<C: Client<u64> + Client<String>>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("typed"));
    bench.put(&key, "text".to_owned());
    bench.same(&bench.get::<u64>(&key), &None, "get");
    bench.holds(bench.entry::<u64>(&key).is_none(), "get_ttl shows nothing");
    bench.same(&bench.done(client.get_multi::<u64>(&[&"typed"])), &vec![None], "get_multi");
    let said: Option<Lookup<u64>> = client.look(&key.probe(), ReadOptions::new());
    bench.holds(said.is_none_or(|said| said.into_entry().is_none()), "look shows nothing");
    bench.hits(&key, &"text".to_owned(), "as its own type");
}

fn other_type_replaces<C: Client<u64> + Client<String>>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("typed"));
    bench.put(&key, "text".to_owned());
    bench.holds(!bench.done(client.add(&key, 1_u64, HOUR)), "add is refused whatever the type of the valid value");
    bench.put(&key, 2_u64);
    bench.hits(&key, &2_u64, "as the new type");
    bench.same(&bench.get::<String>(&key), &None, "as the old type");
    bench.holds(bench.done(client.delete(&key)), "delete finds it");
    bench.misses::<u64>(&key, "as the new type after delete");
    bench.misses::<String>(&key, "as the old type after delete");
}

fn side_by_side<C: Client<u64> + Client<String>>(bench: &Bench<'_, C>) {
    for number in 0..50_u64 {
        bench.put(&bench.key(("number", number)), number);
        bench.put(&bench.key(("text", number)), number.to_string());
    }
    for number in 0..50_u64 {
        bench.same(&bench.get(&bench.key(("number", number))), &Some(number), "the number");
        bench.same(&bench.get(&bench.key(("text", number))), &Some(number.to_string()), "the text");
    }
}
