//! One client for many users of it, each with keys of their own.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use crate::client::{
    Cache, Claim, ClaimOptions, Client, ClientId, Computed, Identity, ReadOptions, Revision, Token, Value, WriteOptions,
};
use crate::digest::Digest;
use crate::entry::{Entry, Lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Probe};
use crate::namespace::{Namespace, Outer, Path};
use crate::policy::CallPolicy;
use crate::sync::Table;

/// Shares one client among many users: what one stores, deletes or clears is not seen by the others, nor by those who
/// use the client directly.
///
/// Namespaces nest: wrap a namespaced client again. Handles of equal name over the same client show the same entries
/// and share computations; give each of them a clone, a reference or an `Arc` of the client.
///
/// [`clear`](crate::CacheExt::clear) forgets the entries of this namespace and of those inside of it, by beginning a
/// new revision of it. [`purge`](crate::CacheExt::purge), [`capacity`](crate::CacheExt::capacity) and
/// [`usage`](crate::CacheExt::usage) are those of the whole client.
///
/// # Concurrency
///
/// A clear is visible to every handle in this process when it returns; no two clears begin the same revision. Over a
/// shared store other processes see it within the delay that the store's client states.
///
/// Handles and clears take constant time, and bounded memory once they are dropped: one for each of a million tenants does no harm.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, NamespaceClient, Wait};
///
/// let client = InprocClient::new(100);
/// let users = NamespaceClient::new("users", &client)?;
/// let orders = NamespaceClient::new("orders", &client)?;
/// users.put(&1, "Ada", Duration::from_secs(60)).wait()?;
/// orders.put(&1, "tea", Duration::from_secs(60)).wait()?;
///
/// users.clear().wait()?;
/// assert_eq!(users.get::<&str>(&1).wait()?, None);
/// assert_eq!(orders.get::<&str>(&1).wait()?, Some("tea"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone)]
pub struct NamespaceClient<C> {
    inner: C,
    namespace: Namespace,
    shared: Arc<Shared>,
}

impl<C: Cache> NamespaceClient<C> {
    /// Gives the users of `name` a part of `client` to themselves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty name, and for one that begins with the control character NUL, which marks
    /// names of this crate's own.
    pub fn new(name: impl Into<String>, client: C) -> Result<Self> {
        let name = name.into();
        if name.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "the namespace is empty: give it a name, or use the client as it is",
            ));
        }
        if name.starts_with('\0') {
            return Err(Error::new(ErrorKind::Config, "the namespace begins with NUL: choose a name without it"));
        }
        let namespace = Namespace::named(name);
        let shared = shared_by(client.identity(), namespace.digest());
        Ok(Self { inner: client, namespace, shared })
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Returns the client that is shared.
    #[must_use]
    pub fn inner(&self) -> &C {
        &self.inner
    }

    /// Shows what a key is called in the shared client, without an allocation.
    #[inline]
    fn with_inner_probe<R>(&self, probe: &Probe<'_>, look: impl FnOnce(&Probe<'_>) -> R) -> R {
        let outer = Outer { namespace: &self.namespace, rest: probe.path };
        look(&Probe { digest: probe.digest.within(self.namespace.digest()), path: Path::with_outer(&outer) })
    }

    fn inner_key(&self, key: &Key) -> Key {
        key.within(&self.namespace)
    }
}

/// What all handles of one name over one client share.
struct Shared {
    /// Keeps the inner client's time. Its revisions are not used.
    identity: Identity,
    place: Place,
}

type Place = (ClientId, Digest);

/// What is shared by the handles in use.
static IN_USE: LazyLock<Table<Place, Weak<Shared>>> = LazyLock::new(Table::default);

fn shared_by(client: &Identity, name: Digest) -> Arc<Shared> {
    let place = (client.id(), name);
    let share = |known: &mut Weak<Shared>| {
        known.upgrade().unwrap_or_else(|| {
            let shared = Arc::new(Shared { identity: Identity::with_clock(client.clock().clone()), place });
            *known = Arc::downgrade(&shared);
            shared
        })
    };
    IN_USE.change(place, Weak::new, share)
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Another thread may have come in between, whose handles share something else.
        IN_USE.remove_if(&self.place, |shared| shared.strong_count() == 0);
    }
}

