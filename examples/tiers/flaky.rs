//! A client around another one, which can be switched off; also shows how little a client of one's own must do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chorde::{
    Cache, Client, Entry, Error, ErrorKind, Identity, InprocClient, Key, Path, ReadOptions, Result, WriteOptions,
};

/// Stands for a store behind a network.
pub(crate) struct Flaky {
    store: InprocClient,
    is_down: AtomicBool,
}

impl Flaky {
    pub(crate) fn new(store: InprocClient) -> Self {
        Self { store, is_down: AtomicBool::new(false) }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    fn store(&self) -> Result<&InprocClient> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the store cannot be reached"));
        }
        Ok(&self.store)
    }
}

/// Forwards operations to the store, while it is there.
macro_rules! forward {
    ($trait:path: $($operation:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(async fn $operation(&self, $($arg: $type),*) -> Result<$output> {
            <InprocClient as $trait>::$operation(self.store()?, $($arg),*).await
        })*
    };
}

impl Cache for Flaky {
    fn identity(&self) -> &Identity {
        self.store.identity()
    }

    forward! { Cache:
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

/// Holds numbers, and could hold all that the store can.
impl Client<u32> for Flaky {
    forward! { Client<u32>:
        get_entry(key: &Key, options: ReadOptions<'_, u32>) -> Option<Entry<u32>>;
        put_entry(key: &Key, value: u32, ttl: Duration, options: WriteOptions) -> ();
        add_entry(key: &Key, value: u32, ttl: Duration) -> bool;
    }
}
