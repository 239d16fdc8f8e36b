use std::collections::HashSet;

use chorde_core::Key;
use proptest::prelude::*;

use super::*;

fn text(key: &WireKey) -> &str {
    std::str::from_utf8(key.text()).unwrap()
}

/// The canonical form as it is written down, by other means than those of the subject.
fn canonical(namespaces: &[(String, u64)], key: &[u8]) -> Vec<u8> {
    let mut form = vec![2, 0];
    for (name, revision) in namespaces {
        form.push(1);
        form.extend(postcard::to_stdvec(name).unwrap());
        form.extend(postcard::to_stdvec(revision).unwrap());
    }
    form.push(0);
    form.extend(key);
    form
}

fn made(namespaces: &[(String, u64)], key: &[u8]) -> WireKey {
    WireKey::new(namespaces.iter().map(|(name, revision)| (&**name, *revision)), key)
}

#[test]
fn keys_are_pinned() {
    let key = Key::new(&("user", 7_u32)).unwrap();
    let pinned = [
        (WireKey::new([], b""), "BwsTwATpR1-hVc2E2Q3p-H2xt94", 5_103_215_411_225_987_683),
        (WireKey::new([], key.bytes()), "pv7OW3p658ask7lJ3UMutEabPSs", 4_215_009_957_681_631_371),
        (
            WireKey::new([("app::prices::load#0123456789abcdef", 0)], key.bytes()),
            "app::prices::load:GjA-uPZhy-Ev_tKyl6JprDIPUcA",
            17_477_056_832_782_697_419,
        ),
        (
            WireKey::new([("prod", 3), ("app::prices::load#0123456789abcdef", 300), ("<u32>", 0)], b"\x07"),
            "app::prices::load:Amluv-wo0-HjXBXk4JZknYh9xsk",
            1_534_356_348_016_022_239,
        ),
        (
            WireKey::revision_key(["prod", "app::prices::load#0123456789abcdef"]),
            "app::prices::load:3XkHWX5UgNM6Wev4jEaxnmrYME8",
            8_153_559_146_067_217_614,
        ),
    ];
    for (key, expected, hash) in pinned {
        assert_eq!((text(&key), key.hash()), (expected, hash));
    }
}

#[test]
fn pages_are_pinned() {
    let key = WireKey::new([("prod", 0)], b"\x07");
    assert_eq!(format!("{:?}", key.page(0xabcde, 1)), "prod:sbL3f5jIrofWZSSrGPGtSvD1_Qc");
    assert_eq!(format!("{:?}", WireKey::new([], b"\x07").page(0, 4094)), "XEYlr3dEWSICrRJU8_8fuA4r4Qc");
}

#[test]
fn the_readable_part_is_the_innermost_name_that_says_something() {
    let shown = |names: &[&str]| {
        let key = WireKey::new(names.iter().map(|name| (*name, 0)), b"");
        text(&key).rsplit_once(':').map(|(readable, _)| readable.to_owned())
    };
    assert_eq!(shown(&[]), None);
    assert_eq!(shown(&["prod", "app::f#0011"]).unwrap(), "app::f");
    assert_eq!(shown(&["prod", "app::f#0011", "<u8, u8>"]).unwrap(), "app::f");
    assert_eq!(shown(&["\0revision", "<u8>", ""]), None);
    assert_eq!(shown(&["größe in m"]).unwrap(), "gr____e_in_m");
    let long = "x".repeat(60) + "::function#1";
    assert_eq!(shown(&[&long]).unwrap(), "x".repeat(30) + "::function");
    assert_eq!(shown(&["a#b"]).unwrap(), "a");
}

