//! Any sequence of operations on a real memcached, by two clients over both transports, agrees with a plain map. Time does not
//! pass on the server, whose clock cannot be moved: lives are long, and what ends them is `expire`. On the clients it passes
//! after a clear, until all have noticed it. There are a sixteenth of `PROPTEST_CASES` sequences (256 where nothing is said)
//! for each transport.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use chorde_core::{CacheExt, Claim, ClaimOptions, Client, Entry, Key, ManualClock, NamespaceClient, Wait};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedClient, Transport};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::{builder, servers};

const KEYS: u8 = 4;

/// How long a sequence may take: less than leases and stale values last.
const PATIENCE: Duration = Duration::from_secs(8);

/// After how long all clients know of a clear.
const CLEAR_DELAY: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, ttl: u32, size: usize },
    PutMany { keys: Vec<u8>, ttl: u32 },
    Add { key: u8, ttl: u32, size: usize },
    Renew { key: u8, ttl: u32 },
    Delete { key: u8 },
    Expire { key: u8 },
    GetMany { keys: Vec<u8> },
    GetNumber { key: u8 },
    Compute { key: u8, ttl: u32, size: usize },
    Overtaken { key: u8, ttl: u32 },
    GivenUp { key: u8 },
    Clear,
}

/// Who does it: one of two clients, in the namespace or not.
type Who = (bool, bool);

fn op() -> impl Strategy<Value = (Who, Op)> {
    let key = || 0..KEYS;
    let keys = || vec(key(), 0..5);
    let ttl = || 100..4000_u32;
    // Up to several pages.
    let size = || prop_oneof![3 => 0..40_usize, 1 => 0..9000_usize];
    let op = prop_oneof![
        6 => (key(), ttl(), size()).prop_map(|(key, ttl, size)| Op::Put { key, ttl, size }),
        2 => (keys(), ttl()).prop_map(|(keys, ttl)| Op::PutMany { keys, ttl }),
        3 => (key(), ttl(), size()).prop_map(|(key, ttl, size)| Op::Add { key, ttl, size }),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Op::Renew { key, ttl }),
        2 => key().prop_map(|key| Op::Delete { key }),
        2 => key().prop_map(|key| Op::Expire { key }),
        2 => keys().prop_map(|keys| Op::GetMany { keys }),
        1 => key().prop_map(|key| Op::GetNumber { key }),
        3 => (key(), ttl(), size()).prop_map(|(key, ttl, size)| Op::Compute { key, ttl, size }),
        1 => (key(), ttl()).prop_map(|(key, ttl)| Op::Overtaken { key, ttl }),
        1 => key().prop_map(|key| Op::GivenUp { key }),
        1 => Just(Op::Clear),
    ];
    (any::<Who>(), op)
}

#[derive(Clone, Debug)]
struct Held {
    value: String,
    /// The longest that it may still live, in seconds; none if it is stale.
    left: Option<u32>,
}

/// By namespace or not, and key.
type Model = HashMap<(bool, u8), Held>;

/// What both clients are asked through.
struct Rig {
    clients: [MemcachedClient; 2],
    inside: [NamespaceClient<MemcachedClient>; 2],
    clock: Option<ManualClock>,
    /// How often a value was read as another type.
    of_another_type: u64,
    model: Model,
}

fn text(number: u32, size: usize) -> String {
    let mut dice = fastrand::Rng::with_seed(number.into());
    format!("{number}:") + &(0..size).map(|_| dice.alphanumeric()).collect::<String>()
}

