//! `succeed_fast` and `fail_fast`.

use std::thread;

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

/// Makes a client of an old server, which has two connections: from here on each operation is what it asks, no more.
fn connected(server: &FakeServer) -> MemcachedClient {
    let client = builder(server.address()).succeed_fast(LONG).build().unwrap();
    get(&client, "other");
    server.hold();
    let begun = server.commands().len() as u64;
    thread::scope(|scope| {
        let one = scope.spawn(|| get(&client, "other"));
        server.await_commands(begun + 1).unwrap();
        let other = scope.spawn(|| get(&client, "other"));
        await_lines(server, "stats", 2);
        server.release();
        assert_eq!([one, other].map(|reader| reader.join().unwrap()), [None; 2]);
    });
    client
}

#[test]
fn a_value_is_remembered_for_so_long_and_no_longer() {
    let Pair { server, clock, client, other } = &pair(|builder| builder.succeed_fast(5 * SECOND));
    put(&other, "k", 1);
    assert_eq!((look(&client, "k"), get(&client, "k")), (None, Some(1)));
    other.delete("k").wait().unwrap();
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    let before = count(&server, "cmd_meta");
    assert_eq!((look(&client, "k"), get(&client, "k")), (Some(Some(1)), Some(1)));
    assert_eq!(client.get_multi::<u32>(&["k"]).wait().unwrap(), [Some(1)]);
    assert_eq!(count(&server, "cmd_meta"), before, "no server was asked");
    assert_eq!(client.stats().fast_hits, 3);
    clock.advance(Duration::from_nanos(1));
    assert_eq!((look(&client, "k"), get(&client, "k")), (None, None));
}

#[test]
fn a_written_value_is_remembered() {
    let Pair { clock, client, other, .. } = &pair(|builder| builder.succeed_fast(5 * SECOND));
    put(&client, "put", 1);
    assert!(client.add("added", 1_u32, LONG).wait().unwrap());
    client.put_multi(&[("several", 1_u32)], LONG).wait().unwrap();
    let Claim::Absent(token) = client.claim(&key("filled"), ClaimOptions::<u32>::new(LONG)).wait().unwrap() else {
        panic!("nothing is there");
    };
    assert!(client.fill(&key("filled"), token, 1_u32, LONG).wait().unwrap());
    for name in ["put", "added", "several", "filled"] {
        assert_eq!(look(&client, name), Some(Some(1)), "{name}");
        put(&other, name, 2);
        assert_eq!(get(&client, name), Some(1), "{name}");
    }
    clock.advance(5 * SECOND);
    for name in ["put", "added", "several", "filled"] {
        assert_eq!(get(&client, name), Some(2), "{name}");
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
    assert_eq!(look(&client, "short"), None);
    other.delete("k").wait().unwrap();
    clock.advance(99 * SECOND - Duration::from_nanos(1));
    assert_eq!(get(&client, "k"), Some(1));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(get(&client, "k"), None);
}

#[test]
fn a_value_with_too_little_life_is_asked_for() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG));
    client.put("k", 1_u32, 100 * SECOND).wait().unwrap();
    other.put("k", 2_u32, 300 * SECOND).wait().unwrap();
    let with = |min_ttl| client.get_with::<u32>("k", ReadOptions::new().min_ttl(min_ttl)).wait().unwrap();
    assert_eq!(with(50 * SECOND), Some(1));
    assert_eq!(with(200 * SECOND), Some(2));
    assert_eq!(get(&client, "k"), Some(2));
}

#[test]
fn a_claim_always_asks_a_server() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG));
    put(&client, "k", 1);
    put(&other, "k", 2);
    let claim = |name| client.claim(&key(name), ClaimOptions::<u32>::new(LONG)).wait().unwrap();
    assert!(matches!(claim("k"), Claim::Fresh(entry) if entry.value == 2));
    assert_eq!(get(&client, "k"), Some(2), "and is remembered");
    other.delete("k").wait().unwrap();
    assert!(matches!(claim("k"), Claim::Absent(_)));
    assert_eq!(look(&client, "k"), None);
    assert_eq!(get(&client, "missing"), None);
    put(&other, "missing", 3);
    assert_eq!(get(&client, "missing"), None);
    assert!(matches!(claim("missing"), Claim::Fresh(entry) if entry.value == 3));
    assert_eq!(get(&client, "missing"), Some(3), "is missing no more");
}

#[test]
fn a_missing_key_is_remembered_for_so_long_and_no_longer() {
    let Pair { server, clock, client, other } = &pair(|builder| builder.fail_fast(5 * SECOND));
    assert_eq!(get(&client, "one"), None);
    assert_eq!(client.get_multi::<u32>(&["two"]).wait().unwrap(), [None]);
    for name in ["one", "two"] {
        put(&other, name, 1);
    }
    clock.advance(5 * SECOND - Duration::from_nanos(1));
    let before = count(&server, "cmd_meta");
    assert_eq!((get(&client, "one"), look(&client, "two")), (None, Some(None)));
    assert_eq!(client.get_multi::<u32>(&["one", "two"]).wait().unwrap(), [None, None]);
    assert!(!client.contains("one").wait().unwrap());
    assert_eq!(count(&server, "cmd_meta"), before, "no server was asked");
    assert_eq!(client.stats().fast_misses, 5);
    clock.advance(Duration::from_nanos(1));
    assert!(client.contains("one").wait().unwrap());
    assert_eq!(client.get_multi::<u32>(&["one", "two"]).wait().unwrap(), [Some(1), Some(1)]);
}

