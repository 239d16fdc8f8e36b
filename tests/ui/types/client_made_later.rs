use std::sync::OnceLock;

use chorde::{InprocClient, cached};

static CLIENT: OnceLock<InprocClient> = OnceLock::new();
static PERHAPS: Option<InprocClient> = None;

#[cached(client = CLIENT, ttl = 10)]
fn f(id: u64) -> u64 {
    id
}

#[cached(client = PERHAPS, ttl = 10)]
fn g(id: u64) -> u64 {
    id
}

fn main() {}
