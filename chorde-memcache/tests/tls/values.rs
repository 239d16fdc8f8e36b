//! Values of all sizes, by many at once, over encrypted connections of both transports.

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::{CacheExt, Claim, ClaimOptions, Client, Key, Wait};
use chorde_memcache::testing::{MemcachedServer, TlsFront};
use chorde_memcache::{MemcachedClient, Transport};

use crate::certificates::Authority;
use crate::support::{LONG, builder};

const TRANSPORTS: [Transport; 2] = [Transport::Meta, Transport::Classic];

/// Begins a suite for clients that keep whole seconds of servers whose clocks go on meanwhile.
fn suite<'a, C>(make: impl Fn() -> C + 'a) -> Suite<'a, C> {
    Suite::new(make).resolution(Duration::from_secs(1))
}

/// Makes a client that sees nothing of what others have stored.
fn fresh(authority: &Authority, address: &str, transport: Transport) -> MemcachedClient {
    let builder = builder([address]).transport(transport).namespace(format!("{:x}", fastrand::u128(..)));
    builder.tls(authority.tls()).build().unwrap()
}

fn conforms(transport: Transport) {
    let (authority, server) = (Authority::new(), MemcachedServer::start_unix().unwrap());
    let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
    let suite = suite(|| fresh(&authority, &front.address(), transport));
    suite.check::<String>();
    suite.check::<Vec<u8>>();
    suite.check_types();
    assert!(front.handshakes() > 0 && front.failed_handshakes() == 0);
}

#[test]
fn the_meta_transport_conforms() {
    conforms(Transport::Meta);
}

#[test]
fn the_classic_transport_conforms() {
    conforms(Transport::Classic);
}

#[test]
fn a_memcached_that_encrypts_by_itself_conforms() {
    let authority = Authority::new();
    let Some((server, _files)) = authority.pair(&["127.0.0.1"]).memcached() else {
        return TRANSPORTS.into_iter().for_each(conforms);
    };
    let address = server.tls_address().unwrap();
    for transport in TRANSPORTS {
        suite(|| fresh(&authority, &address, transport)).check::<String>();
        large_values_and_many_tasks(&fresh(&authority, &address, transport));
    }
    long_batches_are_read_to_their_end(&fresh(&authority, &address, Transport::Meta));
    server.kill();
    server.restart().unwrap();
    large_values_and_many_tasks(&fresh(&authority, &address, Transport::Auto));
}

#[test]
fn large_values_and_many_tasks_are_served() {
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
    for transport in TRANSPORTS {
        large_values_and_many_tasks(&fresh(&authority, &front.address(), transport));
    }
}

/// Bytes that no compression makes fewer.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(7).fill(&mut noise);
    noise
}

fn large_values_and_many_tasks(client: &MemcachedClient) {
    for bytes in [0, 1, 16 << 10, 1 << 20, 5 << 20] {
        let value = noise(bytes);
        client.put(&bytes, value.clone(), LONG).wait().unwrap();
        assert!(client.get::<Vec<u8>>(&bytes).wait().unwrap() == Some(value), "{bytes} bytes");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks = (0..100_u64).map(|task| {
        let client = client.clone();
        runtime.spawn(async move {
            let (name, keys) = (format!("task {task}"), [task * 10, task * 10 + 1]);
            for key in keys {
                client.put(&key, format!("{task} of {key}"), LONG).await.unwrap();
            }
            let got = client.get_multi::<String>(&keys).await.unwrap();
            assert_eq!(got, keys.map(|key| Some(format!("{task} of {key}"))));
            assert!(client.add(&name, task, LONG).await.unwrap());
            assert!(!client.add(&name, task + 1, LONG).await.unwrap());
            assert_eq!(client.get::<u64>(&name).await.unwrap(), Some(task));
            let key = Key::new(&format!("claim of {task}")).unwrap();
            let Claim::Absent(token) = client.claim(&key, ClaimOptions::<u64>::new(LONG)).await.unwrap() else {
                panic!("somebody else has claimed it")
            };
            assert!(client.fill(&key, token, task, LONG).await.unwrap());
            assert!(matches!(client.claim(&key, ClaimOptions::<u64>::new(LONG)).await.unwrap(), Claim::Fresh(_)));
            assert!(client.delete(&name).await.unwrap());
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        runtime.block_on(task).unwrap();
    }
}

/// Such batches hang where records end anywhere: memcached does not see what OpenSSL has read for it.
fn long_batches_are_read_to_their_end(client: &MemcachedClient) {
    for size in [10, 100, 1000, 3000, 7000, 17_000] {
        let entries: Vec<_> = (0..1_000_000 / (size + 1000)).map(|key| (key, noise(size))).collect();
        client.put_multi(&entries, LONG).wait().unwrap();
        let keys: Vec<_> = entries.iter().map(|(key, _)| *key).collect();
        let got = client.get_multi::<Vec<u8>>(&keys).wait().unwrap();
        assert!(got.into_iter().all(|value| value.is_some_and(|value| value == entries[0].1)), "{size} bytes each");
    }
}

#[test]
fn a_connection_is_used_again() {
    for transport in TRANSPORTS {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
        front.record();
        // Without a namespace, whose revision is read again beside what is asked.
        let client = builder([front.address()]).transport(transport).tls(authority.tls()).build().unwrap();
        for key in 0..20 {
            client.put(&key, key, LONG).wait().unwrap();
            assert_eq!(client.get::<i32>(&key).wait().unwrap(), Some(key), "{transport:?}");
        }
        assert_eq!(front.handshakes(), 1, "{transport:?}");
        let [heard] = &front.heard()[..] else { panic!("one connection") };
        assert!(heard.starts_with(b"version\r\n"), "{transport:?}");
    }
}
