//! Cached functions over memcached, while servers and callers fail: the caller sees values, and they are right.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chorde::memcache::testing::{Chaos, ChaosProxy, FakeServer, Fault, MemcachedServer};
use chorde::memcache::{MemcachedBuilder, Transport};
use chorde::prelude::*;
use chorde::{ErrorKind, MemcachedClient};
use support::gate::Gate;
use support::hand::Hand;
use support::{Count, PATIENCE, bounded, drained, eventually, millis, runtime, secs};

/// The client that a function uses at the moment.
struct Current(Mutex<Option<MemcachedClient>>);

impl Current {
    const fn none() -> Self {
        Self(Mutex::new(None))
    }

    fn set(&self, builder: MemcachedBuilder) -> MemcachedClient {
        let client = builder.build().unwrap();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        client
    }

    fn get(&self) -> MemcachedClient {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a client was set")
    }
}

fn builder<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> MemcachedBuilder {
    let builder = MemcachedClient::builder().servers(servers).checksum_key("tests");
    builder.probe_pauses(millis(20)..=millis(200)).deadline(secs(20))
}

/// Declares a function that counts its runs, and the client that it uses.
macro_rules! squares {
    ($name:ident, $client:ident, $runs:ident $(, $more:ident = $value:expr)*) => {
        static $client: Current = Current::none();
        static $runs: Count = Count::new();
        #[cached(client = $client.get(), ttl = 600 $(, $more = $value)*)]
        async fn $name(x: u64) -> u64 {
            $runs.up();
            x * x
        }
    };
}

/// Waits until a fault is over for the function, and prints how long that took: a key is computed once and then found.
fn healed<F: Future<Output = u64>>(what: &str, runs: &Count, call: impl Fn(u64) -> F) {
    let began = Instant::now();
    let is_found = || {
        let key = fastrand::u64(..1 << 30);
        assert_eq!(call(key).wait(), key * key);
        let before = runs.get();
        assert_eq!(call(key).wait(), key * key);
        runs.get() == before
    };
    eventually(what, is_found);
    println!("{what}: healed after {} ms", began.elapsed().as_millis());
}

#[test]
fn whatever_a_server_says_the_caller_gets_the_value() {
    squares!(whatever, CLIENT, RUNS);
    let faults = [
        Fault::Silence,
        Fault::DeadSilence,
        Fault::Cut(0),
        Fault::Cut(9),
        Fault::Reset,
        Fault::CloseAtOnce,
        Fault::TooManyConnections,
        Fault::Garbage,
        Fault::EndlessLine,
        Fault::NegativeLength,
        Fault::HugeLength,
        Fault::ShortValue,
        Fault::BadTerminator,
        Fault::OtherRequest,
        Fault::OutOfOrder,
        Fault::OutOfMemory,
        Fault::TlsAlert,
        Fault::Http,
    ];
    for fault in faults {
        let server = FakeServer::old().unwrap();
        let client = CLIENT.set(builder([server.address()]).deadline(millis(200)));
        eventually("it is used", || {
            let key = fastrand::u64(..1 << 30);
            whatever(key).wait() == key * key && client.stats().stores > 0
        });
        server.set_fault(fault);
        // Some faults are met by new connections alone.
        let client = CLIENT.set(builder([server.address()]).deadline(millis(200)));
        let (began, errors) = (Instant::now(), whatever::stats().client_errors);
        for key in 0..10 {
            assert_eq!(whatever(key).wait(), key * key, "{fault:?}");
            assert_eq!(whatever::peek(key).wait().unwrap_or(key * key), key * key, "{fault:?}");
        }
        assert!(whatever::stats().client_errors > errors, "{fault:?} is counted");
        assert!(began.elapsed() < secs(20), "{fault:?}: {:?}", began.elapsed());
        let stats = client.stats();
        assert!(stats.failures + stats.timeouts + stats.too_large > 0, "{fault:?}: {stats:?}");
        server.set_fault(None);
        healed(&format!("{fault:?}"), &RUNS, whatever);
    }
}

