use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[cached(client = CACHE, ttl = 10)]
fn length<T: AsRef<str>>(text: T) -> usize {
    text.as_ref().len()
}

#[cached(client = CACHE, ttl = 10)]
fn shown<T: ToString + Send>(of: &T) -> String {
    of.to_string()
}

#[cached(client = CACHE, ttl = 10)]
fn called<F>(x: u64, f: F) -> u64
where
    F: Fn(u64) -> u64,
{
    f(x)
}

fn main() {}
