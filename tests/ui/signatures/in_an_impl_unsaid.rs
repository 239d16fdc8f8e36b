use std::fmt::Display;
use std::sync::LazyLock;

use chorde::{InprocClient, cached};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

struct Repo;

impl Repo {
    #[cached(client = CACHE, ttl = 10, key = id.to_string())]
    fn user<T: Display + Clone + Send + Sync + 'static>(id: T) -> String {
        id.to_string()
    }
}

fn main() {}
