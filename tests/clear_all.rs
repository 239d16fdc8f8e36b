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
        let caller = thread::spawn(|| computed(1));
        GATE.await_arrivals(1);
        chorde::inproc::clear_all();
        GATE.open();
        assert_eq!((caller.join().unwrap(), computed::peek(1), computed::stats().superseded), (1, None, 1));
        assert_eq!((computed(1), computed::peek(1)), (1, Some(1)));
    });
}
