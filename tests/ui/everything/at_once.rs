use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Repo;

impl Repo {
    #[cached(clinet = CACHE, ttl = 0, async_ttl = "5x", skip(idd), lease = 0, version = 2, encode = pack, timings)]
    fn user(&self, id: u64) -> u64 {
        id
    }
}

// What uses the function and its companions stays as it is.
fn uses(repo: &Repo) -> Option<u64> {
    repo.user_peek(repo.user(1))
}

#[cached(client = CACHE, ttl = 10, async_ttl = -20, lazy(max_tiers = 0), ttl_spread = 100, renew = 0, result = true)]
fn price(id: u64) -> u64 {
    id
}

fn prices() -> Option<u64> {
    let _ = price::put(1, 2);
    price::lazy(price(1))
}

fn main() {}
