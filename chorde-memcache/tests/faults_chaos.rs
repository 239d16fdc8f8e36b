//! All faults at once, at random: what is read is never older than what was written or removed before.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chorde_core::{Cache, CacheExt, Claim, ClaimOptions, Client, Key, Wait};
use chorde_memcache::testing::{Chaos, ChaosProxy, Direction, MemcachedServer};
use chorde_memcache::{Compression, MemcachedBuilder, MemcachedClient};
use support::{LONG, builder, eventually, healed, millis, works};

const KEYS: usize = 12;

/// How many faults a storm has.
const FAULTS: usize = 24;

/// What is known of a key, which one thread changes.
#[derive(Default)]
struct Truth {
    /// The number of the last change that was begun.
    begun: AtomicU64,
    /// The number of the last change that has succeeded: nothing older may be read.
    done: AtomicU64,
}

/// A value that tells its number, and is of any size.
fn value(number: u64, pages: bool) -> String {
    if pages { format!("{number} {}", "x".repeat(5000)) } else { number.to_string() }
}

fn number(value: &str) -> u64 {
    value.split(' ').next().unwrap().parse().unwrap()
}

/// Sends the callers home, also where the weather fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Fleet {
    servers: Vec<(MemcachedServer, ChaosProxy)>,
    truth: [Truth; KEYS],
    is_over: AtomicBool,
    /// What the callers have done.
    steps: AtomicU64,
    /// The values that they have found.
    seen: AtomicU64,
    wrong: AtomicU64,
}

impl Fleet {
    fn new(count: usize) -> Self {
        let server = || {
            let server = MemcachedServer::start().unwrap();
            let proxy = ChaosProxy::start(&server.address()).unwrap();
            (server, proxy)
        };
        let servers = (0..count).map(|_| server()).collect();
        Self {
            servers,
            truth: Default::default(),
            is_over: AtomicBool::new(false),
            steps: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
        }
    }

