//! What a cache can do: the traits that a backend implements, and the methods that users call.
//!
//! [`Cache`] is what needs no value: deleting, expiring, clearing. [`Client<V>`] adds reading and writing values of one
//! type, so that each client says by its implementations which values it can hold. Both take ready-made [`Key`]s and are
//! for those who write a backend; those who use one call the methods of [`CacheExt`], which take any serialisable key.
//!
//! Futures are returned unboxed. [`DynClient`] boxes them, for places that need one type for several clients.

mod claim;
pub(crate) mod covered;
mod dynamic;
mod ext;
mod forward;
mod identity;
mod options;
mod revisions;

use std::future::Future;
use std::time::Duration;

pub use claim::{Claim, ClaimOptions, Computed, Token};
pub use dynamic::DynClient;
pub use ext::CacheExt;
pub use identity::{Identity, Revision};

pub use crate::client_id::ClientId;
pub use options::{OnPromote, ReadOptions, WriteOptions};

use crate::decide::{Decision, decide};
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};
use crate::namespace::Path;
use crate::policy::CallPolicy;

/// What any client must be able to do with its values: hand out copies, to any thread.
///
/// Implemented for every type that can.
pub trait Value: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Value for T {}

/// The part of a client that does not depend on the type of the values.
///
/// # Concurrency
///
/// All operations may be called from any thread at any time. Their futures must not block the thread that polls them:
/// whoever writes a key waits for a store of it that is being polled, however long that takes.
///
/// # Cancel safety
///
/// A future dropped before its end may or may not have had its effect; it leaves the client usable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache client",
    label = "this is not a client, nor a reference, `Arc`, `Box` or `LazyLock` of one",
    note = "give `client = ...` an `InprocClient`, a `TieredClient`, or your own type that implements `chorde::Cache` and `chorde::Client<V>`"
)]
pub trait Cache: Send + Sync {
    /// Returns who this client is and whose time it keeps. Handles of one store share one identity.
    fn identity(&self) -> &Identity;

    /// Removes an entry; returns whether there was a valid one.
    fn delete_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send;

    /// Marks an entry as stale but keeps it; returns whether there was a valid one.
    fn expire_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send;

    /// Lengthens the life of a valid entry to `ttl` from now, never shortens it, never revives a stale one; returns
    /// whether the entry is valid.
    fn renew_entry(&self, key: &Key, ttl: Duration) -> impl Future<Output = Result<bool>> + Send;

    /// Returns whether there is an entry that stays valid for longer than `min_ttl`, without fetching its value.
    fn contains_entry(&self, key: &Key, min_ttl: Duration) -> impl Future<Output = Result<bool>> + Send;

    /// Removes all entries.
    fn clear_all(&self) -> impl Future<Output = Result<()>> + Send;

