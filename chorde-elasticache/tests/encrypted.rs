//! Clusters with encryption in transit, and serverless caches, which accept nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::sync::Arc;

use chorde_core::{CacheExt, ManualClock, Wait};
use chorde_elasticache::testing::FakeCluster;
use chorde_elasticache::{ElastiCacheBuilder, ElastiCacheClient, EndpointKind};
use chorde_memcache::rustls::ServerConfig;
use chorde_memcache::rustls::crypto::ring::default_provider;
use chorde_memcache::rustls::pki_types::PrivateKeyDer;
use chorde_memcache::testing::{MemcachedServer, TlsFront};
use chorde_memcache::{Tls, Transport};
use support::names::Names;
use support::{KEYS, LONG, Rig, client_of, passing};

const SERVERLESS: &str = "mycache-abc123.serverless.use1.cache.amazonaws.com";

/// Makes a certificate that shows these names, for servers, and what trusts it.
fn certificate(names: &[&str]) -> (Arc<ServerConfig>, Tls) {
    let made =
        rcgen::generate_simple_self_signed(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (Arc::new(config), Tls::with_roots(made.cert.pem()).unwrap())
}

#[test]
fn an_encrypted_cluster_is_found_followed_and_used() {
    let (config, tls) = certificate(&["127.0.0.1", "*.fake.cache.test"]);
    let rig = Rig::of(FakeCluster::builder().nodes(3).tls(config), |builder| builder.tls(tls));
    rig.knows_the_cluster();
    rig.put_all();
    rig.follows();
    assert_eq!(rig.held(), KEYS);
    rig.cluster.add().unwrap();
    rig.poll(1);
    passing(&rig.clock, "the new node is used", || rig.names() == rig.nodes());
    rig.put_all();
    assert_eq!((rig.held(), rig.client.stats().failures), (KEYS, 0));
}

#[test]
fn an_endpoint_with_another_certificate_tells_nothing() {
    let (config, _) = certificate(&["127.0.0.1", "*.fake.cache.test"]);
    let (_, tls) = certificate(&["127.0.0.1", "*.fake.cache.test"]);
    let cluster = FakeCluster::builder().nodes(2).tls(config).start().unwrap();
    let clock = ManualClock::new();
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder.tls(tls));
    passing(&clock, "two polls fail", || client.discovery().failed_polls >= 2);
    assert!(client.servers().is_empty());
    assert_eq!(cluster.polls(), 0, "nothing was said to somebody who cannot show who they are");
}

#[test]
fn a_node_with_another_name_is_not_used_and_the_others_stand_in() {
    let (config, tls) = certificate(&["127.0.0.1", "0001.fake.cache.test"]);
    let rig = Rig::of(FakeCluster::builder().nodes(2).tls(config), |builder| builder.tls(tls));
    rig.knows_the_cluster();
    rig.put_all();
    assert_eq!(rig.held(), KEYS);
    let in_use: Vec<_> = rig.client.servers().into_iter().filter(|server| server.in_use).collect();
    assert!(in_use.len() == 1 && in_use[0].name.starts_with("0001.fake.cache.test:"), "{in_use:?}");
    let items = rig.cluster.server(&rig.cluster.nodes()[1]).unwrap().stats().unwrap()["curr_items"].clone();
    assert!(items.parse::<u64>().unwrap() <= 1, "no more than what it tells of the cluster");
}

#[test]
fn an_encrypted_cluster_is_not_spoken_to_in_the_plain() {
    let (config, _) = certificate(&["127.0.0.1", "*.fake.cache.test"]);
    let cluster = FakeCluster::builder().nodes(2).tls(config).start().unwrap();
    let clock = ManualClock::new();
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder);
    passing(&clock, "two polls fail", || client.discovery().failed_polls >= 2);
    assert!(client.servers().is_empty() && cluster.polls() == 0);
}

/// A serverless cache: one name, encrypted, in front of a memcached.
struct Serverless {
    _server: MemcachedServer,
    front: TlsFront,
    names: Names,
    tls: Tls,
}

