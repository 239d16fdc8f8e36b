//! The function that is called before the first access.

mod support;

use std::panic::catch_unwind;
use std::sync::Barrier;

use chorde::prelude::*;
use support::{Count, bounded};

#[test]
fn init_runs_once_among_twenty_threads_and_before_all_of_them() {
    bounded(|| {
        store!(CACHE);
        static STARTS: Count = Count::new();
        static TOGETHER: Barrier = Barrier::new(20);
        fn start() {
            assert_eq!(STARTS.up(), 1);
        }
        #[cached(client = CACHE, ttl = 60, init = start)]
        fn begun(x: u64) -> u64 {
            assert_eq!(STARTS.get(), 1);
            x
        }
        std::thread::scope(|scope| {
            for x in 0..20 {
                scope.spawn(move || {
                    TOGETHER.wait();
                    match x % 4 {
                        0 => assert_eq!(begun(x), x),
                        1 => assert_eq!(begun::peek(x), None),
                        2 => assert_eq!(begun::refresh(x), x),
                        _ => begun::put(x, x).unwrap(),
                    }
                    assert_eq!(STARTS.get(), 1);
                });
            }
        });
        assert_eq!((begun(0), STARTS.get()), (0, 1));
    });
}

#[test]
fn init_may_use_the_function_itself() {
    bounded(|| {
        store!(CACHE);
        fn warm_up() {
            primed::put(1, 100).unwrap();
            assert_eq!(primed(2), 2);
        }
        #[cached(client = CACHE, ttl = 60, init = warm_up)]
        fn primed(x: u64) -> u64 {
            x
        }
        assert_eq!((primed(1), primed::peek(2)), (100, Some(2)));
    });
}

#[test]
fn an_init_that_panics_is_tried_again() {
    bounded(|| {
        store!(CACHE);
        static STARTS: Count = Count::new();
        fn start() {
            assert!(STARTS.up() > 1, "not yet");
        }
        #[cached(client = CACHE, ttl = 60, init = start)]
        fn begun() -> u64 {
            1
        }
        assert!(catch_unwind(begun).is_err());
        assert_eq!((begun(), begun(), STARTS.get()), (1, 1, 2));
    });
}
