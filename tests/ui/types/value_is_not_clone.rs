use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Price(u64);

#[cached(client = CACHE, ttl = 10)]
fn f(id: u64) -> Price {
    Price(id)
}

fn main() {}
