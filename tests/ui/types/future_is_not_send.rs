use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
async fn f(id: u64) -> u64 {
    let kept = std::rc::Rc::new(id);
    std::future::ready(()).await;
    *kept
}

fn main() {}
