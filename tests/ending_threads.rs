//! Calls from the destructors of a thread's own variables, when variables of other crates may be gone already.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::cell::RefCell;
use std::thread;

use chorde::prelude::*;
use chorde::{InprocClient, TieredClient};
use support::gate::Gate;
use support::{Count, bounded, info, runtime, secs};

/// Runs something when it is dropped.
struct Late(Option<Box<dyn FnOnce()>>);

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

/// Runs `last` as its thread ends, when the variables are gone that `before` has used: those registered last go first.
fn as_a_thread_ends(before: impl FnOnce() + Send + 'static, last: impl FnOnce() + Send + 'static) {
    thread_local!(static LATE: RefCell<Late> = const { RefCell::new(Late(None)) });
    thread::spawn(move || {
        LATE.with(|late| late.borrow_mut().0 = Some(Box::new(last)));
        before();
    })
    .join()
    .unwrap();
}

/// Runs it at either end: when all other variables are there, or were never used, and when they are gone.
fn in_either_order(run: impl Fn() + Clone + Send + 'static) {
    as_a_thread_ends(|| {}, run.clone());
    as_a_thread_ends(run.clone(), run);
}

#[test]
fn a_plain_function_does_all_it_can() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60, async_ttl = 30)]
        fn plain(x: u64) -> u64 {
            x + 1
        }
        static NUMBER: Count = Count::new();
        in_either_order(|| {
            let x = 100 * NUMBER.up();
            assert_eq!((plain(x), plain(x), plain::refresh(x), plain::uncached(x)), (x + 1, x + 1, x + 1, x + 1));
            plain::put(x + 1, 7).unwrap();
            plain::expire(x).unwrap();
            plain::invalidate(x).unwrap();
            assert_eq!((plain(x + 1), plain::peek(x + 1), plain::lazy(x)), (7, Some(7), None));
            assert_eq!(plain::future(x + 2).wait().unwrap(), x + 3);
            assert_eq!(plain::future(x + 3).wait_timeout(secs(60)).unwrap(), x + 4);
            assert_eq!(plain::bg(x + 4), x + 5);
            plain::bg_refresh(x + 5).unwrap();
            support::drained();
            plain::clear().unwrap();
        });
        assert_eq!(plain::stats().panics, 0);
    });
}

#[test]
fn an_asynchronous_function_does_all_it_can() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60, async_ttl = 30)]
        async fn later(x: u64) -> u64 {
            support::hand::pause().await;
            x + 1
        }
        static NUMBER: Count = Count::new();
        in_either_order(|| {
            let x = 100 * NUMBER.up();
            assert_eq!((later(x).wait(), later(x).wait(), later::refresh(x).wait()), (x + 1, x + 1, x + 1));
            later::put(x + 1, 7).wait().unwrap();
            later::invalidate(x).wait().unwrap();
            assert_eq!((later(x + 1).wait(), later::lazy(x).wait()), (7, None));
            assert_eq!(later::future(x + 2).wait().unwrap(), x + 3);
            later::bg_refresh(x + 5).unwrap();
            support::drained();
            later::clear().wait().unwrap();
        });
        assert_eq!(later::stats().panics, 0);
    });
}

#[test]
fn a_call_waits_for_another_threads_computation() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(x: u64) -> u64 {
            GATE.pass();
            x
        }
        for x in 0..2 {
            let leader = thread::spawn(move || slow(x));
            GATE.await_arrivals(2 * x + 1);
            // A refresh lines up for a flight of its own, so that it can be seen to wait.
            let call = move || assert_eq!(slow::refresh(x), x);
            let waiter = thread::spawn(move || if x == 0 { as_a_thread_ends(|| {}, call) } else { used(call) });
            support::eventually("it waits", || info("slow").in_flight == 2);
            GATE.admit(2);
            waiter.join().unwrap();
            assert_eq!(leader.join().unwrap(), x);
        }
        assert_eq!(slow::stats().computes, 4);
        fn used(call: impl FnOnce() + Send + 'static) {
            let wait = || {
                // It blocks, so that whatever a thread keeps for that was used.
                support::hand::pause().wait();
            };
            as_a_thread_ends(wait, call);
        }
    });
}

#[test]
fn tiers_and_namespaces_work() {
    bounded(|| {
        in_either_order(|| {
            let tiers = TieredClient::new(InprocClient::new(10), InprocClient::new(100));
            let mine = chorde::NamespaceClient::new("mine", &tiers).unwrap();
            for value in 0..3 {
                mine.put(&1, value, secs(60)).wait().unwrap();
                assert_eq!(mine.get::<i32>(&1).wait().unwrap(), Some(value));
                mine.clear().wait().unwrap();
                assert_eq!(mine.get::<i32>(&1).wait().unwrap(), None);
            }
        });
    });
}

#[cfg(feature = "memcache")]
#[test]
fn memcached_is_asked() {
    use std::sync::LazyLock;

    use chorde::MemcachedClient;
    use chorde::memcache::testing::MemcachedServer;

    bounded(|| {
        static SERVER: LazyLock<MemcachedServer> = LazyLock::new(|| MemcachedServer::start().unwrap());
        static CLIENT: LazyLock<MemcachedClient> = LazyLock::new(|| {
            MemcachedClient::builder().servers([SERVER.address()]).checksum_key("tests").build().unwrap()
        });
        #[cached(client = CLIENT, ttl = 60)]
        fn far(x: u64) -> u64 {
            x + 1
        }
        #[cached(client = CLIENT, ttl = 60)]
        async fn far_later(x: u64) -> u64 {
            support::hand::pause().await;
            x + 1
        }
        static NUMBER: Count = Count::new();
        in_either_order(|| {
            let x = 100 * NUMBER.up();
            assert_eq!((far(x), far(x), far_later(x).wait(), far_later(x).wait()), (x + 1, x + 1, x + 1, x + 1));
            assert_eq!((far::peek(x), far_later::peek(x).wait()), (Some(x + 1), Some(x + 1)));
            assert_eq!((far::future(x).wait().unwrap(), far_later::future(x + 1).wait().unwrap()), (x + 1, x + 2));
            far::put(x, 7).unwrap();
            far_later::invalidate(x).wait().unwrap();
            assert_eq!((far::peek(x), far_later::peek(x).wait()), (Some(7), None));
            far::clear().unwrap();
            assert_eq!(far::peek(x), None);
        });
        assert_eq!((far::stats().client_errors, far_later::stats().client_errors), (0, 0));
    });
}

#[test]
fn a_thread_of_a_runtime_ends_as_well() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        async fn served(x: u64) -> u64 {
            support::hand::pause().await;
            x
        }
        thread_local!(static LATE: RefCell<Late> = const { RefCell::new(Late(None)) });
        let runtime = runtime();
        let keep = || LATE.with(|late| late.borrow_mut().0 = Some(Box::new(|| assert_eq!(served(2).wait(), 2))));
        runtime.block_on(async {
            tokio::task::spawn_blocking(keep).await.unwrap();
            assert_eq!(tokio::spawn(served(1)).await.unwrap(), 1);
        });
        drop(runtime);
        assert_eq!(served::stats().computes, 2);
    });
}
