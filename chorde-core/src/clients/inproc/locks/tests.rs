//! The locks on real threads; under Miri, on weaker memory than most processors have.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::locks::Locks;
use crate::lanes::{LANES, Lane};

/// Miri takes a thousand times as long.
const ROUNDS: usize = if cfg!(miri) { 20 } else { 20_000 };

fn pair() -> Locks<(usize, usize)> {
    Locks::new([(0, 0)].into_iter())
}

/// Lets threads write halves of one value and compare them; the last word is the number of writes.
fn exclude(threads: usize) {
    let (locks, all_in) = (pair(), Barrier::new(threads));
    thread::scope(|scope| {
        for number in 0..threads {
            let (locks, all_in) = (&locks, &all_in);
            scope.spawn(move || {
                drop(locks.read(0));
                all_in.wait();
                for round in 0..ROUNDS / threads {
                    if round % 4 == number % 4 {
                        let mut pair = locks.write(0);
                        pair.0 += 1;
                        pair.1 += 1;
                    }
                    let pair = locks.read(0);
                    assert_eq!(pair.0, pair.1);
                }
            });
        }
    });
    let writes = (0..threads).map(|number| (0..ROUNDS / threads).filter(|round| round % 4 == number % 4).count()).sum();
    let pair = locks.read(0);
    assert_eq!(*pair, (writes, writes));
}

#[test]
fn who_writes_is_alone() {
    exclude(3);
}

#[test]
fn guests_are_counted_like_owners() {
    exclude(LANES + 4);
}

#[test]
fn lanes_change_their_owners() {
    let locks = pair();
    let ended = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ROUNDS.isqrt() {
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            let before = *locks.read(0);
                            let mut pair = locks.write(0);
                            assert!(pair.0 >= before.0 && pair.0 == pair.1);
                            *pair = (pair.0 + 1, pair.1 + 1);
                        });
                    });
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(locks.read(0).0, ended.into_inner());
}

#[test]
fn a_reader_may_read_again_while_a_writer_waits_for_it() {
    let locks = pair();
    thread::scope(|scope| {
        let outer = locks.read(0);
        scope.spawn(|| locks.write(0).0 = 1);
        for _ in 0..ROUNDS {
            assert_eq!(locks.read(0).0, 0);
            thread::yield_now();
        }
        let inner = locks.read(0);
        drop(outer);
        assert_eq!(inner.0, 0);
    });
    assert_eq!(locks.read(0).0, 1);
}

#[test]
fn to_write_what_one_reads_is_refused_and_nobody_is_held_up() {
    let locks = pair();
    let refused = || {
        // Tests beside this one may own all lanes for a while.
        if !Lane::mine().is_owned() {
            return None;
        }
        let writing_while_reading = || {
            let _reading = locks.read(0);
            drop(locks.write(0));
        };
        Some(std::panic::catch_unwind(std::panic::AssertUnwindSafe(writing_while_reading)).is_err())
    };
    let owner = (0..1000).find_map(|_| thread::scope(|scope| scope.spawn(refused).join().unwrap()));
    assert_eq!(owner, Some(true));
    thread::scope(|scope| {
        scope.spawn(|| locks.write(0).0 = 1);
    });
    assert_eq!(locks.read(0).0, 1);
}

#[test]
fn a_panic_releases_the_lock() {
    let locks = pair();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let _writing = locks.write(0);
            panic!("meant");
        });
        assert!(writer.join().is_err());
        let reader = scope.spawn(|| {
            let _reading = locks.read(0);
            panic!("meant");
        });
        assert!(reader.join().is_err());
        scope.spawn(|| locks.write(0).0 = 1);
    });
    assert_eq!(locks.read(0).0, 1);
}

#[test]
fn each_value_has_a_lock_of_its_own() {
    let locks = Locks::new(0..100);
    for written in locks.indices() {
        let _writing = locks.write(written);
        thread::scope(|scope| {
            let others = || locks.indices().filter(|index| *index != written).all(|index| *locks.read(index) == index);
            assert!(scope.spawn(others).join().unwrap());
        });
        if cfg!(miri) {
            break;
        }
    }
}

/// Runs on the test's thread and, at the same time, on more threads than there are lanes.
fn on_owners_and_guests(test: impl Fn() + Sync) {
    let all_in = Barrier::new(LANES + 2);
    thread::scope(|scope| {
        for _ in 0..LANES + 2 {
            scope.spawn(|| {
                Lane::mine();
                all_in.wait();
                test();
                // None gives back its lane before the others are done.
                all_in.wait();
            });
        }
    });
}

#[test]
fn who_writes_never_waits_on_any_thread() {
    on_owners_and_guests(|| {
        let (locks, others) = (pair(), pair());
        let refused = |use_locks: &dyn Fn()| {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(use_locks)).unwrap_err();
            assert!(panic.downcast_ref::<&str>().unwrap().contains("eviction policy"));
        };
        {
            let _writing = locks.write(0);
            refused(&|| drop(locks.read(0)));
            refused(&|| drop(locks.write(0)));
            refused(&|| drop(others.write(0)));
        }
        locks.write(0).0 += 1;
        others.write(0).0 += 1;
        assert_eq!((locks.read(0).0, others.read(0).0), (1, 1));
    });
}
