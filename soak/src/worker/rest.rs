//! Times at which nobody calls, and a look at those who do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chorde::memcache::MemcachedStats;
use chorde::prelude::*;

use super::functions::{CLUSTER, NAMED};
use super::ledger::{self, Call};
use super::origin;
use crate::judge::LONG_CALL;
use crate::time::{SECOND, now};
use crate::words::{Resting, Told, What};

static IS_ON: AtomicBool = AtomicBool::new(false);

static PLACES: Mutex<Vec<Place>> = Mutex::new(Vec::new());

/// How long calls may take to end, and background work after them.
const PATIENCE: u64 = LONG_CALL + 2 * SECOND;

/// What a caller is doing.
#[derive(Clone)]
pub(super) struct Place(Arc<Mutex<Option<Busy>>>);

/// A call that goes on.
#[derive(Clone, Copy)]
struct Busy {
    call: Call,
    is_told: bool,
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, Option<Busy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, function: usize, key: u64, from: u64) {
        *self.lock() = Some(Busy { call: Call { function, key, from, to: from }, is_told: false });
    }

    pub(super) fn leave(&self) {
        *self.lock() = None;
    }
}

/// Makes a place for a caller.
pub(super) fn place() -> Place {
    let place = Place(Arc::default());
    places().push(place.clone());
    place
}

fn places() -> MutexGuard<'static, Vec<Place>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether callers are to begin nothing.
pub(super) fn is_on() -> bool {
    IS_ON.load(Ordering::SeqCst)
}

fn busy() -> usize {
    places().iter().filter(|place| place.lock().is_some()).count()
}

/// Begins a rest; the parent is told when nothing goes on any more, or does not end.
pub(super) fn begin() {
    IS_ON.store(true, Ordering::SeqCst);
    std::thread::spawn(|| {
        let until = now() + PATIENCE;
        // A caller that has just looked may begin one more call.
        std::thread::sleep(Duration::from_millis(20));
        while busy() > 0 && now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let is_drained = chorde::drain(Duration::from_nanos(PATIENCE)).wait().is_ok();
        // On a busy machine a server may have seemed to hang while nothing was done to it: then its prober brings it back.
        let are_in_use = || NAMED.servers().iter().chain(&CLUSTER.servers()).all(|server| server.in_use);
        while !are_in_use() && now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let lost = NAMED.servers().into_iter().filter(|server| !server.in_use).map(|server| server.name);
        let cluster = CLUSTER.servers().into_iter().filter(|server| server.in_use).map(|server| server.name);
        let resting = Resting {
            busy: busy(),
            is_drained,
            in_flight: chorde::functions().iter().map(|function| function.in_flight).sum(),
            lost: lost.collect(),
            cluster: cluster.collect(),
        };
        ledger::count(true);
        origin::tell(&Told::Resting(resting));
    });
}

pub(super) fn end() {
    IS_ON.store(false, Ordering::SeqCst);
}

/// Looks for servers that fail to answer, again and again.
fn watch_servers() {
    let failed = |stats: &MemcachedStats| stats.timeouts + stats.failures + stats.outages + stats.failovers;
    let (mut last, mut before) = (now(), [0; 2]);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let (time, counts) = (now(), [failed(&NAMED.stats()), failed(&CLUSTER.stats())]);
        for (place, (count, before)) in counts.iter().zip(before).enumerate() {
            if *count > before {
                // What has failed now began up to a deadline earlier.
                origin::tell(&Told::Troubled { is_named: place == 0, from: last - SECOND, to: time });
            }
        }
        (last, before) = (time, counts);
    }
}

/// Looks each second for calls that take too long.
pub(super) fn watch() {
    std::thread::spawn(watch_servers);
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            ledger::count(false);
            let places = places().clone();
            for place in places {
                let mut busy = place.lock();
                let Some(Busy { call, is_told }) = &mut *busy else { continue };
                let time = now() - call.from;
                if time > LONG_CALL && !*is_told {
                    *is_told = true;
                    ledger::saw(Call { to: now(), ..*call }, What::Slow(time), None);
                }
            }
        }
    });
}