#[test]
fn whatever_a_newer_server_says_the_caller_gets_the_value() {
    squares!(newer, CLIENT, RUNS);
    for fault in [
        None,
        Some(Fault::Silence),
        Some(Fault::Garbage),
        Some(Fault::ShortValue),
        Some(Fault::OtherRequest),
        Some(Fault::OutOfOrder),
        Some(Fault::HugeLength),
        Some(Fault::Reset),
    ] {
        // Even without a fault, what it holds was never stored.
        let server = FakeServer::canned("1.6.21", "somebody else's").unwrap();
        let client = CLIENT.set(builder([server.address()]).deadline(millis(200)));
        server.set_fault(fault);
        for key in 0..5 {
            assert_eq!(newer(key).wait(), key * key, "{fault:?}");
        }
        let stats = client.stats();
        assert!(stats.failures + stats.timeouts + stats.foreign > 0, "{fault:?}: {stats:?}");
    }
    assert_eq!(newer::stats().hits, 0);
}

#[test]
fn a_server_that_is_away_is_a_miss() {
    squares!(away, CLIENT, RUNS);
    for transport in [Transport::Auto, Transport::Classic] {
        for is_strict in [false, true] {
            let server = MemcachedServer::start().unwrap();
            let build = builder([server.address()]).transport(transport).deadline(millis(300));
            let client = CLIENT.set(if is_strict { build.strict() } else { build });
            healed("at first", &RUNS, away);
            server.kill();
            for key in 0..50 {
                assert_eq!(away(key).wait(), key * key);
            }
            let stats = client.stats();
            assert!(stats.unserved_reads >= 40 && stats.lost_writes >= 40, "{stats:?}");
            server.restart().unwrap();
            healed("killed", &RUNS, away);
            server.pause().unwrap();
            let began = Instant::now();
            for key in 0..50 {
                assert_eq!(away(key).wait(), key * key);
            }
            println!("50 calls of a stopped server took {} ms", began.elapsed().as_millis());
            server.resume().unwrap();
            healed("stopped", &RUNS, away);
            server.flush().unwrap();
            healed("flushed", &RUNS, away);
        }
    }
}

#[test]
fn companions_that_write_tell_of_errors_and_those_that_read_do_not() {
    squares!(companions, CLIENT, RUNS);
    let server = MemcachedServer::start().unwrap();
    CLIENT.set(builder([server.address()]).strict());
    companions::put(3, 9).wait().unwrap();
    server.kill();
    eventually("it is noticed", || {
        companions::put(3, 9).wait().is_err_and(|error| error.kind() == ErrorKind::NoServers)
    });
    assert_eq!(companions::invalidate(3).wait().unwrap_err().kind(), ErrorKind::NoServers);
    assert_eq!(companions::expire(3).wait().unwrap_err().kind(), ErrorKind::NoServers);
    assert!(companions::clear().wait().is_err());
    assert_eq!(companions::peek(3).wait(), None);
    assert!(companions::get_ttl(3).wait().is_none());
    assert_eq!(companions::lazy(3).wait(), None);
    drained();
    assert_eq!(companions::refresh(3).wait(), 9);
    assert_eq!(companions(3).wait(), 9);
}

