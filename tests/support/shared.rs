//! A client that tells keys apart as a store outside of this process does: by their bytes and the names of their namespaces.

use std::time::Duration;

use chorde::{
    Cache, Client, Entry, Identity, InprocClient, Key, Namespace, Path, ReadOptions, Result, Value, WriteOptions,
};

/// A store that other processes could share.
#[derive(Debug)]
pub struct Shared(InprocClient);

impl Shared {
    pub fn new() -> Self {
        Self(InprocClient::new(1_000))
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the key that this one is to another process, or to this one after a restart.
fn outside(key: &Key) -> Key {
    let bare = Key::new(key.bytes()).unwrap();
    key.namespaces().iter().rev().fold(bare, |inner, namespace| inner.within(&Namespace::named(namespace.name())))
}

impl Cache for Shared {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.0.delete_entry(&outside(key)).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.0.expire_entry(&outside(key)).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.0.renew_entry(&outside(key), ttl).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.0.contains_entry(&outside(key), min_ttl).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.0.clear_all().await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let named: Vec<Namespace> = path.iter().map(|namespace| Namespace::named(namespace.name())).collect();
        self.0.clear_namespace(Path::new(&named)).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.0.purge_stale(grace).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.0.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.0.usages().await
    }
}

impl<V: Value> Client<V> for Shared {
    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        self.0.get_entry(&outside(key), options).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.0.put_entry(&outside(key), value, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.0.add_entry(&outside(key), value, ttl).await
    }
}
