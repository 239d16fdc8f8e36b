use std::fmt::Display;
use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
fn returned(x: u64) -> dyn Display {
    x
}

#[cached(client = CACHE, ttl = 10)]
fn taken(x: dyn Display) -> u64 {
    10
}

fn main() {}
