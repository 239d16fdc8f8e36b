use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10, skip(name))]
fn f(x: u64, name: std::rc::Rc<str>) -> u64 {
    x + name.len() as u64
}

fn main() {
    f(1, "a".into());
    let _ = f::future(1, "a".into());
}
