//! Keys of all shapes and sizes.

use super::Sample;
use super::bench::{Bench, Rule};
use crate::client::{CacheExt, Client};
use crate::key::Key;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("keys of every shape are stored and told apart", shapes::<C, V>),
        ("a key made beforehand is the key of its value", made_beforehand::<C, V>),
    ]
}

/// Makes keys of which no two have the same bytes.
fn keys<C>(bench: &Bench<'_, C>) -> Vec<Key> {
    let long = "k".repeat(10_000);
    vec![
        bench.key(()),
        bench.key(""),
        bench.key("text"),
        bench.key("text with spaces"),
        bench.key(" text"),
        bench.key("text "),
        bench.key("line\r\nend"),
        bench.key("tab\tand\0nul\u{7f}"),
        bench.key("get a\r\ndelete b\r\n"),
        bench.key("schlüssel ключ 鍵 🔑"),
        bench.key((0..=255).collect::<Vec<u8>>()),
        bench.key((0..=255).rev().collect::<Vec<u8>>()),
        bench.key(("user", 7_u32)),
        bench.key(("user", 8_u32)),
        bench.key(("use", "r", 7_u32)),
        bench.key((1_u64, 300_u64, 70_000_u64)),
        bench.key(u64::MAX),
        bench.key(u128::MAX),
        bench.key(-0.5_f64),
        bench.key(Some(Some("nested"))),
        bench.key([("a", Some(1.5_f64)), ("b", None)]),
        bench.key(&long),
        bench.key(format!("{long}1")),
        bench.key(format!("{long}2")),
        bench.key((&long, 1)),
    ]
}

fn shapes<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let keys = keys(bench);
    let value = |at: usize| V::sample(at as u64);
    for (at, key) in keys.iter().enumerate() {
        bench.put(key, value(at));
    }
    for (at, key) in keys.iter().enumerate() {
        bench.hits(key, &value(at), &format!("of key shape {at}"));
    }
    let expected: Vec<Option<V>> = (0..keys.len()).map(|at| Some(value(at))).collect();
    bench.same(&bench.done(bench.client.get_multi(&keys)), &expected, "get_multi of all shapes");
    for (at, key) in keys.iter().enumerate() {
        bench.holds(bench.done(bench.client.delete(key)), &format!("delete of key shape {at}"));
        bench.misses::<V>(key, &format!("of key shape {at} after delete"));
        if let Some(next) = keys.get(at + 1) {
            bench.same(&bench.get(next), &Some(value(at + 1)), &format!("get of the shape after {at}"));
        }
    }
}

fn made_beforehand<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let value = ("user", vec![1_u8, 2, 3], Some(4_i64));
    bench.put(&bench.key(&value), V::sample(1));
    bench.same(&bench.done(bench.client.get(&value)), &Some(V::sample(1)), "get by the value");
    bench.done(bench.client.delete(&value));
    bench.misses::<V>(&bench.key(&value), "after delete by the value");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::InprocClient;
    use crate::testing::conformance::Suite;

    #[test]
    fn no_two_key_shapes_have_the_same_bytes() {
        let suite = Suite::new(|| InprocClient::new(1));
        let keys = keys(&Bench::new(&suite, "key shapes"));
        let bytes: HashSet<&[u8]> = keys.iter().map(Key::bytes).collect();
        assert_eq!(bytes.len(), keys.len());
    }
}
