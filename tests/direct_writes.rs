//! Writes to a client itself, not through a companion: they win over what cached functions were computing when they came.

mod support;

use std::sync::LazyLock;
use std::thread;

use chorde::prelude::*;
use chorde::{DynClient, InprocClient, NamespaceClient, TieredClient};
use support::failing::Failing;
use support::gate::Gate;
use support::{Count, bounded, runtime, secs};

/// Checks that what a plain and an asynchronous function compute is not stored over what `$write` does meanwhile, and that
/// whoever waited gets it all the same.
macro_rules! wins {
    ($type:ty, $make:expr, |$client:ident, $key:ident| $write:expr, leaves $left:expr) => {
        bounded(|| {
            static CLIENT: LazyLock<$type> = LazyLock::new(|| $make);
            static GATE: Gate = Gate::new();
            #[cached(client = CLIENT, ttl = 100, namespace = "plain")]
            fn plain(x: u64) -> u64 {
                GATE.pass();
                x
            }
            #[cached(client = CLIENT, ttl = 100, namespace = "later")]
            async fn later(x: u64) -> u64 {
                GATE.passed().await;
                x
            }
            let $client = &*CLIENT;
            let left: Option<u64> = $left;

            let caller = thread::spawn(|| plain(1));
            GATE.await_arrivals(1);
            let $key = plain::callkey(1).unwrap();
            $write;
            GATE.admit(1);
            assert_eq!((caller.join().unwrap(), plain::peek(1)), (1, left), "plain");

            let caller = thread::spawn(|| runtime().block_on(later(1)));
            GATE.await_arrivals(2);
            let $key = later::callkey(1).unwrap();
            $write;
            GATE.admit(1);
            assert_eq!((caller.join().unwrap(), later::peek(1).wait()), (1, left), "later");

            // What begins after the write is stored.
            GATE.open();
            if left.is_none() {
                assert_eq!((plain(1), plain::peek(1)), (1, Some(1)));
            }
        });
    };
}

fn store() -> InprocClient {
    InprocClient::new(100)
}

#[test]
fn a_put_to_the_client_wins() {
    wins!(InprocClient, store(), |client, key| client.put(&key, 7_u64, secs(50)).wait().unwrap(), leaves Some(7));
}

#[test]
fn a_put_of_several_wins() {
    wins!(InprocClient, store(), |client, key| client.put_multi(&[(key, 7_u64)], secs(50)).wait().unwrap(), leaves Some(7));
}

#[test]
fn an_add_to_the_client_wins() {
    wins!(InprocClient, store(), |client, key| assert!(client.add(&key, 7_u64, secs(50)).wait().unwrap()), leaves Some(7));
}

#[test]
fn a_delete_wins() {
    wins!(InprocClient, store(), |client, key| client.delete(&key).wait().map(drop).unwrap(), leaves None);
}

#[test]
fn an_expire_wins() {
    wins!(InprocClient, store(), |client, key| client.expire(&key).wait().map(drop).unwrap(), leaves None);
}

#[test]
fn a_clear_of_the_client_wins() {
    wins!(InprocClient, store(), |client, key| { _ = key; client.clear().wait().unwrap() }, leaves None);
}

#[test]
fn a_clear_of_the_client_below_a_namespace_wins() {
    static BELOW: LazyLock<InprocClient> = LazyLock::new(store);
    wins!(
        NamespaceClient<InprocClient>,
        NamespaceClient::new("above", BELOW.clone()).unwrap(),
        |client, key| { _ = (client, key); BELOW.clear().wait().unwrap() },
        leaves None
    );
}

/// Checks that a call which begins after `$clear` does not wait for what a call before it computes.
macro_rules! starts_over {
    ($type:ty, $make:expr, |$client:ident| $clear:expr) => {
        bounded(|| {
            static CLIENT: LazyLock<$type> = LazyLock::new(|| $make);
            static GATE: Gate = Gate::new();
            #[cached(client = CLIENT, ttl = 100, namespace = "begun_after")]
            fn begun(x: u64) -> u64 {
                GATE.pass();
                x
            }
            let before = thread::spawn(|| begun(1));
            GATE.await_arrivals(1);
            let $client = &*CLIENT;
            $clear;
            let after = thread::spawn(|| begun(1));
            GATE.await_arrivals(2);
            GATE.open();
            assert_eq!((before.join().unwrap(), after.join().unwrap()), (1, 1));
            assert_eq!((begun(1), begun::stats().computes, begun::stats().superseded), (1, 2, 1));
        });
    };
}

#[test]
fn a_call_that_begins_after_a_clear_does_not_wait_for_one_from_before() {
    static BELOW: LazyLock<InprocClient> = LazyLock::new(store);
    starts_over!(InprocClient, store(), |client| client.clear().wait().unwrap());
    starts_over!(NamespaceClient<InprocClient>, NamespaceClient::new("above", BELOW.clone()).unwrap(), |client| {
        _ = client;
        BELOW.clear().wait().unwrap();
    });
    starts_over!(TieredClient<InprocClient, InprocClient>, TieredClient::new(store(), store()), |client| {
        client.far().clear().wait().unwrap();
    });
}

