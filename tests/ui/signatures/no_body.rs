use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

trait Load {
    #[cached(client = CACHE, ttl = 10, skip(self), companions = false)]
    fn load(&self, id: u64) -> u64;
}

fn main() {}
