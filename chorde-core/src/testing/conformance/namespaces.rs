//! Namespaces: isolation, clearing, revisions.

use super::Sample;
use super::bench::{Bench, Rule};
use crate::client::{CacheExt, Client};
use crate::key::Key;
use crate::namespace::{Namespace, Path};

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("equal keys of several namespaces are told apart", isolated::<C, V>),
        ("clearing a namespace forgets what is inside of it, and nothing else", cleared::<C, V>),
        ("clearing a namespace inside of another leaves the outer one", inner_cleared::<C, V>),
        ("a cleared namespace can be used again, and cleared again", used_again::<C, V>),
        ("each clear of a namespace is another revision of what is inside", revisions::<C, V>),
    ]
}

/// The names that share a key in these rules: none, two of which one begins like the other, and nested ones.
const PATHS: [&[&str]; 5] = [&[], &["a"], &["ab"], &["a", "b"], &["b", "a"]];

fn named(path: &[&str]) -> Vec<Namespace> {
    path.iter().map(|name| Namespace::named(*name)).collect()
}

fn key_in<C>(bench: &Bench<'_, C>, path: &[&str]) -> Key {
    named(path).iter().rev().fold(bench.key(("same", 1)), |key, namespace| key.within(namespace))
}

fn fill<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for (at, path) in PATHS.iter().enumerate() {
        bench.put(&key_in(bench, path), V::sample(at as u64));
    }
}

/// Demands that exactly the paths that `gone` names are misses.
fn only_gone<C: Client<V>, V: Sample>(bench: &Bench<'_, C>, gone: &[usize], when: &str) {
    for (at, path) in PATHS.iter().enumerate() {
        let (key, when) = (key_in(bench, path), format!("in {path:?} {when}"));
        if gone.contains(&at) {
            bench.misses::<V>(&key, &when);
            bench.holds(bench.entry::<V>(&key).is_none(), &format!("get_ttl shows nothing {when}"));
        } else {
            bench.hits(&key, &V::sample(at as u64), &when);
        }
    }
}

fn isolated<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    fill(bench);
    only_gone(bench, &[], "after put");
    bench.done(bench.client.delete(&key_in(bench, &["a"])));
    only_gone(bench, &[1], "after delete in one of them");
}

fn cleared<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    fill(bench);
    let made_inside = Key::in_namespace(&Namespace::named("a"), &("same", 1));
    let Ok(made_inside) = made_inside else {
        return bench.holds(false, "the suite's own key works");
    };
    bench.put(&made_inside, V::sample(9));
    bench.done(bench.client.clear_namespace(Path::new(&named(&["a"]))));
    only_gone(bench, &[1, 3], "after clearing a");
    bench.misses::<V>(&made_inside, "of a key made inside of a, after clearing it");
}

fn inner_cleared<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    fill(bench);
    bench.done(bench.client.clear_namespace(Path::new(&named(&["a", "b"]))));
    only_gone(bench, &[3], "after clearing a/b");
}

fn used_again<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for _ in 0..3 {
        fill(bench);
        only_gone(bench, &[], "after put");
        bench.done(bench.client.clear_namespace(Path::new(&named(&["a"]))));
        only_gone(bench, &[1, 3], "after clearing a again");
    }
}

fn revisions<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let client = &bench.client;
    let revision = |path: &[&str]| client.revision(&key_in(bench, path).probe()).number;
    let mut seen = vec![revision(&["a", "b"])];
    let other = revision(&["ab"]);
    for path in [&["a"][..], &["a", "b"], &["a"]] {
        bench.done(client.clear_namespace(Path::new(&named(path))));
        let now = revision(&["a", "b"]);
        bench.holds(!seen.contains(&now), "no two clears leave the same revision");
        bench.same(
            &crate::sync::block_on(client.current_revision(&key_in(bench, &["a", "b"]))),
            &now,
            "the revision when asked for",
        );
        seen.push(now);
    }
    bench.same(&revision(&["ab"]), &other, "the revision of another namespace");
}
