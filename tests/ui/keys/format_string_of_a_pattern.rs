use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10, key = format!("{a}-{b}"))]
fn f((a, b): (u64, u64)) -> u64 {
    a + b
}

fn main() {}
