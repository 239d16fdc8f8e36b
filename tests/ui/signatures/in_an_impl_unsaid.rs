use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Repo;

impl Repo {
    #[cached(client = CACHE, ttl = 10)]
    fn user(id: u64) -> u64 {
        id
    }
}

fn main() {}
