//! Those who ask go away, or ask from strange places: nobody else is hurt.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use chorde_core::{
    Cache, CacheExt, Claim, ClaimOptions, Client, ErrorKind, Key, ManualClock, Namespace, ReadOptions, Wait,
};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedClient, Transport};
use support::relay::Relay;
use support::steps::dropped_after;
use support::{LONG, PATIENCE, bounded, builder, client, eventually, healed, millis, works};

/// Outlasts every test: who waits for its end waits too long.
const LEASE: Duration = Duration::from_secs(300);

fn key(key: u64) -> Key {
    Key::new(&key).unwrap()
}

async fn claim(client: &MemcachedClient, number: u64) -> chorde_core::Result<Claim<String>> {
    client.claim(&key(number), ClaimOptions::new(LEASE)).await
}

fn text(value: &str) -> String {
    // Long enough for the connection of large values, and for pages where items are small.
    value.repeat(2000)
}

/// Does one thing after another, each dropped after ever more steps, until all have come to their end once.
fn drop_everywhere(transport: Transport) {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()]).transport(transport).item_size(8192).namespace("n").build().unwrap();
    let compare = client.clone();
    let (one, two) = (text("one"), text("two"));
    let legal = |seen: Option<String>| assert!(seen.is_none_or(|seen| seen == one || seen == two));
    let mut all_done = false;
    for steps in 1.. {
        if all_done {
            break;
        }
        assert!(steps < 200, "some operation never ends");
        all_done = true;
        let c = &client;
        let mut done = |is_done: bool| all_done &= is_done;
        done(dropped_after(steps, c.put(&1, one.clone(), LONG)).is_some_and(|put| put.is_ok()));
        legal(compare.get(&1).wait().unwrap());
        done(dropped_after(steps, c.get::<String>(&1)).is_some_and(|got| got.is_ok()));
        done(dropped_after(steps, c.put(&1, two.clone(), LONG)).is_some_and(|put| put.is_ok()));
        done(dropped_after(steps, c.get_multi::<String>(&[1, 2, 3])).is_some_and(|got| got.is_ok()));
        done(dropped_after(steps, c.add(&2, one.clone(), LONG)).is_some_and(|added| added.is_ok()));
        done(dropped_after(steps, c.renew(&1, 2 * LONG)).is_some_and(|renewed| renewed.is_ok()));
        done(dropped_after(steps, c.contains(&1)).is_some_and(|held| held.is_ok()));
        done(dropped_after(steps, c.expire(&2)).is_some_and(|expired| expired.is_ok()));
        legal(compare.get(&2).wait().unwrap());
        done(dropped_after(steps, c.delete(&2)).is_some_and(|deleted| deleted.is_ok()));
        done(
            dropped_after(steps, c.put_multi(&[(4, one.clone()), (5, two.clone())], LONG))
                .is_some_and(|put| put.is_ok()),
        );
        legal(compare.get(&5).wait().unwrap());
        done(dropped_after(steps, c.usage()).is_some_and(|usage| usage.is_ok()));
        done(dropped_after(steps, c.clear()).is_some_and(|cleared| cleared.is_ok()));
        let claimed = dropped_after(steps, claim(c, 100 + steps as u64));
        done(claimed.as_ref().is_some_and(Result::is_ok));
        if let Some(Ok(Claim::Absent(token))) = claimed {
            let filled = dropped_after(steps, c.fill(&key(100 + steps as u64), token, one.clone(), LONG));
            done(filled.is_some_and(|filled| filled.is_ok()));
        } else {
            all_done = false;
        }
        assert!(works(&compare), "after {steps} steps");
    }
    let stats = client.stats();
    assert_eq!((stats.failures, stats.timeouts, stats.outages), (0, 0, 0), "{stats:?}");
}

#[test]
fn an_operation_dropped_at_any_await_hurts_no_other() {
    bounded(|| drop_everywhere(Transport::Meta));
}

#[test]
fn an_operation_dropped_at_any_await_hurts_no_other_over_the_classic_transport() {
    bounded(|| drop_everywhere(Transport::Classic));
}

