//! Several processes over one memcached: of all that need one value, one computes it. `--nocapture` shows the figures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod crew;
mod member;

use std::time::Duration;

use crew::{Asked, Crew};
use member::{LEASE, PERIOD};

/// Not a test: what the tests start further processes with, which are told the rest by their environment.
#[test]
fn a_process_of_the_fleet() {
    if let Ok(test) = std::env::var(member::TEST) {
        member::run(&test);
    }
}

const COLD: [&str; 3] = ["cold", "cold_sync", "cold_tiered"];
const AHEAD: [&str; 3] = ["ahead", "ahead_sync", "ahead_tiered"];

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How much later than it could something may happen, on a machine that is busy elsewhere.
const LATE: Duration = secs(15);

#[test]
fn a_cold_key_is_computed_once_in_eight_processes() {
    let crew = Crew::start(8);
    for name in COLD {
        let asked: Vec<Asked> = (0..8).map(|member| crew.call(member, (name, 1, 300), 4)).collect();
        let longest = asked.iter().map(|asked| crew.loaded(*asked).longest).max().unwrap();
        crew.one_value(&asked);
        let begun = crew.begun(name, 1);
        println!("{name}: 8 processes, 32 calls, {} computation, the longest call {longest:.0?}", begun.len());
        assert_eq!(begun.len(), 1, "{begun:?}");
    }
}

/// Looks at the refreshes of one key: never two at once, nor before the value was due.
fn check_periods(crew: &Crew, name: &str, id: u64) -> Vec<Duration> {
    let begun = crew.begun(name, id);
    let gaps: Vec<Duration> = begun.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    // The server counts in whole seconds, so that the age of two may be one and a bit; and it may tick late.
    let least = secs(PERIOD - 1).mul_f64(0.7);
    assert!(gaps.iter().all(|gap| *gap > least), "{name}: {gaps:.2?}");
    gaps
}

#[test]
fn a_value_is_refreshed_once_per_period_in_four_processes() {
    let crew = Crew::start(4);
    let time = secs(3 * PERIOD) + Duration::from_millis(500);
    for name in AHEAD {
        crew.one_value(&[crew.call(0, (name, 1, 200), 1)]);
    }
    let asked: Vec<Vec<Asked>> =
        AHEAD.iter().map(|name| (0..4).map(|member| crew.load(member, (name, 1, 200), 6, time)).collect()).collect();
    for (name, asked) in AHEAD.iter().zip(asked) {
        let loaded: Vec<_> = asked.into_iter().map(|asked| crew.loaded(asked)).collect();
        let calls: u64 = loaded.iter().map(|loaded| loaded.calls).sum();
        let longest = loaded.iter().map(|loaded| loaded.longest).max().unwrap();
        let gaps = check_periods(&crew, name, 1);
        println!(
            "{name}: {calls} calls in {time:?}, {} refreshes {gaps:.2?} apart, the longest call {longest:.0?}",
            gaps.len()
        );
        assert!(!gaps.is_empty(), "nothing was refreshed");
    }
}

#[test]
fn a_computing_process_that_is_killed_is_replaced_once() {
    let mut crew = Crew::start(4);
    let functions = COLD.map(|name| (name, 1, 1000));
    for function in functions {
        crew.call(0, function, 1);
        assert_eq!(crew.await_begun(function, 1).member, 0);
    }
    let killed = crew.kill(0);
    let asked = functions.map(|function| [1, 2, 3].map(|member| crew.call(member, function, 4)));
    for ((name, ..), asked) in functions.iter().zip(asked) {
        crew.one_value(&asked);
        let begun = crew.begun(name, 1);
        let after = begun[1].at - killed;
        println!("{name}: killed while it computed; computed again after {after:.2?}, the lease being {LEASE} s");
        assert_eq!(begun.len(), 2, "{begun:?}");
        assert!(after < secs(LEASE + 2) + LATE);
    }
}

