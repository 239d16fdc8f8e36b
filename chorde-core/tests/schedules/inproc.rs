//! The in-process store under several shards: its budget, and whose value is whose.

use std::sync::Arc;
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::clients::inproc::Policy;
use crate::explore::{Scene, explore};
use crate::{Cache, CacheExt, Clock, InprocClient, ManualClock};

const CAPACITY: u64 = 5;
const KEYS: u64 = 7;
const THREADS: u64 = 3;
const OPERATIONS: u64 = 5;
const TTL: Duration = Duration::from_secs(10);

/// A value that tells its key and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stored {
    key: u64,
    weight: u32,
}

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for heaviest in [1, 3] {
        for shards in [1, 2, 3] {
            let name = format!("store: weights up to {heaviest} on {shards} shards");
            scenes.push(Scene::new(name, move || explore(move || play(shards, heaviest, Policy::default()))));
        }
        let name = format!("store: weights up to {heaviest}, exact LRU");
        scenes.push(Scene::new(name, move || explore(move || play(1, heaviest, Policy::lru()))));
    }
    scenes
}

fn play(shards: usize, heaviest: u32, policy: Policy) {
    let clock = ManualClock::new();
    let builder = InprocClient::builder().capacity(CAPACITY).shards(shards).policy(policy);
    let builder = builder.weigher(|_, stored: &Stored| stored.weight).clock(Clock::from(clock.clone()));
    let client = builder.build().expect("invariant: it has a capacity");
    let user = |_| {
        let (client, clock) = (client.clone(), clock.clone());
        thread::spawn(move || (0..OPERATIONS).for_each(|_| operate(&client, &clock, heaviest)))
    };
    let users: Vec<_> = (0..THREADS).map(user).collect();
    for user in users {
        user.join().unwrap();
    }
    check(&client);
}

fn operate(client: &InprocClient, clock: &ManualClock, heaviest: u32) {
    let mut dice = thread_rng();
    let key = dice.gen_range(0..KEYS);
    let stored = Stored { key, weight: dice.gen_range(1..=heaviest) };
    block_on(async {
        match dice.gen_range(0..20) {
            0..=6 => client.put(&key, stored, TTL).await,
            7..=8 => client.add(&key, stored, TTL).await.map(drop),
            // Of another type, which weighs 1.
            9 => client.put(&key, key, TTL).await,
            10..=11 => client.delete(&key).await.map(drop),
            12 => client.expire(&key).await.map(drop),
            13 => client.clear().await,
            14 => client.purge(Duration::ZERO).await,
            15 => {
                clock.advance(TTL / 2);
                Ok(())
            }
            _ => {
                let found = client.get::<Stored>(&key).await;
                found.map(|found| assert!(found.is_none_or(|found| found.key == key), "another key's value"))
            }
        }
    })
    .expect("invariant: it does not fail");
}

/// What must hold when nothing is under way.
fn check(client: &InprocClient) {
    let (mut weight, mut entries) = (0, 0);
    for key in 0..KEYS {
        let stored = block_on(client.get_ttl::<Stored>(&key)).expect("invariant: it does not fail");
        let number = block_on(client.get_ttl::<u64>(&key)).expect("invariant: it does not fail");
        assert!(stored.is_none() || number.is_none(), "a key has one value");
        if let Some(stored) = stored {
            assert_eq!(stored.value.key, key, "another key's value");
            weight += u64::from(stored.value.weight);
            entries += 1;
        } else if let Some(number) = number {
            assert_eq!(number.value, key, "another key's value");
            weight += 1;
            entries += 1;
        }
    }
    let stats = client.stats();
    assert_eq!((stats.usage, stats.entries), (weight, entries), "the sum of the weights is right");
    assert!(stats.usage <= CAPACITY, "{} of {CAPACITY} are used", stats.usage);
    block_on(client.clear()).expect("invariant: it does not fail");
    assert_eq!(client.stats().usage, 0, "nothing is left of the sum");
}