/// Drops a claim while its answer is on the way; whoever claims next must win.
fn drop_a_claim(transport: Transport, command: &str, prepare: impl Fn(&MemcachedClient)) {
    let relay = Relay::start();
    let client = builder([relay.address()]).transport(transport).build().unwrap();
    prepare(&client);
    assert!(works(&client));
    relay.fake.hold();
    let before = relay.fake.commands().len();
    {
        let mut claim = pin!(claim(&client, 1));
        assert!(claim.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        // Not answered, but carried out.
        eventually("the claim has arrived", || {
            relay.fake.commands()[before..].iter().any(|line| line.starts_with(command))
        });
    }
    relay.fake.release();
    let other = support::client([relay.real.address()]);
    healed("a claim that was dropped", || matches!(claim(&other, 1).wait(), Ok(Claim::Absent(_))));
}

#[test]
fn a_claim_that_is_dropped_while_it_is_granted_is_given_back() {
    drop_a_claim(Transport::Meta, "mg ", |_| ());
}

#[test]
fn the_refresh_of_a_stale_value_that_is_dropped_while_it_is_granted_is_given_back() {
    drop_a_claim(Transport::Meta, "mg ", |client| {
        client.put(&1, "old".to_owned(), LONG).wait().unwrap();
        client.expire(&1).wait().unwrap();
    });
}

#[test]
fn a_claim_that_is_dropped_at_any_await_is_given_back() {
    let server = MemcachedServer::start().unwrap();
    // Small items: a value has pages, which are read before the claim is answered.
    let ours = builder([server.address()]).item_size(2048).build().unwrap();
    let other = client([server.address()]);
    let due = |client: &MemcachedClient, number: u64| {
        let options = ClaimOptions::<String>::new(LEASE).refresh_below(2 * LONG);
        let key = key(number);
        let client = client.clone();
        async move { client.claim(&key, options).await }
    };
    let value: String = (0..8000).map(|_| fastrand::alphanumeric()).collect();
    for steps in 1..20 {
        for (number, is_there) in [(1, true), (2, false)] {
            if is_there {
                ours.put(&number, value.clone(), LONG).wait().unwrap();
            } else {
                ours.delete(&number).wait().unwrap();
            }
            if dropped_after(steps, due(&ours, number)).is_some() {
                continue;
            }
            eventually("the claim is free", || match due(&other, number).wait().unwrap() {
                Claim::Absent(token) | Claim::Due(_, token) => {
                    Client::<String>::release(&other, &key(number), token);
                    true
                }
                _ => false,
            });
        }
    }
}

#[test]
fn a_runtime_that_is_shut_down_takes_nobody_with_it() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    assert!(works(&client));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // A connection of the runtime, with questions on it that are not answered.
    let first = client.clone();
    runtime.block_on(async { tokio::spawn(async move { first.get::<u64>("a").await }).await.unwrap().unwrap() });
    relay.fake.hold();
    let before = relay.fake.commands().len() as u64;
    let waiting: Vec<_> = (0..10_u64)
        .map(|number| {
            let client = client.clone();
            runtime.spawn(async move { client.get::<u64>(&number).await })
        })
        .collect();
    relay.fake.await_commands(before + 10).unwrap();
    runtime.shutdown_background();
    relay.fake.release();
    drop(waiting);
    assert!(works(&client));
    let another = tokio::runtime::Runtime::new().unwrap();
    let again = client.clone();
    another.block_on(async {
        tokio::spawn(async move { assert_eq!(again.get::<u64>("a").await.unwrap(), None) }).await.unwrap();
    });
    assert_eq!((client.stats().outages, client.stats().timeouts), (0, 0));
}

#[test]
fn plain_threads_runtimes_and_waits_share_one_client() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    let check = |client: &MemcachedClient, number: u64| {
        client.put(&number, number, LONG).wait().unwrap();
        assert_eq!(client.get::<u64>(&number).wait().unwrap(), Some(number));
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || (0..50).for_each(|step| check(client, thread * 1000 + step)));
        }
        scope.spawn(|| {
            // A wait inside of a runtime of one thread stops that runtime: connections on it would stand still.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let (client, check) = (client.clone(), check);
            runtime.block_on(async {
                let task = tokio::spawn(async move {
                    for step in 0..50 {
                        client.put(&step, step, LONG).await.unwrap();
                        check(&client, 10_000 + step);
                        assert_eq!(client.get::<u64>(&step).await.unwrap(), Some(step));
                    }
                });
                task.await.unwrap();
            });
        });
    });
    assert_eq!((client.stats().failures, client.stats().timeouts), (0, 0));
}