#[test]
fn a_write_by_another_handle_wins() {
    static BELOW: LazyLock<InprocClient> = LazyLock::new(store);
    wins!(
        NamespaceClient<InprocClient>,
        NamespaceClient::new("shared", BELOW.clone()).unwrap(),
        |client, key| {
            let handle = NamespaceClient::new("shared", &*BELOW).unwrap();
            _ = client;
            handle.put(&key, 7_u64, secs(50)).wait().unwrap();
        },
        leaves Some(7)
    );
    wins!(
        DynClient<u64>,
        DynClient::new(store()),
        |client, key| client.clone().delete(&key).wait().map(drop).unwrap(),
        leaves None
    );
}

#[test]
fn a_write_to_tiers_wins_and_so_does_a_clear_of_either() {
    wins!(
        TieredClient<InprocClient, Failing>,
        TieredClient::new(store(), Failing::new(store())),
        |client, key| client.put(&key, 7_u64, secs(50)).wait().unwrap(),
        leaves Some(7)
    );
    wins!(
        TieredClient<InprocClient, Failing>,
        TieredClient::new(store(), Failing::new(store())),
        |client, key| { _ = key; client.clear().wait().unwrap() },
        leaves None
    );
    wins!(
        TieredClient<InprocClient, InprocClient>,
        TieredClient::new(store(), store()),
        |client, key| { _ = key; client.far().clear().wait().unwrap() },
        leaves None
    );
}

#[test]
fn a_write_to_another_key_or_client_changes_nothing() {
    bounded(|| {
        store!(CACHE);
        store!(OTHER);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100, namespace = "unconcerned")]
        fn unconcerned(x: u64) -> u64 {
            GATE.pass();
            x
        }
        let caller = thread::spawn(|| unconcerned(1));
        GATE.await_arrivals(1);
        CACHE.put(&unconcerned::callkey(2).unwrap(), 7_u64, secs(50)).wait().unwrap();
        OTHER.put(&unconcerned::callkey(1).unwrap(), 7_u64, secs(50)).wait().unwrap();
        OTHER.clear().wait().unwrap();
        GATE.open();
        assert_eq!((caller.join().unwrap(), unconcerned::peek(1)), (1, Some(1)));
    });
}

/// Stores by the methods that users call, not by those of the traits.
struct Wrapping(InprocClient);

impl chorde::Cache for Wrapping {
    fn identity(&self) -> &chorde::Identity {
        self.0.identity()
    }

    async fn delete_entry(&self, key: &chorde::Key) -> chorde::Result<bool> {
        self.0.delete(key).await
    }

    async fn expire_entry(&self, key: &chorde::Key) -> chorde::Result<bool> {
        self.0.expire(key).await
    }

    async fn renew_entry(&self, key: &chorde::Key, ttl: std::time::Duration) -> chorde::Result<bool> {
        self.0.renew(key, ttl).await
    }

    async fn contains_entry(&self, key: &chorde::Key, least: std::time::Duration) -> chorde::Result<bool> {
        self.0.contains_for(key, least).await
    }

    async fn clear_all(&self) -> chorde::Result<()> {
        self.0.clear().await
    }

    async fn clear_namespace(&self, path: chorde::Path<'_>) -> chorde::Result<()> {
        self.0.clear_namespace(path).await
    }

    async fn purge_stale(&self, grace: std::time::Duration) -> chorde::Result<()> {
        self.0.purge(grace).await
    }

    async fn capacities(&self) -> chorde::Result<Vec<u64>> {
        self.0.capacity().await
    }

    async fn usages(&self) -> chorde::Result<Vec<u64>> {
        self.0.usage().await
    }
}

impl<V: chorde::Value> chorde::Client<V> for Wrapping {
    async fn get_entry(
        &self,
        key: &chorde::Key,
        options: chorde::ReadOptions<'_, V>,
    ) -> chorde::Result<Option<chorde::Entry<V>>> {
        self.0.get_ttl_with(key, options).await
    }

    async fn put_entry(
        &self,
        key: &chorde::Key,
        value: V,
        ttl: std::time::Duration,
        options: chorde::WriteOptions,
    ) -> chorde::Result<()> {
        self.0.put_with(key, value, ttl, options).await
    }

    async fn add_entry(&self, key: &chorde::Key, value: V, ttl: std::time::Duration) -> chorde::Result<bool> {
        self.0.add(key, value, ttl).await
    }
}

#[test]
fn a_client_that_wraps_another_by_its_public_methods_stores_what_is_computed() {
    bounded(|| {
        static CLIENT: LazyLock<Wrapping> = LazyLock::new(|| Wrapping(store()));
        static RUNS: Count = Count::new();
        #[cached(client = CLIENT, ttl = 100)]
        fn plain(x: u64) -> u64 {
            x + RUNS.up()
        }
        #[cached(client = CLIENT, ttl = 100)]
        async fn later(x: u64) -> u64 {
            x + RUNS.up()
        }
        assert_eq!((plain(0), plain(0)), (1, 1));
        runtime().block_on(async { assert_eq!((later(0).await, later(0).await), (2, 2)) });
        assert_eq!(plain::stats().superseded + later::stats().superseded, 0);
    });
}
