use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

use std::rc::Rc;
use std::sync::Arc;

#[cached(client = CACHE, ttl = 10)]
fn counted(id: u64) -> Option<Rc<u64>> {
    Some(Rc::new(id))
}

#[cached(client = CACHE, ttl = 10)]
fn boxed(id: u64) -> Result<Box<dyn Fn(u64) -> u64>, String> {
    Ok(Box::new(move |x| x + id))
}

#[cached(client = CACHE, ttl = 10)]
fn shared(id: u64) -> Arc<dyn std::fmt::Debug> {
    Arc::new(id)
}

fn main() {}
