//! Following names on a manual clock, polled by hand: nothing here takes time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use chorde_core::ManualClock;

use super::*;
use crate::resolve::{Addresses, LookingUp};

/// A name service that answers as the test says, and counts.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<HashMap<String, Name>>>);

#[derive(Default)]
struct Name {
    /// `None` never answers.
    answer: Option<Result<Addresses, String>>,
    asked: usize,
}

impl Fake {
    fn answers(&self, host: &str, addresses: &[&str], ttl: u64) {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.says(host, Ok(Addresses::new(addresses, Duration::from_secs(ttl))));
    }

    fn fails(&self, host: &str) {
        self.says(host, Err("no name server answers".into()));
    }

    fn says(&self, host: &str, answer: Result<Addresses, String>) {
        self.0.lock().unwrap().entry(host.into()).or_default().answer = Some(answer);
    }

    fn asked(&self, host: &str) -> usize {
        self.0.lock().unwrap().get(host).map_or(0, |name| name.asked)
    }
}

impl Resolver for Fake {
    fn look_up(&self, host: &str) -> LookingUp {
        let mut names = self.0.lock().unwrap();
        let name = names.entry(host.into()).or_default();
        name.asked += 1;
        match name.answer.clone() {
            Some(answer) => Box::pin(async move { Ok(answer?) }),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// A source that is followed.
struct Followed {
    following: Following,
    servers: Servers,
    clock: ManualClock,
}

impl Followed {
    fn new(texts: &[&str], fake: &Fake) -> Self {
        Self::of(texts.iter().map(|text| text.parse().unwrap()).collect(), fake)
    }

    fn of(endpoints: Vec<Endpoint>, fake: &Fake) -> Self {
        let (servers, clock) = (Servers::new(), ManualClock::new());
        let source = Box::new(DnsServers::new(endpoints).unwrap().resolver(fake.clone()));
        let following = source.follow(servers.clone(), clock.clone().into());
        let mut followed = Self { following, servers, clock };
        followed.pass(0);
        followed
    }

    /// Lets milliseconds pass.
    fn pass(&mut self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
        let _ = self.following.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    /// Names and addresses of the list.
    fn list(&self) -> Vec<(String, String)> {
        let list = self.servers.current();
        let describe = |server: &Server| (server.name().to_owned(), server.address().to_string());
        list.iter().flat_map(|list| list.iter().map(describe)).collect()
    }

    fn names(&self) -> Vec<String> {
        self.list().into_iter().map(|(name, _)| name).collect()
    }
}

#[test]
fn a_name_is_asked_for_again_after_its_ttl_but_not_before_five_seconds() {
    for (ttl, not_before, by) in [(1, 5_000, 10_000), (0, 5_000, 10_000), (30, 30_000, 35_000)] {
        let fake = Fake::default();
        fake.answers("cache", &["10.0.0.2", "10.0.0.1"], ttl);
        let mut followed = Followed::new(&["cache"], &fake);
        for round in 1..20 {
            assert_eq!(fake.asked("cache"), round);
            followed.pass(not_before - 1);
            assert_eq!(fake.asked("cache"), round, "ttl {ttl}: too early");
            followed.pass(by - not_before + 1);
            assert_eq!(fake.asked("cache"), round + 1, "ttl {ttl}: too late");
        }
    }
}

#[test]
fn several_addresses_are_several_servers_in_order() {
    let fake = Fake::default();
    fake.answers("cache", &["10.0.0.12", "10.0.0.2"], 1);
    let followed = Followed::new(&["cache:7"], &fake);
    assert_eq!(followed.names(), ["10.0.0.2:7", "10.0.0.12:7"]);
}

#[test]
fn a_single_address_that_changes_stays_the_same_server() {
    let fake = Fake::default();
    fake.answers("cache", &["10.0.0.1"], 1);
    let mut followed = Followed::new(&["cache"], &fake);
    assert_eq!(followed.list(), [("cache:11211".into(), "10.0.0.1:11211".into())]);
    fake.answers("cache", &["10.0.0.9"], 1);
    followed.pass(10_000);
    assert_eq!(followed.list(), [("cache:11211".into(), "10.0.0.9:11211".into())]);
}

#[test]
fn an_address_that_is_no_longer_told_leaves_the_list() {
    let fake = Fake::default();
    fake.answers("cache", &["10.0.0.1", "10.0.0.2", "10.0.0.3"], 1);
    let mut followed = Followed::new(&["cache"], &fake);
    fake.answers("cache", &["10.0.0.3", "10.0.0.1"], 1);
    followed.pass(10_000);
    assert_eq!(followed.names(), ["10.0.0.1:11211", "10.0.0.3:11211"]);
}

#[test]
fn a_name_that_cannot_be_looked_up_at_first_heals_within_a_second() {
    let fake = Fake::default();
    fake.fails("cache");
    let mut followed = Followed::new(&["cache"], &fake);
    for round in 1..50 {
        assert_eq!((fake.asked("cache"), followed.list()), (round, vec![]));
        followed.pass(1_000);
    }
    fake.answers("cache", &["10.0.0.1"], 1);
    followed.pass(1_000);
    assert_eq!(followed.names(), ["cache:11211"]);
}

#[test]
fn a_failure_or_an_empty_answer_keeps_the_last_known_list() {
    let fake = Fake::default();
    fake.answers("cache", &["10.0.0.1"], 1);
    let mut followed = Followed::new(&["cache"], &fake);
    for _ in 0..5 {
        fake.fails("cache");
        followed.pass(10_000);
        fake.answers("cache", &[], 1);
        followed.pass(10_000);
        assert_eq!(followed.names(), ["cache:11211"]);
    }
    let asked = fake.asked("cache");
    fake.answers("cache", &["10.0.0.2"], 1);
    followed.pass(10_000);
    assert_eq!((fake.asked("cache"), followed.list()[0].1.as_str()), (asked + 1, "10.0.0.2:11211"));
}

#[test]
fn a_name_that_is_never_answered_holds_up_the_others_for_a_second_only() {
    let fake = Fake::default();
    fake.answers("cache-2", &["10.0.0.2"], 1);
    let mut followed = Followed::new(&["cache-1", "10.0.0.7", "cache-2"], &fake);
    assert!(followed.list().is_empty());
    followed.pass(999);
    assert!(followed.list().is_empty());
    followed.pass(1);
    assert_eq!(followed.names(), ["10.0.0.7:11211", "cache-2:11211"]);
    fake.answers("cache-2", &["10.0.0.3"], 1);
    followed.pass(10_000);
    assert_eq!(followed.list()[1].1, "10.0.0.3:11211");
}

#[test]
fn names_addresses_and_sockets_mix_with_their_weights() {
    let fake = Fake::default();
    fake.answers("cache", &["10.0.0.2", "10.0.0.1"], 1);
    let endpoints = [("cache", 2), ("[::1]:7", 3), ("/run/memcached.sock", 4)];
    let endpoints = endpoints.map(|(text, weight)| text.parse::<Endpoint>().unwrap().weight(weight));
    let followed = Followed::of(endpoints.to_vec(), &fake);
    let list = followed.servers.current().unwrap();
    let list: Vec<_> = list.iter().map(|server| (server.name(), server.share())).collect();
    let expected = [("10.0.0.1:11211", 2), ("10.0.0.2:11211", 2), ("[::1]:7", 3), ("/run/memcached.sock", 4)];
    assert_eq!(list, expected);
}

#[test]
fn each_name_is_asked_for_in_its_own_time() {
    let fake = Fake::default();
    fake.answers("short", &["10.0.0.1"], 1);
    fake.answers("long", &["10.0.0.2"], 3600);
    let mut followed = Followed::new(&["short", "long"], &fake);
    for _ in 0..100 {
        followed.pass(10_000);
    }
    assert_eq!((fake.asked("short"), fake.asked("long")), (101, 1));
}

#[tokio::test]
async fn the_machine_itself_needs_no_name_server() {
    let servers = Servers::new();
    let source = Box::new(DnsServers::new(["localhost".parse().unwrap()]).unwrap());
    let following = tokio::spawn(source.follow(servers.clone(), Clock::system()));
    let list = servers.known().await;
    assert!(list.iter().any(|server| server.address().to_string() == "127.0.0.1:11211"), "{list:?}");
    following.abort();
}

/// Lets time pass until something has come about.
fn passing(clock: &ManualClock, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        clock.advance(Duration::from_millis(100));
        std::thread::yield_now();
    }
}

#[test]
#[cfg(unix)]
fn a_client_goes_on_whatever_becomes_of_its_names() {
    use chorde_core::{CacheExt, Wait};

    let server = chorde_memcache::testing::MemcachedServer::builder().args(["-l", "127.0.0.2"]).start().unwrap();
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let (fake, clock, long) = (Fake::default(), ManualClock::new(), Duration::from_secs(600));
    fake.fails("cache");
    let source = DnsServers::new([format!("cache:{port}").parse().unwrap()]).unwrap().resolver(fake.clone());
    let builder = crate::MemcachedClient::builder().source(source).checksum_key("tests");
    let client = builder.clock(clock.clone()).build().unwrap();
    // Nothing is known: the first operation waits for a list up to the deadline, all others miss at once.
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| client.get::<u64>("a").wait().unwrap());
        passing(&clock, "the deadline", || asking.is_finished());
        assert_eq!(asking.join().unwrap(), None);
    });
    client.put("a", 1_u64, long).wait().unwrap();
    assert_eq!((client.stats().unserved_reads, client.stats().lost_writes), (1, 1));

