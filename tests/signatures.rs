//! Signatures as people write them: what a function takes, how its key is said, and what else expands beside `#[cached]`.

mod support;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chorde::prelude::*;
use chorde::{InprocClient, Key};
use support::{Count, secs};

#[test]
fn a_key_may_be_a_format_string_that_captures_arguments() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, key = format!("user:{id}"))]
    fn one(id: u64, verbose: bool) -> u64 {
        u64::from(verbose) + id + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60, key = (format!("{id:>width$}"), width))]
    fn padded(id: u64, width: usize) -> u64 {
        id + width as u64 + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60, key = format!("{id:?}/{}", format!("{name}")))]
    async fn generic<T: Debug + Send>(id: T, mut name: String) -> u64 {
        name.push_str(&format!("{id:?}"));
        name.len() as u64 + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60, key = format!("{id}"), companions = false)]
    fn alone(id: String) -> u64 {
        id.len() as u64 + RUNS.up()
    }
    assert_eq!((one(7, false), one(7, true), one::peek(7, true)), (8, 8, Some(8)));
    assert_eq!(one::callkey(7, false).unwrap().bytes(), Key::new(&"user:7").unwrap().bytes());
    assert_eq!((padded(7, 3), padded(7, 3), padded::peek(7, 4)), (12, 12, None));
    assert_eq!((alone("ab".into()), alone("ab".into())), (5, 5));
    let later = |id: [u8; 1]| generic(id, "ab".into()).wait();
    assert_eq!((later([1]), later([1]), later([2])), (9, 9, 10));
}

#[test]
fn a_client_and_a_ttl_may_be_chosen_by_format_strings() {
    static RUNS: Count = Count::new();
    store!(ODD);
    store!(EVEN);
    fn pool(of: &str) -> &'static InprocClient {
        if of.len() % 2 == 1 { &ODD } else { &EVEN }
    }
    #[cached(client = pool(&format!("<{name}>")), ttl = secs(format!("{name:>5}").len() as u64))]
    fn load(name: String) -> u64 {
        name.len() as u64 + RUNS.up()
    }
    assert_eq!((load("a".into()), load("a".into()), load("ab".into())), (2, 2, 4));
    assert_eq!((ODD.usage().wait().unwrap(), EVEN.usage().wait().unwrap()), (vec![1], vec![1]));
    assert_eq!(load::ttl("abcdefg".into()), secs(7));
}

#[test]
fn arrays_of_any_length_are_keyed_like_slices() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn by_reference(hash: &[u8; 64]) -> u64 {
        u64::from(hash[0]) + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60)]
    fn all(
        a: [u8; 64],
        b: [[u8; 40]; 2],
        c: Option<&[u8; 64]>,
        d: &&[u8; 33],
        e: Vec<[u8; 48]>,
        f: (u8, [u8; 99]),
    ) -> u64 {
        u64::from(a[0] + b[1][0] + c.map_or(0, |c| c[0]) + d[0] + e[0][0] + f.1[0]) + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60, key = (a, b))]
    async fn by_key<const N: usize>(a: &[u8; 64], b: Option<[u8; N]>) -> u64 {
        u64::from(a[0]) + b.map_or(0, |b| u64::from(b[0])) + RUNS.up()
    }
    let array = [3; 64];
    assert_eq!((by_reference(&array), by_reference(&array), by_reference(&[4; 64])), (4, 4, 6));
    let key = by_reference::callkey(&array).unwrap();
    assert_eq!(key.bytes(), Key::new(&(&array[..],)).unwrap().bytes());
    let call = |c, f| all(array, [[1; 40], [2; 40]], c, &&[1; 33], vec![[1; 48]], (1, f));
    let (first, more) = (call(None, [1; 99]), call(Some(&array), [1; 99]));
    assert_eq!((call(None, [1; 99]), call(Some(&array), [1; 99])), (first, more));
    assert_eq!((call(None, [2; 99]), RUNS.get()), (9 + 5, 5));
    let later = |b| by_key(&array, Some(b)).wait();
    assert_eq!((later([1; 50]), later([1; 50]), RUNS.get()), (10, 10, 6));
}

#[test]
fn shared_pointers_are_arguments() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn length(name: Arc<str>, bytes: &Arc<[u8]>, more: Option<Arc<String>>) -> usize {
        name.len() + bytes.len() + more.map_or(0, |more| more.len())
    }
    assert_eq!(length("abc".into(), &Arc::from([1, 2]), Some(Arc::new("x".into()))), 6);
    let key = length::callkey("abc".into(), &Arc::from([1, 2]), None).unwrap();
    assert_eq!(key.bytes(), Key::new(&("abc", &[1_u8, 2][..], None::<&str>)).unwrap().bytes());
}

