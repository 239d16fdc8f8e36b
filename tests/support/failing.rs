//! A client that stops working when told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chorde::{
    Cache, Client, Entry, Error, ErrorKind, Identity, InprocClient, Key, Path, ReadOptions, Result, Value, WriteOptions,
};

/// Behaves as a store on the network: can never tell anything at once, nor the age of an entry, and may be out of
/// reach.
pub struct Failing {
    inner: InprocClient,
    is_down: AtomicBool,
}

impl Failing {
    pub fn new(inner: InprocClient) -> Self {
        Self { inner, is_down: AtomicBool::new(false) }
    }

    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<&InprocClient> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is down"));
        }
        Ok(&self.inner)
    }
}

impl Cache for Failing {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.reach()?.delete_entry(key).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.reach()?.expire_entry(key).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.reach()?.renew_entry(key, ttl).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.reach()?.contains_entry(key, min_ttl).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.reach()?.clear_all().await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        self.reach()?.clear_namespace(path).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.reach()?.purge_stale(grace).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.reach()?.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.reach()?.usages().await
    }
}

impl<V: Value> Client<V> for Failing {
    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        let entry = self.reach()?.get_entry(key, options).await?;
        Ok(entry.map(|entry| Entry::new(entry.value.clone(), entry.remaining())))
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.reach()?.put_entry(key, value, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.reach()?.add_entry(key, value, ttl).await
    }
}
