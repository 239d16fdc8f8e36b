//! One type for every client of one value type, at the price of a box for each future.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Cache, Claim, ClaimOptions, Client, Computed, Identity, ReadOptions, Revision, Token, Value, WriteOptions,
};
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};
use crate::namespace::Path;

/// Hides which client it is: for struct fields, configuration read at start, and lists of clients.
///
/// Cheap to clone; clones share the client. [`look`](Client::look) is not boxed, so a hit that can be answered at once
/// costs a virtual call and no allocation. Every other operation allocates the box of its future.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, DynClient, InprocClient, TieredClient, Wait};
///
/// let tiers: usize = 2;
/// let client: DynClient<String> = match tiers {
///     1 => DynClient::new(InprocClient::new(100)),
///     _ => DynClient::new(TieredClient::new(InprocClient::new(100), InprocClient::new(1_000))),
/// };
/// client.put(&"name", "chorde".to_owned(), Duration::from_secs(60)).wait()?;
/// assert_eq!(client.get(&"name").wait()?.as_deref(), Some("chorde"));
/// assert_eq!(client.capacity().wait()?.len(), tiers);
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct DynClient<V>(Arc<dyn ErasedClient<V>>);

impl<V: Value> DynClient<V> {
    /// Wraps a client.
    pub fn new(client: impl Client<V> + 'static) -> Self {
        Self(Arc::new(client))
    }
}

impl<V> Clone for DynClient<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Value> fmt::Debug for DynClient<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynClient").field("identity", self.0.identity()).finish_non_exhaustive()
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Both traits of a client in a form of which there can be objects.
trait ErasedClient<V>: Send + Sync {
    fn identity(&self) -> &Identity;
    fn tiers(&self) -> usize;
    fn is_shared(&self) -> bool;
    fn reads_bytes(&self) -> bool;
    fn resolution(&self) -> Duration;
    fn answers_at_once(&self) -> bool;
    fn revision(&self, probe: &Probe<'_>) -> Revision;
    fn current_revision<'a>(&'a self, key: &'a Key) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>>;
    fn delete<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool>;
    fn expire<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool>;
    fn renew<'a>(&'a self, key: &'a Key, ttl: Duration) -> Boxed<'a, bool>;
    fn contains<'a>(&'a self, key: &'a Key, min_ttl: Duration) -> Boxed<'a, bool>;
    fn clear(&self) -> Boxed<'_, ()>;
    fn clear_within<'a>(&'a self, path: Path<'a>) -> Boxed<'a, ()>;
    fn purge(&self, grace: Duration) -> Boxed<'_, ()>;
    fn capacities(&self) -> Boxed<'_, Vec<u64>>;
    fn usages(&self) -> Boxed<'_, Vec<u64>>;
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>>;
    fn is_absent(&self, probe: &Probe<'_>) -> bool;
    fn get<'a>(&'a self, key: &'a Key, options: ReadOptions<'a, V>) -> Boxed<'a, Option<Entry<V>>>;
    fn get_all<'a>(&'a self, keys: &'a [Key], options: ReadOptions<'a, V>) -> Boxed<'a, Vec<Option<Entry<V>>>>;
    fn put<'a>(&'a self, key: &'a Key, value: V, ttl: Duration, options: WriteOptions) -> Boxed<'a, ()>;
    fn put_all(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Boxed<'_, ()>;
    fn add<'a>(&'a self, key: &'a Key, value: V, ttl: Duration, options: WriteOptions) -> Boxed<'a, bool>;
    fn promote<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool>;
    fn claim<'a>(&'a self, key: &'a Key, options: ClaimOptions<'a, V>) -> Boxed<'a, Claim<V>>;
    fn fill<'a>(&'a self, key: &'a Key, token: Token, value: V, ttl: Duration) -> Boxed<'a, bool>;
    fn fill_computed<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        value: V,
        stored: (Duration, Computed),
    ) -> Boxed<'a, bool>;
    fn release(&self, key: &Key, token: Token);
}

impl<V: Value, C: Client<V>> ErasedClient<V> for C {
    fn identity(&self) -> &Identity {
        Cache::identity(self)
    }

    fn tiers(&self) -> usize {
        Cache::tiers(self)
    }

    fn is_shared(&self) -> bool {
        Cache::is_shared(self)
    }

    fn reads_bytes(&self) -> bool {
        Cache::reads_bytes(self)
    }

    fn resolution(&self) -> Duration {
        Cache::resolution(self)
    }

    fn answers_at_once(&self) -> bool {
        Cache::answers_at_once(self)
    }

    fn revision(&self, probe: &Probe<'_>) -> Revision {
        Cache::revision(self, probe)
    }

