//! Makes a reference, `Arc`, `Box` or `LazyLock` of a client a client, and types of users' own that deref to one.

use std::sync::{Arc, LazyLock};

use super::{Cache, Client, Value};

/// The methods of both traits, each passed on to what `self` derefs to.
#[doc(hidden)]
#[macro_export]
macro_rules! __forwarded {
    (Cache) => {
        #[inline]
        fn identity(&self) -> &$crate::Identity {
            (**self).identity()
        }

        fn delete_entry(&self, key: &$crate::Key) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).delete_entry(key)
        }

        fn expire_entry(&self, key: &$crate::Key) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).expire_entry(key)
        }

        fn renew_entry(
            &self,
            key: &$crate::Key,
            ttl: ::std::time::Duration,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).renew_entry(key, ttl)
        }

        fn contains_entry(
            &self,
            key: &$crate::Key,
            min_ttl: ::std::time::Duration,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).contains_entry(key, min_ttl)
        }

        fn clear_all(&self) -> impl ::std::future::Future<Output = $crate::Result<()>> + Send {
            (**self).clear_all()
        }

        fn clear_namespace(
            &self,
            path: $crate::Path<'_>,
        ) -> impl ::std::future::Future<Output = $crate::Result<()>> + Send {
            (**self).clear_namespace(path)
        }

        fn purge_stale(
            &self,
            grace: ::std::time::Duration,
        ) -> impl ::std::future::Future<Output = $crate::Result<()>> + Send {
            (**self).purge_stale(grace)
        }

        fn capacities(&self) -> impl ::std::future::Future<Output = $crate::Result<::std::vec::Vec<u64>>> + Send {
            (**self).capacities()
        }

        fn usages(&self) -> impl ::std::future::Future<Output = $crate::Result<::std::vec::Vec<u64>>> + Send {
            (**self).usages()
        }

        #[inline]
        fn tiers(&self) -> usize {
            (**self).tiers()
        }

        #[inline]
        fn is_shared(&self) -> bool {
            (**self).is_shared()
        }

        #[inline]
        fn reads_bytes(&self) -> bool {
            (**self).reads_bytes()
        }

        fn resolution(&self) -> ::std::time::Duration {
            (**self).resolution()
        }

        #[inline]
        fn answers_at_once(&self) -> bool {
            (**self).answers_at_once()
        }

        fn revision(&self, probe: &$crate::Probe<'_>) -> $crate::Revision {
            (**self).revision(probe)
        }

        fn current_revision(&self, key: &$crate::Key) -> impl ::std::future::Future<Output = u64> + Send {
            (**self).current_revision(key)
        }
    };
    (Client<$value:ident>) => {
        #[inline]
        fn look(
            &self,
            probe: &$crate::Probe<'_>,
            options: $crate::ReadOptions<'_, $value>,
        ) -> ::std::option::Option<$crate::Lookup<$value>> {
            (**self).look(probe, options)
        }

        #[cfg_attr(not(debug_assertions), inline(always))]
        fn look_fresh(&self, probe: &$crate::Probe<'_>, policy: &$crate::CallPolicy) -> ::std::option::Option<$value> {
            (**self).look_fresh(probe, policy)
        }

        #[inline]
        fn is_absent(&self, probe: &$crate::Probe<'_>) -> bool {
            <_ as $crate::Client<$value>>::is_absent(&**self, probe)
        }

        fn get_entry(
            &self,
            key: &$crate::Key,
            options: $crate::ReadOptions<'_, $value>,
        ) -> impl ::std::future::Future<Output = $crate::Result<::std::option::Option<$crate::Entry<$value>>>> + Send {
            (**self).get_entry(key, options)
        }

        fn get_entries(
            &self,
            keys: &[$crate::Key],
            options: $crate::ReadOptions<'_, $value>,
        ) -> impl ::std::future::Future<
            Output = $crate::Result<::std::vec::Vec<::std::option::Option<$crate::Entry<$value>>>>,
        > + Send {
            (**self).get_entries(keys, options)
        }

        fn put_entry(
            &self,
            key: &$crate::Key,
            value: $value,
            ttl: ::std::time::Duration,
            options: $crate::WriteOptions,
        ) -> impl ::std::future::Future<Output = $crate::Result<()>> + Send {
            (**self).put_entry(key, value, ttl, options)
        }

        fn put_entries(
            &self,
            entries: ::std::vec::Vec<($crate::Key, $value)>,
            ttl: ::std::time::Duration,
            options: $crate::WriteOptions,
        ) -> impl ::std::future::Future<Output = $crate::Result<()>> + Send {
            (**self).put_entries(entries, ttl, options)
        }

        fn add_entry(
            &self,
            key: &$crate::Key,
            value: $value,
            ttl: ::std::time::Duration,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).add_entry(key, value, ttl)
        }

        fn add_entry_with(
            &self,
            key: &$crate::Key,
            value: $value,
            ttl: ::std::time::Duration,
            options: $crate::WriteOptions,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).add_entry_with(key, value, ttl, options)
        }

        fn promote_entry(&self, key: &$crate::Key) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).promote_entry(key)
        }

        fn claim(
            &self,
            key: &$crate::Key,
            options: $crate::ClaimOptions<'_, $value>,
        ) -> impl ::std::future::Future<Output = $crate::Result<$crate::Claim<$value>>> + Send {
            (**self).claim(key, options)
        }

        fn fill(
            &self,
            key: &$crate::Key,
            token: $crate::Token,
            value: $value,
            ttl: ::std::time::Duration,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).fill(key, token, value, ttl)
        }

        fn fill_at(
            &self,
            key: &$crate::Key,
            token: $crate::Token,
            value: $value,
            ttl: ::std::time::Duration,
            computed: $crate::Computed,
        ) -> impl ::std::future::Future<Output = $crate::Result<bool>> + Send {
            (**self).fill_at(key, token, value, ttl, computed)
        }

        fn release(&self, key: &$crate::Key, token: $crate::Token) {
            (**self).release(key, token);
        }
    };
}

/// Makes a type of your own that derefs to a client a client itself: each operation is passed on.
///
/// For a client with something added, such as one that knows where its servers come from. A client of which some operation
/// does something else implements [`Cache`] and [`Client`] by hand.
///
/// # Examples
///
/// ```
/// use std::ops::Deref;
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, Wait, forward_client};
///
/// struct Sessions(InprocClient);
///
/// impl Deref for Sessions {
///     type Target = InprocClient;
///
///     fn deref(&self) -> &InprocClient {
///         &self.0
///     }
/// }
///
/// forward_client!(Sessions);
///
/// let sessions = Sessions(InprocClient::new(100));
/// sessions.put("user", 7, Duration::from_secs(60)).wait()?;
/// assert_eq!(sessions.get::<i32>("user").wait()?, Some(7));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[macro_export]
macro_rules! forward_client {
    ($type:ty) => {
        impl $crate::Cache for $type {
            $crate::__forwarded!(Cache);
        }

        impl<V: $crate::Value> $crate::Client<V> for $type
        where
            <$type as ::std::ops::Deref>::Target: $crate::Client<V>,
        {
            $crate::__forwarded!(Client<V>);
        }
    };
}

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<C: Cache, $($generics)*> Cache for $type {
            __forwarded!(Cache);
        }

        impl<V: Value, C: Client<V>, $($generics)*> Client<V> for $type {
            __forwarded!(Client<V>);
        }
    )*};
}

forward! {
    [] &C;
    [] Arc<C>;
    [] Box<C>;
    [F: FnOnce() -> C + Send] LazyLock<C, F>;
}
