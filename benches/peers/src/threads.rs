//! What two threads get done together, on keys of their own.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use crate::functions::peer::theirs;
use crate::functions::{BARE, ours};
use crate::{keys, median};

const CALLS: usize = 2_000_000;
const ROUNDS: usize = 9;

/// Returns calls per microsecond of all threads together.
fn throughput(threads: u64, keys: &[u64], call: fn(u64) -> u64) -> f64 {
    let barrier = Barrier::new(threads as usize);
    let run = |thread: u64| {
        barrier.wait();
        let began = Instant::now();
        let mut sum = 0_u64;
        for turn in 0..CALLS {
            sum = sum.wrapping_add(call(black_box(keys[turn & (keys.len() - 1)] & !1 | thread)));
        }
        black_box(sum);
        CALLS as f64 / began.elapsed().as_micros() as f64
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum()
    })
}

pub fn run() {
    let keys = keys::zipf();
    for key in 0..=keys::KEYS {
        (ours(key), theirs(key), BARE.insert(key, key));
    }
    let subjects: [(&str, fn(u64) -> u64); 3] =
        [("chorde", ours), ("cached", theirs), ("quick_cache by hand, no ttl", |key| BARE.get(&key).unwrap_or(0))];
    let mut measured = subjects.map(|_| (Vec::new(), Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        for ((_, call), (one, two, ratio)) in subjects.iter().zip(&mut measured) {
            let (alone, together) = (throughput(1, &keys, *call), throughput(2, &keys, *call));
            one.push(alone);
            two.push(together);
            ratio.push(together / alone);
        }
    }
    println!("hits per microsecond: 1 thread, 2 threads on keys of their own, and their ratio (medians)");
    for ((name, _), (one, two, ratio)) in subjects.iter().zip(measured) {
        println!("{name:34}{:7.1}{:7.1}{:7.2}", median(one), median(two), median(ratio));
    }
}