impl Serverless {
    fn start() -> Self {
        let (config, tls) = certificate(&["*.serverless.use1.cache.amazonaws.com"]);
        let server = MemcachedServer::start().unwrap();
        let front = TlsFront::start(&server.address(), config).unwrap();
        front.record();
        let names = Names::default();
        names.answers(SERVERLESS, &["127.0.0.1"]);
        Self { _server: server, front, names, tls }
    }

    fn endpoint(&self) -> String {
        self.front.address().replace("127.0.0.1", SERVERLESS)
    }

    fn client(&self, with: impl FnOnce(ElastiCacheBuilder) -> ElastiCacheBuilder) -> ElastiCacheClient {
        let (names, tls) = (self.names.clone(), self.tls.clone());
        client_of(&self.endpoint(), &ManualClock::new(), |builder| with(builder.resolver(names).tls(tls)))
    }

    /// The lines that clients sent, without the data of values.
    fn lines(&self) -> Vec<String> {
        self.front.heard().iter().flat_map(|bytes| lines(bytes)).collect()
    }
}

fn lines(mut bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned();
        bytes = &bytes[end + 1..];
        let words: Vec<_> = line.split(' ').collect();
        let data = match words[0] {
            "ms" => words[2].parse::<usize>().ok(),
            "set" | "add" | "cas" => words[4].parse::<usize>().ok(),
            _ => None,
        };
        bytes = data.map_or(bytes, |data| &bytes[(data + 2).min(bytes.len())..]);
        lines.push(line);
    }
    lines
}

#[test]
fn a_serverless_cache_is_one_server_that_is_asked_for_no_other() {
    for transport in [Transport::Auto, Transport::Classic] {
        let cache = Serverless::start();
        let client = cache.client(|builder| builder.transport(transport));
        let keys: Vec<u64> = (0..2_000).collect();
        client.put_multi(&keys.iter().map(|&key| (key, key + 1)).collect::<Vec<_>>(), LONG).wait().unwrap();
        let found = client.get_multi::<u64>(&keys).wait().unwrap();
        assert!(keys.iter().zip(found).all(|(key, found)| found == Some(key + 1)));
        let large = vec![7_u8; 3 << 20];
        client.put("large", large.clone(), LONG).wait().unwrap();
        assert!(client.get::<Vec<u8>>("large").wait().unwrap() == Some(large));
        client.delete("large").wait().unwrap();

        let names: Vec<_> = client.servers().into_iter().map(|server| server.name).collect();
        assert_eq!(names, [cache.endpoint()]);
        assert_eq!((client.discovery().kind, client.discovery().polls), (EndpointKind::Serverless, 0));
        let lines = cache.lines();
        let longest = lines.iter().map(String::len).max().unwrap();
        assert!(lines.len() > 4_000 && longest <= 16 * 1024, "{} lines of at most {longest} bytes", lines.len());
        for line in &lines {
            let word = line.split(' ').next().unwrap();
            assert!(!["config", "me", "lru", "watch", "verbosity"].contains(&word), "{line}");
            assert!(["stats", "stats reset"].contains(&line.as_str()) || word != "stats", "{line}");
        }
    }
}

#[test]
fn a_serverless_cache_is_reached_at_any_of_its_addresses() {
    let cache = Serverless::start();
    // Nobody listens at the others.
    cache.names.answers(SERVERLESS, &["::1", "127.0.0.1", "127.0.0.1"]);
    let client = cache.client(|builder| builder);
    for key in 0..100_u64 {
        client.put(&key, key, LONG).wait().unwrap();
        assert_eq!(client.get::<u64>(&key).wait().unwrap(), Some(key));
    }
    assert_eq!((client.servers().len(), client.stats().failures), (1, 0));
}

#[test]
fn a_serverless_cache_is_never_spoken_to_in_the_plain() {
    let cache = Serverless::start();
    // The system's roots, if it has any, do not know this one.
    let builder =
        ElastiCacheClient::builder().endpoint(cache.endpoint()).checksum_key("tests").resolver(cache.names.clone());
    match builder.build() {
        Ok(client) => {
            assert_eq!(client.get::<u64>(&0).wait().unwrap(), None);
            cache.front.await_failed_handshakes(1).unwrap();
            assert!(client.stats().failures > 0);
        }
        Err(error) => assert!(error.to_string().contains("ca-certificates"), "{error}"),
    }
    assert!(cache.lines().is_empty());
}
