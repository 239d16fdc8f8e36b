use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
async fn load(id: u64) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(id)
}

fn main() {}
