//! The methods that users of a client call.

use std::future::Future;
use std::time::Duration;

use super::options::positive;
use super::{Cache, Client, Identity, ReadOptions, Value, WriteOptions};
use crate::entry::Entry;
use crate::error::Result;
use crate::flight::store::StoreWait;
use crate::flight::{self, DirectWrite};
use crate::key::{AsKey, Key};
use crate::policy::LEASE;

/// The operations of every client, with any serialisable key.
///
/// All of them are futures: `.await` them, or call [`.wait()`](crate::Wait::wait) from plain code. Those of an
/// in-process client are ready at once and need no executor.
///
/// # Units
///
/// Times to live are exact in process; shared stores round them up to their own resolution.
///
/// # Errors
///
/// [`ErrorKind::Key`](crate::ErrorKind::Key) for a key that refuses to be serialised,
/// [`ErrorKind::Ttl`](crate::ErrorKind::Ttl) for a `ttl` of zero, and what the client's backend reports.
///
/// # Concurrency
///
/// What writes or takes away (`put`, `add`, `delete`, `expire`, `clear` and their like) wins over cached functions that have begun
/// to compute a value of the key before: that value goes to those who wait for it, and is not stored.
///
/// # Cancel safety
///
/// A write whose future is dropped before its end may or may not have happened; the client stays usable.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, Wait};
///
/// let client = InprocClient::new(200);
/// client.put(&3, 10, Duration::from_secs(300)).wait()?;
/// assert_eq!(client.get::<i32>(&3).wait()?, Some(10));
/// assert_eq!(client.get_multi::<i32>(&[3, 5]).wait()?, [Some(10), None]);
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub trait CacheExt: Cache {
    /// Returns the valid value of a key.
    fn get<V: Value>(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<Option<V>>> + Send
    where
        Self: Client<V>,
    {
        self.get_with(key, ReadOptions::new())
    }

    /// Returns the valid value of a key, read as `options` say.
    fn get_with<V: Value>(
        &self,
        key: &(impl AsKey + ?Sized),
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Option<V>>> + Send
    where
        Self: Client<V>,
    {
        // Of the life left it matters only whether there is any.
        async move { Ok(valid(self.get_ttl_with(key, options.roughly()).await?)) }
    }

    /// Returns the entry of a key with its remaining life, a stale one included and marked.
    fn get_ttl<V: Value>(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<Option<Entry<V>>>> + Send
    where
        Self: Client<V>,
    {
        self.get_ttl_with(key, ReadOptions::new())
    }

    /// Returns the entry of a key, read as `options` say.
    fn get_ttl_with<V: Value>(
        &self,
        key: &(impl AsKey + ?Sized),
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Option<Entry<V>>>> + Send
    where
        Self: Client<V>,
    {
        async move {
            if let Some(known) = key.probe_with(|probe| self.look(probe, options))? {
                return Ok(known.into_entry());
            }
            self.get_entry(&key.to_key()?, options).await
        }
    }

    /// Returns the valid values of several keys, in their order.
    fn get_multi<V: Value>(&self, keys: &[impl AsKey]) -> impl Future<Output = Result<Vec<Option<V>>>> + Send
    where
        Self: Client<V>,
    {
        self.get_multi_with(keys, ReadOptions::new())
    }

    /// Returns the valid values of several keys, in their order, read as `options` say.
    fn get_multi_with<V: Value>(
        &self,
        keys: &[impl AsKey],
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Vec<Option<V>>>> + Send
    where
        Self: Client<V>,
    {
        async move {
            let entries = self.get_entries(&to_keys(keys)?, options).await?;
            Ok(entries.into_iter().map(valid).collect())
        }
    }

    /// Returns the entries of several keys, in their order, stale ones included and marked.
    fn get_ttl_multi<V: Value>(&self, keys: &[impl AsKey]) -> impl Future<Output = Result<Vec<Option<Entry<V>>>>> + Send
    where
        Self: Client<V>,
    {
        async move { self.get_entries(&to_keys(keys)?, ReadOptions::new()).await }
    }

    /// Stores a value, whatever was there.
    fn put<V: Value>(
        &self,
        key: &(impl AsKey + ?Sized),
        value: V,
        ttl: Duration,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Client<V>,
    {
        self.put_with(key, value, ttl, WriteOptions::new())
    }

    /// Stores a value as `options` say, whatever was there.
    fn put_with<V: Value>(
        &self,
        key: &(impl AsKey + ?Sized),
        value: V,
        ttl: Duration,
        options: WriteOptions,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Client<V>,
    {
        async move {
            let (key, ttl) = (key.to_key()?, positive(ttl)?);
            let _writing = begin_write(self.identity(), &key).await;
            self.put_entry(&key, value, ttl, options).await
        }
    }

    /// Stores several values with one time to live.
    fn put_multi<V: Value>(&self, entries: &[(impl AsKey, V)], ttl: Duration) -> impl Future<Output = Result<()>> + Send
    where
        Self: Client<V>,
    {
        async move {
            let ttl = positive(ttl)?;
            let entries = entries.iter().map(|(key, value)| Ok((key.to_key()?, value.clone())));
            let entries = entries.collect::<Result<Vec<_>>>()?;
            let _writing = begin_writes(self.identity(), entries.iter().map(|(key, _)| key)).await;
            self.put_entries(entries, ttl, WriteOptions::new()).await
        }
    }

    /// Stores a value where no valid one is; returns whether it did. Of several at once exactly one does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`](crate::ErrorKind::Value), in process, for what is heavier than the whole capacity; but a client of
    /// capacity 0, which stores nothing, says that it did.
    fn add<V: Value>(
        &self,
        key: &(impl AsKey + ?Sized),
        value: V,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Client<V>,
    {
        async move {
            let key = key.to_key()?;
            let ttl = positive(ttl)?;
            let _writing = begin_write(self.identity(), &key).await;
            self.add_entry(&key, value, ttl).await
        }
    }

    /// Copies the entry of a key to the nearest tier; returns whether there was a valid one to copy.
    fn promote<V: Value>(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Client<V>,
    {
        async move { Client::<V>::promote_entry(self, &key.to_key()?).await }
    }

    /// Lengthens the life of a valid entry to `ttl` from now, never shortens it, never revives a stale one; returns
    /// whether the entry is valid.
    fn renew(&self, key: &(impl AsKey + ?Sized), ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
        async move { self.renew_entry(&key.to_key()?, ttl).await }
    }

    /// Removes an entry; returns whether there was a valid one.
    fn delete(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<bool>> + Send {
        async move {
            let key = key.to_key()?;
            let _writing = begin_write(self.identity(), &key).await;
            self.delete_entry(&key).await
        }
    }

    /// Marks an entry as stale but keeps it; returns whether there was a valid one.
    fn expire(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<bool>> + Send {
        async move {
            let key = key.to_key()?;
            let _writing = begin_write(self.identity(), &key).await;
            self.expire_entry(&key).await
        }
    }

    /// Returns whether there is a valid entry, without fetching its value.
    fn contains(&self, key: &(impl AsKey + ?Sized)) -> impl Future<Output = Result<bool>> + Send {
        self.contains_for(key, Duration::ZERO)
    }

    /// Returns whether there is an entry that stays valid for longer than `min_ttl`, without fetching its value.
    fn contains_for(
        &self,
        key: &(impl AsKey + ?Sized),
        min_ttl: Duration,
    ) -> impl Future<Output = Result<bool>> + Send {
        async move { self.contains_entry(&key.to_key()?, min_ttl).await }
    }

    /// Removes all entries of this client.
    fn clear(&self) -> impl Future<Output = Result<()>> + Send {
        async move {
            let identity = self.identity();
            flight::supersede_client(identity.id()).within(identity.clock(), LEASE).await;
            let cleared = self.clear_all().await;
            // What has begun meanwhile, with a client that does not count its clears.
            drop(flight::supersede_client(identity.id()));
            cleared
        }
    }

    /// Removes the entries that have been stale for longer than `grace`.
    fn purge(&self, grace: Duration) -> impl Future<Output = Result<()>> + Send {
        self.purge_stale(grace)
    }

    /// Returns how much each tier can hold, the nearest first, in the client's unit.
    fn capacity(&self) -> impl Future<Output = Result<Vec<u64>>> + Send {
        self.capacities()
    }

    /// Returns how much each tier holds, the nearest first, in the client's unit.
    fn usage(&self) -> impl Future<Output = Result<Vec<u64>>> + Send {
        self.usages()
    }
}

impl<C: Cache + ?Sized> CacheExt for C {}

/// Begins several writes to a client itself, and waits once for what is being stored.
async fn begin_writes<'k>(client: &Identity, keys: impl Iterator<Item = &'k Key>) -> Vec<DirectWrite> {
    let begun = keys.map(|key| flight::write_directly((client.id(), key.digest())));
    let (writing, stores): (Vec<_>, Vec<_>) = begun.unzip();
    StoreWait::of_all(stores).within(client.clock(), LEASE).await;
    writing
}

/// Begins a write to a client itself, over which nothing is stored that cached functions compute from before its end.
async fn begin_write(client: &Identity, key: &Key) -> DirectWrite {
    let (writing, stores) = flight::write_directly((client.id(), key.digest()));
    if !stores.is_over_already() {
        Box::pin(stores.within(client.clock(), LEASE)).await;
    }
    writing
}

fn valid<V>(entry: Option<Entry<V>>) -> Option<V> {
    entry.filter(|entry| !entry.is_stale()).map(|entry| entry.value)
}

fn to_keys(keys: &[impl AsKey]) -> Result<Vec<Key>> {
    keys.iter().map(AsKey::to_key).collect()
}
