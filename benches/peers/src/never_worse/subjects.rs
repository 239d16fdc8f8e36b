//! The functions, each with its cached form, and the crowds that call them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, RwLock};
use std::time::Duration;

use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use chorde::{InprocClient, cached};
use tokio::runtime::Runtime;

use super::STARTED;
use super::crowd::{self, Caught, Check, Crowd};
use crate::measure::{Outcome, workers};

/// One kind of function.
pub struct Subject {
    pub name: &'static str,
    pub crowds: &'static [Crowd],
    /// By how many milliseconds a call may be later than the function, as the documentation has it.
    pub allowed: Option<u32>,
    /// Sets the scene before each round of the cached form.
    pub prepare: Box<dyn Fn()>,
    pub uncached: Box<dyn Fn(Crowd) -> Vec<f64>>,
    pub cached: Box<dyn Fn(Crowd) -> Vec<f64>>,
}

/// An error that cannot be cloned.
#[derive(Debug)]
pub struct Failure(u64);

const WORK: Duration = Duration::from_millis(100);
const PLAIN_WORK: Duration = Duration::from_millis(20);
const DEADLINE: u32 = 500;

/// Whether waiting and leases are a tenth of what they are otherwise.
static IS_SHORT: AtomicBool = AtomicBool::new(false);

fn scaled(duration: Duration) -> Duration {
    if IS_SHORT.load(Ordering::Relaxed) { duration / 10 } else { duration }
}

/// The default, unless all is short.
fn lease() -> Duration {
    scaled(Duration::from_secs(10))
}

/// Longer than the lease.
fn long() -> Duration {
    scaled(Duration::from_secs(12))
}

async fn waits(time: Duration) {
    STARTED.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(time).await;
}

fn sleeps(time: Duration) {
    STARTED.fetch_add(1, Ordering::Relaxed);
    std::thread::sleep(time);
}

/// Panics without a report on the screen, which would be a thousand of them.
fn panics() -> u64 {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Declares a function and its cached form beside it.
macro_rules! pair {
    ($plain:ident, $ours:ident, ($($argument:tt)*), async |$key:ident| -> $result:ty $body:block) => {
        async fn $plain($key: u64) -> $result $body

        #[cached($($argument)*, ttl = 3600)]
        async fn $ours($key: u64) -> $result {
            $plain($key).await
        }
    };
    ($plain:ident, $ours:ident, ($($argument:tt)*), |$key:ident| -> $result:ty $body:block) => {
        fn $plain($key: u64) -> $result $body

        #[cached($($argument)*, ttl = 3600)]
        fn $ours($key: u64) -> $result {
            $plain($key)
        }
    };
}

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100_000));

pair!(fails, fails_cached, (client = CACHE), async |key| -> Result<u64, Failure> {
    waits(WORK).await;
    Err(Failure(key))
});
pair!(fails_plain, fails_plain_cached, (client = CACHE), |key| -> Result<u64, Failure> {
    sleeps(PLAIN_WORK);
    Err(Failure(key))
});
pair!(panics_late, panics_late_cached, (client = CACHE), async |key| -> u64 {
    waits(WORK).await;
    key + panics()
});
pair!(panics_plain, panics_plain_cached, (client = CACHE), |key| -> u64 {
    sleeps(PLAIN_WORK);
    key + panics()
});
pair!(slow, slow_cached, (client = CACHE, lease = lease()), async |key| -> u64 {
    waits(long()).await;
    key
});
pair!(slow_plain, slow_plain_cached, (client = CACHE, lease = lease()), |key| -> u64 {
    sleeps(long());
    key
});

/// A memcached that works, and a client of it.
static FLEET: OnceLock<MemcachedClient> = OnceLock::new();

pub fn fleet() -> &'static MemcachedClient {
    FLEET.get().expect("made before")
}

pair!(fails_far, fails_far_cached, (client = fleet()), async |key| -> Result<u64, Failure> {
    waits(WORK).await;
    Err(Failure(key))
});

/// A client of a memcached that hangs.
static HANGING: RwLock<Option<MemcachedClient>> = RwLock::new(None);

fn hanging() -> MemcachedClient {
    HANGING.read().expect("no panic").clone().expect("made before")
}

pair!(hangs, hangs_cached, (client = hanging()), async |key| -> u64 {
    waits(WORK).await;
    key
});

fn client(server: &MemcachedServer) -> MemcachedClient {
    let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("a secret of the fleet");
    builder.deadline(Duration::from_millis(DEADLINE.into())).build().expect("a client")
}

const fn crowd(callers: usize, keys: u64, rounds: usize) -> Crowd {
    Crowd { callers, keys, rounds }
}

