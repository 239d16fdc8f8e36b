//! Misses of each kind, for a process that makes those of one kind only: `misses KIND ROOM COUNT`.
//!
//! The binaries `misses` and `allocations` share this: only the second one counts allocations, which takes time.

use std::hint::black_box;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use cached::macros::{cached, concurrent_cached};
use chorde::InprocClient;
use tokio::runtime::{Builder, Runtime};

const TTL: Duration = Duration::from_secs(3600);

/// Misses before those that are measured: they fill a small cache, so that each one after them evicts.
const WARM_UP: u64 = 12_000;

/// Room for all keys, and for so few that each miss evicts.
const ROOMY: u64 = 400_000;
const SMALL: u64 = 10_000;

static CAPACITY: OnceLock<u64> = OnceLock::new();

fn capacity() -> u64 {
    *CAPACITY.get().expect("told by the arguments")
}

fn is_small() -> bool {
    capacity() == SMALL
}

/// The function that is cached: what it takes does not count.
fn compute(key: u64) -> u64 {
    black_box(key.wrapping_mul(3))
}

static OURS: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(capacity()));
static OURS_WAITED: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(capacity()));
static MOKA: LazyLock<moka::sync::Cache<u64, u64>> =
    LazyLock::new(|| moka::sync::Cache::builder().max_capacity(capacity()).time_to_live(TTL).build());
static MOKA_FUTURE: LazyLock<moka::future::Cache<u64, u64>> =
    LazyLock::new(|| moka::future::Cache::builder().max_capacity(capacity()).time_to_live(TTL).build());
static QUICK: LazyLock<quick_cache::sync::Cache<u64, u64>> =
    LazyLock::new(|| quick_cache::sync::Cache::new(capacity() as usize));

#[chorde::cached(client = OURS, ttl = 3600)]
fn ours(key: u64) -> u64 {
    compute(key)
}

#[chorde::cached(client = OURS_WAITED, ttl = 3600)]
async fn ours_waited(key: u64) -> u64 {
    compute(key)
}

fn moka(key: u64) -> u64 {
    MOKA.get_with(key, || compute(key))
}

async fn moka_waited(key: u64) -> u64 {
    MOKA_FUTURE.get_with(key, async { compute(key) }).await
}

fn quick(key: u64) -> u64 {
    QUICK.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(compute(key))).unwrap_or_default()
}

/// Declares a function of the crate `cached` in both sizes, which have to be literals there.
macro_rules! theirs {
    ($attribute:ident, $roomy:ident, $small:ident, ($($argument:tt)*)) => {
        #[$attribute(max_size = 400000, ttl_secs = 3600 $($argument)*)]
        fn $roomy(key: u64) -> u64 {
            compute(key)
        }

        #[$attribute(max_size = 10000, ttl_secs = 3600 $($argument)*)]
        fn $small(key: u64) -> u64 {
            compute(key)
        }
    };
    (async $attribute:ident, $roomy:ident, $small:ident, ($($argument:tt)*)) => {
        #[$attribute(max_size = 400000, ttl_secs = 3600 $($argument)*)]
        async fn $roomy(key: u64) -> u64 {
            compute(key)
        }

        #[$attribute(max_size = 10000, ttl_secs = 3600 $($argument)*)]
        async fn $small(key: u64) -> u64 {
            compute(key)
        }
    };
}

theirs!(cached, theirs, theirs_small, ());
theirs!(cached, theirs_by_key, theirs_by_key_small, (, sync_writes = "by_key"));
theirs!(concurrent_cached, theirs_sharded, theirs_sharded_small, ());
theirs!(async cached, theirs_waited, theirs_waited_small, ());
theirs!(async cached, theirs_waited_by_key, theirs_waited_by_key_small, (, sync_writes = "by_key"));

fn each(keys: Range<u64>, call: impl Fn(u64) -> u64) {
    black_box(keys.fold(0_u64, |sum, key| sum.wrapping_add(call(black_box(key)))));
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

fn each_waited(keys: Range<u64>, call: impl AsyncFn(u64) -> u64) {
    let sum = RUNTIME.block_on(async {
        let mut sum = 0_u64;
        for key in keys {
            sum = sum.wrapping_add(call(black_box(key)).await);
        }
        sum
    });
    black_box(sum);
}

/// Computes nothing and stores nothing.
fn bare(keys: Range<u64>) {
    each(keys, compute);
}

/// Misses of each kind.
type Run = fn(Range<u64>);

const KINDS: [(&str, Run); 11] = [
    ("uncached", bare),
    ("chorde, plain", |keys| each(keys, ours)),
    ("chorde, async", |keys| each_waited(keys, ours_waited)),
    ("moka, get_with, ttl", |keys| each(keys, moka)),
    ("moka, get_with, ttl, async", |keys| each_waited(keys, moka_waited)),
    ("quick_cache, get_or_insert_with, no ttl", |keys| each(keys, quick)),
    ("cached, max_size and ttl", |keys| each(keys, if is_small() { theirs_small } else { theirs })),
    ("cached, sync_writes by_key", |keys| each(keys, if is_small() { theirs_by_key_small } else { theirs_by_key })),
    ("concurrent_cached", |keys| each(keys, if is_small() { theirs_sharded_small } else { theirs_sharded })),
    ("cached, async", |keys| {
        if is_small() { each_waited(keys, theirs_waited_small) } else { each_waited(keys, theirs_waited) }
    }),
    ("cached, sync_writes by_key, async", |keys| {
        if is_small() { each_waited(keys, theirs_waited_by_key_small) } else { each_waited(keys, theirs_waited_by_key) }
    }),
];

/// Makes misses as the arguments say: some to warm up, then those of `measure`, which is given how many there are.
pub fn run(measure: impl FnOnce(u64, &dyn Fn())) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, room, count] = &arguments[..] else {
        KINDS.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let capacity = if room == "small" { SMALL } else { ROOMY };
    CAPACITY.get_or_init(|| capacity);
    let count: u64 = count.parse().expect("a number");
    let (_, run) = KINDS.iter().find(|(name, _)| name == kind).expect("a kind; without arguments they are listed");
    run(0..WARM_UP);
    measure(count, &|| run(WARM_UP..WARM_UP + count));
}
