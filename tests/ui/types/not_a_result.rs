use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

type Outcome = Option<u64>;

#[cached(client = CACHE, ttl = 10, result = true, companions = false)]
fn f(id: u64) -> Outcome {
    Some(id)
}

fn main() {}
