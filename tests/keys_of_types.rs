//! Arguments of which serde says much, little, or in any order: different ones have different keys, equal ones the same.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, RandomState};
use std::sync::Arc;

use chorde::Key;
use chorde::prelude::*;
use serde::ser::{SerializeMap as _, SerializeSeq as _, SerializeStruct as _};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

store!(CACHE);

/// Has another order than `RandomState` has, and always the same one.
type Fixed = BuildHasherDefault<DefaultHasher>;

/// Declares functions whose result shows their arguments, and the same without a cache.
macro_rules! functions {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        mod plain {
            use super::*;
            $(pub(super) fn $name($($arg: $type),*) -> String {
                [$(format!("{:?}", $arg)),*].join(", ")
            })*
        }
        $(#[cached(client = CACHE, ttl = 60)]
        fn $name($($arg: $type),*) -> String {
            plain::$name($($arg),*)
        })*
    };
}

/// Calls twice with all arguments: each call has its own value, each second one is a hit, and the keys differ for clients
/// outside of the process too.
macro_rules! all_differ {
    ($function:ident: $(($($argument:expr),*)),* $(,)?) => {{
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        $function::clear().unwrap();
        $function::reset_stats();
        let mut count = 0;
        $({
            assert_eq!($function($($argument),*), plain::$function($($argument),*));
            count += 1;
        })*
        $(assert_eq!($function($($argument),*), plain::$function($($argument),*));)*
        let stats = $function::stats();
        assert_eq!((stats.misses, stats.hits, stats.key_errors), (count, count, 0), stringify!($function));
        differ(&[$($function::callkey($($argument),*).unwrap()),*]);
    }};
}

/// Calls with arguments that are all equal: one computation.
/// Held while counts are looked at: two tests call one function.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

macro_rules! all_equal {
    ($function:ident: $(($($argument:expr),*)),* $(,)?) => {{
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        $function::clear().unwrap();
        $function::reset_stats();
        $($function($($argument),*);)*
        let stats = $function::stats();
        assert_eq!((stats.misses, stats.key_errors), (1, 0), stringify!($function));
        let keys = [$($function::callkey($($argument),*).unwrap()),*];
        assert!(keys.iter().all(|key| *key == keys[0] && key.bytes() == keys[0].bytes()));
    }};
}

