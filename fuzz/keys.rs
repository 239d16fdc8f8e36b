//! The target for keys: two values of one type have the same key only if they are equal. Uses the public interface alone.

use std::collections::BTreeMap;
use std::fmt::Debug;

use chorde_core::{AsKey, Key, Namespace};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Makes keys of two values of one type, which the first byte chooses.
pub(crate) fn keys(data: &[u8]) {
    let mut from = Bytes(data);
    match from.byte() % 14 {
        0 => pair::<(u8, u16, u32, u64, u128)>(from),
        1 => pair::<(i8, i16, i32, i64, i128)>(from),
        2 => pair::<(String, String, String)>(from),
        3 => pair::<Vec<String>>(from),
        4 => pair::<Vec<Vec<u8>>>(from),
        5 => pair::<(Vec<u8>, Vec<u8>)>(from),
        6 => pair::<Option<Option<Option<u8>>>>(from),
        7 => pair::<(Option<String>, Option<u64>, Option<()>)>(from),
        8 => pair::<BTreeMap<String, Option<u8>>>(from),
        9 => pair::<(char, bool, (), char)>(from),
        10 => pair::<(Bits, Bits)>(from),
        11 => pair::<Vec<u64>>(from),
        12 => pair::<Tree>(from),
        _ => pair::<(Vec<Tree>, String, [Option<u8>; 3])>(from),
    }
    borrowed(from);
}

/// Compares the keys of two values.
fn pair<T: Make + Serialize + DeserializeOwned + PartialEq + Debug + Sync>(mut from: Bytes<'_>) {
    let names = [String::make(&mut from, 0), String::make(&mut from, 0)];
    let (one, other) = (T::make(&mut from, 4), T::make(&mut from, 4));
    let (a, b) = (key(&one), key(&other));
    let is_same = one == other;
    assert_eq!((a.bytes() == b.bytes(), a == b), (is_same, is_same), "{one:?} {other:?}");
    // The bytes alone tell what the value was, so no other value has them.
    assert_eq!(postcard::from_bytes::<T>(a.bytes()).as_ref(), Ok(&one));
    let [outer, inner] = names.each_ref().map(Namespace::named);
    let is_one_name = outer == inner;
    let within = |namespace| Key::in_namespace(namespace, &one).expect("a value of plain types");
    let (in_outer, in_inner) = (within(&outer), within(&inner));
    assert_eq!((in_outer == in_inner, in_outer == a, in_inner == a), (is_one_name, false, false), "{names:?}");
    assert_eq!(a.within(&outer) == a.within(&inner), is_one_name, "{names:?}");
    assert_eq!(a.within(&outer).within(&inner) == a.within(&inner).within(&outer), is_one_name, "{names:?}");
    assert_eq!(a.within(&outer) == b.within(&outer), is_same);
    assert!(a.revised(1) != a && a.revised(1) != a.revised(2));
}

fn key<T: Serialize + Sync>(value: &T) -> Key {
    let key = Key::new(value).expect("a value of plain types");
    let probe = |probe: &chorde_core::Probe<'_>| probe.digest();
    let probed = value.probe_with(probe).expect("a value of plain types");
    assert_eq!(key.digest(), probed, "a look asks for the key that was stored");
    key
}

/// What is borrowed has the key of what is owned.
fn borrowed(mut from: Bytes<'_>) {
    let (text, bytes) = (String::make(&mut from, 0), Vec::<u8>::make(&mut from, 0));
    let number = u32::make(&mut from, 0);
    let owned = key(&(text.clone(), bytes.clone(), Some(text.clone()), number));
    let lent = key(&(&*text, &bytes[..], Some(&*text), &&number));
    assert!(owned == lent && owned.bytes() == lent.bytes());
}

/// A float by its bits: not a number is the same as itself.
#[derive(Debug, Serialize, Deserialize)]
struct Bits(f64, f32);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        (self.0.to_bits(), self.1.to_bits()) == (other.0.to_bits(), other.1.to_bits())
    }
}

/// All kinds of variants that serde knows.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Number(i64),
    Pair(Box<Tree>, Box<Tree>),
    Named { name: String, parts: Vec<Tree>, mark: Option<Box<Tree>> },
    Wrapped(Wrapped),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Unit, String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

/// The bytes that are left; at their end all numbers are zero.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Takes a number of up to 128 bits, of which one byte says how long it is.
    fn number(&mut self) -> u128 {
        (0..self.byte() % 17).fold(0, |number, _| number << 8 | u128::from(self.byte()))
    }
}

/// Makes values out of bytes, no more than so many levels of them within one another.
trait Make {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self;
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Make for $type {
            fn make(from: &mut Bytes<'_>, _: u8) -> Self {
                from.number() as $type
            }
        }
    )*};
}

numbers!(u16 u32 u64 u128 i8 i16 i32 i64 i128);

impl Make for u8 {
    fn make(from: &mut Bytes<'_>, _: u8) -> Self {
        from.byte()
    }
}

impl Make for bool {
    fn make(from: &mut Bytes<'_>, _: u8) -> Self {
        from.byte() & 1 == 1
    }
}

impl Make for () {
    fn make(_: &mut Bytes<'_>, _: u8) -> Self {}
}

impl Make for char {
    fn make(from: &mut Bytes<'_>, _: u8) -> Self {
        char::from_u32(from.number() as u32).unwrap_or('x')
    }
}

impl Make for Bits {
    fn make(from: &mut Bytes<'_>, _: u8) -> Self {
        Self(f64::from_bits(from.number() as u64), f32::from_bits(from.number() as u32))
    }
}

impl Make for String {
    fn make(from: &mut Bytes<'_>, _: u8) -> Self {
        let bytes: Vec<u8> = (0..from.byte() % 80).map(|_| from.byte()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl<T: Make> Make for Vec<T> {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
        (0..from.byte() % 80).map_while(|_| (!from.0.is_empty()).then(|| T::make(from, levels))).collect()
    }
}

impl<T: Make> Make for Option<T> {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
        bool::make(from, 0).then(|| T::make(from, levels))
    }
}

impl<T: Make> Make for [T; 3] {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
        std::array::from_fn(|_| T::make(from, levels))
    }
}

impl<K: Make + Ord, V: Make> Make for BTreeMap<K, V> {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
        (0..from.byte() % 16).map(|_| (K::make(from, levels), V::make(from, levels))).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Make),*> Make for ($($name,)*) {
            fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
                ($($name::make(from, levels),)*)
            }
        }
    )*};
}

tuples!((A B) (A B C) (A B C D) (A B C D E));

impl Make for Tree {
    fn make(from: &mut Bytes<'_>, levels: u8) -> Self {
        let Some(below) = levels.checked_sub(1) else { return Self::Leaf };
        let branch = |from: &mut Bytes<'_>| Box::new(Self::make(from, below));
        match from.byte() % 5 {
            0 => Self::Leaf,
            1 => Self::Number(i64::make(from, 0)),
            2 => Self::Pair(branch(from), branch(from)),
            3 => Self::Named {
                name: String::make(from, 0),
                parts: (0..from.byte() % 4).map(|_| *branch(from)).collect(),
                mark: bool::make(from, 0).then(|| branch(from)),
            },
            _ => Self::Wrapped(Wrapped(Unit, String::make(from, 0))),
        }
    }
}
