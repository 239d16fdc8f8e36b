use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Repo;

impl Repo {
    fn init() {}

    #[cached(client = CACHE, ttl = 10, skip(self), init = Self::init)]
    fn f(&self, x: u64) -> u64 {
        x
    }
}

fn main() {}
