use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

const LIFE: f32 = 10.0;

#[cached(client = CACHE, ttl = LIFE)]
fn f(id: u64) -> u64 {
    id
}

fn main() {}
