//! `succeed_fast` and `fail_fast`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use chorde_core::{Claim, ClaimOptions, Namespace, Path};

use super::*;

/// A client that remembers, its clock, and another client of the same server.
struct Pair {
    server: MemcachedServer,
    clock: ManualClock,
    client: MemcachedClient,
    other: MemcachedClient,
}

fn pair(with: impl Fn(MemcachedBuilder) -> MemcachedBuilder) -> Pair {
    let (server, clock) = (MemcachedServer::start_unix().unwrap(), ManualClock::new());
    let client = with(builder(server.address())).clock(clock.clone()).build().unwrap();
    let other = plain(&server);
    Pair { server, clock, client, other }
}

#[test]
fn a_value_is_remembered_for_so_long_and_no_longer() {
    let Pair { server, clock, client, other } = &pair(|builder| builder.succeed_fast(5 * SECOND));
    put(other, "k", 1);
    assert_eq!((look(client, "k"), get(client, "k")), (None, Some(1)));
    other.delete("k").wait().unwrap();
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    let before = count(server, "cmd_meta");
    assert_eq!((look(client, "k"), get(client, "k")), (Some(Some(1)), Some(1)));
    assert_eq!(client.get_multi::<u32>(&["k"]).wait().unwrap(), [Some(1)]);
    assert_eq!(count(server, "cmd_meta"), before, "no server was asked");
    assert_eq!(client.stats().fast_hits, 3);
    clock.advance(Duration::from_nanos(1));
    assert_eq!((look(client, "k"), get(client, "k")), (None, None));
}

/// The keys that [`write_in_every_way`] writes.
const WRITTEN: [&str; 4] = ["put", "added", "several", "filled"];

fn write_in_every_way(client: &MemcachedClient) {
    put(client, "put", 1);
    assert!(client.add("added", 1_u32, LONG).wait().unwrap());
    client.put_multi(&[("several", 1_u32)], LONG).wait().unwrap();
    let Claim::Absent(token) = client.claim(&key("filled"), ClaimOptions::<u32>::new(LONG)).wait().unwrap() else {
        panic!("nothing is there");
    };
    assert!(client.fill(&key("filled"), token, 1_u32, LONG).wait().unwrap());
}

#[test]
fn a_written_value_is_remembered() {
    let Pair { clock, client, other, .. } = &pair(|builder| builder.succeed_fast(5 * SECOND));
    write_in_every_way(client);
    for name in WRITTEN {
        assert_eq!(look(client, name), Some(Some(1)), "{name}");
        put(other, name, 2);
        assert_eq!(get(client, name), Some(1), "{name}");
    }
    clock.advance(5 * SECOND);
    for name in WRITTEN {
        assert_eq!(get(client, name), Some(2), "{name}");
    }
}

#[test]
fn the_life_that_is_shown_goes_on() {
    let Pair { clock, client, other, .. } = &pair(|builder| builder.succeed_fast(LONG));
    client.put("k", 1_u32, 100 * SECOND).wait().unwrap();
    let stored = other.get_ttl::<u32>("k").wait().unwrap().unwrap();
    clock.advance(40 * SECOND);
    let shown = client.get_ttl::<u32>("k").wait().unwrap().unwrap();
    assert_eq!((shown.remaining(), shown.seed()), (60 * SECOND, stored.seed()));
    let age = shown.age().unwrap();
    assert!(age.abs_diff(40 * SECOND) < SECOND / 100, "{age:?}");
    assert_eq!(client.stats().fast_hits, 1);
}

#[test]
fn nothing_is_remembered_beyond_its_life() {
    let Pair { clock, client, other, .. } = &pair(|builder| builder.succeed_fast(LONG));
    // By a server's clock, which ticks once a second, 100 s may be little more than 99.
    client.put("k", 1_u32, 100 * SECOND).wait().unwrap();
    client.put("short", 1_u32, SECOND).wait().unwrap();
    assert_eq!(look(client, "short"), None);
    other.delete("k").wait().unwrap();
    clock.advance(99 * SECOND - Duration::from_nanos(1));
    assert_eq!(get(client, "k"), Some(1));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(get(client, "k"), None);
}

#[test]
fn a_value_with_too_little_life_is_asked_for() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG));
    client.put("k", 1_u32, 100 * SECOND).wait().unwrap();
    other.put("k", 2_u32, 300 * SECOND).wait().unwrap();
    let with = |min_ttl| client.get_with::<u32>("k", ReadOptions::new().min_ttl(min_ttl)).wait().unwrap();
    assert_eq!(with(50 * SECOND), Some(1));
    assert_eq!(with(200 * SECOND), Some(2));
    assert_eq!(get(client, "k"), Some(2));
}

