use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
fn f(id: u64) -> u64 {
    "not a number"
}

fn main() {
    let _: Option<u64> = f::peek(f(1));
}
