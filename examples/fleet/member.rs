//! One process of the fleet: many tasks that call one cached function as fast as a web server might.

use std::error::Error;
use std::io::BufRead;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chorde::MemcachedClient;
use chorde::prelude::*;

/// How many tasks call at the same time.
pub(crate) const TASKS: usize = 16;

/// The age in seconds from which a value is refreshed.
pub(crate) const PERIOD: u64 = 2;

static CLIENT: OnceLock<MemcachedClient> = OnceLock::new();
static START: OnceLock<Instant> = OnceLock::new();

fn client() -> &'static MemcachedClient {
    CLIENT.get().expect("invariant: run makes it first")
}

#[cached(client = client(), ttl = 30, async_ttl = -2)]
async fn price(item: u32) -> u64 {
    let second = START.get().map_or(0, |start| start.elapsed().as_secs());
    println!("computed {second}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    u64::from(item) * 3
}

/// Waits for the word, then calls for some time.
pub(crate) fn run(server: &str, seconds: u64) -> Result<(), Box<dyn Error>> {
    let client = MemcachedClient::builder().servers([server]).checksum_key("only for this example").build()?;
    CLIENT.get_or_init(|| client);
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;
    START.get_or_init(Instant::now);
    tokio::runtime::Runtime::new()?.block_on(async {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let end = Instant::now() + Duration::from_secs(seconds);
        let work = || async move {
            while Instant::now() < end {
                assert_eq!(price(7).await, 21);
                CALLS.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(work())).collect();
        for task in tasks {
            task.await?;
        }
        println!("calls {}", CALLS.load(Ordering::Relaxed));
        Ok(())
    })
}
