use std::collections::BTreeMap;

use serde::Serialize;

use super::*;
use crate::events::Walker;

fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::default();
    value.serialize(Walker(&mut encoder)).unwrap();
    encoder.0.to_vec()
}

fn head(kind: Kind, beside: u8) -> u8 {
    (kind as u8) << 3 | beside
}

#[derive(Serialize)]
struct Point {
    x: i8,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<u8>,
}

#[derive(Serialize)]
enum Shape {
    Nothing,
    Number(u8),
    Pair(u8, u8),
    Named { x: u8 },
}

#[test]
fn bytes_are_pinned() {
    assert_eq!(bytes(&6_u64), b"\x4e");
    assert_eq!(bytes(&7_u64), b"\x4f\x07");
    assert_eq!(bytes(&300_u64), b"\x4f\xac\x02");
    assert_eq!(bytes(&u128::MAX).len(), 20);
    assert_eq!(bytes(&-1_i32), b"\x19");
    assert_eq!(bytes(&i64::MIN).len(), 11);
    assert_eq!(bytes(&i128::MIN).len(), 20);
    assert_eq!(bytes("text"), b"\x74text");
    assert_eq!(bytes("longer text"), b"\x77\x0blonger text");
    assert_eq!(bytes(&("user", 7_u32)), b"\xc0\x74user\x47\x07\xf0");
    assert_eq!(bytes(&1.5_f32), [head(Kind::F32, 0), 0, 0, 0xc0, 0x3f]);
    assert_eq!(bytes(&'a'), [head(Kind::Char, 7), b'a']);
    assert_eq!(bytes(&Some(true)), [head(Kind::Some, 0), head(Kind::Bool, 1)]);
    assert_eq!(bytes(&None::<u8>), [head(Kind::None, 0)]);
    assert_eq!(bytes(&()), [head(Kind::Unit, 0)]);
    assert_eq!(bytes(&vec![1_u8, 2]), [head(Kind::Seq, 0), head(Kind::U8, 1), head(Kind::U8, 2), head(Kind::End, 0)]);
}

#[test]
fn names_are_pinned() {
    assert_eq!(bytes(&Point { x: 1, y: Some(2) }), b"\xe0\x75Point\x71x\x0a\x71y\x88\x32\xf0");
    assert_eq!(bytes(&Point { x: 1, y: None }), b"\xe0\x75Point\x71x\x0a\xf8\x71y\xf0");
    assert_eq!(bytes(&Shape::Nothing), b"\xa0\x75Shape\x77\x07Nothing");
    assert_eq!(bytes(&Shape::Number(3)), b"\xb1\x75Shape\x76Number\x33");
    assert_eq!(bytes(&Shape::Pair(3, 4)), b"\xd2\x75Shape\x74Pair\x33\x34\xf0");
    assert_eq!(bytes(&Shape::Named { x: 3 }), b"\xeb\x75Shape\x75Named\x71x\x33\xf0");
}

#[test]
fn entries_are_sorted_by_their_bytes() {
    let map = BTreeMap::from([("bb", 1_u8), ("aaa", 2)]);
    assert_eq!(bytes(&map), b"\xda\x72bb\x31\x73aaa\x32");
}

#[test]
fn short_keys_are_inline() {
    let mut encoder = Encoder::default();
    ("a name of length 22...", u64::from(u32::MAX)).serialize(Walker(&mut encoder)).unwrap();
    assert!(!encoder.0.spilled(), "{}", encoder.0.len());
}