fn differ(keys: &[Key]) {
    for (at, key) in keys.iter().enumerate() {
        let is_new = |other: &Key| other != key && other.bytes() != key.bytes();
        assert!(keys[..at].iter().all(is_new), "{at}");
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
}

/// Leaves its field out without a word to serde.
#[derive(Clone, Debug)]
struct Silent(Option<u32>, Option<u32>);

impl Serialize for Silent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = [("first", self.0), ("second", self.1)];
        let mut open = serializer.serialize_struct("Silent", 2)?;
        for (name, value) in fields.iter().filter_map(|(name, value)| Some((*name, (*value)?))) {
            open.serialize_field(name, &value)?;
        }
        open.end()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
enum Id {
    User(u64),
    Order(u64),
    Both { user: u64, order: u64 },
    Neither,
    Nobody,
}

const USER: Id = Id::User(5);
const ORDER: Id = Id::Order(5);

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Shaped {
    Circle(Circle),
    Square(Square),
    Point { at: u8 },
    Line { to: u8 },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Circle {
    size: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Square {
    size: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Whole {
    id: u8,
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
    #[serde(flatten)]
    filter: Filter,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Holder {
    shape: Shaped,
    tags: HashMap<u8, Vec<HashMap<u8, u8>>>,
}

/// Does not know its length.
#[derive(Clone, Debug)]
struct Evens(u8);

impl Serialize for Evens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for even in (0..self.0).filter(|number| number % 2 == 0) {
            list.serialize_element(&even)?;
        }
        list.end()
    }
}

/// Neither does this one.
#[derive(Clone, Debug)]
struct Squares(u8);

impl Serialize for Squares {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for number in 0..self.0 {
            map.serialize_entry(&number, &(u16::from(number) * u16::from(number)))?;
        }
        map.end()
    }
}

functions! {
    filtered(filter: Filter);
    filtered_by(filter: &Filter, filters: Vec<Filter>);
    silent(of: Silent);
    json_value(value: Value);
    json_lent(value: &Value, depth: u8);
    shaped(shape: &Shaped);
    whole(whole: Whole);
    held(holder: Holder);
    lists(evens: Evens, squares: &Squares);
    id(id: Id);
    id_lent(id: &Id);
    id_option(id: Option<Id>, other: Option<&Id>);
    id_lists(ids: Vec<Id>, others: &[Id], pair: [Id; 2]);
    id_pairs(pair: (u8, Id), boxed: Box<Option<Id>>, shared: Box<Id>);
    id_maps(map: HashMap<u8, Id>, ids: HashSet<Id>, sorted: BTreeSet<Id>);
    hash_map(map: HashMap<u64, String>);
    hash_set(set: HashSet<u64>);
    hash_sets(lent: &HashSet<u64>, option: Option<HashSet<String>>, list: Vec<HashSet<u8>>);
    numbers(a: Number);
}

#[test]
fn which_fields_were_left_out_counts() {
    let filter = |min, max| Filter { min, max };
    all_differ!(filtered:
        (filter(Some(1), None)), (filter(None, Some(1))), (filter(None, None)), (filter(Some(1), Some(1))));
    let (low, high) = (filter(Some(1), None), filter(None, Some(1)));
    all_differ!(filtered_by:
        (&low, vec![]), (&high, vec![]), (&low, vec![low.clone(), high.clone()]), (&low, vec![high.clone(), low.clone()]),
        (&low, vec![filter(Some(1), Some(1)), filter(None, None)]));
    all_differ!(silent: (Silent(Some(1), None)), (Silent(None, Some(1))), (Silent(None, None)));
}

#[test]
fn what_describes_itself_has_as_many_keys_as_values() {
    all_differ!(json_value:
        (json!(null)), (json!(0)), (json!(0.0)), (json!(false)), (json!("")), (json!([])), (json!({})), (json!(-1)),
        (json!([[], []])), (json!([[[]]])), (json!([0, [0]])), (json!([[0], 0])), (json!([[0, 0]])), (json!([null])),
        (json!({"a": 1, "b": 2})), (json!({"a": 2, "b": 1})), (json!({"a": {"b": 1}})), (json!([["a", 1], ["b", 2]])),
        (json!(u64::MAX)), (json!("0")), (json!(1)), (json!(1.0)), (json!(4_607_182_418_800_017_408_u64)));
    all_differ!(json_lent: (&json!([1, 0]), 0), (&json!([1]), 0), (&json!(1), 0), (&json!([1]), 1));
}

#[test]
fn variants_that_serde_does_not_tell_count() {
    all_differ!(id: (USER), (ORDER), (Id::Both { user: 5, order: 5 }), (Id::Neither), (Id::Nobody));
    all_differ!(id_lent: (&USER), (&ORDER));
    all_differ!(id_option: (Some(USER), None), (Some(ORDER), None), (None, Some(&USER)), (None, Some(&ORDER)));
    all_differ!(id_lists:
        (vec![], &[], [USER, USER]), (vec![], &[], [USER, ORDER]), (vec![], &[], [ORDER, USER]),
        (vec![USER], &[], [USER; 2]), (vec![ORDER], &[], [USER; 2]), (vec![], &[USER], [USER; 2]),
        (vec![], &[ORDER], [USER; 2]), (vec![USER, ORDER], &[], [USER; 2]), (vec![ORDER, USER], &[], [USER; 2]));
    all_differ!(id_pairs:
        ((1, USER), Box::new(None), Box::new(USER)), ((1, ORDER), Box::new(None), Box::new(USER)),
        ((1, USER), Box::new(Some(USER)), Box::new(USER)), ((1, USER), Box::new(Some(ORDER)), Box::new(USER)),
        ((1, USER), Box::new(None), Box::new(ORDER)));
    let one = |id| HashMap::from([(1_u8, id)]);
    all_differ!(id_maps:
        (one(USER), HashSet::new(), BTreeSet::new()), (one(ORDER), HashSet::new(), BTreeSet::new()),
        (one(USER), HashSet::from([USER]), BTreeSet::new()), (one(USER), HashSet::from([ORDER]), BTreeSet::new()),
        (one(USER), HashSet::new(), BTreeSet::from([USER])), (one(USER), HashSet::new(), BTreeSet::from([ORDER])));
}

#[test]
fn names_count_where_nothing_else_differs() {
    all_differ!(shaped:
        (&Shaped::Circle(Circle { size: 1 })), (&Shaped::Square(Square { size: 1 })), (&Shaped::Point { at: 1 }),
        (&Shaped::Line { to: 1 }));
    let holder = |shape| Holder { shape, tags: HashMap::new() };
    all_differ!(held:
        (holder(Shaped::Circle(Circle { size: 1 }))), (holder(Shaped::Square(Square { size: 1 }))),
        (holder(Shaped::Point { at: 1 })), (holder(Shaped::Line { to: 1 })));
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Any {
    U32(u32),
    U64(u64),
    I64(i64),
    F64(f64),
    Char(char),
    Text(String),
    List(Vec<u32>),
    Tuple(u32, u32),
    Unit(()),
    Option(Option<u32>),
}

/// Not an enum itself, so that nobody tells the variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Number {
    any: Any,
}

#[test]
fn the_kinds_of_numbers_count() {
    let number = |any| Number { any };
    all_differ!(numbers:
        (number(Any::U32(97))), (number(Any::U64(97))), (number(Any::I64(97))), (number(Any::F64(f64::from_bits(97)))),
        (number(Any::Char('a'))), (number(Any::Text("a".to_owned()))), (number(Any::List(vec![97]))),
        (number(Any::List(vec![97, 97]))), (number(Any::Tuple(97, 97))), (number(Any::Unit(()))),
        (number(Any::Option(Some(97)))), (number(Any::Option(None))));
}

#[test]
fn flattened_fields_and_unknown_lengths_are_keyed() {
    let whole_of = |more: &[(&str, u8)], max| Whole {
        id: 1,
        more: more.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        filter: Filter { min: None, max },
    };
    all_differ!(whole:
        (whole_of(&[], None)), (whole_of(&[], Some(1))), (whole_of(&[("a", 1)], None)), (whole_of(&[("a", 1)], Some(1))),
        (whole_of(&[("a", 1), ("b", 2)], None)), (whole_of(&[("a", 2), ("b", 1)], None)));
    all_differ!(lists:
        (Evens(1), &Squares(3)), (Evens(3), &Squares(3)), (Evens(3), &Squares(4)), (Evens(99), &Squares(99)));
}

#[test]
fn maps_have_no_order() {
    let text = |number: &u64| (*number, number.to_string());
    let numbers: Vec<u64> = (0..50).collect();
    let map = || numbers.iter().map(text).collect::<HashMap<_, _>>();
    let turned = || numbers.iter().rev().map(text).collect::<HashMap<_, _, RandomState>>();
    all_equal!(hash_map: (map()), (turned()), (map()));
    all_differ!(hash_map: (HashMap::from([text(&1)])), (HashMap::from([text(&2)])), (HashMap::new()));
    let deep = |inner: &[(u8, u8)], order: &[u8]| Holder {
        shape: Shaped::Point { at: 1 },
        tags: order.iter().map(|key| (*key, vec![inner.iter().copied().collect(), HashMap::new()])).collect(),
    };
    all_equal!(held: (deep(&[(1, 2), (3, 4)], &[5, 6, 7])), (deep(&[(3, 4), (1, 2)], &[7, 5, 6])));
    all_equal!(json_value: (json!({"a": 1, "b": [{"c": 2, "d": 3}]})), (json!({"b": [{"d": 3, "c": 2}], "a": 1})));
}

#[test]
fn sets_that_are_arguments_have_no_order() {
    let numbers: Vec<u64> = (0..50).collect();
    let set = || numbers.iter().copied().collect::<HashSet<_>>();
    let turned = || numbers.iter().rev().copied().collect::<HashSet<_>>();
    all_equal!(hash_set: (set()), (turned()), (set()));
    all_differ!(hash_set: (HashSet::from([3])), (HashSet::from([1])), (HashSet::from([2])), (HashSet::new()));
    let texts = || numbers.iter().map(ToString::to_string).collect::<HashSet<_>>();
    all_equal!(hash_sets: (&set(), Some(texts()), vec![HashSet::from([1, 2, 3])]),
        (&turned(), Some(texts()), vec![HashSet::from([3, 1, 2])]));
    let one = HashSet::from([1]);
    all_differ!(hash_sets: (&one, None, vec![]), (&one, Some(HashSet::new()), vec![]), (&HashSet::new(), None, vec![]),
        (&one, None, vec![HashSet::from([1])]), (&one, None, vec![HashSet::from([1]), HashSet::from([2])]));
    let lists =
        [vec![HashSet::from([1, 2])], vec![HashSet::from([1]), HashSet::from([2])], vec![HashSet::from([1, 3])]];
    differ(&lists.map(|list| hash_sets::callkey(&one, None, list).unwrap()));
}

#[test]
fn any_hasher_will_do() {
    #[cached(client = CACHE, ttl = 60)]
    fn fixed(set: &HashSet<u64, Fixed>, map: HashMap<u64, u64, Fixed>) -> usize {
        set.len() + map.len()
    }
    #[cached(client = CACHE, ttl = 60)]
    fn generic<T: Serialize + Hash + Eq + Clone + Send + Sync + 'static>(set: HashSet<T>) -> usize {
        set.len()
    }
    let set = |numbers: &[u64]| numbers.iter().copied().collect();
    let map = |numbers: &[u64]| numbers.iter().map(|number| (*number, 1)).collect();
    // Enough to be in another order when inserted in another one.
    let (up, down): (Vec<u64>, Vec<u64>) = ((0..200).collect(), (0..200).rev().collect());
    fixed(&set(&up), map(&up));
    fixed(&set(&down), map(&down));
    assert_eq!((fixed::stats().misses, fixed::stats().hits), (1, 1));
    generic(up.iter().map(ToString::to_string).collect());
    generic(down.iter().map(ToString::to_string).collect());
    assert_eq!((generic::stats().misses, generic::stats().hits), (1, 1));
}

#[test]
fn arguments_of_all_kinds_of_functions_are_told_apart() {
    struct Repo;
    trait Load: Serialize + Send + Sync {}
    impl Load for u64 {}
    #[derive(Serialize)]
    struct Named(String);
    impl Load for Named {}

    impl Repo {
        #[cached(client = CACHE, ttl = 60, key = (1, id))]
        fn find(&self, id: Id) -> String {
            format!("{id:?}")
        }
        #[cached(client = CACHE, ttl = 60, skip(self))]
        async fn load(&self, id: &Id) -> String {
            format!("{id:?}")
        }
    }
    #[cached(client = CACHE, ttl = 60, companions = false)]
    fn generic<T: Serialize + std::fmt::Debug + Clone + Send + Sync + 'static>(id: T, _: Option<T>) -> String {
        format!("{id:?}")
    }
    #[cached(client = CACHE, ttl = 60, companions = false)]
    fn unsized_<T: Load + ?Sized>(of: &T) -> usize {
        std::mem::size_of_val(of)
    }
    #[cached(client = CACHE, ttl = 60, key = request.id)]
    fn by_key(request: Arc<Request>) -> String {
        format!("{:?}", request.id)
    }
    struct Request {
        id: Id,
    }
    assert_eq!([Repo.find(USER), Repo.find(ORDER)], ["User(5)", "Order(5)"]);
    assert_eq!([Repo.load(&USER).wait(), Repo.load(&ORDER).wait()], ["User(5)", "Order(5)"]);
    assert_eq!([generic(USER, None), generic(ORDER, None)], ["User(5)", "Order(5)"]);
    assert_eq!([generic(ORDER, Some(USER)), generic(ORDER, Some(ORDER))], ["Order(5)", "Order(5)"]);
    assert_eq!([unsized_(&5_u64), unsized_(&Named("5".to_owned()))], [8, size_of::<String>()]);
    let request = |id| Arc::new(Request { id });
    assert_eq!([by_key(request(USER)), by_key(request(ORDER))], ["User(5)", "Order(5)"]);
}

