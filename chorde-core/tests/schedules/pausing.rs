//! A client that is somewhere else: it pauses before and after each operation, so that there is somewhere to be dropped.

use std::time::Duration;

use shuttle::future::yield_now;

use crate::{Cache, Client, Entry, Identity, InprocClient, Key, Path, ReadOptions, Result, WriteOptions};

#[derive(Clone)]
pub(crate) struct Pausing(pub(crate) InprocClient);

macro_rules! pausing {
    ($trait:path: $($operation:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(async fn $operation(&self, $($arg: $type),*) -> Result<$output> {
            yield_now().await;
            let outcome = <InprocClient as $trait>::$operation(&self.0, $($arg),*).await;
            yield_now().await;
            outcome
        })*
    };
}

impl Cache for Pausing {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    pausing! { Cache:
        delete_entry(key: &Key) -> bool;
        expire_entry(key: &Key) -> bool;
        renew_entry(key: &Key, ttl: Duration) -> bool;
        contains_entry(key: &Key, min_ttl: Duration) -> bool;
        clear_all() -> ();
        clear_namespace(path: Path<'_>) -> ();
        purge_stale(grace: Duration) -> ();
        capacities() -> Vec<u64>;
        usages() -> Vec<u64>;
    }
}

impl Client<u64> for Pausing {
    pausing! { Client<u64>:
        get_entry(key: &Key, options: ReadOptions<'_, u64>) -> Option<Entry<u64>>;
        put_entry(key: &Key, value: u64, ttl: Duration, options: WriteOptions) -> ();
        add_entry(key: &Key, value: u64, ttl: Duration) -> bool;
    }
}