const BRIEF: [Crowd; 3] = [crowd(1, 20, 20), crowd(50, 4, 3), crowd(1_000, 1, 1)];
const BRIEF_PLAIN: [Crowd; 2] = [crowd(1, 1, 300), crowd(50, 1, 6)];
const SLOW: [Crowd; 3] = [crowd(1, 100, 1), crowd(50, 4, 1), crowd(1_000, 1, 1)];
const SLOW_PLAIN: [Crowd; 2] = [crowd(1, 50, 1), crowd(50, 1, 1)];
/// One key in each round: all operations of a client share what it knows of the server.
const HANGS: [Crowd; 3] = [crowd(1, 1, 30), crowd(50, 1, 6), crowd(1_000, 1, 3)];

fn is_failure(outcome: &Caught<Result<u64, Failure>>, key: u64) -> bool {
    matches!(outcome, Ok(Err(Failure(of))) if *of == key)
}

fn is_panic(outcome: &Caught<u64>, _: u64) -> bool {
    outcome.is_err()
}

fn is_value(outcome: &Caught<u64>, key: u64) -> bool {
    matches!(outcome, Ok(value) if *value == key)
}

/// A function of a key.
type Call<R> = fn(u64) -> R;

/// Makes a subject of two asynchronous functions.
fn waited<R: Send + 'static, F, G>(
    (name, crowds): (&'static str, &'static [Crowd]),
    check: Check<R>,
    (uncached, cached): (Call<F>, Call<G>),
) -> Subject
where
    F: Future<Output = R> + Send + 'static,
    G: Future<Output = R> + Send + 'static,
{
    let side = runtime();
    let other = Arc::clone(&side);
    Subject {
        name,
        crowds,
        allowed: None,
        prepare: Box::new(|| {}),
        uncached: Box::new(move |crowd| crowd::tasks(&side, crowd, uncached, check)),
        cached: Box::new(move |crowd| crowd::tasks(&other, crowd, cached, check)),
    }
}

/// The runtime of all crowds.
fn runtime() -> Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| Arc::new(workers(2)));
    Arc::clone(&RUNTIME)
}

/// Makes a subject of two plain functions.
fn plain<R: 'static>(
    (name, crowds): (&'static str, &'static [Crowd]),
    check: Check<R>,
    (uncached, cached): (Call<R>, Call<R>),
) -> Subject {
    Subject {
        name,
        crowds,
        allowed: None,
        prepare: Box::new(|| {}),
        uncached: Box::new(move |crowd| crowd::threads(crowd, uncached, check)),
        cached: Box::new(move |crowd| crowd::threads(crowd, cached, check)),
    }
}

/// Makes the subject of a server that stops answering just before each round, or that stopped before all of them.
fn stopped(name: &'static str, server: Arc<MemcachedServer>, is_news: bool) -> Subject {
    let begun = AtomicBool::new(false);
    let prepare = move || {
        if begun.swap(true, Ordering::Relaxed) && !is_news {
            return;
        }
        server.resume().expect("a server");
        let made = client(&server);
        // There is a connection then.
        runtime().block_on(async { made.get::<u64>(&0).await.expect("an answer") });
        server.pause().expect("a server");
        *HANGING.write().expect("no panic") = Some(made);
        if !is_news {
            // The first ones wait for the deadline; those after them are measured.
            crowd::tasks(&runtime(), crowd(3, 1, 1), hangs_cached, is_value);
        }
    };
    let subject = waited((name, &HANGS), is_value, (hangs, hangs_cached));
    Subject { allowed: Some(DEADLINE), prepare: Box::new(prepare), ..subject }
}

/// All subjects, and the servers that they need.
pub fn all(is_short: bool) -> Outcome<Vec<Subject>> {
    IS_SHORT.store(is_short, Ordering::Relaxed);
    static SERVER: OnceLock<MemcachedServer> = OnceLock::new();
    FLEET.get_or_init(|| client(SERVER.get_or_init(|| MemcachedServer::start().expect("memcached"))));
    let hanging = Arc::new(MemcachedServer::start()?);
    Ok(vec![
        waited(("fails after 100 ms", &BRIEF), is_failure, (fails, fails_cached)),
        plain(("fails after 20 ms, plain", &BRIEF_PLAIN), is_failure, (fails_plain, fails_plain_cached)),
        waited(("panics after 100 ms", &BRIEF), is_panic, (panics_late, panics_late_cached)),
        plain(("panics after 20 ms, plain", &BRIEF_PLAIN), is_panic, (panics_plain, panics_plain_cached)),
        waited(("is slower than its lease", &SLOW), is_value, (slow, slow_cached)),
        plain(("is slower than its lease, plain", &SLOW_PLAIN), is_value, (slow_plain, slow_plain_cached)),
        waited(("fails after 100 ms, over memcached", &BRIEF), is_failure, (fails_far, fails_far_cached)),
        stopped("memcached has begun to hang", Arc::clone(&hanging), true),
        stopped("memcached hangs", hanging, false),
    ])
}