#[test]
fn a_refreshing_process_that_is_killed_is_replaced_once() {
    let mut crew = Crew::start(3);
    let functions = AHEAD.map(|name| (name, 1, 1500));
    let once = |crew: &Crew| {
        let asked = functions.map(|function| crew.call(0, function, 1));
        asked.map(|asked| crew.one_value(&[asked]))
    };
    let old = once(&crew);
    // Only the first one calls until all are due: it refreshes them.
    while AHEAD.iter().any(|name| crew.begun(name, 1).len() < 2) {
        once(&crew);
    }
    let killed = crew.kill(0);
    let before = AHEAD.map(|name| crew.begun(name, 1).len());
    let time = secs(LEASE + 3);
    let asked = functions.map(|function| [1, 2].map(|member| crew.load(member, function, 4, time)));
    for (which, (function, asked)) in functions.iter().zip(asked).enumerate() {
        let loaded = asked.map(|asked| crew.loaded(asked));
        let longest = loaded.iter().map(|loaded| loaded.longest).max().unwrap();
        let again = crew.await_begun(*function, before[which] + 1);
        let (after, gaps) = (again.at - killed, check_periods(&crew, function.0, 1));
        println!(
            "{}: killed while it refreshed; refreshed again after {after:.2?}, the lease being {LEASE} s; \
             computations {gaps:.2?} apart, the longest call {longest:.0?}",
            function.0
        );
        assert!(again.member > 0 && after < secs(LEASE + 2) + LATE);
        assert!(loaded.iter().any(|loaded| loaded.values.contains(&old[which])), "nobody was served meanwhile");
    }
}

#[test]
fn what_one_process_invalidates_is_gone_for_all() {
    let crew = Crew::start(3);
    let call = |function| crew.one_value(&[0, 1, 2].map(|member| crew.call(member, function, 2)));
    for name in ["cold", "cold_sync"] {
        let function = (name, 1, 50);
        let first = call(function);
        crew.invalidate(2, function);
        let second = call(function);
        assert!(first != second && call(function) == second);
        assert_eq!(crew.begun(name, 1).len(), 2);
    }
    // Who computes while it is invalidated does not store.
    let slow = ("cold", 2, 500);
    let outdated = crew.call(0, slow, 1);
    crew.await_begun(slow, 1);
    crew.invalidate(1, slow);
    let outdated = crew.one_value(&[outdated]);
    assert!(call(slow) != outdated);
}

#[test]
fn what_one_process_clears_is_gone_for_all() {
    let crew = Crew::start(3);
    for name in ["cold", "cold_tiered"] {
        let function = (name, 1, 50);
        let values = || [0, 1, 2].map(|member| crew.one_value(&[crew.call(member, function, 1)]));
        let before = values();
        crew.clear(1, name);
        let cleared = std::time::Instant::now();
        let mut after = values();
        // The others ask now and then whether anybody has cleared.
        while after.iter().any(|value| *value == before[0]) {
            assert!(cleared.elapsed() < LATE + LATE);
            after = values();
        }
        println!("{name}: cleared by one process, seen by all after {:.0?}", cleared.elapsed());
        assert!(before[0] == before[1] && after[0] == after[1] && after[1] == after[2], "{before:?} {after:?}");
    }
}

#[test]
fn a_fleet_that_waits_for_a_lease_survives_its_memcached() {
    let crew = Crew::start(4);
    for name in COLD {
        let slow = (name, 1, 1000);
        let asked = [0, 1, 2, 3].map(|member| crew.call(member, slow, 3));
        crew.await_begun(slow, 1);
        crew.server.kill();
        // All of them get a value, be it each its own.
        let longest = asked.iter().map(|asked| crew.loaded(*asked).longest).max().unwrap();
        let begun = crew.begun(name, 1).len();
        println!("{name}: memcached killed under 4 processes: {begun} computations, the longest call {longest:.0?}");
        assert!((1..=4).contains(&begun), "{begun}");
        crew.server.restart().unwrap();
        // And they share again, without help.
        let start = std::time::Instant::now();
        for id in 2.. {
            let quick = (name, id, 0);
            let asked = [0, 1, 2, 3].map(|member| crew.call(member, quick, 1));
            asked.iter().for_each(|asked| drop(crew.loaded(*asked)));
            if crew.begun(name, id).len() == 1 {
                break;
            }
            assert!(start.elapsed() < LATE + LATE, "they do not share");
        }
        println!("{name}: restarted, shared again after {:.0?}", start.elapsed());
    }
}