fn secs(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

impl Rig {
    fn new(servers: &[MemcachedServer], transport: Transport) -> Self {
        let is_meta = transport == Transport::Meta;
        // By the classic commands lives are told by the clients' clock, which must not jump: there one client is asked twice.
        let clock = is_meta.then(ManualClock::new);
        let make = || {
            let builder = builder(servers.iter().map(MemcachedServer::address)).transport(transport).item_size(2048);
            let builder = builder.clear_delay(CLEAR_DELAY);
            let builder = if let Some(clock) = &clock { builder.clock(clock.clone()) } else { builder };
            builder.build().unwrap()
        };
        let first = make();
        let clients = [first.clone(), if is_meta { make() } else { first }];
        let inside = clients.each_ref().map(|client| NamespaceClient::new("inside", client.clone()).unwrap());
        Self { clients, inside, clock, of_another_type: 0, model: HashMap::new() }
    }

    fn step(&mut self, (who, op): &(Who, Op), number: u32) {
        let (second, inside) = *who;
        if inside {
            let client = self.inside[usize::from(second)].clone();
            self.ask(&client, true, op, number);
        } else {
            let client = self.clients[usize::from(second)].clone();
            self.ask(&client, false, op, number);
        }
    }

    fn ask<C: CacheExt + Client<String> + Client<u64>>(&mut self, client: &C, inside: bool, op: &Op, number: u32) {
        match op {
            Op::Put { key, ttl, size } => {
                client.put(key, text(number, *size), secs(*ttl)).wait().unwrap();
                self.put(inside, *key, text(number, *size), *ttl);
            }
            Op::PutMany { keys, ttl } => {
                let entries: Vec<_> = keys.iter().map(|key| (*key, text(number, 9))).collect();
                client.put_multi(&entries, secs(*ttl)).wait().unwrap();
                keys.iter().for_each(|key| self.put(inside, *key, text(number, 9), *ttl));
            }
            Op::Add { key, ttl, size } => {
                let free = self.valid(inside, *key).is_none();
                assert_eq!(client.add(key, text(number, *size), secs(*ttl)).wait().unwrap(), free);
                if free {
                    self.put(inside, *key, text(number, *size), *ttl);
                }
            }
            Op::Renew { key, ttl } => {
                let valid = self.valid(inside, *key).is_some();
                assert_eq!(client.renew(key, secs(*ttl)).wait().unwrap(), valid);
                self.model.entry((inside, *key)).and_modify(|held| held.left = held.left.map(|left| left.max(*ttl)));
            }
            Op::Delete { key } => {
                assert_eq!(client.delete(key).wait().unwrap(), self.valid(inside, *key).is_some());
                self.model.remove(&(inside, *key));
            }
            Op::Expire { key } => {
                assert_eq!(client.expire(key).wait().unwrap(), self.valid(inside, *key).is_some());
                self.model.entry((inside, *key)).and_modify(|held| held.left = None);
            }
            Op::GetMany { keys } => {
                let expected: Vec<_> = keys.iter().map(|key| self.valid(inside, *key)).collect();
                assert_eq!(client.get_multi::<String>(keys).wait().unwrap(), expected);
            }
            // Another type has nothing under any key.
            Op::GetNumber { key } => {
                self.of_another_type += 1;
                assert_eq!(client.get::<u64>(key).wait().unwrap(), None);
            }
            Op::Clear => {
                client.clear().wait().unwrap();
                self.clock.iter().for_each(|clock| clock.advance(CLEAR_DELAY));
                self.model.retain(|(held_inside, _), _| inside && !held_inside);
            }
            claim => self.claim(client, inside, claim, number),
        }
    }

    /// Does what begins with a claim.
    fn claim<C: CacheExt + Client<String>>(&mut self, client: &C, inside: bool, op: &Op, number: u32) {
        let (Op::Compute { key, .. } | Op::Overtaken { key, .. } | Op::GivenUp { key }) = op else {
            unreachable!("{op:?} is done elsewhere")
        };
        let made = Key::new(key).unwrap();
        // No longer than what is stale is kept, or that would make way.
        let claimed = client.claim(&made, ClaimOptions::<String>::new(secs(10))).wait().unwrap();
        let token = match (claimed, self.valid(inside, *key)) {
            (Claim::Fresh(entry), Some(value)) => return assert_eq!(entry.value, value),
            (Claim::Absent(token), None) => token,
            (claimed, expected) => panic!("{claimed:?} instead of {expected:?}"),
        };
        match *op {
            Op::Compute { key, ttl, size } => {
                assert!(client.fill(&made, token, text(number, size), secs(ttl)).wait().unwrap());
                self.put(inside, key, text(number, size), ttl);
            }
            Op::Overtaken { key, ttl } => {
                client.put(&key, text(number, 1), secs(ttl)).wait().unwrap();
                self.put(inside, key, text(number, 1), ttl);
                assert!(!client.fill(&made, token, "overtaken".to_owned(), secs(ttl)).wait().unwrap());
            }
            // What is stale stays so, and the next one wins.
            _ => client.release(&made, token),
        }
    }

    fn put(&mut self, inside: bool, key: u8, value: String, ttl: u32) {
        self.model.insert((inside, key), Held { value, left: Some(ttl) });
    }

    fn valid(&self, inside: bool, key: u8) -> Option<String> {
        self.model.get(&(inside, key)).filter(|held| held.left.is_some()).map(|held| held.value.clone())
    }

    /// Compares what each client shows with the model, in both places.
    fn check(&self) {
        for (client, within) in self.clients.iter().zip(&self.inside) {
            for key in 0..KEYS {
                agree(self.clock.is_some(), self.model.get(&(false, key)), client.get_ttl(&key).wait().unwrap());
                agree(self.clock.is_some(), self.model.get(&(true, key)), within.get_ttl(&key).wait().unwrap());
                assert_eq!(client.contains(&key).wait().unwrap(), self.valid(false, key).is_some());
                assert_eq!(within.contains(&key).wait().unwrap(), self.valid(true, key).is_some());
            }
            let stats = client.stats();
            assert_eq!((stats.foreign, stats.failures, stats.timeouts), (0, 0, 0), "{stats:?}");
            // Of another type, and nothing else.
            assert!(stats.damaged <= self.of_another_type, "{stats:?}");
        }
    }
}

fn agree(is_exact: bool, held: Option<&Held>, shown: Option<Entry<String>>) {
    match (held, shown) {
        (None, None) => {}
        (Some(held), Some(entry)) => {
            assert_eq!((&entry.value, entry.is_stale()), (&held.value, held.left.is_none()));
            let left = secs(held.left.unwrap_or(0));
            // A sequence takes no longer than that. Two connections that speak the classic commands may differ by a second in
            // what the server's clock shows.
            let most = if is_exact || entry.is_stale() { left } else { left + secs(1) };
            assert!(entry.remaining() <= most && entry.remaining() + PATIENCE + secs(2) >= left, "{entry:?} {held:?}");
        }
        (held, shown) => panic!("{shown:?} instead of {held:?}"),
    }
}

fn run(transport: Transport) {
    let servers = servers(2);
    let mut config = ProptestConfig::default();
    config.cases = config.cases.div_ceil(16);
    config.failure_persistence = None;
    let cases = config.cases;
    let cut = Cell::new(0);
    let test = |ops: Vec<(Who, Op)>| {
        servers.iter().for_each(|server| server.flush().unwrap());
        let (mut rig, began) = (Rig::new(&servers, transport), Instant::now());
        for (number, op) in (0..).zip(&ops) {
            rig.step(op, number);
            // On a machine that stood still meanwhile, what is stale may have gone, and so may leases.
            if began.elapsed() > PATIENCE {
                cut.set(cut.get() + 1);
                break;
            }
            rig.check();
        }
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&vec(op(), 1..40), test) {
        panic!("{failure}");
    }
    assert!(cut.get() <= cases / 2, "the machine stands still: {} of {cases} sequences were cut short", cut.get());
    println!("model, memcached by {transport:?}: {cases} sequences of operations agree, {} cut short", cut.get());
}

#[test]
fn the_meta_commands_agree_with_a_map() {
    run(Transport::Meta);
}

#[test]
fn the_classic_commands_agree_with_a_map() {
    run(Transport::Classic);
}