    /// Forgets all entries whose keys are in the namespace that `path` leads to, or in one inside of it.
    ///
    /// May only make them unreachable, leaving it to eviction and expiry to take their space.
    fn clear_namespace(&self, path: Path<'_>) -> impl Future<Output = Result<()>> + Send;

    /// Removes the entries that have been stale for longer than `grace`.
    fn purge_stale(&self, grace: Duration) -> impl Future<Output = Result<()>> + Send;

    /// Returns how much each tier can hold, the nearest first, in the client's unit.
    fn capacities(&self) -> impl Future<Output = Result<Vec<u64>>> + Send;

    /// Returns how much each tier holds, the nearest first, in the client's unit.
    fn usages(&self) -> impl Future<Output = Result<Vec<u64>>> + Send;

    /// Returns how many tiers this client has, counted as [`ReadOptions::max_tiers`] and [`WriteOptions::max_tiers`]
    /// count them.
    fn tiers(&self) -> usize {
        1
    }

    /// Returns whether what is stored here is seen outside of this process, or by the next one.
    ///
    /// Shared stores tell functions apart by the names of their namespaces alone. A function of which another function of this
    /// process has the name computes without a client that is shared, and logs that once.
    ///
    /// The default, that it is, cannot mix up anything. A client whose entries are in memory only says no; one that wraps
    /// another passes the question on.
    fn is_shared(&self) -> bool {
        true
    }

    /// Returns by how much the lives that this client shows may be longer than they are: zero where they are exact, as in
    /// process; a tick of the server's clock for a store that counts in such. A copy of an entry must live for less by that.
    fn resolution(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns whether the bytes of keys mean something to this client. One for which their digests stand, as for those in process,
    /// says no, and is spared the making of them by some operations.
    fn reads_bytes(&self) -> bool {
        true
    }

    /// Returns whether no operation of this client has to be waited for: whether each of its futures is ready when it is first
    /// polled, as in process. Then a miss allocates less and boxes nothing.
    fn answers_at_once(&self) -> bool {
        false
    }

    /// Returns which revision of its namespaces the key has, as far as the client knows: another one after each
    /// [`clear_namespace`](Self::clear_namespace) that concerns it, zero before the first.
    ///
    /// Answers from memory. Clients of shared stores may lag behind the other processes by a delay that they state; if they
    /// have not been told for longer, they say so: [`Revision::is_current`].
    fn revision(&self, probe: &Probe<'_>) -> Revision {
        Revision::current(self.identity().revision(probe.path))
    }

    /// Returns the number of the same revision; a client of a shared store that was not told of late asks the store first.
    ///
    /// Who is about to compute without a [claim](Client::claim) asks this, to tell later clears from those before. If the store
    /// does not answer, it is what the client knows.
    fn current_revision(&self, key: &Key) -> impl Future<Output = u64> + Send {
        async move { self.revision(&key.probe()).number }
    }
}

/// The part of a client that reads and writes values of type `V`.
///
/// Implement [`Cache`], and then this for the values that the client can hold; the methods without a body are enough. Run
/// [the conformance suite](crate::testing::conformance) on the result.
///
/// The entry of one key has one value: writing one of another type replaces it, and reading it as another type is a miss.
#[diagnostic::on_unimplemented(
    message = "the client `{Self}` cannot hold values of type `{V}`",
    label = "cannot hold `{V}`",
    note = "in-process clients hold any `Clone + Send + Sync + 'static`; wrap the value in an `Arc`, or use `encode` and `decode`",
    note = "a client that is made later is kept in a `LazyLock`; of an `OnceLock` or an `Option`, name a function that returns what is in it: `client = cache()`"
)]
pub trait Client<V: Value>: Cache {
    /// Says at once what is held under a key; `None` means that only waiting can tell.
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        let _ = (probe, options);
        None
    }

    /// Returns at once the value of a key that a call on these terms can be served: valid, and not due. `None` may mean
    /// anything else; [`look`](Self::look) tells.
    ///
    /// The hit path of a cached function is this call and nothing else. The default asks `look`; a client whose entries
    /// are in memory may do better by judging an entry where it lies.
    fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
        fresh_by_look(self, probe, policy)
    }

    /// Returns whether it is known at once that nothing is held under a key, and that a [claim](Self::claim) of it would be won
    /// with no token to show: what a miss asks before it computes. `false` may mean anything else; `claim` tells.
    ///
    /// The default is `false`, which is right for every client.
    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        let _ = probe;
        false
    }

    /// Returns the entry of a key, a stale one included.
    fn get_entry(
        &self,
        key: &Key,
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Option<Entry<V>>>> + Send;

    /// Returns the entries of several keys, in their order.
    fn get_entries(
        &self,
        keys: &[Key],
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Vec<Option<Entry<V>>>>> + Send {
        async move {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                entries.push(self.get_entry(key, options).await?);
            }
            Ok(entries)
        }
    }

    /// Stores a value, whatever was there.
    fn put_entry(
        &self,
        key: &Key,
        value: V,
        ttl: Duration,
        options: WriteOptions,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Stores several values with one time to live.
    fn put_entries(
        &self,
        entries: Vec<(Key, V)>,
        ttl: Duration,
        options: WriteOptions,
    ) -> impl Future<Output = Result<()>> + Send {
        async move {
            for (key, value) in entries {
                self.put_entry(&key, value, ttl, options).await?;
            }
            Ok(())
        }
    }

    /// Stores a value where no valid one is; returns whether it did. Of several at once exactly one does.
    fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> impl Future<Output = Result<bool>> + Send;

    /// Does the same as `options` say: a tiered client copies its far values to the near tier by this, with their age.
    ///
    /// The default ignores the options.
    fn add_entry_with(
        &self,
        key: &Key,
        value: V,
        ttl: Duration,
        options: WriteOptions,
    ) -> impl Future<Output = Result<bool>> + Send {
        let _ = options;
        self.add_entry(key, value, ttl)
    }

    /// Copies the entry of a key to the nearest tier; returns whether there was a valid one to copy.
    fn promote_entry(&self, key: &Key) -> impl Future<Output = Result<bool>> + Send {
        async move { Ok(self.get_entry(key, ReadOptions::new()).await?.is_some_and(|entry| !entry.is_stale())) }
    }

    /// Reads a key and, where nothing usable is held, takes on its computation for all who share the store.
    ///
    /// Clients that cannot lease keep the default, by which every claim is won.
    fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> impl Future<Output = Result<Claim<V>>> + Send {
        async move { Ok(Claim::won(self.get_entry(key, options.read_options()).await?, options)) }
    }

    /// Stores what a claim was taken for; returns whether it did. Drops the value when the key was written, invalidated
    /// or cleared since the claim, as far as the client can tell.
    fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> impl Future<Output = Result<bool>> + Send {
        async move {
            let _ = token;
            self.put_entry(key, value, ttl, WriteOptions::new()).await?;
            Ok(true)
        }
    }

    /// Does the same, told more: what time it was a moment ago, for reading a clock takes as long as all the rest of a store in
    /// memory; and to which revision the value belongs, so that a store in memory can refuse it under its lock.
    fn fill_at(
        &self,
        key: &Key,
        token: Token,
        value: V,
        ttl: Duration,
        computed: Computed,
    ) -> impl Future<Output = Result<bool>> + Send {
        let _ = computed;
        self.fill(key, token, value, ttl)
    }

    /// Gives a claim back unused, so that the next one who asks wins. Must not block.
    fn release(&self, key: &Key, token: Token) {
        let _ = (key, token);
    }
}

/// Judges what a client [shows](Client::look) by the terms of a call.
pub(crate) fn fresh_by_look<V: Value>(
    client: &(impl Client<V> + ?Sized),
    probe: &Probe<'_>,
    policy: &CallPolicy,
) -> Option<V> {
    let rough = client.look(probe, ReadOptions::new().roughly())?.into_entry()?;
    let entry = if rough.vitals().outlives(policy) {
        // Its end does not tell whether it is young enough: its exact age does.
        client.look(probe, ReadOptions::new())?.into_entry()?
    } else {
        rough
    };
    (decide(Some(entry.vitals()), policy) == Decision::Serve).then_some(entry.value)
}