#[test]
fn a_time_may_be_a_whole_number_of_seconds_of_any_expression() {
    const SECONDS: u64 = 300;
    const MINUTE: u32 = 60;
    const LIFE: Duration = Duration::from_secs(90);
    store!(CACHE);
    #[cached(client = CACHE, ttl = SECONDS, async_ttl = -MINUTE, lease = MINUTE, ttl_spread = SECONDS / 10)]
    fn constants(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 60 * 60, async_ttl = LIFE)]
    fn arithmetic(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = u64::from(x))]
    fn of_the_argument(x: u8) -> u8 {
        x
    }
    struct Repo;
    impl Repo {
        #[cached(client = CACHE, ttl = SECONDS, skip(self))]
        fn get(&self, x: u64) -> u64 {
            x
        }
    }
    assert_eq!((constants(1), arithmetic(1), of_the_argument(1), Repo.get(1)), (1, 1, 1, 1));
    assert_eq!((constants::ttl(), constants::async_ttl()), (secs(300), chorde::RefreshPoint::Age(secs(60))));
    assert_eq!((arithmetic::ttl(), arithmetic::async_ttl()), (secs(3600), chorde::RefreshPoint::Remaining(LIFE)));
    assert_eq!((of_the_argument::ttl(7), Repo::get_ttl()), (secs(7), secs(300)));
}

store!(TRAITS);
static LOADS: Count = Count::new();

#[async_trait]
trait Load: Send + Sync {
    async fn load(&self, id: u64, name: &str) -> u64;
    async fn checked(&self, ids: Vec<u64>) -> Result<u64, String>;
    async fn of(id: u64) -> u64
    where
        Self: Sized;
    #[cached(client = TRAITS, ttl = 60, skip(self))]
    async fn provided(&self, id: u64) -> u64 {
        id + LOADS.up()
    }
}

struct Table {
    cache: InprocClient,
    tenant: u64,
}

#[async_trait]
impl Load for Table {
    #[cached(client = self.cache, ttl = 60, key = (self.tenant, id, format!("{name}")))]
    async fn load(&self, id: u64, name: &str) -> u64 {
        support::hand::pause().await;
        self.tenant + id + name.len() as u64 + LOADS.up()
    }

    #[cached(client = TRAITS, ttl = 60, skip(self))]
    async fn checked(&self, mut ids: Vec<u64>) -> Result<u64, String> {
        LOADS.up();
        ids.pop().ok_or_else(|| "no".to_owned())
    }

    #[cached(client = TRAITS, ttl = 60, companions = false)]
    async fn of(id: u64) -> u64 {
        id + LOADS.up()
    }
}

#[test]
fn methods_of_async_trait_are_cached() {
    let table = |tenant| Table { cache: InprocClient::new(10), tenant };
    let one: Box<dyn Load> = Box::new(table(100));
    let twice = |call: &dyn Fn() -> u64| [call(), call()];
    async {
        assert_eq!([one.load(1, "ab").await, one.load(1, "ab").await, one.load(2, "ab").await], [104, 104, 106]);
        assert_eq!(one.checked(vec![]).await, Err("no".to_owned()));
        assert_eq!(one.checked(vec![]).await, Err("no".to_owned()));
        assert_eq!([one.checked(vec![1, 5]).await, one.checked(vec![1, 5]).await], [Ok(5), Ok(5)]);
        assert_eq!([one.provided(10).await, one.provided(10).await], [16, 16]);
    }
    .wait();
    assert_eq!((twice(&|| Table::of(10).wait()), LOADS.get()), ([17, 17], 7));
}

#[test]
fn what_a_macro_passes_on_is_a_body() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    macro_rules! query {
        ($name:ident, $ttl:expr, $of:ty, $body:block) => {
            #[cached(client = CACHE, ttl = $ttl)]
            fn $name(_x: $of) -> $of $body
        };
        ($item:item) => {
            #[cached(client = CACHE, ttl = 60)]
            $item
        };
    }
    query!(constant, 60, u64, { RUNS.up() });
    query!(
        fn whole(x: u64) -> u64 {
            x + RUNS.up()
        }
    );
    assert_eq!((constant(1), constant(1), whole(1), whole(1)), (1, 1, 3, 3));
}
