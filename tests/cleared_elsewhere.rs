//! What was computed from before a clear, or another write, is not served after it, whichever process that was.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chorde::memcache::MemcachedBuilder;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use chorde::{
    Cache, Client, InprocClient, Key, Lookup, ManualClock, MemcachedClient, Namespace, Path, ReadOptions, TieredClient,
    Token,
};
use support::gate::Gate;
use support::{Count, eventually, secs};

const DELAY: Duration = Duration::from_millis(200);

static SERVER: LazyLock<MemcachedServer> = LazyLock::new(|| MemcachedServer::start().unwrap());

fn builder() -> MemcachedBuilder {
    MemcachedClient::builder().servers([SERVER.address()]).checksum_key("tests").clear_delay(DELAY).deadline(secs(20))
}

/// The same function in two processes, which share nothing but the server: each has a client of its own. The first waits at a
/// gate while it computes, and gives 1; the second gives 2.
macro_rules! two_processes {
    ($test:ident, $name:literal, $refreshes:literal, $client:expr, $kind:ty) => {
        #[test]
        fn $test() {
            static HERE: LazyLock<$kind> = LazyLock::new(|| $client);
            static THERE: LazyLock<$kind> = LazyLock::new(|| $client);
            static GATE: Gate = Gate::new();

            #[cached(client = HERE, ttl = 600, namespace = $name)]
            fn here(x: u64) -> u64 {
                GATE.pass();
                x
            }

            #[cached(client = THERE, ttl = 600, namespace = $name)]
            fn there(x: u64) -> u64 {
                x + 1
            }

            let key = here::callkey(1).unwrap();
            let revision = || HERE.revision(&Key::probe(&key)).number;
            // Both know the namespace, as processes do that have been there for a while.
            assert_eq!((here::peek(1), there::peek(1)), (None, None));
            let before = revision();
            let computing = std::thread::spawn(|| if $refreshes { here::refresh(1) } else { here(1) });
            GATE.await_arrivals(1);
            there::clear().unwrap();
            eventually("the clear is noticed", || {
                here::peek(2);
                revision() != before
            });
            GATE.open();
            assert_eq!(computing.join().unwrap(), 1, "who called before the clear gets what was computed for it");
            assert_eq!((here::peek(1), there::peek(1)), (None, None), "and nobody after it");
            assert_eq!((there(1), here(1)), (2, 2));
            assert_eq!(here::stats().superseded, 1);
        }
    };
}

fn tiers() -> TieredClient<InprocClient, MemcachedClient> {
    TieredClient::new(InprocClient::new(100), builder().build().unwrap())
}

two_processes!(a_clear_elsewhere_wins_over_a_call, "called", false, builder().build().unwrap(), MemcachedClient);
// A refresh has no lease of the server's by which its value could be refused.
two_processes!(a_clear_elsewhere_wins_over_a_refresh, "refreshed", true, builder().build().unwrap(), MemcachedClient);
two_processes!(a_clear_elsewhere_wins_in_tiers, "tiers", true, tiers(), TieredClient<InprocClient, MemcachedClient>);

/// By the lease that a call holds on the server. An explicit refresh has none: what it computed is stored.
#[test]
fn what_another_process_writes_wins_over_a_call_and_not_over_a_refresh() {
    static HERE: LazyLock<MemcachedClient> = LazyLock::new(|| builder().build().unwrap());
    static THERE: LazyLock<MemcachedClient> = LazyLock::new(|| builder().build().unwrap());
    static GATES: [Gate; 6] = [const { Gate::new() }; 6];

    #[cached(client = HERE, ttl = 600, namespace = "written")]
    fn here(x: usize) -> usize {
        GATES[x].pass();
        x
    }

    #[cached(client = THERE, ttl = 600, namespace = "written")]
    fn there(x: usize) -> usize {
        x + 10
    }

    let writes: [fn(usize) -> chorde::Result<()>; 3] = [|x| there::put(x, 20), there::invalidate, there::expire];
    let each = writes.into_iter().zip([Some(20), None, None]).enumerate();
    for (x, refreshes, (write, after)) in each.flat_map(|(x, write)| [(x, false, write), (x + 3, true, write)]) {
        let computing = std::thread::spawn(move || if refreshes { here::refresh(x) } else { here(x) });
        GATES[x].await_arrivals(1);
        write(x).unwrap();
        GATES[x].open();
        assert_eq!(computing.join().unwrap(), x, "who called before the write gets what was computed for it");
        let after = if refreshes { Some(x) } else { after };
        assert_eq!((here::peek(x), there::peek(x)), (after, after), "{x}");
    }
    assert_eq!((there(1), here(2)), (11, 2));
    assert_eq!(here::stats().superseded, 3);
}

