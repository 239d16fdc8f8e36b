//! The keys that `#[cached]` makes of arguments: equal arguments share one, and nothing else does. There are as many cases as
//! `PROPTEST_CASES` says (256 where nothing is said) for each property.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;
#[path = "../fuzz/tree.rs"]
mod tree;

use std::collections::BTreeMap;

use chorde::Key;
use chorde::prelude::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::Serialize;
use tree::{Source, Tree, read};

store!(CACHE);

/// Declares functions whose keys are looked at, and that are never called.
macro_rules! functions {
    ($($(#[$attribute:meta])* fn $name:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[cached(client = CACHE, ttl = 60)]
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments, reason = "many keys in one")]
        fn $name($($arg: $type),*) {
            _ = ($($arg,)*);
        }
    )*};
}

functions! {
    fn numbers(a: u8, b: i16, c: u32, d: i64, e: u128);
    fn texts(a: String, b: String, c: String);
    fn options(a: Option<String>, b: Option<Option<u8>>, c: Option<()>);
    fn nested(a: Vec<(String, Vec<u8>)>, b: BTreeMap<String, Option<u8>>);
    fn shapes(a: Shape, b: Shape);
    fn lent(a: &str, b: &[u8], c: Option<&str>, d: &Shape, e: &[String]);
    fn owned(a: String, b: Vec<u8>, c: Option<String>, d: Shape, e: Vec<String>);
    fn trees(a: Tree, b: &Tree);
    fn one(a: String);
    fn other(a: String);
    fn two(a: String, b: String);
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum Shape {
    Nothing,
    Number(i64),
    Named { name: String, parts: Vec<Shape> },
}

/// Texts out of what might be taken for separators.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ab,:;|/\\\\\"'()\\[\\]\0 ]{0,6}", ".{0,12}"]
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![Just(Shape::Nothing), (-2..3_i64).prop_map(Shape::Number)];
    leaf.prop_recursive(2, 8, 3, |part| {
        (text(), vec(part, 0..3)).prop_map(|(name, parts)| Shape::Named { name, parts })
    })
}

/// All that serde can say, made of random bytes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    // Small numbers choose what is nested, and are often the same.
    prop_oneof![vec(0..12_u8, 0..200), vec(any::<u8>(), 0..400)]
}

fn agree<T: PartialEq + std::fmt::Debug>(one: &T, other: &T, a: &Key, b: &Key) {
    assert_eq!(one == other, a == b, "{one:?} {other:?}");
    let is_same_place = a.bytes() == b.bytes() && a.namespaces() == b.namespaces();
    assert_eq!(one == other, is_same_place, "{one:?} {other:?}: for stores outside of the process");
}

/// Compares the keys of two lists of arguments by the function's own idea of them.
macro_rules! compare {
    ($function:ident, $one:expr, $other:expr, ($($arg:ident),*)) => {{
        let key = |arguments: &_| {
            let ($($arg,)*) = Clone::clone(arguments);
            $function::callkey($($arg),*).unwrap()
        };
        agree($one, $other, &key($one), &key($other));
        agree($one, $one, &key($one), &key($one));
    }};
}

