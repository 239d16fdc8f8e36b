//! The locks of the in-process store under random schedules: compiled once more against the primitives of the model
//! checker shuttle, in whose order every access of an atomic is one step.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    missing_docs,
    reason = "a module of the crate, seen from a smaller one"
)]

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

/// As in the crate, with so few lanes that some threads are guests, and forgotten between executions.
mod lanes {
    use std::cell::Cell;

    use shuttle::sync::atomic::{AtomicUsize, Ordering};

    pub const LANES: usize = 2;

    shuttle::lazy_static! {
        static ref OWNED: AtomicUsize = AtomicUsize::new(0);
        static ref DEALT: AtomicUsize = AtomicUsize::new(0);
    }

    shuttle::thread_local! {
        static CODE: Cell<usize> = Cell::new(usize::MAX);
    }

    #[derive(Clone, Copy)]
    pub struct Lane(usize);

    impl Lane {
        pub fn owned() -> Option<Self> {
            Some(CODE.with(Cell::get)).filter(|code| *code < LANES).map(Self)
        }

        pub fn mine() -> Self {
            if CODE.with(Cell::get) == usize::MAX {
                let free = |owned: usize| (owned.trailing_ones() < LANES as u32).then(|| owned | (owned + 1));
                let owned = OWNED.fetch_update(Ordering::SeqCst, Ordering::SeqCst, free);
                let code = owned.map_or(LANES, |owned| owned.trailing_ones() as usize);
                if code < LANES {
                    DEALT.fetch_max(code + 1, Ordering::SeqCst);
                }
                CODE.with(|mine| mine.set(code));
            }
            Self(CODE.with(Cell::get))
        }

        pub fn index(self) -> usize {
            self.0 % LANES
        }

        pub fn is_owned(self) -> bool {
            self.0 < LANES
        }
    }

    /// The beginning of an execution: what is made lazily is made before there are threads.
    pub fn start() {
        OWNED.store(0, Ordering::SeqCst);
        DEALT.store(0, Ordering::SeqCst);
    }

    pub fn dealt() -> usize {
        DEALT.load(Ordering::SeqCst)
    }

    /// The end of a thread.
    pub fn give_back() {
        let code = CODE.with(|mine| mine.replace(LANES));
        if code < LANES {
            OWNED.fetch_and(!(1 << code), Ordering::SeqCst);
        }
    }
}

mod sync {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    pub use shuttle::sync::{Mutex, MutexGuard};

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn pause(_rounds: u32) {
        shuttle::thread::yield_now();
    }
}

#[macro_use]
#[path = "schedules/local.rs"]
mod local;

#[path = "../src/clients/inproc/locks.rs"]
mod locks;

use locks::Locks;

/// Schedules for each set of acts and each scheduler; more with the environment variable `CHORDE_SCHEDULES`.
const ITERATIONS: usize = 300;
/// How many times the scheduler by priorities changes its mind.
const DEPTH: usize = 3;

/// Two halves that are equal whenever nobody writes.
#[derive(Default)]
struct Halves(AtomicU64, AtomicU64);

impl Halves {
    fn look(&self) -> u64 {
        let first = self.0.load(Ordering::SeqCst);
        assert_eq!(first, self.1.load(Ordering::SeqCst), "somebody wrote while this was read");
        first
    }

    fn add(&mut self) {
        let before = self.look();
        self.0.store(before + 1, Ordering::SeqCst);
        self.1.store(before + 1, Ordering::SeqCst);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Read,
    /// Reads while it reads.
    ReadTwice,
    Write,
    /// Ends its thread and goes on in another, which may get the lane of the first or of somebody else.
    Change,
    /// Panics while it reads, and while it writes.
    Panic,
}

const ACTS: [Act; 5] = [Act::Read, Act::ReadTwice, Act::Write, Act::Change, Act::Panic];

impl Act {
    /// Carries itself out, on a thread that ends with it; returns how often it has written.
    fn run(self, locks: &Arc<Locks<Halves>>) -> u64 {
        let written = match self {
            Self::Read => {
                locks.read(0).look();
                0
            }
            Self::ReadTwice => {
                let outer = locks.read(0);
                let first = outer.look();
                // Only an owner may: a guest would wait for a writer that waits for it.
                if lanes::Lane::mine().is_owned() {
                    let inner = locks.read(0);
                    drop(outer);
                    assert_eq!(inner.look(), first);
                }
                0
            }
            Self::Write => {
                locks.read(0).look();
                locks.write(0).add();
                1
            }
            Self::Change => {
                locks.read(0).look();
                lanes::give_back();
                let next = Arc::clone(locks);
                thread::spawn(move || Self::Write.run(&next)).join().unwrap()
            }
            Self::Panic => {
                let [reading, writing] = [
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        let _reading = locks.read(0);
                        std::panic::resume_unwind(Box::new(()));
                    })),
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        let _writing = locks.write(0);
                        std::panic::resume_unwind(Box::new(()));
                    })),
                ];
                assert!(reading.is_err() && writing.is_err());
                0
            }
        };
        lanes::give_back();
        written
    }
}

fn play(acts: &[Act]) {
    lanes::start();
    let locks = Arc::new(Locks::new(std::iter::once(Halves::default())));
    let threads: Vec<_> = acts
        .iter()
        .copied()
        .map(|act| {
            let locks = Arc::clone(&locks);
            thread::spawn(move || act.run(&locks))
        })
        .collect();
    let written = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(locks.read(0).look(), written, "a write is lost");
    lanes::give_back();
}

fn explore(acts: &[Act]) {
    let iterations = std::env::var("CHORDE_SCHEDULES").map_or(ITERATIONS, |count| count.parse().unwrap());
    let acts = acts.to_vec();
    let run = move || play(&acts);
    shuttle::check_random(run.clone(), iterations);
    shuttle::check_pct(run, iterations, DEPTH);
}

#[test]
fn every_pair_of_acts_excludes_what_it_must_and_ends() {
    for (at, one) in ACTS.into_iter().enumerate() {
        for other in &ACTS[at..] {
            explore(&[one, *other]);
        }
    }
}

#[test]
fn guests_beside_owners() {
    for act in ACTS {
        explore(&[Act::Read, Act::Write, act, Act::Write]);
    }
}
