//! Makes a reference, `Arc`, `Box` or `LazyLock` of a client a client.

use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::{Cache, Claim, ClaimOptions, Client, Identity, ReadOptions, Token, Value, WriteOptions};
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};
use crate::namespace::Path;
use crate::policy::CallPolicy;

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<C: Cache, $($generics)*> Cache for $type {
            #[inline]
            fn identity(&self) -> &Identity {
                (**self).identity()
            }

            fn delete_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send {
                (**self).delete_entry(key)
            }

            fn expire_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send {
                (**self).expire_entry(key)
            }

            fn renew_entry(&self, key: &Key, ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
                (**self).renew_entry(key, ttl)
            }

            fn contains_entry(&self, key: &Key, min_ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
                (**self).contains_entry(key, min_ttl)
            }

            fn clear_all(&self) -> impl Future<Output = Result<()>> + Send {
                (**self).clear_all()
            }

            fn clear_namespace(&self, path: Path<'_>) -> impl Future<Output = Result<()>> + Send {
                (**self).clear_namespace(path)
            }

            fn purge_stale(&self, grace: Duration) -> impl Future<Output = Result<()>> + Send {
                (**self).purge_stale(grace)
            }

            fn capacities(&self) -> impl Future<Output = Result<Vec<u64>>> + Send {
                (**self).capacities()
            }

            fn usages(&self) -> impl Future<Output = Result<Vec<u64>>> + Send {
                (**self).usages()
            }

            #[inline]
            fn tiers(&self) -> usize {
                (**self).tiers()
            }

            fn revision(&self, probe: &Probe<'_>) -> u64 {
                (**self).revision(probe)
            }
        }

        impl<V: Value, C: Client<V>, $($generics)*> Client<V> for $type {
            #[inline]
            fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
                (**self).look(probe, options)
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
                (**self).look_fresh(probe, policy)
            }

            fn get_entry(
                &self,
                key: &Key,
                options: ReadOptions<'_, V>,
            ) -> impl Future<Output = Result<Option<Entry<V>>>> + Send {
                (**self).get_entry(key, options)
            }

            fn get_entries(
                &self,
                keys: &[Key],
                options: ReadOptions<'_, V>,
            ) -> impl Future<Output = Result<Vec<Option<Entry<V>>>>> + Send {
                (**self).get_entries(keys, options)
            }

            fn put_entry(
                &self,
                key: &Key,
                value: V,
                ttl: Duration,
                options: WriteOptions,
            ) -> impl Future<Output = Result<()>> + Send {
                (**self).put_entry(key, value, ttl, options)
            }

            fn put_entries(
                &self,
                entries: Vec<(Key, V)>,
                ttl: Duration,
                options: WriteOptions,
            ) -> impl Future<Output = Result<()>> + Send {
                (**self).put_entries(entries, ttl, options)
            }

            fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
                (**self).add_entry(key, value, ttl)
            }

            fn promote_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send {
                (**self).promote_entry(key)
            }

            fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> impl Future<Output = Result<Claim<V>>> + Send {
                (**self).claim(key, options)
            }

            fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
                (**self).fill(key, token, value, ttl)
            }

            fn release(&self, key: &Key, token: Token) {
                (**self).release(key, token);
            }
        }
    )*};
}

forward! {
    [] &C;
    [] Arc<C>;
    [] Box<C>;
    [F: FnOnce() -> C + Send] LazyLock<C, F>;
}
