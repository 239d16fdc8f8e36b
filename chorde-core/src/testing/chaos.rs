//! A client that fails as told, around any other one: for tests of what a program does when its cache does not do its part.
//!
//! [`ChaosClient`] passes operations on to the client inside, but for those that the dice of its seed pick out by the odds
//! of its [`Faults`]: they fail, take long, miss, are lost, or bring the value of another key. It needs no server and no
//! waiting: delays pass by the client's clock, so that a [`ManualClock`](crate::ManualClock) makes an hour of them pass.
//!
//! | file | what it does |
//! |---|---|
//! | `faults.rs` | what can go wrong, with which odds |
//! | `dice.rs` | what goes wrong with one operation (PURE, but for the dice) |
//! | `counts.rs` | what went wrong so far |
//! | `others.rs` | values of other keys, to be mistaken for the right one |
//! | `client.rs` | the traits |

mod client;
mod counts;
mod dice;
mod faults;
mod others;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use counts::FaultCounts;
pub use faults::{FaultKind, Faults, Operation};

use self::dice::{Dice, Fate};
use self::others::Others;
use crate::client::{Cache, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;

/// Wraps a client and makes its operations fail, with odds that can be changed at any time.
///
/// Cheap to clone; clones share the client, the odds and the dice. It has the identity of the client inside: its clock, and
/// the computations of functions, which are shared among all handles of one store.
///
/// While nothing is to go wrong ([`Faults::none`], as at the start) it does exactly what the client inside does. While
/// anything may go wrong with reads it says nothing [at once](crate::Client::look), as a store behind a network.
///
/// # Concurrency
///
/// Dice are thrown in the order in which operations begin: with one caller, one seed makes one sequence of faults,
/// whatever the odds; to raise them adds faults and takes none away.
///
/// # Examples
///
/// A cache that is down is a cache that misses, and no error for callers:
///
/// ```
/// use std::time::Duration;
///
/// use chorde_core::testing::{ChaosClient, FaultKind, Faults};
/// use chorde_core::{CacheExt, InprocClient, Wait};
///
/// let cache = ChaosClient::new(InprocClient::new(100), 1);
/// cache.put(&1, "one", Duration::from_secs(60)).wait()?;
///
/// cache.set(Faults::none().errors(1.0));
/// assert!(cache.get::<&str>(&1).wait().is_err());
/// assert_eq!(cache.counts().faults(FaultKind::Error), 1);
///
/// cache.set(Faults::none());
/// assert_eq!(cache.get::<&str>(&1).wait()?, Some("one"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct ChaosClient<C>(Arc<Inner<C>>);

struct Inner<C> {
    client: C,
    dice: Mutex<Dice>,
    others: Others,
}

impl<C> Clone for ChaosClient<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> ChaosClient<C> {
    /// Wraps a client; nothing goes wrong before [`set`](Self::set). The same seed makes the same faults.
    #[must_use]
    pub fn new(client: C, seed: u64) -> Self {
        Self(Arc::new(Inner { client, dice: Mutex::new(Dice::new(seed)), others: Others::default() }))
    }

    /// Sets what goes wrong from now on. Operations that have begun are not concerned.
    pub fn set(&self, faults: Faults) {
        self.dice().faults = faults;
    }

    /// Returns what goes wrong at the moment.
    pub fn faults(&self) -> Faults {
        self.dice().faults
    }

    /// Returns what was done and what went wrong so far.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.dice().counts
    }

    /// Returns the client inside, with which nothing goes wrong.
    #[must_use]
    pub fn inner(&self) -> &C {
        &self.0.client
    }

    /// Makes values of type `V` for [`wrong_values`](Faults::wrong_values), in place of those of other keys that were
    /// read or written through this client; `None` leaves the right one.
    pub fn lie_with<V: Value>(&self, lie: impl Fn(&Key) -> Option<V> + Send + Sync + 'static) {
        self.0.others.lie_with(lie);
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.0.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws the dice for an operation on so many keys.
    fn throw(&self, operation: Operation, keys: usize) -> Vec<Fate> {
        self.dice().throw(operation, keys)
    }
}

impl<C: Cache> ChaosClient<C> {
    /// Lets an operation take as long as it is to take, and fail if it is to fail.
    async fn suffer(&self, fate: Fate) -> Result<()> {
        if let Some(delay) = fate.delay {
            self.0.client.identity().clock().sleep(delay).await;
        }
        if fate.fails {
            Err(Error::new(ErrorKind::Unavailable, "an error on purpose: a fault was set"))
        } else {
            Ok(())
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for ChaosClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (faults, counts) = (self.faults(), self.counts());
        f.debug_struct("ChaosClient")
            .field("client", &self.0.client)
            .field("faults", &faults)
            .field("counts", &counts)
            .finish()
    }
}
