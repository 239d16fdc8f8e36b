//! The flights under random schedules: compiled once more against the primitives of the model checker shuttle, which runs
//! every pair of things that can happen to one key in thousands of random interleavings.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    missing_docs,
    reason = "modules of the crate, seen from a smaller one"
)]

use std::sync::Arc;

use shuttle::future::block_on;
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

mod client {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ClientId(pub u64);
}

mod clock {
    use std::time::Duration;

    #[derive(Clone, Debug)]
    pub struct Clock;

    impl Clock {
        pub fn now(&self) -> u64 {
            0
        }

        // Time stands still here: nobody is overtaken.
        pub fn sleep(&self, _duration: Duration) -> std::future::Pending<()> {
            std::future::pending()
        }

        pub fn alarm(&self, _at: u64, _ring: Box<dyn FnOnce() + Send>) {}
    }

    pub fn nanos(duration: Duration) -> u64 {
        duration.as_nanos() as u64
    }
}

mod digest {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Digest(pub u64);
}

mod sync {
    pub use std::sync::OnceLock;

    pub use shuttle::sync::{Mutex, MutexGuard};

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[path = "../src/flight/mod.rs"]
mod flight;

use flight::{Flights, Kind, Leader, Outcome, Role};

const KEY: flight::FlightKey = (client::ClientId(1), digest::Digest(1));
/// Schedules for each set of acts; more with the environment variable `CHORDE_SCHEDULES`.
const ITERATIONS: usize = 500;

/// What is stored: by whom it was begun, told by a stamp that grows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stored {
    Nothing,
    Computed { begun: u64 },
    Written { begun: u64 },
}

/// One key of one client, and all that happens to it.
struct World {
    flights: Arc<Flights>,
    store: Mutex<Stored>,
    stamp: AtomicU64,
    /// When the latest write that is complete had begun.
    latest_write: Mutex<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Call,
    Refresh,
    Alone,
    /// A call that is dropped before it has computed.
    Abort,
    Put,
    Clear,
    /// One who waits and loses patience.
    Leave,
}

const ACTS: [Act; 7] = [Act::Call, Act::Refresh, Act::Alone, Act::Abort, Act::Put, Act::Clear, Act::Leave];

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            flights: Arc::default(),
            store: Mutex::new(Stored::Nothing),
            stamp: AtomicU64::new(1),
            latest_write: Mutex::new(0),
        })
    }

    fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }

    fn act(&self, act: Act) {
        match act {
            Act::Call => drop(block_on(self.call(Kind::Join))),
            Act::Refresh => {
                let asked = self.stamp();
                let begun = block_on(self.call(Kind::Next));
                assert!(begun > asked, "a refresh gives a value that was begun after it was asked for");
            }
            Act::Alone => drop(block_on(self.call(Kind::Alone))),
            Act::Abort => {
                if let Role::Lead(leader) = self.flights.join(KEY, Kind::Join, &clock::Clock) {
                    thread::yield_now();
                    drop(leader);
                }
            }
            Act::Leave => {
                if let Role::Wait(waiter) = self.flights.join(KEY, Kind::Join, &clock::Clock) {
                    let mut waiting = waiter.wait();
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    let step = std::pin::Pin::new(&mut waiting).poll(&mut context);
                    thread::yield_now();
                    drop((step, waiting));
                }
            }
            Act::Put => self.write(|| self.flights.supersede(&KEY), true),
            Act::Clear => self.write(|| self.flights.supersede_all(KEY.0), false),
        }
    }

    fn write<W: Future<Output = ()>>(&self, supersede: impl FnOnce() -> W, puts: bool) {
        let begun = self.stamp();
        block_on(supersede());
        *self.store.lock().unwrap() = if puts { Stored::Written { begun } } else { Stored::Nothing };
        let mut latest = self.latest_write.lock().unwrap();
        *latest = latest.max(begun);
    }

    /// Gets a value as the engine does; returns when its computation was begun.
    async fn call(&self, kind: Kind) -> u64 {
        let leader: Leader = loop {
            match self.flights.join(KEY, kind, &clock::Clock) {
                Role::Lead(leader) => break leader,
                Role::Recurse => unreachable!("nothing recurses here"),
                Role::Wait(waiter) => match waiter.wait().await {
                    Outcome::Lead(leader) => break leader,
                    Outcome::Landed(landing) => return *landing.cargo().unwrap(),
                    Outcome::StartOver => {}
                },
            }
        };
        let begun = self.stamp();
        thread::yield_now();
        if leader.begin_store() {
            *self.store.lock().unwrap() = Stored::Computed { begun };
        }
        leader.land(|| Arc::new(begun));
        begun
    }

    /// What must hold when everybody has gone home.
    fn check(&self) {
        assert_eq!(self.flights.summary().0, 0, "no flight is left");
        let latest = *self.latest_write.lock().unwrap();
        match *self.store.lock().unwrap() {
            Stored::Computed { begun } => assert!(begun > latest, "a computation undid a later write"),
            Stored::Written { .. } | Stored::Nothing => {}
        }
    }
}

fn explore(acts: &[Act]) {
    let acts = acts.to_vec();
    let iterations = std::env::var("CHORDE_SCHEDULES").map_or(ITERATIONS, |count| count.parse().unwrap());
    shuttle::check_random(
        move || {
            let world = World::new();
            let spawn = |act| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.act(act))
            };
            let threads: Vec<_> = acts.iter().copied().map(spawn).collect();
            for thread in threads {
                thread.join().unwrap();
            }
            world.check();
        },
        iterations,
    );
}

#[test]
fn every_pair_of_acts_besides_a_call() {
    for one in ACTS {
        for other in ACTS {
            explore(&[Act::Call, one, other]);
        }
    }
}

#[test]
fn refreshes_share_the_next_computation_under_any_interference() {
    for act in ACTS {
        explore(&[Act::Refresh, Act::Refresh, Act::Call, act]);
    }
}

#[test]
fn aborts_and_leaves_strand_nobody() {
    explore(&[Act::Abort, Act::Abort, Act::Leave, Act::Leave, Act::Call]);
    explore(&[Act::Abort, Act::Leave, Act::Refresh, Act::Call, Act::Put]);
}