#[test]
fn any_executor_will_do() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    let work = async {
        client.put(&1, "value".to_owned(), LONG).await.unwrap();
        client.get::<String>(&1).await.unwrap()
    };
    // The smallest executor: it knows nothing but waking.
    assert_eq!(dropped_after(usize::MAX, work), Some(Some("value".to_owned())));
    // A runtime without sockets and timers.
    let bare = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let again = client.clone();
    let task = async move { again.get::<String>(&1).await.unwrap() };
    assert_eq!(bare.block_on(async { tokio::spawn(task).await.unwrap() }), Some("value".to_owned()));
}

#[test]
fn callers_who_give_up_leave_the_connection_to_the_others() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    assert!(works(&client));
    let (connections, read) = (client.stats().connections, AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (client, read) = (&client, &read);
            scope.spawn(move || {
                for step in 0..300 {
                    let number = thread << 32 | step;
                    _ = dropped_after(1, client.put(&number, !number, LONG));
                    _ = dropped_after(1, client.get::<u64>(&(number ^ 1)));
                    client.put(&number, number, LONG).wait().unwrap();
                    assert_eq!(client.get::<u64>(&number).wait().unwrap(), Some(number));
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!((client.stats().connections, read.into_inner()), (connections, 1200));
}

#[test]
fn the_last_handle_may_go_while_operations_are_under_way() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    assert!(works(&client));
    relay.fake.hold();
    let before = relay.fake.commands().len() as u64;
    let (done, ended) = mpsc::channel();
    let asking = Arc::new(client);
    let asker = {
        let asking = Arc::clone(&asking);
        std::thread::spawn(move || {
            let put = asking.put(&1, 1_u64, LONG).wait();
            drop(asking);
            done.send(put.is_ok()).unwrap();
        })
    };
    relay.fake.await_commands(before + 1).unwrap();
    drop(asking);
    relay.fake.release();
    assert!(ended.recv_timeout(PATIENCE).unwrap());
    asker.join().unwrap();
    eventually("all connections are closed", || relay.fake.open() == 0);
}

#[test]
fn a_caller_is_not_held_up_by_clear_or_usage_of_a_server_that_is_silent() {
    let relay = Relay::start();
    let client = builder([relay.address()]).deadline(millis(300)).build().unwrap();
    eventually("it works", || works(&client));
    relay.fake.hold();
    let began = Instant::now();
    assert!(client.usage().wait().is_err());
    assert!(client.clear_all().wait().is_err());
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
}

#[test]
fn a_server_that_does_not_answer_for_the_last_clear_is_not_waited_for_once_more() {
    let relay = Relay::start();
    let functions = ["claimed", "read"].map(Namespace::named);
    let keys = functions.each_ref().map(|function| Key::in_namespace(function, &1).unwrap());
    let client = builder([relay.address()]).deadline(millis(50)).tolerated_failures(100).build().unwrap();
    eventually("it works", || works(&client));
    relay.fake.hold();
    let before = client.stats().timeouts;
    let claimed: chorde_core::Result<Claim<String>> = client.claim(&keys[0], ClaimOptions::new(LEASE)).wait();
    assert_eq!((claimed.unwrap_err().kind(), client.stats().timeouts - before), (ErrorKind::Unavailable, 1));
    let read = Client::<String>::get_entry(&client, &keys[1], ReadOptions::default()).wait();
    assert_eq!((read.unwrap_err().kind(), client.stats().timeouts - before), (ErrorKind::Unavailable, 2));
}

#[test]
fn the_last_clears_of_all_namespaces_of_a_key_are_asked_for_at_once() {
    let (relay, clock) = (Relay::start(), ManualClock::new());
    let client = builder([relay.address()]).deadline(millis(400)).tolerated_failures(100).clock(clock.clone());
    let client = client.build().unwrap();
    eventually("it works", || works(&client));
    let [outer, inner] = ["outer", "inner"].map(Namespace::named);
    let key = Key::in_namespace(&inner, &1).unwrap().within(&outer);
    relay.fake.hold();
    let before = relay.fake.commands().len();
    std::thread::scope(|scope| {
        let read = scope.spawn(|| Client::<String>::get_entry(&client, &key, ReadOptions::default()).wait());
        // No time passes: the second question does not wait for the end of the first.
        eventually("both are asked for", || relay.fake.commands().len() == before + 2);
        eventually("it is given up", || {
            clock.advance(millis(100));
            read.is_finished()
        });
        assert_eq!(read.join().unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    });
}