    let works = |value: u64| {
        client.put("a", value, long).wait().is_ok() && client.get::<u64>("a").wait().is_ok_and(|got| got == Some(value))
    };
    fake.answers("cache", &["127.0.0.1"], 1);
    passing(&clock, "the name is found", || works(2));
    for round in 0..3 {
        fake.fails("cache");
        let asked = fake.asked("cache");
        passing(&clock, "it is asked for", || fake.asked("cache") > asked);
        fake.answers("cache", &[], 1);
        let asked = fake.asked("cache");
        passing(&clock, "it is asked for", || fake.asked("cache") > asked);
        assert!(works(3 + round), "the last known address stays");
    }
    // The same server by its name, so that its keys stay.
    fake.answers("cache", &["127.0.0.2"], 1);
    passing(&clock, "the list has changed", || client.stats().reloads == 1);
    assert_eq!(client.get::<u64>("a").wait().unwrap(), Some(5));
    assert_eq!((client.stats().failures, client.stats().timeouts), (0, 0));
}

#[test]
fn a_list_that_changes_looks_up_what_is_new_and_no_more_what_has_left() {
    let (fake, servers, clock) = (Fake::default(), Servers::new(), ManualClock::new());
    let endpoints = Endpoints::new(servers.clone(), Arc::new(fake.clone()), clock.clone().into());
    let mut following = Box::pin(endpoints.follow());
    let mut pass = |millis| {
        clock.advance(Duration::from_millis(millis));
        let _ = following.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    };
    let set = |texts: &[&str]| endpoints.set(texts.iter().map(|text| text.parse().unwrap()).collect());
    let names =
        || servers.current().iter().flat_map(|list| list.iter().map(|s| s.name().to_owned())).collect::<Vec<_>>();
    fake.answers("a", &["10.0.0.1"], 1);
    pass(0);
    set(&["a:1", "10.0.0.7:1"]);
    pass(0);
    assert_eq!(names(), ["a:1", "10.0.0.7:1"]);
    // One that is new, and not answered for, is waited for; then the others are used without it.
    set(&["b:1", "a:1"]);
    pass(0);
    assert_eq!((names(), fake.asked("a")), (vec!["a:1".into(), "10.0.0.7:1".into()], 1));
    pass(1_000);
    assert_eq!(names(), ["a:1"]);
    // Nothing that leaves the list is asked for any more, and nothing that stays is asked for out of turn.
    set(&["10.0.0.7:1"]);
    pass(0);
    let asked = fake.asked("a");
    for _ in 0..100 {
        pass(10_000);
    }
    assert_eq!((names(), fake.asked("a")), (vec!["10.0.0.7:1".to_owned()], asked));
}
