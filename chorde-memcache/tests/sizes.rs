//! What callers who wait keep in memory: thousands of them may wait at the same time.

use std::time::Duration;

use chorde_core::{CacheExt, ClaimOptions, Client, Key, ReadOptions, Result};
use chorde_memcache::MemcachedClient;

#[test]
fn the_futures_of_operations_are_small() -> Result<()> {
    let client = MemcachedClient::builder().servers(["127.0.0.1:1"]).checksum_key("testing").build()?;
    let key = Key::new(&1)?;
    let second = Duration::from_secs(1);
    let get = size_of_val(&client.get::<u64>(&1_u64));
    let entry = size_of_val(&Client::<u64>::get_entry(&client, &key, ReadOptions::new()));
    let claim = size_of_val(&Client::<u64>::claim(&client, &key, ClaimOptions::new(second)));
    let put = size_of_val(&client.put(&1_u64, 1_u64, second));
    assert!(get < 1024, "get: {get}");
    assert!(entry < 768, "get_entry: {entry}");
    assert!(claim < 1024, "claim: {claim}");
    assert!(put < 1536, "put: {put}");
    Ok(())
}