#[test]
fn a_thousand_callers_on_a_cold_start_compute_once_per_fleet() {
    static CLIENTS: [Current; 4] = [const { Current::none() }; 4];
    static RUNS: Count = Count::new();
    static GATE: Gate = Gate::new();
    #[cached(client = CLIENTS[_member].get(), key = x, ttl = 600, lease = secs(60))]
    async fn cold(_member: usize, x: u64) -> u64 {
        RUNS.up();
        GATE.passed().await;
        x * x
    }
    let server = MemcachedServer::start().unwrap();
    for client in &CLIENTS {
        client.set(builder([server.address()]));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let calls: Vec<_> = (0..1000).map(|call| runtime.spawn(cold(call % 4, 7))).collect();
    GATE.await_arrivals(1);
    eventually("all others wait", || {
        CLIENTS.iter().map(|client| client.get().stats().claims_held).filter(|held| *held > 0).count() == 3
    });
    GATE.open();
    for call in calls {
        assert_eq!(runtime.block_on(call).unwrap(), 49);
    }
    assert_eq!(RUNS.get(), 1);
    let connections: u64 = CLIENTS.iter().map(|client| client.get().stats().connections).sum();
    assert!(connections <= 8, "{connections} connections");
}

#[test]
fn a_caller_dropped_at_any_await_holds_nobody_up() {
    static RUNS: Count = Count::new();
    static CLIENT: Current = Current::none();
    #[cached(client = CLIENT.get(), ttl = 600, lease = secs(600))]
    async fn dropped(x: u64) -> u64 {
        RUNS.up();
        support::hand::pause().await;
        x * x
    }
    bounded(|| {
        let server = MemcachedServer::start().unwrap();
        CLIENT.set(builder([server.address()]));
        assert_eq!(dropped(1000).wait(), 1_000_000);
        let mut steps = 0;
        loop {
            steps += 1;
            let mut call = Hand::begun(dropped(steps));
            let (mut rung, mut is_done) = (0, false);
            for _ in 1..steps {
                // It asks to be run again when something has come for it.
                eventually("it goes on", || call.rung() > rung);
                rung = call.rung();
                is_done = call.step().is_ready();
                if is_done {
                    break;
                }
            }
            drop(call);
            // Another process would wait for the lease: ten minutes.
            assert_eq!(dropped(steps).wait(), steps * steps);
            if is_done {
                break;
            }
        }
        println!("a call takes {steps} steps");
        assert!(RUNS.get() <= 2 * steps + 1, "{} runs", RUNS.get());
    });
}

#[test]
fn a_computer_that_dies_is_replaced_after_its_lease() {
    static CLIENTS: [Current; 2] = [const { Current::none() }; 2];
    static RUNS: Count = Count::new();
    #[cached(client = CLIENTS[_member].get(), key = x, ttl = 600, lease = secs(2))]
    async fn replaced(_member: usize, x: u64) -> u64 {
        if RUNS.up() == 1 {
            std::future::pending::<()>().await;
        }
        x * x
    }
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    CLIENTS[0].set(builder([proxy.address()]));
    CLIENTS[1].set(builder([server.address()]));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dies = runtime.spawn(replaced(0, 3));
    eventually("it computes", || RUNS.get() == 1);
    // Nothing that it says comes through any more, not even that it gives up.
    proxy.set(Chaos::Refuse).unwrap();
    dies.abort();
    runtime.shutdown_background();
    let began = Instant::now();
    assert_eq!(replaced(1, 3).wait(), 9);
    println!("a computer that died was replaced after {} ms of a lease of 2 s", began.elapsed().as_millis());
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(RUNS.get(), 2);
}

#[test]
fn synchronous_functions_work_from_everywhere() {
    static CLIENT: Current = Current::none();
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT.get(), ttl = 600)]
    fn everywhere(x: u64) -> u64 {
        RUNS.up();
        x * x
    }
    let server = MemcachedServer::start().unwrap();
    CLIENT.set(builder([server.address()]));
    let check = |from: u64| (from..from + 20).for_each(|key| assert_eq!(everywhere(key), key * key));
    std::thread::scope(|scope| (0..4).for_each(|thread| _ = scope.spawn(move || check(thread * 10))));
    assert_eq!(RUNS.get(), 50);
    // On the only thread of a runtime, which stands still meanwhile.
    let single = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    single.block_on(async { tokio::spawn(async move { check(100) }).await }).unwrap();
    runtime().block_on(async { tokio::spawn(async move { check(200) }).await }).unwrap();
    smol::block_on(async { check(300) });
    futures::executor::block_on(async { check(400) });
    let futures: Vec<_> = (500..520).map(everywhere::future).collect();
    for (key, future) in (500..520).zip(futures) {
        assert_eq!(smol::block_on(future).unwrap(), key * key);
    }
    assert_eq!(RUNS.get(), 150);
}

