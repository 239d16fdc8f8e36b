use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

#[derive(Clone)]
struct Failure;

type Loaded<T> = Result<T, Failure>;

#[cached(client = CACHE, ttl = 10)]
fn load<T: serde::Serialize + Clone + Send + Sync + 'static>(id: T) -> Loaded<T> {
    Ok(id)
}

fn main() {}
