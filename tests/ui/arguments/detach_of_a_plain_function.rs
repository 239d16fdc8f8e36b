use chorde::prelude::*;

static CACHE: std::sync::LazyLock<chorde::InprocClient> = std::sync::LazyLock::new(|| chorde::InprocClient::new(10));

#[cached(client = CACHE, ttl = 60, detach = false)]
fn plain(x: u64) -> u64 {
    x
}

fn main() {
    plain(1);
}
