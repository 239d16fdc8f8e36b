use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

trait Load {
    type Out: Clone + Send + Sync + 'static;
    fn load(&self) -> Self::Out;
}

#[cached(client = CACHE, ttl = 10)]
fn twice<T: serde::Serialize + Clone + Send + Sync + 'static>(x: T) -> T {
    x
}

#[cached(client = CACHE, ttl = 10)]
fn load<T: serde::Serialize + Load>(x: T) -> T::Out {
    x.load()
}

fn main() {}
