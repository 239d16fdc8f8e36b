//! The flights, and the computations that outlive their callers, under random schedules: compiled once more against the
//! primitives of the model checker shuttle, which runs every pair of things that can happen to one key in thousands of random
//! interleavings. Time stands still in some of them. In others it passes, but no lease ends. In others it runs: an alarm may
//! ring at any moment after it was set, so that every lease is too short for somebody.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    missing_docs,
    reason = "modules of the crate, seen from a smaller one"
)]

#[macro_use]
#[path = "schedules/local.rs"]
mod local;

#[path = "flights/acts.rs"]
mod acts;
#[path = "flights/background.rs"]
mod background;
#[path = "flights/clock.rs"]
mod clock;
#[path = "../src/log_limit.rs"]
mod log_limit;
#[path = "flights/world.rs"]
mod world;

mod client_id {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ClientId(pub u64);

    impl ClientId {
        pub fn spread(self) -> u64 {
            self.0
        }
    }
}

mod digest {
    pub use std::hash::DefaultHasher as DigestHasher;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Digest(pub u64);

    impl Digest {
        pub fn low(self) -> u64 {
            self.0
        }
    }
}

mod sync {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
    pub use shuttle::sync::{Mutex, MutexGuard};

    /// As few as show what two are: each costs the checker time.
    pub const fn spread(_locks: usize) -> usize {
        2
    }

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A static that is recreated for each run.
    macro_rules! global {
        (static $name:ident: $type:ty = $make:expr;) => {
            shuttle::lazy_static! { static ref $name: $type = $make; }
        };
    }
    pub(crate) use global;

    /// The checker has none: set is what its own flag says, and between the two others may come.
    pub struct OnceLock<T> {
        is_set: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            Self { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }

        pub fn get(&self) -> Option<&T> {
            if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.is_set.store(true, Ordering::Release);
            Ok(())
        }
    }
}

#[path = "../src/flight/mod.rs"]
mod flight;

#[path = "../src/user_code.rs"]
mod user_code;

#[path = "../src/engine"]
mod engine {
    pub(crate) mod background {
        pub(crate) use crate::background::carry_on;
    }

    pub(crate) mod runtime {
        pub(crate) type Ended<R> = std::thread::Result<R>;
    }

    pub(crate) mod computation;
    pub(crate) mod context;
}

use acts::Act;
use clock::Time;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Schedules for each set of acts, each way of time and each scheduler; more with the environment variable `CHORDE_SCHEDULES`.
const ITERATIONS: usize = 20;
/// How many times the scheduler by priorities changes its mind: bugs that need no more are found with a known probability.
const DEPTH: usize = 3;
/// More steps than any schedule takes that ends at all.
const LONGEST: usize = 100_000;

/// Runs the acts in many orders, by two schedulers: one throws dice at each step, one seldom changes its mind.
fn explore(acts: &[Act]) {
    let iterations = std::env::var("CHORDE_SCHEDULES").map_or(ITERATIONS, |count| count.parse().unwrap());
    for time in [Time::StandsStill, Time::Passes, Time::Runs] {
        if acts::end_without(acts, time) {
            by(RandomScheduler::new(iterations), acts, time);
            by(PctScheduler::new(DEPTH, iterations), acts, time);
        }
    }
}

fn by(scheduler: impl Scheduler + 'static, acts: &[Act], time: Time) {
    let mut config = Config::default();
    config.max_steps = MaxSteps::FailAfter(LONGEST);
    let played = acts.to_vec();
    let run = || Runner::new(scheduler, config).run(move || acts::play(&played, time));
    if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        eprintln!("FAILED: {acts:?}, time {time:?}");
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_pair_of_acts_besides_a_call() {
    for (at, one) in Act::ALL.into_iter().enumerate() {
        for other in &Act::ALL[at..] {
            explore(&[Act::Call, one, *other]);
        }
    }
}

#[test]
fn every_act_besides_an_owned_computation() {
    for act in Act::ALL {
        explore(&[Act::Own, Act::Own, act]);
        explore(&[Act::OwnDrop, Act::Await, act]);
        explore(&[Act::OwnStall, Act::Await, act]);
    }
}

#[test]
fn refreshes_share_the_next_computation_under_any_interference() {
    for act in Act::ALL {
        explore(&[Act::Refresh, Act::Refresh, Act::Call, act]);
    }
}

#[test]
fn aborts_and_leaves_strand_nobody() {
    explore(&[Act::Abort, Act::Abort, Act::Leave, Act::Leave, Act::Call]);
    explore(&[Act::Abort, Act::Leave, Act::Refresh, Act::Call, Act::Put]);
    explore(&[Act::OwnDrop, Act::OwnLeave, Act::Leave, Act::Leave, Act::Call]);
    explore(&[Act::OwnLeave, Act::OwnLeave, Act::Leave, Act::Abort, Act::End]);
}

#[test]
fn nothing_is_left_of_a_computation_that_ends_with_its_last_caller() {
    for act in [Act::Leave, Act::OwnNever, Act::Abort, Act::OwnDrop, Act::AbortClaim, Act::Put, Act::Clear, Act::End] {
        explore(&[Act::OwnNever, Act::Leave, act]);
        explore(&[Act::OwnNever, Act::OwnNever, Act::Leave, act]);
    }
}

#[test]
fn failures_strand_nobody() {
    explore(&[Act::Fail, Act::Fail, Act::Own, Act::Call, Act::Leave]);
    explore(&[Act::Fail, Act::Share, Act::Refresh, Act::Call, Act::Put]);
    explore(&[Act::Fail, Act::OwnDrop, Act::Refresh, Act::Clear]);
}

#[test]
fn whoever_is_not_polled_holds_nobody_up() {
    explore(&[Act::Stall, Act::Call, Act::Refresh, Act::Put]);
    explore(&[Act::Stall, Act::Call, Act::Put, Act::Clear]);
    explore(&[Act::Stall, Act::Stall, Act::Abort, Act::Leave, Act::Call]);
    explore(&[Act::Doze, Act::Doze, Act::Abort, Act::Refresh, Act::Call]);
    explore(&[Act::Call, Act::Stall, Act::Refresh, Act::Refresh]);
    explore(&[Act::OwnStall, Act::OwnStall, Act::Call, Act::Await]);
    explore(&[Act::OwnStall, Act::OwnDrop, Act::Refresh, Act::Await]);
    explore(&[Act::OwnStall, Act::Own, Act::Own, Act::End]);
}

#[test]
fn a_blocked_thread_holds_nobody_up() {
    explore(&[Act::Block, Act::Call, Act::Await, Act::Own]);
    explore(&[Act::Block, Act::Refresh]);
    explore(&[Act::Block, Act::Block, Act::Refresh, Act::Call]);
    explore(&[Act::Block, Act::Call, Act::Doze, Act::Leave]);
    explore(&[Act::Block, Act::Call, Act::Put, Act::Fail]);
}