    fn current_revision<'a>(&'a self, key: &'a Key) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
        Box::pin(Cache::current_revision(self, key))
    }

    fn delete<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool> {
        Box::pin(self.delete_entry(key))
    }

    fn expire<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool> {
        Box::pin(self.expire_entry(key))
    }

    fn renew<'a>(&'a self, key: &'a Key, ttl: Duration) -> Boxed<'a, bool> {
        Box::pin(self.renew_entry(key, ttl))
    }

    fn contains<'a>(&'a self, key: &'a Key, min_ttl: Duration) -> Boxed<'a, bool> {
        Box::pin(self.contains_entry(key, min_ttl))
    }

    fn clear(&self) -> Boxed<'_, ()> {
        Box::pin(self.clear_all())
    }

    fn clear_within<'a>(&'a self, path: Path<'a>) -> Boxed<'a, ()> {
        Box::pin(self.clear_namespace(path))
    }

    fn purge(&self, grace: Duration) -> Boxed<'_, ()> {
        Box::pin(self.purge_stale(grace))
    }

    fn capacities(&self) -> Boxed<'_, Vec<u64>> {
        Box::pin(Cache::capacities(self))
    }

    fn usages(&self) -> Boxed<'_, Vec<u64>> {
        Box::pin(Cache::usages(self))
    }

    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        Client::look(self, probe, options)
    }

    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        Client::is_absent(self, probe)
    }

    fn get<'a>(&'a self, key: &'a Key, options: ReadOptions<'a, V>) -> Boxed<'a, Option<Entry<V>>> {
        Box::pin(self.get_entry(key, options))
    }

    fn get_all<'a>(&'a self, keys: &'a [Key], options: ReadOptions<'a, V>) -> Boxed<'a, Vec<Option<Entry<V>>>> {
        Box::pin(self.get_entries(keys, options))
    }

    fn put<'a>(&'a self, key: &'a Key, value: V, ttl: Duration, options: WriteOptions) -> Boxed<'a, ()> {
        Box::pin(self.put_entry(key, value, ttl, options))
    }

    fn put_all(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Boxed<'_, ()> {
        Box::pin(self.put_entries(entries, ttl, options))
    }

    fn add<'a>(&'a self, key: &'a Key, value: V, ttl: Duration, options: WriteOptions) -> Boxed<'a, bool> {
        Box::pin(self.add_entry_with(key, value, ttl, options))
    }

    fn promote<'a>(&'a self, key: &'a Key) -> Boxed<'a, bool> {
        Box::pin(Client::<V>::promote_entry(self, key))
    }

    fn claim<'a>(&'a self, key: &'a Key, options: ClaimOptions<'a, V>) -> Boxed<'a, Claim<V>> {
        Box::pin(Client::claim(self, key, options))
    }

    fn fill<'a>(&'a self, key: &'a Key, token: Token, value: V, ttl: Duration) -> Boxed<'a, bool> {
        Box::pin(Client::fill(self, key, token, value, ttl))
    }

    fn fill_computed<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        value: V,
        (ttl, computed): (Duration, Computed),
    ) -> Boxed<'a, bool> {
        Box::pin(self.fill_at(key, token, value, ttl, computed))
    }

    fn release(&self, key: &Key, token: Token) {
        Client::<V>::release(self, key, token);
    }
}

// The async functions below unite the lifetimes of their arguments, which a returned box could not name.
impl<V: Value> Cache for DynClient<V> {
    #[inline]
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.0.delete(key).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.0.expire(key).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.0.renew(key, ttl).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.0.contains(key, min_ttl).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.0.clear().await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        self.0.clear_within(path).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.0.purge(grace).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.0.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.0.usages().await
    }

    fn tiers(&self) -> usize {
        self.0.tiers()
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    fn reads_bytes(&self) -> bool {
        self.0.reads_bytes()
    }

    fn resolution(&self) -> Duration {
        self.0.resolution()
    }

    fn answers_at_once(&self) -> bool {
        self.0.answers_at_once()
    }

    fn revision(&self, probe: &Probe<'_>) -> Revision {
        self.0.revision(probe)
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.0.current_revision(key).await
    }
}

impl<V: Value> Client<V> for DynClient<V> {
    #[inline]
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        self.0.look(probe, options)
    }

    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        self.0.is_absent(probe)
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        self.0.get(key, options).await
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        self.0.get_all(keys, options).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.0.put(key, value, ttl, options).await
    }

    async fn put_entries(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.0.put_all(entries, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.0.add(key, value, ttl, WriteOptions::new()).await
    }

    async fn add_entry_with(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<bool> {
        self.0.add(key, value, ttl, options).await
    }

    async fn promote_entry(&self, key: &Key) -> Result<bool> {
        self.0.promote(key).await
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        self.0.claim(key, options).await
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        self.0.fill(key, token, value, ttl).await
    }

    async fn fill_at(&self, key: &Key, token: Token, value: V, ttl: Duration, computed: Computed) -> Result<bool> {
        self.0.fill_computed(key, token, value, (ttl, computed)).await
    }

    fn release(&self, key: &Key, token: Token) {
        self.0.release(key, token);
    }
}