#[test]
fn a_claim_always_asks_a_server() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG));
    put(client, "k", 1);
    put(other, "k", 2);
    let claim = |name| client.claim(&key(name), ClaimOptions::<u32>::new(LONG)).wait().unwrap();
    assert!(matches!(claim("k"), Claim::Fresh(entry) if entry.value == 2));
    assert_eq!(get(client, "k"), Some(2), "and is remembered");
    other.delete("k").wait().unwrap();
    assert!(matches!(claim("k"), Claim::Absent(_)));
    assert_eq!(look(client, "k"), None);
    assert_eq!(get(client, "missing"), None);
    put(other, "missing", 3);
    assert_eq!(get(client, "missing"), None);
    assert!(matches!(claim("missing"), Claim::Fresh(entry) if entry.value == 3));
    assert_eq!(get(client, "missing"), Some(3), "is missing no more");
}

#[test]
fn a_missing_key_is_remembered_for_so_long_and_no_longer() {
    let Pair { server, clock, client, other } = &pair(|builder| builder.fail_fast(5 * SECOND));
    assert_eq!(get(client, "one"), None);
    assert_eq!(client.get_multi::<u32>(&["two"]).wait().unwrap(), [None]);
    for name in ["one", "two"] {
        put(other, name, 1);
    }
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    let before = count(server, "cmd_meta");
    assert_eq!((get(client, "one"), look(client, "two")), (None, Some(None)));
    assert_eq!(client.get_multi::<u32>(&["one", "two"]).wait().unwrap(), [None, None]);
    assert!(!client.contains("one").wait().unwrap());
    assert_eq!(count(server, "cmd_meta"), before, "no server was asked");
    assert_eq!(client.stats().fast_misses, 5);
    clock.advance(Duration::from_nanos(1));
    assert!(client.contains("one").wait().unwrap());
    assert_eq!(client.get_multi::<u32>(&["one", "two"]).wait().unwrap(), [Some(1), Some(1)]);
}

#[test]
fn what_this_client_writes_is_missing_no_more() {
    let Pair { client, .. } = &pair(|builder| builder.fail_fast(LONG));
    assert_eq!(client.get_multi::<u32>(&WRITTEN).wait().unwrap(), [None; 4]);
    write_in_every_way(client);
    assert_eq!(client.get_multi::<u32>(&WRITTEN).wait().unwrap(), [Some(1); 4]);
}

#[test]
fn a_value_of_another_type_is_not_a_missing_key() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG));
    other.put("k", "text".to_owned(), LONG).wait().unwrap();
    assert_eq!(get(client, "k"), None);
    assert_eq!(client.get::<String>("k").wait().unwrap().as_deref(), Some("text"));
}

#[test]
fn an_operation_that_fails_says_nothing_about_the_key() {
    let server = MemcachedServer::start().unwrap();
    let builder = builder(server.address()).fail_fast(LONG).probe_pauses(SECOND / 100..=SECOND / 100);
    let client = builder.build().unwrap();
    server.kill();
    _ = client.get::<u32>("k").wait();
    assert_eq!(get(&client, "k"), None, "no server is in use");
    assert_eq!(look(&client, "k"), None, "nobody knows");
}

/// Begins an operation: it asks the server, and looks at the answer when it is awaited.
fn begin<T>(server: &MemcachedServer, operation: Pin<&mut impl Future<Output = T>>) {
    // It must not be answered at once.
    server.pause().unwrap();
    assert!(operation.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    server.resume().unwrap();
}

#[test]
fn a_read_overtaken_by_a_change_is_not_remembered() {
    let Pair { server, client, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG));
    let key = key("k");
    let change = |number| async move {
        match number {
            0 => client.delete("k").await.map(|deleted| assert!(deleted)),
            1 => client.expire("k").await.map(|expired| assert!(expired)),
            2 => client.put("k", 2_u32, LONG).await,
            3 => client.put_multi(&[("k", 2_u32)], LONG).await,
            _ => client.clear().await,
        }
    };
    for number in 0..5 {
        put(client, "k", 1);
        client.renew("k", LONG).wait().unwrap();
        assert_eq!(look(client, "k"), None, "nothing is remembered");
        let mut reading = pin!(Client::<u32>::get_entry(client, &key, ReadOptions::new()));
        begin(server, reading.as_mut());
        change(number).wait().unwrap();
        let seen = reading.wait().unwrap().map(|entry| entry.value);
        // Servers are emptied over connections of their own, which may be faster.
        assert!(seen == Some(1) || number == 4, "{number}: asked before");
        assert_ne!(look(client, "k"), Some(Some(1)), "{number}");
        assert_ne!(get(client, "k"), Some(1), "{number}");
    }
}