#[test]
fn what_this_client_writes_is_missing_no_more() {
    let Pair { client, .. } = &pair(|builder| builder.fail_fast(LONG));
    let names = ["put", "added", "several", "filled"];
    assert_eq!(client.get_multi::<u32>(&names).wait().unwrap(), [None; 4]);
    put(&client, "put", 1);
    assert!(client.add("added", 1_u32, LONG).wait().unwrap());
    client.put_multi(&[("several", 1_u32)], LONG).wait().unwrap();
    let Claim::Absent(token) = client.claim(&key("filled"), ClaimOptions::<u32>::new(LONG)).wait().unwrap() else {
        panic!("nothing is there");
    };
    assert!(client.fill(&key("filled"), token, 1_u32, LONG).wait().unwrap());
    assert_eq!(client.get_multi::<u32>(&names).wait().unwrap(), [Some(1); 4]);
}

#[test]
fn a_value_of_another_type_is_not_a_missing_key() {
    let Pair { client, other, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG));
    other.put("k", "text".to_owned(), LONG).wait().unwrap();
    assert_eq!(get(&client, "k"), None);
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

#[test]
fn a_read_overtaken_by_a_delete_is_not_remembered() {
    let server = FakeServer::old().unwrap();
    let client = connected(&server);
    let writer = builder(server.address()).build().unwrap();
    // The answer comes before the delete is carried out, or after.
    for answer_is_first in [true, false] {
        put(&writer, "k", 1);
        server.hold();
        let begun = server.commands().len() as u64;
        thread::scope(|scope| {
            let reader = scope.spawn(|| get(&client, "k"));
            server.await_commands(begun + 1).unwrap();
            let deleter = scope.spawn(|| client.delete("k").wait().unwrap());
            server.await_commands(begun + 2).unwrap();
            if answer_is_first {
                server.let_go(1);
                assert_eq!(reader.join().unwrap(), Some(1));
            }
            server.release();
            assert!(deleter.join().unwrap());
        });
        assert_eq!((look(&client, "k"), get(&client, "k")), (None, None), "first: {answer_is_first}");
    }
}

#[test]
fn a_read_within_a_delete_is_forgotten_at_its_end() {
    let server = FakeServer::old().unwrap();
    let client = connected(&server);
    put(&client, "k", 1);
    server.hold();
    let begun = server.commands().len() as u64;
    thread::scope(|scope| {
        let deleter = scope.spawn(|| client.delete("k").wait().unwrap());
        server.await_commands(begun + 1).unwrap();
        let reader = scope.spawn(|| get(&client, "k"));
        server.await_commands(begun + 2).unwrap();
        server.let_go(2);
        assert_eq!(reader.join().unwrap(), Some(1), "is not deleted yet");
        server.await_commands(begun + 3).unwrap();
        server.release();
        assert!(deleter.join().unwrap());
    });
    assert_eq!((look(&client, "k"), get(&client, "k")), (None, None));
}

#[test]
fn of_two_writes_at_once_none_is_remembered() {
    let server = FakeServer::old().unwrap();
    let client = connected(&server);
    put(&client, "k", 0);
    server.hold();
    let begun = server.commands().len() as u64;
    thread::scope(|scope| {
        for number in 1..=2 {
            let client = &client;
            scope.spawn(move || put(client, "k", number));
            server.await_commands(begun + u64::from(number)).unwrap();
        }
        server.release();
    });
    assert_eq!(look(&client, "k"), None, "only the server knows which came last");
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
    put(&client, "k", 2);
    client.clear_namespace(Path::new(&[inside])).wait().unwrap();
    assert_eq!(client.get::<u32>(&key).wait().unwrap(), None);
    assert_eq!(look(&client, "k"), Some(Some(2)));
    client.clear().wait().unwrap();
    assert_eq!((look(&client, "k"), get(&client, "k")), (None, None));
}

#[test]
fn no_more_is_remembered_than_was_allowed() {
    let Pair { client, .. } = &pair(|builder| builder.succeed_fast(LONG).fail_fast(LONG).fast_entries(10));
    let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for name in &names {
        put(&client, name, 1);
        assert_eq!(get(&client, &format!("no {name}")), None);
    }
    let known = |prefix| names.iter().filter(|name| look(&client, &format!("{prefix}{name}")).is_some()).count();
    assert!((1..=10).contains(&known("")) && (1..=10).contains(&known("no ")));
}
