//! What is stored for the golden files: by which settings, under which keys, and how it is found again. The names of the
//! types in here are stored with their values, so this module keeps its place and they theirs.
#![allow(dead_code, unreachable_pub, reason = "one stores, another reads")]

use std::collections::BTreeMap;
use std::fmt::Debug;

use chorde_core::{Cache as _, Claim};
use chorde_core::{CacheExt, ClaimOptions, Client, Key, Namespace, Path, Value, Wait};
use chorde_memcache::{Compression, MemcachedBuilder, MemcachedClient, Transport};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::support::{AMPLE, LONG};

/// What a client finds of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The value that was stored.
    Right,
    /// The same, marked as stale.
    Stale,
    Nothing,
    /// Something that was never stored.
    Wrong,
}

type Settings = fn(MemcachedBuilder) -> MemcachedBuilder;

/// One thing that is stored.
pub struct Case {
    /// The name of its file.
    pub name: &'static str,
    /// Whose settings stored it, and whose read it.
    settings: [Settings; 2],
    pub expected: Found,
    store: Box<dyn Fn(&MemcachedClient)>,
    find: Box<dyn Fn(&MemcachedClient) -> Found>,
    replace: Box<dyn Fn(&MemcachedClient)>,
}

impl Case {
    /// A value that is put under a key made of it.
    fn put<V>(name: &'static str, value: V) -> Self
    where
        V: Value + Serialize + DeserializeOwned + PartialEq + Debug,
    {
        Self::under(name, Key::new(&("golden", name)).unwrap(), value)
    }

    fn under<V>(name: &'static str, key: Key, value: V) -> Self
    where
        V: Value + Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let (stored, again, place, other) = (value.clone(), value.clone(), key.clone(), key.clone());
        let find = move |client: &MemcachedClient| match client.get_ttl::<V>(&key).wait().unwrap() {
            None => Found::Nothing,
            Some(entry) if entry.value != value => Found::Wrong,
            Some(entry) if entry.is_stale() => Found::Stale,
            Some(_) => Found::Right,
        };
        Self {
            name,
            settings: [|builder| builder; 2],
            expected: Found::Right,
            store: Box::new(move |client| client.put(&place, stored.clone(), LONG).wait().unwrap()),
            find: Box::new(find),
            replace: Box::new(move |client| compute(client, &other, again.clone())),
        }
    }

    fn by(mut self, settings: Settings) -> Self {
        self.settings = [settings; 2];
        self
    }

    /// Sets what only the one who stores has set.
    fn stored_by(mut self, settings: Settings) -> Self {
        self.settings[0] = settings;
        self
    }

    /// Does this after or instead of storing.
    fn then(mut self, expected: Found, store: impl Fn(&MemcachedClient) + 'static) -> Self {
        self.expected = expected;
        let before = self.store;
        self.store = Box::new(move |client| {
            before(client);
            store(client);
        });
        self
    }

    pub fn writer(&self, server: &str) -> MemcachedClient {
        self.settings[0](begin(server)).build().unwrap()
    }

    pub fn reader(&self, server: &str) -> MemcachedClient {
        self.settings[1](begin(server).accept_key("older")).build().unwrap()
    }

    pub fn store(&self, client: &MemcachedClient) {
        (self.store)(client);
    }

    pub fn find(&self, client: &MemcachedClient) -> Found {
        (self.find)(client)
    }

    /// Claims the key, which must have nothing valid, and stores the value.
    pub fn replace(&self, client: &MemcachedClient) {
        (self.replace)(client);
    }
}

fn begin(server: &str) -> MemcachedBuilder {
    MemcachedClient::builder().servers([server]).checksum_key("golden").deadline(AMPLE)
}

fn compute<V: Value + Serialize + DeserializeOwned>(client: &MemcachedClient, key: &Key, value: V) {
    let claim = client.claim(key, ClaimOptions::<V>::new(LONG)).wait().unwrap();
    let Claim::Absent(token) = claim else { panic!("it is there, or others compute it") };
    assert!(client.fill(key, token, value, LONG).wait().unwrap());
}

/// A type with all that serde knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    Nothing,
    Number(i64),
    Pair(u8, Option<char>),
    Named { name: String, parts: Vec<Shape>, size: Size },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Size {
    pub width: f64,
    pub height: f32,
    pub unit: Unit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit;

fn shape() -> Shape {
    let size = Size { width: 1.5, height: -0.25, unit: Unit };
    let parts = vec![Shape::Nothing, Shape::Number(i64::MIN), Shape::Pair(255, Some('ß'))];
    Shape::Named { name: "größe".into(), parts, size }
}

/// Numbers that zstd cannot make smaller, always the same.
fn noise(len: u32) -> Vec<u32> {
    (0..len).map(|n| n.wrapping_mul(2_654_435_761) ^ n.wrapping_mul(n).wrapping_mul(0x9e37_79b9) >> 3).collect()
}

fn typical(n: u32) -> String {
    format!("{{\"number\":{n},\"name\":\"number {n}\",\"even\":{}}}", n.is_multiple_of(2))
}

fn inside(names: &[&str], key: &str) -> Key {
    let key = Key::new(key).unwrap();
    names.iter().rev().fold(key, |key, name| key.within(&Namespace::named(*name)))
}

fn plain(builder: MemcachedBuilder) -> MemcachedBuilder {
    builder.compression(Compression::off())
}

fn small_items(builder: MemcachedBuilder) -> MemcachedBuilder {
    builder.item_size(2048)
}

/// All that there is.
pub fn all() -> Vec<Case> {
    let (types, settings, keys, marks) = (types(), settings(), keys(), marks());
    types.into_iter().chain(settings).chain(keys).chain(marks).collect()
}

fn types() -> Vec<Case> {
    vec![
        Case::put("unit", ()),
        Case::put("number", 300_u64),
        Case::put("negative", -1_i32),
        Case::put("wide", i128::MIN),
        Case::put("float", (0.1_f64, f32::MIN_POSITIVE)),
        Case::put("letter", ('ß', true)),
        Case::put("empty", String::new()),
        Case::put("text", "a text with ключ \u{1f511} and \r\n\0".to_owned()),
        Case::put("bytes", (0..=255).collect::<Vec<u8>>()),
        Case::put("list", vec![Some("a".to_owned()), None]),
        Case::put("map", BTreeMap::from([("b".to_owned(), -1_i16), ("a".to_owned(), 1)])),
        Case::put("option", Some(Some(7_u8))),
        Case::put("tuple", ("abc".to_owned(), 300_u32, [1_u16, 2, 3])),
        Case::put("result", Err::<u8, String>("stored as it is".into())),
        Case::put("shape", shape()),
    ]
}

fn settings() -> Vec<Case> {
    vec![
        Case::put("compressed", typical(7).repeat(50)),
        Case::put("compressed_well", typical(8).repeat(50)).stored_by(|b| b.compression(Compression::zstd().level(19))),
        Case::put("compressed_fast", typical(9).repeat(50)).stored_by(|b| b.compression(Compression::zstd().level(-5))),
        Case::put("compressed_small", "a".repeat(60)).stored_by(|b| b.compression(Compression::zstd().above(0))),
        Case::put("not_compressed", typical(10).repeat(20)).stored_by(plain),
        Case::put("dictionary", typical(1007)).by(|b| {
            let dictionary = (0..20).map(typical).collect::<String>();
            b.compression(Compression::zstd().above(0).dictionary(dictionary))
        }),
        Case::put("pages", noise(1000)).stored_by(small_items),
        Case::put("pages_not_compressed", typical(11).repeat(60)).stored_by(|b| plain(small_items(b))),
        Case::put("pages_compressed", (noise(600), typical(12).repeat(60))).stored_by(small_items),
        Case::put("older_key", 7_u64).stored_by(|b| b.checksum_key("older")),
        Case::put("client_namespace", 8_u64).by(|b| b.namespace("prod")),
    ]
}

fn keys() -> Vec<Case> {
    let raw = |key: &dyn Fn() -> chorde_core::Result<Key>| key().unwrap();
    vec![
        Case::under("key_unit", raw(&|| Key::new(&())), 1_u8),
        Case::under("key_text", raw(&|| Key::new("with spaces\r\nand\0control characters")), 2_u8),
        Case::under("key_long", raw(&|| Key::new(&"long ".repeat(2000))), 3_u8),
        Case::under("key_tuple", raw(&|| Key::new(&("a", 1_u64, Some(-2_i8), [3_u16; 2], 0.5_f64))), 4_u8),
        Case::under("key_function", inside(&["app::prices::load#0123456789abcdef"], "key"), 5_u8),
        Case::under("key_nested", inside(&["prod", "app::load#0123456789abcdef", "<u32>"], "key"), 6_u8),
        // The revision of a namespace lies beside the values.
        Case::under("cleared", inside(&["cleared"], "key"), 7_u8).then(Found::Right, |client| {
            let namespace = [Namespace::named("cleared")];
            client.clear_namespace(Path::new(&namespace)).wait().unwrap();
            client.put(&inside(&["cleared"], "key"), 7_u8, LONG).wait().unwrap();
        }),
    ]
}

/// What is no value, or not any more.
fn marks() -> Vec<Case> {
    let claimed = |name: &'static str| {
        let key = Key::new(&("golden", name)).unwrap();
        let place = key.clone();
        Case::under(name, key, 0_u8).then(Found::Nothing, move |client| {
            client.delete(&place).wait().unwrap();
            let claim = client.claim(&place, ClaimOptions::<u8>::new(LONG)).wait().unwrap();
            assert!(matches!(claim, Claim::Absent(_)));
        })
    };
    let classic: Settings = |builder| builder.transport(Transport::Classic);
    vec![
        claimed("lease"),
        claimed("classic_lease").by(classic),
        Case::put("classic", "by the classic commands".to_owned()).by(classic),
        Case::put("classic_pages", noise(1000)).by(|b| b.transport(Transport::Classic).item_size(2048)),
        Case::put("classic_stale", 9_u64).by(classic).then(Found::Stale, |client| {
            client.expire(&Key::new(&("golden", "classic_stale")).unwrap()).wait().unwrap();
        }),
    ]
}