#[test]
fn a_miss_overtaken_by_a_write_is_not_remembered() {
    let Pair { server, client, .. } = &pair(|builder| builder.fail_fast(LONG));
    let key = key("k");
    let mut reading = pin!(Client::<u32>::get_entry(client, &key, ReadOptions::new()));
    begin(server, reading.as_mut());
    put(client, "k", 1);
    assert!(reading.wait().unwrap().is_none());
    assert_eq!(get(client, "k"), Some(1));
}

#[test]
fn a_read_within_a_change_is_forgotten_at_its_end() {
    let Pair { server, client, .. } = &pair(|builder| builder.succeed_fast(LONG));
    let key = key("k");
    put(client, "k", 1);
    // It looks at the entry first, and marks it with a second command.
    let mut expiring = pin!(client.expire_entry(&key));
    begin(server, expiring.as_mut());
    assert_eq!((look(client, "k"), get(client, "k")), (None, Some(1)), "is not expired yet");
    assert!(expiring.wait().unwrap());
    assert_eq!((look(client, "k"), get(client, "k")), (None, None));
}

#[test]
fn of_two_writes_at_once_none_is_remembered() {
    let Pair { server, client, .. } = &pair(|builder| builder.succeed_fast(LONG));
    put(client, "k", 0);
    let mut one = pin!(client.put("k", 1_u32, LONG));
    let mut other = pin!(client.put("k", 2_u32, LONG));
    begin(server, one.as_mut());
    begin(server, other.as_mut());
    other.wait().unwrap();
    one.wait().unwrap();
    assert_eq!(look(client, "k"), None, "only the server knows which came last");
    assert_eq!(get(client, "k"), Some(2));
}

#[test]
fn a_change_that_is_given_up_is_forgotten_as_well() {
    let Pair { server, client, .. } = &pair(|builder| builder.succeed_fast(LONG));
    put(client, "k", 1);
    begin(server, pin!(client.put("k", 2_u32, LONG)));
    assert_eq!(look(client, "k"), None, "nobody knows whether it was carried out");
}

#[test]
fn a_clear_by_another_client_is_noticed() {
    let (server, clock) = (MemcachedServer::start_unix().unwrap(), ManualClock::new());
    let shared = || builder(server.address()).namespace("shared").clear_delay(SECOND);
    let client = shared().succeed_fast(LONG).fail_fast(LONG).clock(clock.clone()).build().unwrap();
    let other = shared().build().unwrap();
    put(&client, "k", 1);
    assert_eq!(get(&client, "missing"), None);
    clock.advance(SECOND);
    assert_eq!(get(&client, "k"), Some(1), "nothing was cleared");
    other.clear().wait().unwrap();
    put(&other, "missing", 2);
    clock.advance(SECOND);
    assert_eq!((look(&client, "k"), look(&client, "missing")), (None, None), "must be asked for");
    assert_eq!((get(&client, "k"), get(&client, "missing")), (None, Some(2)));
}

#[test]
fn a_clear_of_a_namespace_by_this_client_is_seen_at_once() {
    let Pair { client, .. } = &pair(|builder| builder.succeed_fast(LONG));
    let inside = Namespace::named("inside");
    let key = Key::in_namespace(&inside, "k").unwrap();
    client.put(&key, 1_u32, LONG).wait().unwrap();
    put(client, "k", 2);
    client.clear_namespace(Path::new(&[inside])).wait().unwrap();
    assert_eq!(client.get::<u32>(&key).wait().unwrap(), None);
    assert_eq!(look(client, "k"), Some(Some(2)));
    client.clear().wait().unwrap();
    assert_eq!((look(client, "k"), get(client, "k")), (None, None));
}

#[test]
fn no_more_is_remembered_than_was_allowed() {
    let Pair { client, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG).fast_entries(10));
    let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for name in &names {
        put(client, name, 1);
        assert_eq!(get(client, &format!("no {name}")), None);
    }
    let known = |prefix| names.iter().filter(|name| look(client, &format!("{prefix}{name}")).is_some()).count();
    assert!((1..=10).contains(&known("")) && (1..=10).contains(&known("no ")));
}