#[test]
fn names_of_other_types_are_keyed_as_they_say() {
    /// Shares names with what the attribute knows.
    mod mine {
        use serde::Serialize;
        #[derive(Clone, Debug, Serialize)]
        pub(super) struct Option<T>(pub(super) T);
        #[derive(Clone, Debug, Serialize)]
        pub(super) struct Vec<T>(pub(super) T);
        #[derive(Clone, Debug, Serialize)]
        pub(super) struct FlatHashSet<T>(pub(super) T);
        #[derive(Clone, Debug, Serialize)]
        pub(super) struct Arc<T>(pub(super) T);
    }
    #[cached(client = CACHE, ttl = 60)]
    fn other(a: mine::Option<Id>, b: mine::Vec<Option<Id>>, c: &mine::FlatHashSet<Id>, d: mine::Arc<Id>) -> String {
        format!("{a:?} {b:?} {c:?} {d:?}")
    }
    let key = |id| other::callkey(mine::Option(id), mine::Vec(None), &mine::FlatHashSet(id), mine::Arc(id)).unwrap();
    assert_ne!(key(USER), key(Id::Order(6)));
    assert_eq!(key(USER), key(USER));
}

#[test]
fn keys_by_hand_are_those_of_functions() {
    #[derive(Clone, Debug, Serialize)]
    enum Tagged {
        A,
        B { x: u8 },
    }
    #[cached(client = CACHE, ttl = 60, namespace = none)]
    fn bare(tag: Tagged, filter: &Filter, pair: (u8, Option<Tagged>)) -> String {
        format!("{tag:?} {filter:?} {pair:?}")
    }
    let filter = Filter { min: None, max: Some(1) };
    let tag = Tagged::A;
    let value = bare(tag.clone(), &filter, (1, Some(tag.clone())));
    let key = (&tag, &filter, (1_u8, Some(&tag)));
    assert_eq!(CACHE.get::<String>(&key).wait().unwrap(), Some(value));
    // Of other variants it is told which one it is, whether or not serde says so.
    let tag = Tagged::B { x: 1 };
    let value = bare(tag.clone(), &filter, (1, Some(tag.clone())));
    let key = bare::callkey(tag.clone(), &filter, (1, Some(tag))).unwrap();
    assert_eq!(CACHE.get::<String>(&key).wait().unwrap(), Some(value));
}

