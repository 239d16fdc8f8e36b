//! The rules about time, which need real seconds: all at once, by the server's own clock.

#![allow(unreachable_pub, reason = "a part of several test binaries")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_memcache::MemcachedClient;
use chorde_memcache::testing::MemcachedServer;

/// Checks them on the clients that `make` makes, none of which sees what another has stored.
pub fn check(server: &MemcachedServer, make: impl Fn() -> MemcachedClient + Copy + Sync + Send) {
    let suite = || {
        let pass = |by: Duration| server.await_ticks(by.as_secs().max(1)).unwrap();
        Suite::new(make).advance(pass).resolution(Duration::from_secs(1))
    };
    let without = Suite::new(make).rules::<String>();
    let about_time: Vec<_> = suite().rules::<String>().into_iter().filter(|rule| !without.contains(rule)).collect();
    assert!(about_time.len() >= 10);
    std::thread::scope(|scope| {
        for rule in about_time {
            scope.spawn(move || {
                // Servers throw away by themselves what is stale for long.
                let suite = if rule.starts_with("purge") { suite().forgets_stale() } else { suite() };
                suite.only(rule).check::<String>();
            });
        }
    });
}
