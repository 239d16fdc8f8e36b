//! What several test files need: time by hand, gates, hands that poll, and clients that misbehave on demand.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

pub mod failing;
pub mod gate;
pub mod hand;
pub mod leasing;
pub mod shared;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chorde::{Entry, FunctionInfo, InprocClient, ManualClock};

/// How long a test may take before it counts as hanging; never waited for by one that succeeds.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Declares a static clock that stands still, and a static in-process client that goes by it.
#[macro_export]
macro_rules! store {
    ($client:ident) => {
        static $client: std::sync::LazyLock<chorde::InprocClient> =
            std::sync::LazyLock::new(|| chorde::InprocClient::new(10_000));
    };
    ($client:ident, $clock:ident) => {
        static $clock: std::sync::LazyLock<chorde::ManualClock> = std::sync::LazyLock::new(chorde::ManualClock::new);
        static $client: std::sync::LazyLock<chorde::InprocClient> =
            std::sync::LazyLock::new(|| $crate::support::timed(10_000, &$clock));
    };
}

/// Makes an in-process client that goes by `clock`.
pub fn timed(capacity: u64, clock: &ManualClock) -> InprocClient {
    InprocClient::builder().capacity(capacity).clock(clock.clone()).build().unwrap()
}

/// Counts up and returns how often it has been called.
#[derive(Debug, Default)]
pub struct Count(std::sync::atomic::AtomicU64);

impl Count {
    pub const fn new() -> Self {
        Self(std::sync::atomic::AtomicU64::new(0))
    }

    /// Adds one and returns the new count.
    pub fn up(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1
    }

    pub fn get(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Runs a test on a thread of its own and fails if it does not end.
pub fn bounded<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = test();
        let _ = done.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) {
        panic!("the test hangs");
    }
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Waits for what other threads bring about; fails if they do not.
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}");
        thread::yield_now();
    }
}

/// Waits for the end of all background work of the process.
pub fn drained() {
    use chorde::Wait as _;
    chorde::drain(PATIENCE).wait().unwrap();
}

/// Finds a cached function of this test binary by its name.
pub fn info(name: &str) -> FunctionInfo {
    let mut found = chorde::functions().into_iter().filter(|info| info.name.ends_with(&format!("::{name}")));
    let info = found.next().expect("the function was used");
    assert!(found.next().is_none(), "name the functions of a test binary apart");
    info
}

/// Shows an entry as its value, its remaining life, and whether it is stale.
pub fn shown<V>(entry: Option<Entry<V>>) -> Option<(V, Duration, bool)> {
    entry.map(|entry| {
        let (remaining, is_stale) = (entry.remaining(), entry.is_stale());
        (entry.value, remaining, is_stale)
    })
}

/// Makes a `tokio` runtime with two threads.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