#[test]
fn keys_of_scenario_51_are_legal_and_distinct() {
    let long = "x".repeat(10_000);
    let keys = [
        Key::new(&("a", 1, Some(2))).unwrap(),
        Key::new("text with spaces\r\nand\0control characters\x7f").unwrap(),
        Key::new(&[0_u8, 10, 13, 32, 127, 255][..]).unwrap(),
        Key::new("").unwrap(),
        Key::new(&()).unwrap(),
        Key::new(&long).unwrap(),
    ];
    let namespaces = [vec![], vec![("a b\r\n", 1)], vec![("ü", 0), ("x", u64::MAX)], vec![(&*long, 0)]];
    let mut seen = HashSet::new();
    for namespaces in namespaces {
        for key in &keys {
            let key = WireKey::new(namespaces.iter().copied(), key.bytes());
            assert_legal(key.text());
            assert!(seen.insert(key.text().to_vec()), "{key:?}");
        }
    }
}

#[test]
fn a_counter_never_has_the_key_of_a_value() {
    // The form of a counter, made with the bytes of a value's key, and the other way round.
    let names = ["a", "b"];
    let counter = WireKey::revision_key(names);
    for key in [&b""[..], b"\0", b"\x01\x01\x01b\0"] {
        assert_ne!(counter, WireKey::new([("a", 0), ("b", 0)], key));
        assert_ne!(counter, WireKey::new([("a", 1)], key));
    }
    assert_ne!(WireKey::revision_key([]), WireKey::new([], b""));
}

fn assert_legal(text: &[u8]) {
    assert!(!text.is_empty() && text.len() <= 72, "{}", text.len());
    assert!(text.iter().all(u8::is_ascii_graphic), "{text:?}");
}

fn namespaces() -> impl Strategy<Value = Vec<(String, u64)>> {
    let name = prop_oneof!["[ab\0\x01]{0,3}", ".{0,80}"];
    let revision = prop_oneof![0..3_u64, any::<u64>()];
    proptest::collection::vec((name, revision), 0..4)
}

proptest! {
    #[test]
    fn the_digest_is_that_of_the_canonical_form(
        namespaces in namespaces(),
        key in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let wire = made(&namespaces, &key);
        let expected = ring::digest::digest(&ring::digest::SHA256, &canonical(&namespaces, &key));
        prop_assert_eq!(&wire.digest()[..], expected.as_ref());
        assert_legal(wire.text());
        let shown = BASE64URL_NOPAD.encode(&expected.as_ref()[..20]);
        prop_assert!(text(&wire).ends_with(&shown));
    }

    #[test]
    fn different_parts_make_different_keys(
        one in (namespaces(), proptest::collection::vec(0..3_u8, 0..4)),
        other in (namespaces(), proptest::collection::vec(0..3_u8, 0..4)),
    ) {
        let (a, b) = (made(&one.0, &one.1), made(&other.0, &other.1));
        prop_assert_eq!(one == other, a == b);
        prop_assert_eq!(one == other, a.text() == b.text());
    }

    #[test]
    fn what_moves_between_names_and_key_makes_another_key(text in "[ab\0\x01\x02]{0,12}", at in 0..12_usize, to in 0..12_usize) {
        let split = |at: usize| text.split_at(at.min(text.len()));
        let parts = |at| { let (name, key) = split(at); made(&[(name.to_owned(), 0)], key.as_bytes()) };
        let names = |at| { let (a, b) = split(at); made(&[(a.to_owned(), 0), (b.to_owned(), 0)], b"") };
        let same = split(at) == split(to);
        prop_assert_eq!(same, parts(at) == parts(to));
        prop_assert_eq!(same, names(at) == names(to));
        prop_assert_ne!(parts(at), names(to));
    }

    #[test]
    fn pages_are_legal_and_distinct(namespaces in namespaces(), one in (0..1_u32 << 20, 0..4095_u32), other in (0..1_u32 << 20, 0..4095_u32)) {
        let key = made(&namespaces, b"key");
        let (a, b) = (key.page(one.0, one.1), key.page(other.0, other.1));
        assert_legal(&a);
        prop_assert_eq!(one == other, *a == *b);
        prop_assert_ne!(&*a, key.text());
        prop_assert_ne!(&*a, &*made(&namespaces, b"other").page(one.0, one.1));
    }
}
