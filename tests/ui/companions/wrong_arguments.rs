use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
fn f(id: u64, name: &str) -> u64 {
    id + name.len() as u64
}

fn main() {
    let _ = f::peek("1", "a");
    let _ = f::peek(1);
    let _ = f::put(1, "a", "2");
    let _ = f::unknown(1, "a");
}
