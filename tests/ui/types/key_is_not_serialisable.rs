use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Id(u64);

#[cached(client = CACHE, ttl = 10)]
fn f(id: Id, name: &str) -> u64 {
    id.0 + name.len() as u64
}

fn main() {}