mod nested {
    use serde::Serialize;

    #[derive(Clone, Copy, Debug, Serialize)]
    pub(crate) enum Kind {
        Small,
        Large,
    }

    #[derive(Clone, Copy, Debug, Serialize)]
    #[serde(untagged)]
    pub(crate) enum Id {
        User(Kind),
        Group(Kind),
    }

    /// Named as a type of the standard library is.
    #[derive(Clone, Copy, Debug, Serialize)]
    #[serde(untagged)]
    pub(crate) enum Path {
        Old(u64),
        New(u64),
    }

    impl Path {
        pub(crate) fn itself(&self) -> &Self {
            self
        }
    }
}

#[test]
fn what_is_untagged_is_told_whatever_it_holds_and_however_it_is_named() {
    use nested::{Id, Kind, Path};
    #[cached(client = CACHE, ttl = 60)]
    fn of_id(id: Id) -> String {
        format!("{id:?}")
    }
    #[cached(client = CACHE, ttl = 60)]
    fn of_path(path: Path, other: Option<Path>) -> String {
        format!("{path:?} {other:?}")
    }
    #[cached(client = CACHE, ttl = 60, key = &path)]
    fn by_reference(path: Path) -> String {
        format!("{path:?}")
    }
    #[cached(client = CACHE, ttl = 60, key = (&path, 1))]
    fn by_references(path: Path) -> String {
        format!("{path:?}")
    }
    #[cached(client = CACHE, ttl = 60, key = path.itself())]
    fn by_method(path: Path) -> String {
        format!("{path:?}")
    }
    for id in [Id::User(Kind::Small), Id::Group(Kind::Small), Id::User(Kind::Large), Id::Group(Kind::Large)] {
        assert_eq!(of_id(id), format!("{id:?}"));
    }
    for path in [Path::Old(1), Path::New(1)] {
        assert_eq!(of_path(path, Some(path)), format!("{path:?} Some({path:?})"));
        let expected = format!("{path:?}");
        assert_eq!(
            (by_reference(path), by_references(path), by_method(path)),
            (expected.clone(), expected.clone(), expected)
        );
    }
}
