use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[async_trait::async_trait]
trait Load {
    async fn user(&self, id: u64) -> u64;
    async fn order(&self, id: u64) -> u64;
    async fn page(&self, id: u64) -> u64;
}

struct Repo;

#[async_trait::async_trait]
impl Load for Repo {
    #[cached(client = CACHE, ttl = 10, skip(self), companions = true)]
    async fn user(&self, id: u64) -> u64 {
        id
    }

    #[cached(client = CACHE, ttl = 10, skip(self), async_ttl = -5)]
    async fn order(&self, id: u64) -> u64 {
        id
    }

    #[cached(client = CACHE, ttl = 10)]
    async fn page(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
