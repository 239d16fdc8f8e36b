use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
fn f<'a>(name: &'a str) -> Vec<&'a str> {
    vec![name]
}

fn main() {}
