use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, tll = 10)]
fn f(x: u64, name: &str) -> u64 {
    x + name.len() as u64
}

fn main() {}
