mod damage;
mod golden;
mod settings;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// Takes the smallest pages that there can be.
const SMALL: usize = SMALLEST;
const PAGE: usize = SMALL - ITEM;

fn key(name: &str) -> WireKey {
    WireKey::new([("tests", 0)], name.as_bytes())
}

fn options(keys: &[&str]) -> SealerOptions {
    SealerOptions {
        keys: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
        item_size: SMALL,
        ..SealerOptions::default()
    }
}

fn compressing(level: Option<i32>, above: usize, dictionary: Option<&[u8]>) -> Sealer {
    let compress = CompressOptions { level, above, dictionary: dictionary.map(<[u8]>::to_vec) };
    Sealer::new(SealerOptions { compress, ..options(&["secret"]) }).unwrap()
}

/// Compresses nothing.
fn plain() -> Sealer {
    compressing(None, 0, None)
}

/// Compresses all that becomes smaller.
fn eager() -> Sealer {
    compressing(Some(1), 0, None)
}

/// Text that zstd cannot make smaller, always the same.
fn noise(len: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_u32(0x4e00 + (state >> 40) as u32 % 0x5000).unwrap()
    };
    (0..len.div_ceil(3)).map(|_| next()).collect()
}

/// Reads what was sealed as a client does, with all pages there.
fn reopen<V: DeserializeOwned>(sealer: &Sealer, key: &WireKey, sealed: &Sealed) -> Result<Opened<V>, Damage> {
    match sealer.pages(&sealed.head)? {
        None => sealer.open(key, &sealed.head),
        Some(set) => {
            assert_eq!((set.tag, set.count as usize), (sealed.tag, sealed.tail.len()));
            sealer.open_joined(key, &sealed.head, &sealed.tail)
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Number(i64),
    Named { name: String, parts: Vec<Shape> },
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![Just(Shape::Nothing), any::<i64>().prop_map(Shape::Number)];
    leaf.prop_recursive(3, 40, 8, |part| {
        (".{0,300}", proptest::collection::vec(part, 0..8)).prop_map(|(name, parts)| Shape::Named { name, parts })
    })
}

fn round_trip<V>(value: &V, life: u32) -> Result<(), TestCaseError>
where
    V: Serialize + DeserializeOwned + PartialEq + fmt::Debug,
{
    for sealer in [plain(), eager()] {
        let sealed = sealer.seal(&key("k"), value, life).unwrap();
        prop_assert!(sealed.head.len() <= PAGE && sealed.tail.iter().all(|tail| (1..=PAGE).contains(&tail.len())));
        prop_assert_eq!(PageSet::from_flags(sealed.flags()), sealer.pages(&sealed.head).unwrap());
        let opened = reopen::<V>(&sealer, &key("k"), &sealed).unwrap();
        prop_assert_eq!((&opened.value, opened.life), (value, life));
        prop_assert_eq!(sealer.open_joined(&key("k"), &sealed.head, &sealed.tail), Ok(opened));
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(shape in shape(), number: u64, life: u32, bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        round_trip(&shape, life)?;
        round_trip(&number, life)?;
        round_trip(&Some((number, ())), life)?;
        round_trip(&bytes.iter().map(|byte| (*byte, number)).collect::<std::collections::BTreeMap<_, _>>(), life)?;
        round_trip(&bytes, life)?;
    }

    #[test]
    fn pages_hold_any_length(len in 0..20_000_usize, tag in 0..1_u32 << 20, word in "[a-z]{1,9}") {
        let value = noise(len);
        round_trip(&value, 1)?;
        round_trip(&word.repeat(len / word.len()), 1)?;
        let payload = codec::encode(&value, ROOM, usize::MAX >> 1).unwrap();
        let sealed = plain().wrap(&key("k"), payload, Label { type_tag: codec::type_tag::<String>(), life: 1, tag }).unwrap();
        prop_assert_eq!(sealed.tag, tag);
        prop_assert_eq!(reopen::<String>(&plain(), &key("k"), &sealed).unwrap().value, value);
    }
}

#[test]
fn the_lengths_around_a_page_are_right() {
    for len in (PAGE - 80..PAGE + 10).chain(2 * PAGE - 80..2 * PAGE + 10) {
        let value = "x".repeat(len);
        let sealed = plain().seal(&key("k"), &value, 1).unwrap();
        let whole = sealed.head.len() + sealed.tail.iter().map(Bytes::len).sum::<usize>();
        assert_eq!(sealed.tail.len(), whole.div_ceil(PAGE) - 1, "{len}");
        assert_eq!(reopen::<String>(&plain(), &key("k"), &sealed).unwrap().value, value);
    }
}

#[test]
fn a_seed_belongs_to_one_item() {
    let seal = |value: u32, life, name| plain().seal(&key(name), &value, life).unwrap();
    let seed = |sealed: &Sealed, name| plain().open::<u32>(&key(name), &sealed.head).unwrap().seed;
    let first = seal(1, 10, "k");
    assert_eq!(seed(&first, "k"), seed(&first, "k"));
    assert_eq!(seed(&first, "k").to_le_bytes(), first.head[16..24]);
    let others = [seed(&seal(2, 10, "k"), "k"), seed(&seal(1, 11, "k"), "k"), seed(&seal(1, 10, "l"), "l")];
    assert!(others.iter().all(|other| *other != seed(&first, "k")));
}

#[test]
fn what_is_too_large_is_refused_with_the_mend() {
    let sealer = Sealer::new(SealerOptions { max_value: 100, ..options(&["secret"]) }).unwrap();
    assert!(sealer.seal(&key("k"), &"x".repeat(99), 1).is_ok());
    let refused = sealer.seal(&key("k"), &"x".repeat(100), 1).unwrap_err();
    assert_eq!(refused, Unsealable::TooLarge { limit: 100 });
    assert!(Error::from(refused).to_string().contains("max_value_size (100 bytes): raise it"));

    let most = PAGE * (pages::MOST + 1);
    let largest = "x".repeat(most - 24 - MAC - 4);
    let sealed = plain().seal(&key("k"), &largest, 1).unwrap();
    assert_eq!(sealed.tail.len(), pages::MOST);
    assert!(reopen::<String>(&plain(), &key("k"), &sealed).unwrap().value == largest);
    let refused = plain().seal(&key("k"), &(largest + "x"), 1).unwrap_err();
    assert_eq!(refused, Unsealable::TooManyPages { page: PAGE });
    assert!(Error::from(refused).to_string().contains("item_size"));
}

#[test]
fn a_value_that_refuses_is_an_error() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let refused = plain().seal(&key("k"), &Refuses, 1).unwrap_err();
    assert!(matches!(refused, Unsealable::Unserialisable(_)));
    assert_eq!(Error::from(refused).kind(), ErrorKind::Value);
}

#[test]
fn values_of_the_largest_size_take_one_item() {
    // What memcached 1.6.18 takes at most with its default limit, a key of 68 bytes and flags.
    const TAKEN: usize = 1_048_445;
    let sealer = Sealer::new(SealerOptions { item_size: 1 << 20, ..options(&["secret"]) }).unwrap();
    assert!(sealer.page <= TAKEN && TAKEN - sealer.page < 100);
}
