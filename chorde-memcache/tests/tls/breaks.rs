//! Encrypted connections that break, in the handshake and after.

use std::time::Instant;

use chorde_core::{CacheExt, Wait};
use chorde_memcache::testing::{Chaos, ChaosProxy, Direction, MemcachedServer, TlsFront};
use chorde_memcache::{MemcachedClient, Transport};

use crate::certificates::Authority;
use crate::support::{LONG, PATIENCE, builder, default_builder, eventually, healed, millis, works};

const TRANSPORTS: [Transport; 2] = [Transport::Auto, Transport::Classic];

/// A server that encrypts, with a network before it that fails when told to.
struct Way {
    server: MemcachedServer,
    authority: Authority,
    front: TlsFront,
    network: ChaosProxy,
}

impl Way {
    fn new() -> Self {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
        let network = ChaosProxy::start(&front.address()).unwrap();
        Self { server, authority, front, network }
    }

    fn client(&self, transport: Transport) -> MemcachedClient {
        builder([self.network.address()]).tls(self.authority.tls()).transport(transport).build().unwrap()
    }
}

#[test]
fn a_handshake_that_is_cut_is_a_miss_and_tried_again() {
    for transport in TRANSPORTS {
        let way = Way::new();
        // In the first message of the server, and after it.
        for bytes in [0, 3, 100, 700] {
            way.network.set(Chaos::Cut(Direction::ToClient, bytes)).unwrap();
            let client = way.client(transport);
            assert_eq!(client.get::<u64>("key").wait().ok().flatten(), None);
            let stats = client.stats();
            assert_eq!((stats.outages, stats.hits), (1, 0), "{stats:?}");
            way.network.set(Chaos::Pass).unwrap();
            healed("a handshake that was cut", || works(&client));
        }
    }
}

#[test]
fn a_server_that_never_answers_the_handshake_costs_no_more_than_the_deadline() {
    for transport in TRANSPORTS {
        let way = Way::new();
        way.network.set(Chaos::Blackhole).unwrap();
        let client = default_builder([way.network.address()]).tls(way.authority.tls()).transport(transport);
        let client = client.deadline(millis(100)).probe_pauses(millis(20)..=millis(200)).build().unwrap();
        let began = Instant::now();
        eventually("it is out of use", || {
            assert_eq!(client.get::<u64>("key").wait().ok().flatten(), None);
            client.stats().outages == 1
        });
        assert!(began.elapsed() < PATIENCE);
        let before = client.stats();
        assert!(before.timeouts + before.failures <= 4, "{before:?}");
        way.network.set(Chaos::Pass).unwrap();
        // A deadline that short may be missed on a busy machine: then it is tried again.
        healed("a handshake without an answer", || works(&client));
    }
}

#[test]
fn a_reply_that_is_cut_is_never_a_value() {
    for transport in TRANSPORTS {
        let way = Way::new();
        let client = way.client(transport);
        let value: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).map(|byte| byte ^ fastrand::u8(..)).collect();
        client.put("key", value.clone(), LONG).wait().unwrap();
        for bytes in [1, 5, 1000, 20_000, 500_000] {
            way.network.set(Chaos::Cut(Direction::ToClient, bytes)).unwrap();
            let got = client.get::<Vec<u8>>("key").wait();
            assert_eq!(got.ok().flatten(), None, "cut after {bytes} bytes");
            way.network.set(Chaos::Pass).unwrap();
            healed("a reply that was cut", || {
                let got = client.get::<Vec<u8>>("key").wait().ok().flatten();
                assert!(got.as_ref().is_none_or(|got| *got == value), "a wrong value");
                got.is_some()
            });
        }
        drop(way.server);
    }
}

#[test]
fn a_server_that_ends_its_connections_is_used_again() {
    for transport in TRANSPORTS {
        let way = Way::new();
        let client = way.client(transport);
        for _ in 0..5 {
            assert!(works(&client));
            way.front.restart(way.authority.loopback()).unwrap();
            healed("all connections ended", || works(&client));
        }
        way.network.set(Chaos::Reset).unwrap();
        assert!(!works(&client));
        way.network.set(Chaos::Pass).unwrap();
        healed("all connections reset", || works(&client));
    }
}
