//! A cached function and its companions: explicit writes win.

use chorde::InprocClient;
use chorde::prelude::*;
use fastrand::Rng;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::checker::Timed;
use crate::naps::{Drowsy, nap};
use crate::promises::{Promised, Record, What, check};
use crate::recorder::{ROOM, record};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(ROOM));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Call,
    Peek,
    Refresh,
    Put,
    Invalidate,
    Expire,
    Clear,
}

const ACTS: [Act; 8] =
    [Act::Call, Act::Call, Act::Peek, Act::Refresh, Act::Put, Act::Invalidate, Act::Expire, Act::Clear];

/// Computes stamps: each computation and each written value has its own, and they order all that happens.
fn stamp() -> u64 {
    static STAMP: AtomicU64 = AtomicU64::new(1);
    STAMP.fetch_add(1, Ordering::SeqCst)
}

#[cached(client = CACHE, ttl = 3600)]
fn plain(key: Drowsy) -> u64 {
    let _ = key;
    let begun = stamp();
    nap();
    begun
}

#[cached(client = CACHE, ttl = 3600)]
async fn later(key: Drowsy) -> u64 {
    let _ = key;
    let begun = stamp();
    nap();
    begun
}

macro_rules! act {
    ($function:ident, $act:expr, $key:expr, $wait:path) => {{
        let start = stamp();
        let what = match $act {
            Act::Call => What::Read($wait($function($key))),
            Act::Peek => $wait($function::peek($key)).map_or(What::Nothing, What::Read),
            Act::Refresh => What::Refresh($wait($function::refresh($key))),
            Act::Put => {
                $wait($function::put($key, start)).unwrap();
                What::Write(Some(start))
            }
            Act::Invalidate => wrote($wait($function::invalidate($key))),
            Act::Expire => wrote($wait($function::expire($key))),
            Act::Clear => wrote($wait($function::clear())),
        };
        Record { what, start, end: stamp() }
    }};
}

fn wrote(done: chorde::Result<()>) -> What {
    done.unwrap();
    What::Write(None)
}

/// What a plain function gives is there.
fn there<T>(value: T) -> T {
    value
}

fn awaited<T>(future: impl Future<Output = T>) -> T {
    future.wait()
}

fn judge(history: &[Timed<(Act, Record)>], last: Record) -> Result<(), String> {
    let mut records: Vec<Record> = history.iter().map(|timed| timed.what.1).collect();
    let monotone = !records.iter().any(|record| matches!(record.what, What::Write(_)));
    records.push(last);
    check(&records, 0, Promised { always: true, monotone })
}

#[test]
fn explicit_writes_win_over_what_a_plain_function_computes() {
    let draw = |dice: &mut Rng, _| dice.choice(ACTS).unwrap();
    let perform = |key: u64, act: Act| act!(plain, act, Drowsy(key), there);
    record("plain function", draw, perform, |key, history| judge(history, act!(plain, Act::Call, Drowsy(key), there)));
}

#[test]
fn explicit_writes_win_over_what_an_asynchronous_function_computes() {
    let draw = |dice: &mut Rng, _| dice.choice(ACTS).unwrap();
    let perform = |key: u64, act: Act| act!(later, act, Drowsy(key), awaited);
    record("asynchronous function", draw, perform, |key, history| {
        judge(history, act!(later, Act::Call, Drowsy(key), awaited))
    });
}
