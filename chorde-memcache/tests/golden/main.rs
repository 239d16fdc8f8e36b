//! What older versions stored is read, and what later ones store is missed cleanly: on a real memcached, from files that
//! `examples/golden.rs` wrote and nobody changes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cases;
mod files;
#[path = "../support/mod.rs"]
mod support;

use cases::{Case, Found};
use chorde_memcache::MemcachedClient;
use chorde_memcache::testing::MemcachedServer;
use support::raw::{Item, Raw};

/// A server with what was stored of a case.
struct Loaded {
    raw: Raw,
    client: MemcachedClient,
    items: Vec<Item>,
    name: &'static str,
}

impl Loaded {
    fn new(server: &MemcachedServer, version: u8, case: &Case) -> Self {
        let items = files::read(version, case.name).unwrap();
        server.flush().unwrap();
        let mut raw = Raw::of(server);
        files::load(&mut raw, case.name, &items);
        Self { raw, client: case.reader(&server.address()), items, name: case.name }
    }

    /// Puts the items back with one byte of each head changed.
    fn change(&mut self, at: usize, byte: u8) {
        let mut items = self.items.clone();
        let front = files::front(self.name);
        for item in items.iter_mut().filter(|item| files::is_head(self.name, item)) {
            item.data[front + at] = byte;
        }
        files::load(&mut self.raw, self.name, &items);
    }

    /// How many values were foreign, and how many damaged; nothing else went wrong.
    fn noted(&self) -> (u64, u64) {
        let stats = self.client.stats();
        assert_eq!((stats.failures, stats.timeouts, stats.outages), (0, 0, 0), "{}: {stats:?}", self.name);
        (stats.foreign, stats.damaged)
    }
}

fn values() -> Vec<Case> {
    cases::all().into_iter().filter(|case| case.expected == Found::Right).collect()
}

#[test]
fn what_was_stored_by_each_version_is_found_again() {
    let (server, versions) = (MemcachedServer::start().unwrap(), files::versions());
    assert_eq!(versions.first(), Some(&1));
    let (mut count, mut items) = (0, 0);
    for version in &versions {
        for case in cases::all() {
            let loaded = Loaded::new(&server, *version, &case);
            assert_eq!(case.find(&loaded.client), case.expected, "{} of version {version}", case.name);
            assert_eq!(loaded.noted(), (0, 0), "{} of version {version}", case.name);
            count += 1;
            items += loaded.items.len();
        }
    }
    println!("golden: {count} cases of {} versions, {items} items, are found as they were stored", versions.len());
}

#[test]
fn what_was_stored_under_keys_of_another_form_is_missed_cleanly_and_computed_anew() {
    let server = MemcachedServer::start().unwrap();
    for case in values() {
        server.flush().unwrap();
        let items = files::read_under_postcard_keys(case.name).unwrap();
        files::load(&mut Raw::of(&server), case.name, &items);
        let client = case.reader(&server.address());
        assert_eq!(case.find(&client), Found::Nothing, "{}", case.name);
        let stats = client.stats();
        assert_eq!((stats.failures, stats.foreign, stats.damaged), (0, 0, 0), "{}: {stats:?}", case.name);
        case.replace(&client);
        assert_eq!(case.find(&client), Found::Right, "{}", case.name);
    }
}

/// Also where their bytes differ, since a page set has a random name and zstd may change: the places do not.
#[test]
fn what_is_stored_today_lies_where_it_lay() {
    let server = MemcachedServer::start().unwrap();
    for case in cases::all() {
        server.flush().unwrap();
        case.store(&case.writer(&server.address()));
        let mut raw = Raw::of(&server);
        let heads = |items: Vec<Item>| {
            let heads = items.into_iter().filter(|item| !is_random(case.name, item));
            let mut heads: Vec<_> = heads.map(|item| (item.key, item.data.len())).collect();
            heads.sort();
            heads
        };
        let keys = raw.keys();
        let today = keys.iter().filter_map(|key| raw.get(key)).collect();
        let (today, then) = (heads(today), heads(files::read(1, case.name).unwrap()));
        let names = |heads: &[(String, usize)]| heads.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(names(&today), names(&then), "{}", case.name);
        assert!(case.name.contains("compressed") || today == then, "{}: {today:?} {then:?}", case.name);
    }
}

/// Tells whether an item has a name that is drawn anew each time: a page behind a head, and a value in a namespace that was
/// cleared.
fn is_random(name: &str, item: &Item) -> bool {
    let is_head = files::is_head(name, item);
    (name.contains("pages") && !is_head) || (name == "cleared" && is_head)
}

#[test]
fn values_of_other_versions_are_missed_cleanly_and_computed_anew() {
    let server = MemcachedServer::start().unwrap();
    let mut missed = 0;
    for case in values() {
        let mut loaded = Loaded::new(&server, 1, &case);
        for version in (0..=255).filter(|version| *version != 1) {
            loaded.change(2, version);
            assert_eq!(case.find(&loaded.client), Found::Nothing, "{} as version {version}", case.name);
            missed += 1;
        }
        assert_eq!(loaded.noted(), (255, 0), "each is counted as foreign: {}", case.name);
        case.replace(&loaded.client);
        assert_eq!(case.find(&loaded.client), Found::Right, "{}", case.name);
    }
    println!("golden: {missed} values of unknown versions are misses");
}

#[test]
fn values_with_unknown_flags_or_codecs_are_missed_cleanly_and_computed_anew() {
    let server = MemcachedServer::start().unwrap();
    let mut missed = 0;
    for case in values() {
        let mut loaded = Loaded::new(&server, 1, &case);
        let heads = loaded.items.iter().filter(|item| files::is_head(case.name, item));
        let own: Vec<u8> = heads.map(|head| head.data[files::front(case.name) + 3]).collect();
        for flags in (0..=255).filter(|flags| !own.contains(flags)) {
            loaded.change(3, flags);
            let before = loaded.noted();
            assert_eq!(case.find(&loaded.client), Found::Nothing, "{} with flags {flags}", case.name);
            let (foreign, damaged) = (loaded.noted().0 - before.0, loaded.noted().1 - before.1);
            // A dictionary is nothing without compression.
            let is_known = flags < 8 && flags & 3 != 2;
            assert_eq!((foreign + damaged, foreign == 1 || is_known), (1, true), "{} with {flags}", case.name);
            missed += 1;
        }
        case.replace(&loaded.client);
        assert_eq!(case.find(&loaded.client), Found::Right, "{}", case.name);
    }
    println!("golden: {missed} values with other flags are misses");
}

#[test]
fn what_lies_beside_values_does_not_keep_later_ones_away() {
    let server = MemcachedServer::start().unwrap();
    for case in cases::all().into_iter().filter(|case| case.expected == Found::Stale) {
        let loaded = Loaded::new(&server, 1, &case);
        case.replace(&loaded.client);
        assert_eq!(case.find(&loaded.client), Found::Right, "{}", case.name);
    }
    for case in cases::all().into_iter().filter(|case| case.expected == Found::Nothing) {
        let mut loaded = Loaded::new(&server, 1, &case);
        // The lease of one who died goes with its item.
        for item in loaded.items.clone() {
            loaded.raw.delete(&item.key);
        }
        case.replace(&loaded.client);
        assert_eq!(case.find(&loaded.client), Found::Right, "{}", case.name);
    }
}