/// A process that has just begun, such as one that only warms the cache, knows of no clear; one that was idle, of no later one.
#[test]
fn what_is_refreshed_after_a_clear_elsewhere_stays() {
    static THERE: LazyLock<MemcachedClient> = LazyLock::new(|| builder().build().unwrap());
    static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static HERE: LazyLock<MemcachedClient> = LazyLock::new(|| builder().clock(CLOCK.clone()).build().unwrap());

    #[cached(client = THERE, ttl = 600, namespace = "warmed")]
    fn there(x: u64) -> u64 {
        x
    }

    #[cached(client = HERE, ttl = 600, namespace = "warmed")]
    fn here(x: u64) -> u64 {
        x + 1
    }

    for first in [1, 10] {
        there::clear().unwrap();
        assert_eq!(here::refresh(first), first + 1);
        assert_eq!((here::peek(first), there::peek(first)), (Some(first + 1), Some(first + 1)));
        CLOCK.advance(DELAY * 2);
    }
    assert_eq!(here::stats().superseded, 0);
}

/// The clear is noticed while the value is on its way to the server: it does not get there.
#[test]
fn what_was_computed_before_a_clear_elsewhere_is_not_stored() {
    let clock = ManualClock::new();
    let (here, there) = (builder().clock(clock.clone()).build().unwrap(), builder().build().unwrap());
    let key = Key::in_namespace(&Namespace::named("passing"), &1).unwrap();
    let fill = |value: u64| Client::fill(&here, &key, Token::default(), value, secs(600)).wait().unwrap();

    assert!(fill(1), "nothing is known of the namespace, and nothing against it");
    there.clear_namespace(Path::new(key.namespaces())).wait().unwrap();
    clock.advance(DELAY * 2);
    assert!(!fill(2));
    assert_eq!(
        Client::<u64>::get_entry(&there, &key, ReadOptions::new()).wait().unwrap().map(|entry| entry.value),
        None
    );
    assert!(fill(3), "the clear is known by now");
}

/// Near copies are shown by what is known of the namespace: after a pause, it is asked for before they are.
#[test]
fn an_idle_process_does_not_show_near_copies_of_what_was_cleared() {
    type Tiers = TieredClient<InprocClient, MemcachedClient>;
    static THERE: LazyLock<MemcachedClient> = LazyLock::new(|| builder().build().unwrap());
    static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static HERE: LazyLock<Tiers> =
        LazyLock::new(|| TieredClient::new(InprocClient::new(100), builder().clock(CLOCK.clone()).build().unwrap()));

    #[cached(client = THERE, ttl = 600, namespace = "idle")]
    fn there(x: u64) -> u64 {
        x
    }

    #[cached(client = HERE, ttl = 600, namespace = "idle")]
    fn here(x: u64) -> u64 {
        x + 1
    }

    assert_eq!((here(1), here(1)), (2, 2));
    there::clear().unwrap();
    CLOCK.advance(DELAY * 2);
    assert_eq!(here::peek(1), None);
    assert_eq!((there(1), here(1)), (1, 1));
}

/// While nobody can tell of a clear, near copies are better than nothing.
#[test]
fn without_servers_near_copies_are_shown_after_a_pause_too() {
    type Tiers = TieredClient<InprocClient, MemcachedClient>;
    static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static SERVERS: LazyLock<Mutex<MemcachedServer>> = LazyLock::new(|| Mutex::new(MemcachedServer::start().unwrap()));
    static HERE: LazyLock<Tiers> = LazyLock::new(|| {
        let server = SERVERS.lock().unwrap().address().to_owned();
        let client = MemcachedClient::builder().servers([server]).checksum_key("tests").clear_delay(DELAY);
        TieredClient::new(InprocClient::new(100), client.clock(CLOCK.clone()).build().unwrap())
    });
    static RUNS: Count = Count::new();

    #[cached(client = HERE, ttl = 600)]
    fn here(x: u64) -> u64 {
        RUNS.up();
        x + 1
    }

    assert_eq!((here(1), RUNS.get()), (2, 1));
    SERVERS.lock().unwrap().kill();
    for _ in 0..5 {
        CLOCK.advance(DELAY * 2);
        assert_eq!((here(1), here::peek(1), RUNS.get()), (2, Some(2), 1));
    }
    CLOCK.advance(DELAY * 2);
    let found = Client::<u64>::look(&*HERE, &here::callkey(1).unwrap().probe(), ReadOptions::new());
    assert!(matches!(found, Some(Lookup::Held(_))), "and without waiting");
}