proptest! {
    /// Two trees that differ in a byte of what they are made of, or in all of them.
    #[test]
    fn keys_are_equal_exactly_if_serde_says_the_same(
        one in bytes(),
        other in bytes(),
        at: proptest::sample::Index,
        change in 1..=255_u8,
    ) {
        let mut near = one.clone();
        if !near.is_empty() {
            let at = at.index(near.len());
            near[at] = near[at].wrapping_add(change);
        }
        let [one, other, near] = [&one, &other, &near].map(|bytes| Source(bytes).tree(4));
        let key = Key::new(&one).unwrap();
        prop_assert_eq!(read(key.bytes()).unwrap().canonical(), one.canonical());
        for other in [&other, &near, &one.turned()] {
            let (a, b) = (trees::callkey(one.clone(), other).unwrap(), trees::callkey(other.clone(), &one).unwrap());
            agree(&one.canonical(), &other.canonical(), &a, &b);
            agree(&one.canonical(), &other.canonical(), &key, &Key::new(other).unwrap());
        }
    }

    #[test]
    fn different_numbers_never_share_a_key(
        one in (0..2_u8, -1..2_i16, 0..2_u32, -1..2_i64, 0..2_u128),
        other in (0..2_u8, -1..2_i16, 0..2_u32, -1..2_i64, 0..2_u128),
        far: (u8, i16, u32, i64, u128),
    ) {
        compare!(numbers, &one, &other, (a, b, c, d, e));
        compare!(numbers, &one, &far, (a, b, c, d, e));
    }

    #[test]
    fn different_texts_never_share_a_key(one in (text(), text(), text()), other in (text(), text(), text())) {
        compare!(texts, &one, &other, (a, b, c));
    }

    /// What is moved from one argument to the next makes another key, whatever might separate them.
    #[test]
    fn nothing_moves_between_arguments(whole in text(), at: proptest::sample::Index, to: proptest::sample::Index) {
        let letters: Vec<char> = whole.chars().collect();
        let split = |at: proptest::sample::Index| {
            let (one, other) = letters.split_at(at.index(letters.len() + 1));
            (one.iter().collect::<String>(), other.iter().collect::<String>())
        };
        compare!(two, &split(at), &split(to), (a, b));
    }

    #[test]
    fn different_options_never_share_a_key(
        one in (option::of(text()), option::of(option::of(0..2_u8)), option::of(Just(()))),
        other in (option::of(text()), option::of(option::of(0..2_u8)), option::of(Just(()))),
    ) {
        compare!(options, &one, &other, (a, b, c));
    }

    #[test]
    fn different_nested_values_never_share_a_key(
        one in (vec((text(), vec(0..2_u8, 0..3)), 0..3), btree_map(text(), option::of(0..2_u8), 0..3)),
        other in (vec((text(), vec(0..2_u8, 0..3)), 0..3), btree_map(text(), option::of(0..2_u8), 0..3)),
    ) {
        compare!(nested, &one, &other, (a, b));
    }

    #[test]
    fn different_shapes_never_share_a_key(one in (shape(), shape()), other in (shape(), shape())) {
        compare!(shapes, &one, &other, (a, b));
    }

    /// What a function borrows has the key of what another one owns, but for the function.
    #[test]
    fn what_is_lent_has_the_key_of_what_is_owned(
        a in text(),
        b in vec(0..3_u8, 0..4),
        c in option::of(text()),
        d in shape(),
        e in vec(text(), 0..3),
        other in text(),
    ) {
        let key = lent::callkey(&a, &b, c.as_deref(), &d, &e).unwrap();
        let same = owned::callkey(a.clone(), b.clone(), c.clone(), d.clone(), e.clone()).unwrap();
        prop_assert_eq!(key.bytes(), same.bytes());
        prop_assert!(key != same && key.namespaces() != same.namespaces());
        let changed = lent::callkey(&other, &b, c.as_deref(), &d, &e).unwrap();
        prop_assert_eq!(a == other, key == changed);
    }

    #[test]
    fn functions_never_share_a_key(a in text()) {
        let keys = [
            one::callkey(a.clone()).unwrap(),
            other::callkey(a.clone()).unwrap(),
            two::callkey(a.clone(), String::new()).unwrap(),
            longer::callkey(a.clone()).unwrap(),
            later::callkey(a.clone()).unwrap(),
            generic::callkey::<u8>(a.clone()).unwrap(),
            generic::callkey::<i8>(a.clone()).unwrap(),
            Tenant { id: 0, name: String::new() }.find_callkey(a.clone()).unwrap(),
            Tenant { id: 0, name: String::new() }.count_callkey(a.clone()).unwrap(),
        ];
        for (at, key) in keys.iter().enumerate() {
            for earlier in &keys[..at] {
                prop_assert!(key != earlier && key.namespaces() != earlier.namespaces(), "{:?} {:?}", key, earlier);
            }
        }
    }

    /// A method's key is what its `key` says, and `skip` leaves out what it names.
    #[test]
    fn methods_are_keyed_by_what_they_say(
        one in (0..2_u32, text(), text()),
        other in (0..2_u32, text(), text()),
    ) {
        let key = |(id, name, text): &(u32, String, String), find: bool| {
            let tenant = Tenant { id: *id, name: name.clone() };
            let key = if find { tenant.find_callkey(text.clone()) } else { tenant.count_callkey(text.clone()) };
            key.unwrap()
        };
        prop_assert_eq!((one.0, &one.2) == (other.0, &other.2), key(&one, true) == key(&other, true));
        prop_assert_eq!(one.2 == other.2, key(&one, false) == key(&other, false));
    }

    /// A value that was put under some arguments is found under equal ones, by all that look.
    #[test]
    fn a_value_is_found_under_equal_arguments_alone(
        one in (text(), option::of(text())),
        other in (text(), option::of(text())),
        value: u64,
    ) {
        stored::clear().wait().unwrap();
        stored::put(&one.0, one.1.as_deref(), value).wait().unwrap();
        prop_assert_eq!(stored(&one.0, one.1.as_deref()).wait(), value);
        let key = stored::callkey(&one.0, one.1.as_deref()).unwrap();
        prop_assert_eq!(CACHE.get::<u64>(&key).wait().unwrap(), Some(value));
        let found = stored::peek(&other.0, other.1.as_deref()).wait();
        prop_assert_eq!(found, (one == other).then_some(value));
    }
}

#[cached(client = CACHE, ttl = 61, namespace = "keys::one")]
fn longer(a: String) {
    drop(a);
}

#[cached(client = CACHE, ttl = 60, version = "2")]
fn later(a: String) {
    drop(a);
}

#[cached(client = CACHE, ttl = 60, result = false)]
fn generic<T: Default + Clone + Send + Sync + 'static>(a: String) -> T {
    drop(a);
    T::default()
}

#[cached(client = CACHE, ttl = 600)]
async fn stored(a: &str, b: Option<&str>) -> u64 {
    (a.len() + b.map_or(0, str::len)) as u64
}

#[derive(Clone)]
struct Tenant {
    id: u32,
    name: String,
}

impl Tenant {
    #[cached(client = CACHE, ttl = 60, key = (self.id, &text))]
    fn find(&self, text: String) -> String {
        format!("{} {text}", self.name)
    }

    #[cached(client = CACHE, ttl = 60, skip(self))]
    fn count(&self, text: String) -> usize {
        text.len() + self.name.len()
    }
}
