//! Questions for many keys, which go out in parts.

use std::error::Error;
use std::time::Duration;

use chorde_core::{CacheExt, Key, Namespace, Wait};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedClient, Transport};

const TTL: Duration = Duration::from_secs(300);

type Outcome = Result<(), Box<dyn Error>>;

fn servers(count: usize) -> std::io::Result<Vec<MemcachedServer>> {
    (0..count).map(|_| MemcachedServer::start()).collect()
}

fn client(servers: &[MemcachedServer]) -> chorde_core::Result<MemcachedClient> {
    let names = servers.iter().map(MemcachedServer::address);
    MemcachedClient::builder().servers(names).checksum_key("testing").build()
}

/// Keys in changing namespaces, of which each third has no value.
fn keys() -> chorde_core::Result<Vec<Key>> {
    let (a, b) = (Namespace::named("a"), Namespace::named("b"));
    let key = |number: u32| match number % 40 {
        0..10 => Key::new(&number),
        10..15 => Key::in_namespace(&a, &number),
        _ => Key::in_namespace(&b, &number),
    };
    (0..150).map(key).collect()
}

fn expected() -> Vec<Option<u32>> {
    (0..150).map(|number| (number % 3 > 0).then_some(number)).collect()
}

fn fill(client: &MemcachedClient) -> Outcome {
    for (key, value) in keys()?.iter().zip(expected()) {
        if let Some(value) = value {
            client.put(key, value, TTL).wait()?;
        }
    }
    Ok(())
}

#[test]
fn a_long_question_is_answered_in_its_order() -> Outcome {
    for count in [1, 3] {
        let servers = servers(count)?;
        let client = client(&servers)?;
        fill(&client)?;
        assert_eq!(client.get_multi::<u32>(&keys()?).wait()?, expected());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, asked) = (client.clone(), keys()?);
        let answer = runtime.block_on(async move {
            let asked = tokio::spawn(async move { (client.get_multi::<u32>(&asked).await, client.stats()) });
            asked.await
        });
        let (values, stats) = answer?;
        assert_eq!(values?, expected());
        assert_eq!((stats.hits, stats.misses), (200, 100), "{count} servers");
    }
    Ok(())
}

#[test]
fn a_question_of_any_length_is_answered() -> Outcome {
    let servers = servers(1)?;
    let client = client(&servers)?;
    fill(&client)?;
    let (keys, expected) = (keys()?, expected());
    for len in [0, 1, 5, 19, 20, 21, 25, 26, 45, 46, 150] {
        assert_eq!(client.get_multi::<u32>(&keys[..len]).wait()?, expected[..len], "{len}");
    }
    Ok(())
}

#[test]
fn the_keys_of_a_server_that_is_gone_are_missed_and_the_others_are_not() -> Outcome {
    let servers = servers(3)?;
    let client = client(&servers)?;
    fill(&client)?;
    servers[0].kill();
    let values = client.get_multi::<u32>(&keys()?).wait()?;
    let found = values.iter().flatten().count();
    assert!((1..100).contains(&found), "{found}");
    assert!(values.iter().zip(expected()).all(|(value, expected)| value.is_none() || *value == expected));
    Ok(())
}

#[test]
fn more_keys_than_may_wait_at_once_are_written_and_read() -> Outcome {
    let servers = servers(1)?;
    for transport in [Transport::Meta, Transport::Classic] {
        let builder = MemcachedClient::builder().servers([servers[0].address()]).checksum_key("tests");
        let client = builder.transport(transport).max_waiting(5_000).deadline(Duration::from_secs(20)).build()?;
        let entries: Vec<(u32, u32)> = (0..10_000).map(|key| (key, !key)).collect();
        client.put_multi(&entries, Duration::from_secs(60)).wait()?;
        let keys: Vec<u32> = (0..10_000).collect();
        let found = client.get_multi::<u32>(&keys).wait()?;
        assert!(found.iter().zip(&keys).all(|(found, key)| *found == Some(!key)));
        assert_eq!(client.stats().refused, 0);
    }
    Ok(())
}