#[test]
fn asynchronous_functions_work_on_any_executor_while_servers_fail() {
    squares!(executors, CLIENT, RUNS);
    let server = MemcachedServer::start().unwrap();
    CLIENT.set(builder([server.address()]).deadline(millis(300)));
    for round in 0..3 {
        let keys = round * 10..round * 10 + 3;
        for key in keys {
            assert_eq!(smol::block_on(executors(key)), key * key);
            assert_eq!(futures::executor::block_on(executors(key)), key * key);
            assert_eq!(runtime().block_on(executors(key)), key * key);
            assert_eq!(executors(key).wait(), key * key);
        }
        match round {
            0 => server.kill(),
            1 => server.restart().unwrap(),
            _ => {}
        }
    }
    healed("all executors", &RUNS, executors);
}

#[test]
fn what_was_invalidated_in_an_outage_stays_so() {
    static CLIENT: Current = Current::none();
    static SOURCE: Count = Count::new();
    #[cached(client = CLIENT.get(), ttl = 600)]
    async fn invalidated(_x: u64) -> u64 {
        SOURCE.get()
    }
    let servers = [MemcachedServer::start().unwrap(), MemcachedServer::start().unwrap()];
    for count in [1, 2] {
        let client = CLIENT.set(builder(servers[..count].iter().map(MemcachedServer::address)).deadline(millis(300)));
        for round in 0..4 {
            let before = client.stats();
            for key in 0..10 {
                _ = invalidated(key).wait();
            }
            for server in &servers[..count] {
                server.pause().unwrap();
            }
            // The truth changes, and whoever knows says so until it is heard.
            let truth = SOURCE.up();
            for key in 0..10 {
                eventually("it is heard", || invalidated::invalidate(key).wait().is_ok());
                assert_eq!(invalidated(key).wait(), truth);
            }
            for server in &servers[..count] {
                server.resume().unwrap();
            }
            for _ in 0..3 {
                for key in 0..10 {
                    assert_eq!(invalidated(key).wait(), truth, "{count} servers, round {round}");
                }
            }
            eventually("all are back", || {
                let now = client.stats();
                (0..10).for_each(|key| assert_eq!(invalidated(key).wait(), truth));
                now.recoveries == now.outages && now.outages > before.outages
            });
        }
    }
}

#[test]
fn a_refresh_ahead_survives_the_loss_of_its_server() {
    static CLIENT: Current = Current::none();
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT.get(), ttl = 600, async_ttl = 599.5, lease = secs(2))]
    async fn ahead(x: u64) -> u64 {
        RUNS.up();
        x * x
    }
    let server = MemcachedServer::start().unwrap();
    CLIENT.set(builder([server.address()]));
    assert_eq!(ahead(5).wait(), 25);
    eventually("it is refreshed", || ahead(5).wait() == 25 && RUNS.get() >= 2);
    server.kill();
    for _ in 0..20 {
        assert_eq!(ahead(5).wait(), 25);
    }
    server.restart().unwrap();
    let before = RUNS.get();
    eventually("it is refreshed again", || {
        ahead(5).wait() == 25 && ahead::stats().background > 1 && RUNS.get() > before + 2
    });
    drained();
    assert_eq!(ahead(5).wait(), 25);
}

/// Waits no longer than a machine that is busy elsewhere may take.
#[test]
fn one_call_costs_a_few_deadlines_at_most() {
    squares!(costs, CLIENT, RUNS);
    let server = MemcachedServer::start().unwrap();
    let deadline = millis(400);
    CLIENT.set(builder([server.address()]).deadline(deadline).tolerated_failures(1000));
    healed("at first", &RUNS, costs);
    server.pause().unwrap();
    let mut slowest = Duration::ZERO;
    for key in 0..4 {
        let began = Instant::now();
        assert_eq!(costs(key).wait(), key * key);
        slowest = slowest.max(began.elapsed());
    }
    println!("with a deadline of {} ms the slowest call took {} ms", deadline.as_millis(), slowest.as_millis());
    // To learn of clears, to claim and to store: each has its own.
    assert!(slowest < 3 * deadline + secs(5), "{slowest:?}");
    server.resume().unwrap();
    healed("a server that hung", &RUNS, costs);
}