    fn client(&self, set: fn(MemcachedBuilder) -> MemcachedBuilder) -> MemcachedClient {
        let builder = builder(self.servers.iter().map(|(_, proxy)| proxy.address()));
        let builder = builder.deadline(millis(150)).item_size(2048).compression(Compression::off());
        set(builder).build().unwrap()
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn check(&self, key: usize, floor: u64, got: Option<String>, how: &str) {
        let Some(got) = got else { return };
        let (got, newest) = (number(&got), self.truth[key].begun.load(Ordering::SeqCst));
        self.seen.fetch_add(1, Ordering::Relaxed);
        if got < floor || got > newest {
            self.wrong.fetch_add(1, Ordering::Relaxed);
            println!("{how} of {key}: {got}, but {floor} was done before, and {newest} is the newest");
        }
    }

    /// Changes a few keys of its own, and looks at them.
    fn write(&self, client: &MemcachedClient, mine: std::ops::Range<usize>) {
        while self.goes_on() {
            self.steps.fetch_add(1, Ordering::Relaxed);
            let key = fastrand::usize(mine.clone());
            let truth = &self.truth[key];
            let next = truth.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let done = match fastrand::u8(0..10) {
                0 => client.delete(&key).wait().is_ok(),
                1 => client.expire(&key).wait().is_ok(),
                2 => client.put_multi(&[(key, value(next, false))], LONG).wait().is_ok(),
                3 => client.put(&key, value(next, true), LONG).wait().is_ok(),
                _ => client.put(&key, value(next, false), LONG).wait().is_ok(),
            };
            if done {
                truth.done.store(next, Ordering::SeqCst);
            }
            self.look(client, key);
        }
    }

    fn look(&self, client: &MemcachedClient, key: usize) {
        let floor = self.truth[key].done.load(Ordering::SeqCst);
        self.check(key, floor, client.get::<String>(&key).wait().unwrap_or_default(), "get");
    }

    /// Reads any keys, in any way that there is.
    fn read(&self, client: &MemcachedClient) {
        while self.goes_on() {
            self.steps.fetch_add(1, Ordering::Relaxed);
            let key = fastrand::usize(..KEYS);
            if fastrand::u8(0..4) == 0 {
                let keys: Vec<usize> = (0..KEYS).collect();
                let floors = keys.iter().map(|key| self.truth[*key].done.load(Ordering::SeqCst)).collect::<Vec<_>>();
                let got = client.get_multi::<String>(&keys).wait().unwrap_or_default();
                for ((key, floor), got) in keys.into_iter().zip(floors).zip(got) {
                    self.check(key, floor, got, "get_multi");
                }
            } else {
                self.look(client, key);
            }
        }
    }

    /// Waits until the callers have taken that many steps, or for a quarter of a second, where each takes its deadline.
    fn await_steps(&self, more: u64) {
        let (began, enough) = (Instant::now(), self.steps.load(Ordering::Relaxed) + more);
        let is_over = || self.steps.load(Ordering::Relaxed) >= enough || began.elapsed() > millis(250);
        eventually("the callers go on", is_over);
    }

    /// Waits until the callers have found that many values.
    fn await_values(&self, more: u64) {
        let enough = self.seen.load(Ordering::Relaxed) + more;
        eventually("the callers find something", || self.seen.load(Ordering::Relaxed) >= enough);
    }

    /// Makes the weather, on one server after another: bad for some steps of the callers, then good for some values.
    fn storm(&self) {
        let _over = Over(&self.is_over);
        for _ in 0..FAULTS {
            let (server, proxy) = &self.servers[fastrand::usize(..self.servers.len())];
            match fastrand::u8(0..9) {
                0 => proxy.set(Chaos::Refuse).unwrap(),
                1 => proxy.set(Chaos::Reset).unwrap(),
                2 => proxy.set(Chaos::Blackhole).unwrap(),
                3 => {
                    proxy.set(Chaos::Cut(Direction::ToClient, fastrand::u64(0..500))).unwrap();
                }
                4 => {
                    proxy.set(Chaos::Cut(Direction::ToServer, fastrand::u64(0..500))).unwrap();
                    proxy.set_for_new(Chaos::Pass).unwrap();
                }
                5 => proxy.set(Chaos::Truncate(Direction::ToClient, fastrand::u64(0..500))).unwrap(),
                6 => {
                    // Existing connections are stuck, new ones are not.
                    proxy.set(Chaos::Blackhole).unwrap();
                    proxy.set_for_new(Chaos::Pass).unwrap();
                }
                7 => server.pause().unwrap(),
                _ => server.flush().unwrap_or_default(),
            }
            self.await_steps(fastrand::u64(0..3_000));
            server.resume().unwrap();
            proxy.set(Chaos::Pass).unwrap();
            self.await_values(fastrand::u64(0..300));
        }
    }

    fn run(&self, client: &MemcachedClient) {
        std::thread::scope(|scope| {
            for mine in [0..4, 4..8, 8..KEYS] {
                scope.spawn(move || self.write(client, mine));
            }
            scope.spawn(|| self.read(client));
            self.storm();
        });
        healed("a storm", || works(client) && client.stats().outages == client.stats().recoveries);
        for key in 0..KEYS {
            self.look(client, key);
        }
        let stats = client.stats();
        println!("{} values were seen; {stats:?}", self.seen.load(Ordering::Relaxed));
        assert_eq!(self.wrong.load(Ordering::Relaxed), 0);
        assert!(stats.outages > 0 && self.seen.load(Ordering::Relaxed) > 100, "{stats:?}");
    }
}

#[test]
fn nothing_older_is_read_from_one_server() {
    let fleet = Fleet::new(1);
    fleet.run(&fleet.client(|builder| builder));
}

#[test]
fn nothing_older_is_read_from_three_servers() {
    let fleet = Fleet::new(3);
    fleet.run(&fleet.client(|builder| builder.tolerated_failures(0)));
}

#[test]
fn nothing_older_is_read_from_two_servers_in_a_namespace() {
    let fleet = Fleet::new(2);
    fleet.run(&fleet.client(|builder| builder.namespace("storm")));
}

#[test]
fn claims_in_a_storm_are_granted_filled_and_never_lost() {
    const LEASE: Duration = Duration::from_secs(1);
    let fleet = Fleet::new(2);
    let clients = [fleet.client(|builder| builder), fleet.client(|builder| builder)];
    let (fleet, computed, errors) = (&fleet, &AtomicU64::new(0), &AtomicU64::new(0));
    let options = ClaimOptions::<u64>::new(LEASE);
    std::thread::scope(|scope| {
        for client in &clients {
            for _ in 0..3 {
                scope.spawn(move || {
                    while fleet.goes_on() {
                        let number = fastrand::u64(0..5);
                        let key = Key::new(&number).unwrap();
                        let claim = client.claim(&key, options).wait();
                        fleet.steps.fetch_add(1, Ordering::Relaxed);
                        fleet.seen.fetch_add(u64::from(claim.is_ok()), Ordering::Relaxed);
                        match claim {
                            Ok(Claim::Fresh(entry) | Claim::DueElsewhere(entry)) => assert_eq!(entry.value, number),
                            Ok(Claim::Due(entry, token)) => {
                                assert_eq!(entry.value, number);
                                Client::<u64>::release(client, &key, token);
                            }
                            Ok(Claim::Absent(token)) => {
                                computed.fetch_add(1, Ordering::Relaxed);
                                match fastrand::u8(0..4) {
                                    0 => Client::<u64>::release(client, &key, token),
                                    1 => _ = client.delete_entry(&key).wait(),
                                    _ => _ = client.fill(&key, token, number, LONG).wait(),
                                }
                            }
                            Ok(Claim::AbsentElsewhere) => std::thread::yield_now(),
                            Err(_) => _ = errors.fetch_add(1, Ordering::Relaxed),
                        }
                    }
                });
            }
        }
        fleet.storm();
    });
    println!("{} computed, {} claims failed", computed.load(Ordering::Relaxed), errors.load(Ordering::Relaxed));
    for number in 0..5_u64 {
        let key = Key::new(&number).unwrap();
        // Whoever died or gave up is replaced within a lease.
        eventually("it can be claimed", || match clients[0].claim(&key, options).wait() {
            Ok(Claim::Absent(token)) => clients[0].fill(&key, token, number, LONG).wait().is_ok_and(|filled| filled),
            Ok(Claim::Fresh(entry)) => entry.value == number,
            _ => false,
        });
    }
}
