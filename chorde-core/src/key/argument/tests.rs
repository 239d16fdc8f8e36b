use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};

use super::*;
use crate::key::Key;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
enum Id {
    User(u64),
    Order(u64),
}

#[derive(Serialize)]
enum Tagged {
    A,
    B(u8),
    C(u8, u8),
    D { x: u8 },
}

const IDS: [Id; 2] = [Id::User(5), Id::Order(5)];

/// Keys of parts by a plan, with the keys of what they are made of by hand.
macro_rules! keys {
    ($plan:ty, $($value:expr),*) => {[$({
        let value = $value;
        (Key::new(&Part::<_, $plan>::new(&value).part()).unwrap(), Key::new(&value).unwrap())
    }),*]};
}

fn differ(keys: &[(Key, Key)]) {
    for (at, (key, by_hand)) in keys.iter().enumerate() {
        assert!(keys[..at].iter().all(|(other, _)| other != key && other.bytes() != key.bytes()), "{at}");
        assert!(at > 0 || key == by_hand && key.bytes() == by_hand.bytes(), "the first variant is as by hand");
    }
}

#[test]
fn variants_that_serde_does_not_tell_differ_wherever_the_plan_leads() {
    let [user, order] = IDS;
    differ(&keys!(Leaf, user, order));
    differ(&keys!(Through<Leaf>, &user, &order));
    differ(&keys!(Opt<Leaf>, Some(user), Some(order), None::<Id>));
    differ(&keys!(Opt<Through<Leaf>>, Some(&user), Some(&order)));
    differ(&keys!(Listed<Leaf>, vec![user, user], vec![user, order], vec![order, user]));
    differ(&keys!(Through<Opt<Leaf>>, Box::new(Some(user)), Box::new(Some(order))));
    differ(&keys!(Arrayed<Leaf>, [user, user], [user, order], [order, user]));
    differ(&keys!((Whole, Leaf), (1, user), (1, order)));
    differ(&keys!(Keyed<Whole, Leaf>, BTreeMap::from([(1, user)]), BTreeMap::from([(1, order)])));
    differ(&keys!(Keyed<Leaf, Whole>, HashMap::from([(user, 1)]), HashMap::from([(order, 1)])));
}

#[test]
fn all_else_is_as_by_hand() {
    differ(&keys!(Leaf, Tagged::A, Tagged::B(1), Tagged::C(1, 2), Tagged::D { x: 1 }));
    let [(key, by_hand)] = keys!(Leaf, (1, "a"));
    assert!(key == by_hand);
    // What the plan does not fit is not touched.
    for (key, by_hand) in keys!(Opt<Leaf>, IDS[1], IDS[0]) {
        assert!(key == by_hand);
    }
    // An unsized value cannot be an enum.
    let (text, expected): (&str, _) = ("text", Key::new("text").unwrap());
    assert!(Key::new(&Part::<_, Leaf>::new(text).part()).unwrap() == expected);
}

#[test]
fn sets_have_no_order() {
    let numbers: HashSet<u64> = (0..100).collect();
    let turned: HashSet<u64, BuildHasherDefault<DefaultHasher>> = (0..100).rev().collect();
    let [(a, _), (b, _), (other, _)] = keys!(Unordered<Whole>, numbers.clone(), turned, HashSet::from([1_u64]));
    assert!(a == b && a.bytes() == b.bytes() && a != other);
    let [(some, _), (none, _)] = keys!(Opt<Unordered<Whole>>, Some(numbers), None::<HashSet<u64>>);
    assert!(some != none);
    differ(&keys!(Unordered<Leaf>, HashSet::from([IDS[0]])).map(|(key, _)| (key.clone(), key)));
    let [(user, _), (order, _)] = keys!(Unordered<Leaf>, HashSet::from([IDS[0]]), HashSet::from([IDS[1]]));
    assert!(user != order);
}
