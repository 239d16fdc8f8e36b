use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[derive(Clone)]
struct Failure;

type Loaded = Result<u64, Failure>;

#[derive(Clone)]
struct Repo;

impl Repo {
    #[cached(client = CACHE, ttl = 10, skip(self))]
    fn user(&self, id: u64) -> Loaded {
        Ok(id)
    }
}

fn main() {}
