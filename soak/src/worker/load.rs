//! Callers in tasks and in threads, each of which does one thing after another for ever.

use std::time::Duration;

use fastrand::Rng;

use super::functions::{Came, Deed, do_async, do_sync};
use super::ledger::{self, Call};
use super::rest::{self, Place};
use super::{sabotage, setting};
use crate::functions::{Described, FUNCTIONS, SELDOM};
use crate::time::now;
use crate::words::{Change, How, Stamped, What};

/// How many tasks call asynchronous functions, and how many threads plain ones. The first of each also changes.
const CALLERS: usize = 3;

/// Starts the callers.
pub(super) fn start() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("invariant: a system that starts processes has threads");
    for number in 0..CALLERS {
        let (task, thread) = (Caller::new(number == 0, false), Caller::new(number == 0, true));
        runtime.spawn(task.run_async());
        std::thread::spawn(move || thread.run());
    }
    std::thread::spawn(|| Caller::seldom().run());
    // Lives as long as the process does.
    std::mem::forget(runtime);
    rest::watch();
}

struct Caller {
    rng: Rng,
    /// The functions that it calls.
    functions: Vec<usize>,
    changes: bool,
    is_seldom: bool,
    place: Place,
}

/// What is to be done next.
struct Next {
    function: usize,
    key: u64,
    deed: Deed,
}

impl Caller {
    fn new(changes: bool, is_sync: bool) -> Self {
        Self::of(|function| function.is_sync == is_sync && !function.is_seldom, changes, false)
    }

    /// Makes one that calls seldom, and now and then clears instead.
    fn seldom() -> Self {
        Self::of(|function| function.is_seldom, false, true)
    }

    fn of(calls: impl Fn(&Described) -> bool, changes: bool, is_seldom: bool) -> Self {
        let functions = (0..FUNCTIONS.len()).filter(|place| calls(&FUNCTIONS[*place])).collect();
        Self { rng: Rng::new(), functions, changes, is_seldom, place: rest::place() }
    }

    async fn run_async(mut self) {
        loop {
            tokio::time::sleep(self.pause()).await;
            if rest::is_on() {
                continue;
            }
            let Next { function, key, deed } = self.next();
            let from = self.begin(function, key);
            let came = do_async(function, key, deed.clone()).await;
            self.end(Call { function, key, from, to: now() }, &deed, came);
        }
    }

    fn run(mut self) {
        loop {
            std::thread::sleep(self.pause());
            if rest::is_on() {
                continue;
            }
            let Next { function, key, deed } = self.next();
            let from = self.begin(function, key);
            let came = do_sync(function, key, deed.clone());
            self.end(Call { function, key, from, to: now() }, &deed, came);
        }
    }

    fn pause(&mut self) -> Duration {
        if self.is_seldom {
            return Duration::from_millis(self.rng.u64(SELDOM));
        }
        Duration::from_micros(setting().pace_micros / 2 + self.rng.u64(0..=setting().pace_micros))
    }

    fn next(&mut self) -> Next {
        let setting = setting();
        let function = self.functions[self.rng.usize(..self.functions.len())];
        if self.is_seldom {
            let deed = if self.rng.u8(0..10) == 0 { Deed::Clear } else { Deed::Call };
            return Next { function, key: 0, deed };
        }
        // Some keys are called more often than others.
        let key = self.rng.u64(..setting.keys).min(self.rng.u64(..setting.keys));
        if let Some(deed) = self.change() {
            // One process changes a key, one change after another: so there is an order in which they happened.
            let (workers, own) = (u64::from(setting.workers), u64::from(setting.worker));
            let key = key / workers * workers + own;
            let deed = match deed {
                Deed::Put(_) => Deed::Put(Box::new(by_hand(function, key))),
                deed => deed,
            };
            return Next { function, key, deed };
        }
        let deed = match self.rng.u32(0..100) {
            0..5 => Deed::Peek,
            5..8 => Deed::Lazy,
            8..9 => Deed::Show,
            _ => Deed::Call,
        };
        Next { function, key, deed }
    }

    /// Says whether to change something, and how.
    fn change(&mut self) -> Option<Deed> {
        if !self.changes {
            return None;
        }
        match self.rng.u32(0..4000) {
            0..24 => Some(Deed::Put(Box::new(by_hand(0, 0)))),
            24..48 => Some(Deed::Invalidate),
            48..64 => Some(Deed::Expire),
            64..80 => Some(Deed::Refresh),
            80..81 => Some(Deed::Clear),
            _ => None,
        }
    }

    fn begin(&self, function: usize, key: u64) -> u64 {
        let from = now();
        self.place.enter(function, key, from);
        from
    }

    /// Looks at what came of a deed.
    fn end(&self, call: Call, deed: &Deed, came: Came) {
        ledger::called(call);
        let is_done = !matches!(came, Came::Failed);
        if let Some((how, key)) = change_of(deed, call.key) {
            let Call { function, to, .. } = call;
            // A value put by hand is made before the call begins.
            let from = if let Deed::Put(value) = deed { value.begun } else { call.from };
            ledger::change(Change { worker: setting().worker, function, key, how, from, to, is_done });
        }
        match came {
            Came::Value(value) => {
                let value = sabotage::bend(call, value);
                ledger::check(call, &value);
                if *deed == Deed::Refresh && value.begun < call.from {
                    ledger::saw(call, What::Failed("a refresh shows what was computed before".into()), Some(value));
                }
            }
            Came::Stale(value) => ledger::check_key(call, &value),
            Came::Refused | Came::Failed | Came::Nothing => {}
        }
        sabotage::disturb(call);
        self.place.leave();
    }
}

/// What a deed changes, if anything: one key, or all.
fn change_of(deed: &Deed, key: u64) -> Option<(How, Option<u64>)> {
    match deed {
        Deed::Put(_) => Some((How::Put, Some(key))),
        Deed::Invalidate => Some((How::Invalidate, Some(key))),
        Deed::Expire => Some((How::Expire, Some(key))),
        Deed::Refresh => Some((How::Refresh, Some(key))),
        Deed::Clear => Some((How::Clear, None)),
        Deed::Call | Deed::Peek | Deed::Lazy | Deed::Show => None,
    }
}

/// Makes a value that no computation made.
fn by_hand(function: usize, key: u64) -> Stamped {
    let time = now();
    Stamped { function, key, serial: None, worker: setting().worker, begun: time, done: time }
}
