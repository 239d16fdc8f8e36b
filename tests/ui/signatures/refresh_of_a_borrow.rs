use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10, async_ttl = -5)]
fn f(name: std::borrow::Cow<'_, str>) -> usize {
    name.len()
}

fn main() {}