impl<C: fmt::Debug> fmt::Debug for NamespaceClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamespaceClient")
            .field("namespace", &self.namespace)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<C: Cache> Cache for NamespaceClient<C> {
    #[inline]
    fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.inner.delete_entry(&self.inner_key(key)).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.inner.expire_entry(&self.inner_key(key)).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.inner.renew_entry(&self.inner_key(key), ttl).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.inner.contains_entry(&self.inner_key(key), min_ttl).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.inner.clear_namespace(Path::new(std::slice::from_ref(&self.namespace))).await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let outer = Outer { namespace: &self.namespace, rest: path };
        self.inner.clear_namespace(Path::with_outer(&outer)).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.inner.purge_stale(grace).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.inner.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.inner.usages().await
    }

    fn tiers(&self) -> usize {
        self.inner.tiers()
    }

    fn answers_at_once(&self) -> bool {
        self.inner.answers_at_once()
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    #[inline]
    fn reads_bytes(&self) -> bool {
        self.inner.reads_bytes()
    }

    fn resolution(&self) -> Duration {
        self.inner.resolution()
    }

    #[inline]
    fn revision(&self, probe: &Probe<'_>) -> Revision {
        self.with_inner_probe(probe, |probe| self.inner.revision(probe))
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.inner.current_revision(&self.inner_key(key)).await
    }
}

impl<V: Value, C: Client<V>> Client<V> for NamespaceClient<C> {
    #[inline]
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        self.with_inner_probe(probe, |probe| self.inner.look(probe, options))
    }

    fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
        self.with_inner_probe(probe, |probe| self.inner.look_fresh(probe, policy))
    }

    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        self.with_inner_probe(probe, |probe| Client::<V>::is_absent(&self.inner, probe))
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        let inner_key = self.inner_key(key);
        let Some(hear) = options.promotion_hearer() else {
            return self.inner.get_entry(&inner_key, options).await;
        };
        let renamed = |_: &Key, value: &V, remaining| hear(key, value, remaining);
        self.inner.get_entry(&inner_key, options.on_promote(&renamed)).await
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        let inner_keys: Vec<Key> = keys.iter().map(|key| self.inner_key(key)).collect();
        let Some(hear) = options.promotion_hearer() else {
            return self.inner.get_entries(&inner_keys, options).await;
        };
        let originals: HashMap<Digest, &Key> = inner_keys.iter().map(Key::digest).zip(keys).collect();
        let renamed = |inner_key: &Key, value: &V, remaining| {
            if let Some(key) = originals.get(&inner_key.digest()) {
                hear(key, value, remaining);
            }
        };
        self.inner.get_entries(&inner_keys, options.on_promote(&renamed)).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.inner.put_entry(&self.inner_key(key), value, ttl, options).await
    }

    async fn put_entries(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Result<()> {
        let entries = entries.into_iter().map(|(key, value)| (self.inner_key(&key), value)).collect();
        self.inner.put_entries(entries, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.inner.add_entry(&self.inner_key(key), value, ttl).await
    }

    async fn add_entry_with(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<bool> {
        self.inner.add_entry_with(&self.inner_key(key), value, ttl, options).await
    }

    async fn promote_entry(&self, key: &Key) -> Result<bool> {
        Client::<V>::promote_entry(&self.inner, &self.inner_key(key)).await
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        let (inner_key, read) = (self.inner_key(key), options.read_options());
        let Some(hear) = read.promotion_hearer() else {
            return self.inner.claim(&inner_key, options).await;
        };
        let renamed = |_: &Key, value: &V, remaining| hear(key, value, remaining);
        self.inner.claim(&inner_key, options.reading(read.on_promote(&renamed))).await
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        self.inner.fill(&self.inner_key(key), token, value, ttl).await
    }

    async fn fill_at(&self, key: &Key, token: Token, value: V, ttl: Duration, computed: Computed) -> Result<bool> {
        self.inner.fill_at(&self.inner_key(key), token, value, ttl, computed).await
    }

    fn release(&self, key: &Key, token: Token) {
        Client::<V>::release(&self.inner, &self.inner_key(key), token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_without_handles_takes_no_space() {
        let client = Identity::new();
        let mine = || {
            let mut mine = 0;
            IN_USE.retain(|(of, _), _| {
                mine += u32::from(*of == client.id());
                true
            });
            mine
        };
        let kept = shared_by(&client, Digest::of_text("kept"));
        for number in 0..10_000 {
            drop(shared_by(&client, Digest::of_text(&number.to_string())));
        }
        assert_eq!(mine(), 1);
        assert_eq!(shared_by(&client, Digest::of_text("kept")).identity.id(), kept.identity.id());
        drop(kept);
        assert_eq!(mine(), 0);
    }

    #[test]
    fn handles_made_and_dropped_by_many_threads_share_while_they_live() {
        let client = Identity::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..5_000 {
                        let name = Digest::of_text(&(number % 3).to_string());
                        let [one, other] = [0, 1].map(|_| shared_by(&client, name));
                        assert_eq!(one.identity.id(), other.identity.id());
                    }
                });
            }
        });
    }
}
