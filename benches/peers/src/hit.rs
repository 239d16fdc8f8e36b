//! What a hit costs: one thread, all keys present.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use chorde::Wait;

use crate::functions::peer::{theirs, theirs_async, theirs_text};
use crate::functions::{BARE, ours, ours_ahead, ours_async, ours_text};
use crate::{keys, median};

const CALLS: usize = 1_000_000;
const ROUNDS: usize = 15;

/// Polls a future that is ready where it was made, as `.await` does.
macro_rules! ready {
    ($future:expr) => {
        match pin!($future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("every key is present"),
        }
    };
}

struct Subject<'a> {
    name: &'static str,
    call: Box<dyn Fn(&[u64]) -> u64 + 'a>,
    nanos: Vec<f64>,
}

/// Makes a subject of an expression in `key`, with the loop around it compiled for it alone.
macro_rules! subject {
    ($name:literal, |$key:ident| $call:expr) => {
        Subject {
            name: $name,
            call: Box::new(|keys| {
                let mut sum = 0_u64;
                for turn in 0..CALLS {
                    let $key = black_box(keys[turn & (keys.len() - 1)]);
                    sum = sum.wrapping_add($call);
                }
                sum
            }),
            nanos: Vec::new(),
        }
    };
}

pub fn run() {
    let keys = keys::zipf();
    let names: Vec<String> = (0..=keys::KEYS).map(|number| format!("user-{number}")).collect();
    for &key in &keys {
        (ours(key), ours_ahead(key), theirs(key), BARE.insert(key, key));
        (ours_async(key).wait(), theirs_async(key).wait());
        (ours_text(&names[key as usize], 3), theirs_text(&names[key as usize], 3));
    }
    let mut subjects = [
        subject!("chorde, u64", |key| ours(key)),
        subject!("cached, u64", |key| theirs(key)),
        subject!("quick_cache by hand, no ttl", |key| BARE.get(&key).unwrap_or(0)),
        subject!("chorde with async_ttl, u64", |key| ours_ahead(key)),
        subject!("chorde async, u64", |key| ready!(ours_async(key))),
        subject!("cached async, u64", |key| ready!(theirs_async(key))),
        subject!("chorde, (&str, u32) -> Arc<str>", |key| ours_text(&names[key as usize], 3).len() as u64),
        subject!("cached, (&str, u32) -> Arc<str>", |key| theirs_text(&names[key as usize], 3).len() as u64),
    ];
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            let began = Instant::now();
            black_box((subject.call)(&keys));
            subject.nanos.push(began.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    println!("a function's hit, ns (median, best; {ROUNDS} interleaved rounds)");
    for Subject { name, nanos, .. } in &subjects {
        println!("{name:34}{:7.1}{:7.1}", median(nanos.clone()), nanos.iter().copied().fold(f64::MAX, f64::min));
    }
    let of = |name: &str| median(subjects.iter().find(|s| s.name == name).map(|s| s.nanos.clone()).unwrap_or_default());
    println!("chorde / cached, u64: {:.2}", of("chorde, u64") / of("cached, u64"));
    println!(
        "chorde / cached, text: {:.2}",
        of("chorde, (&str, u32) -> Arc<str>") / of("cached, (&str, u32) -> Arc<str>")
    );
    println!("async / sync, u64: {:.2}", of("chorde async, u64") / of("chorde, u64"));
}
