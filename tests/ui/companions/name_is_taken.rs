use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[derive(Clone)]
struct Repo;

impl Repo {
    #[cached(client = CACHE, ttl = 10, skip(self))]
    fn user(&self, id: u64) -> u64 {
        id
    }

    fn user_bg(&self) {}
}

fn main() {}
