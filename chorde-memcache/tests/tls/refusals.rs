//! Servers that are not who they should be, or do not encrypt: no value is served, the reason is told, and all is well
//! once they are.

use std::sync::Arc;

use chorde_core::{CacheExt, ErrorKind, Wait};
use chorde_memcache::rustls::ServerConfig;
use chorde_memcache::testing::{MemcachedServer, TlsFront};
use chorde_memcache::{MemcachedBuilder, MemcachedClient, Tls, Transport};

use crate::certificates::Authority;
use crate::logged;
use crate::support::{LONG, builder, eventually, healed, works};

const TRANSPORTS: [Transport; 2] = [Transport::Auto, Transport::Classic];

/// Sees that a client gets nothing from its only server, which it is told and counts, with all these words.
fn gets_nothing(builder: MemcachedBuilder, name: &str, words: &[&str]) -> MemcachedClient {
    let client = builder.strict().build().unwrap();
    let error = client.get::<u64>("key").wait().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoServers | ErrorKind::Unavailable | ErrorKind::Protocol), "{error}");
    eventually("it is logged", || !logged::about(name).is_empty());
    let log = logged::about(name).join("\n");
    for word in words {
        assert!(log.contains(word), "{word:?} is missing in: {log}");
        assert!(error.to_string().contains(word), "{word:?} is missing in: {error}");
    }
    let stats = client.stats();
    assert_eq!((stats.outages, stats.hits), (1, 0), "{stats:?}");
    assert!(stats.failures > 0, "{stats:?}");
    // Nobody waits for a server that is known to be the wrong one.
    for key in 0..100 {
        assert_eq!(client.get::<u64>(&key).wait().unwrap_err().kind(), ErrorKind::NoServers);
    }
    client
}

/// Sees that a server with such a certificate is not used before it has a good one.
fn is_refused(wrong: impl Fn(&Authority) -> Arc<ServerConfig>, words: &[&str]) {
    logged::keep();
    for transport in TRANSPORTS {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let front = TlsFront::start(&server.address(), wrong(&authority)).unwrap();
        front.record();
        let builder = builder([front.address()]).transport(transport).tls(authority.tls());
        let client = gets_nothing(builder, &front.address(), words);
        assert_eq!(front.heard().concat(), b"", "nothing is said to a stranger");
        front.restart(authority.loopback()).unwrap();
        healed("the right certificate", || works(&client));
        assert_eq!(client.stats().recoveries, 1);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    is_refused(|authority| authority.server(&["cache.test", "127.0.0.2"]), &["127.0.0.1", "cache.test", "server_name"]);
}

#[test]
fn a_certificate_of_an_unknown_root_is_refused() {
    is_refused(|_| Authority::new().loopback(), &["UnknownIssuer", "give the root", "Tls::with_roots"]);
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    is_refused(|authority| authority.of_years(2001, 2002), &["expired", "renew it at the server"]);
    is_refused(|authority| authority.of_years(4000, 4001), &["not valid yet", "clock"]);
}

#[test]
fn a_server_that_wants_to_know_the_client_is_told_or_refuses() {
    logged::keep();
    for transport in TRANSPORTS {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let front = TlsFront::start(&server.address(), authority.wanting_clients()).unwrap();
        let known = builder([front.address()]).transport(transport).tls(authority.tls_of_client()).build().unwrap();
        assert!(works(&known));
        let unknown = builder([front.address()]).transport(transport).tls(authority.tls());
        gets_nothing(unknown, &front.address(), &["certificate", "client"]);
    }
}

#[test]
fn a_server_that_does_not_encrypt_is_not_used_over_tls() {
    logged::keep();
    for transport in TRANSPORTS {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let builder = builder([server.address()]).transport(transport).tls(authority.tls());
        gets_nothing(builder, &server.address(), &["the port is not encrypted", "leave out `tls`"]);
        let stats = server.stats().unwrap();
        assert_eq!((stats["cmd_get"].as_str(), stats["cmd_set"].as_str()), ("0", "0"));
    }
}

#[test]
fn a_server_that_encrypts_is_not_used_without_tls() {
    logged::keep();
    for transport in TRANSPORTS {
        let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
        let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
        let plain = builder([front.address()]).transport(transport);
        gets_nothing(plain, &front.address(), &["TLS", "`tls`"]);
    }
}

#[test]
fn a_memcached_that_encrypts_is_not_used_without_tls() {
    logged::keep();
    let Some((server, _files)) = Authority::new().pair(&["127.0.0.1"]).memcached() else { return };
    for transport in TRANSPORTS {
        let address = server.tls_address().unwrap();
        let plain = builder([&address]).transport(transport);
        gets_nothing(plain, &address, &["TLS", "`tls`"]);
    }
}

#[test]
fn of_several_servers_those_that_can_be_trusted_are_used() {
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let good = TlsFront::start(&server.address(), authority.loopback()).unwrap();
    let bad = TlsFront::start(&server.address(), Authority::new().loopback()).unwrap();
    let tls: Tls = authority.tls();
    let client = builder([good.address(), bad.address()]).tls(tls).build().unwrap();
    for key in 0..100 {
        client.put(&key, key, LONG).wait().unwrap();
        assert_eq!(client.get::<i32>(&key).wait().unwrap(), Some(key));
    }
    let stats = client.stats();
    assert_eq!((stats.outages, stats.recoveries), (1, 0), "{stats:?}");
    assert!(stats.failovers > 0 && bad.handshakes() == 0);
}
