//! `inproc::clear_all`, which empties every client of the process: alone in its file, since other tests have clients too.

mod support;

use std::thread;

use chorde::prelude::*;
use support::bounded;
use support::gate::Gate;

#[test]
fn a_clear_of_all_clients_wins_over_what_is_being_computed() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100)]
        fn computed(x: u64) -> u64 {
            GATE.pass();
            x
        }
        let before = thread::spawn(|| computed(1));
        GATE.await_arrivals(1);
        chorde::inproc::clear_all();
        // A call that begins after the clear does not wait for what began before it.
        let after = thread::spawn(|| computed(1));
        GATE.await_arrivals(2);
        GATE.open();
        assert_eq!((before.join().unwrap(), after.join().unwrap()), (1, 1));
        assert_eq!((computed::stats().superseded, computed::stats().computes), (1, 2));
        chorde::inproc::clear_all();
        assert_eq!((computed(1), computed::peek(1)), (1, Some(1)));
    });
}
