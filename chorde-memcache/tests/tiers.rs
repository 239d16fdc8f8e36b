//! A near tier in front of a real server, which counts whole seconds.

use std::time::{Duration, Instant};

use chorde_core::{CacheExt, InprocClient, TieredClient, Wait};
use chorde_memcache::MemcachedClient;
use chorde_memcache::testing::MemcachedServer;

const LIFE: Duration = Duration::from_secs(5);

#[test]
fn a_near_copy_ends_no_later_than_its_ttl_whenever_it_is_made() {
    let server = MemcachedServer::start().unwrap();
    let far = MemcachedClient::builder().servers([server.address()]).checksum_key("tests").build().unwrap();
    let tiers = TieredClient::new(InprocClient::new(10), far);
    server.await_ticks(1).unwrap();
    tiers.far().put(&1, 7, LIFE).wait().unwrap();
    let (stored, second) = (Instant::now(), server.time().unwrap());

    // Up to the end of the second that has just begun, in which the server tells the whole life.
    let mut copies = 0;
    while server.time().unwrap() == second {
        assert_eq!(tiers.get::<i32>(&1).wait().unwrap(), Some(7));
        let elapsed = stored.elapsed();
        let copy = tiers.near().get_ttl::<i32>(&1).wait().unwrap().expect("it was promoted");
        assert!(elapsed + copy.remaining() <= LIFE, "{elapsed:?} old, it has {:?} left", copy.remaining());
        tiers.near().delete(&1).wait().unwrap();
        copies += 1;
    }
    assert!(copies > 0);
}
