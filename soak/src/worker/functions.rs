//! The cached functions, and their clients. What is promised of each is in `functions.rs` of the run, in the same order.

use std::sync::LazyLock;
use std::time::Duration;

use chorde::prelude::*;
use chorde::{ElastiCacheClient, Error, InprocClient, MemcachedClient, TieredClient};

use super::clock::CLOCK;
use super::origin::{compute, compute_sync};
use super::setting;
use crate::words::{Refused, Stamped};

/// How often the cluster is asked for its nodes.
const POLLS: Duration = Duration::from_millis(200);

pub(super) static NAMED: LazyLock<MemcachedClient> = LazyLock::new(|| {
    let builder = MemcachedClient::builder().servers(setting().named.clone()).checksum_key("soak").clock(CLOCK.clone());
    builder.build().expect("invariant: the settings can work")
});

pub(super) static CLUSTER: LazyLock<ElastiCacheClient> = LazyLock::new(|| {
    let builder = ElastiCacheClient::builder().endpoint(&setting().endpoint).checksum_key("soak").poll_interval(POLLS);
    builder.clock(CLOCK.clone()).build().expect("invariant: the settings can work")
});

/// A store that is full after some clears: what they leave behind takes room, and must not be taken for a leak.
fn near() -> InprocClient {
    InprocClient::builder().capacity(1000).clock(CLOCK.clone()).build().expect("invariant: the settings can work")
}

static NAMED_TIERS: LazyLock<TieredClient<InprocClient, &MemcachedClient>> =
    LazyLock::new(|| TieredClient::new(near(), &*NAMED));

static CLUSTER_TIERS: LazyLock<TieredClient<InprocClient, &ElastiCacheClient>> =
    LazyLock::new(|| TieredClient::new(near(), &*CLUSTER));

static LOCAL: LazyLock<InprocClient> = LazyLock::new(near);

#[cached(client = NAMED, ttl = 5, ttl_spread = none, lease = 2)]
async fn named(key: u64) -> Result<Stamped, Refused> {
    compute(0, key).await
}

#[cached(client = NAMED, ttl = 5, async_ttl = -4, ttl_spread = none, lease = 2)]
fn named_ahead(key: u64) -> Result<Stamped, Refused> {
    compute_sync(1, key)
}

#[cached(client = CLUSTER, ttl = 5, async_ttl = -4, ttl_spread = none, lease = 2)]
async fn cluster_ahead(key: u64) -> Result<Stamped, Refused> {
    compute(2, key).await
}

#[cached(client = CLUSTER, ttl = 5, ttl_spread = none, lease = 2)]
fn cluster(key: u64) -> Result<Stamped, Refused> {
    compute_sync(3, key)
}

#[cached(client = NAMED_TIERS, ttl = 5, ttl_spread = none, lease = 2)]
async fn named_tiers(key: u64) -> Result<Stamped, Refused> {
    compute(4, key).await
}

#[cached(client = CLUSTER_TIERS, ttl = 5, async_ttl = -4, ttl_spread = none, lease = 2)]
fn cluster_tiers_ahead(key: u64) -> Result<Stamped, Refused> {
    compute_sync(5, key)
}

#[cached(client = LOCAL, ttl = 2, ttl_spread = none, lease = 2)]
async fn local(key: u64) -> Result<Stamped, Refused> {
    compute(6, key).await
}

#[cached(client = LOCAL, ttl = 4, async_ttl = -2, ttl_spread = none, lease = 2)]
fn local_ahead(key: u64) -> Result<Stamped, Refused> {
    compute_sync(7, key)
}

#[cached(client = NAMED_TIERS, ttl = 5, ttl_spread = none, lease = 2)]
fn named_seldom(key: u64) -> Result<Stamped, Refused> {
    compute_sync(8, key)
}

/// What is done with a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    Call,
    Peek,
    Lazy,
    /// Looks for stale values as well.
    Show,
    Refresh,
    Put(Box<Stamped>),
    Invalidate,
    Expire,
    Clear,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Came {
    Value(Stamped),
    /// A value that is told to be stale.
    Stale(Stamped),
    Nothing,
    /// The parent told it to fail.
    Refused,
    /// The store cannot be changed, and says so.
    Failed,
}

impl From<Result<Stamped, Refused>> for Came {
    fn from(computed: Result<Stamped, Refused>) -> Self {
        computed.map_or_else(|Refused| Self::Refused, Self::Value)
    }
}

impl From<Option<Stamped>> for Came {
    fn from(found: Option<Stamped>) -> Self {
        found.map_or(Self::Nothing, Self::Value)
    }
}

impl From<Result<(), Error>> for Came {
    fn from(done: Result<(), Error>) -> Self {
        done.map_or_else(|_| Self::Failed, |()| Self::Nothing)
    }
}

impl From<Option<chorde::Entry<Stamped>>> for Came {
    fn from(entry: Option<chorde::Entry<Stamped>>) -> Self {
        match entry {
            Some(entry) if entry.is_stale() => Self::Stale(entry.value),
            Some(entry) => Self::Value(entry.value),
            None => Self::Nothing,
        }
    }
}

/// Waits for what an asynchronous function does.
macro_rules! awaited {
    ($future:expr) => {
        $future.await.into()
    };
}

/// Takes what a plain function did.
macro_rules! done {
    ($outcome:expr) => {
        $outcome.into()
    };
}

/// Does something with the function of this number.
macro_rules! deed {
    ($take:ident: ($number:expr, $key:expr, $deed:expr), $($place:literal $function:ident),*) => {
        match $number {
            $($place => match $deed {
                Deed::Call => $take!($function($key)),
                Deed::Peek => $take!($function::peek($key)),
                Deed::Lazy => $take!($function::lazy($key)),
                Deed::Show => $take!($function::get_ttl($key)),
                Deed::Refresh => $take!($function::refresh($key)),
                Deed::Put(value) => $take!($function::put($key, *value)),
                Deed::Invalidate => $take!($function::invalidate($key)),
                Deed::Expire => $take!($function::expire($key)),
                Deed::Clear => $take!($function::clear()),
            },)*
            other => unreachable!("no such function: {other}"),
        }
    };
}

pub(super) async fn do_async(function: usize, key: u64, deed: Deed) -> Came {
    deed!(awaited: (function, key, deed), 0 named, 2 cluster_ahead, 4 named_tiers, 6 local)
}

pub(super) fn do_sync(function: usize, key: u64, deed: Deed) -> Came {
    deed!(done: (function, key, deed), 1 named_ahead, 3 cluster, 5 cluster_tiers_ahead, 7 local_ahead, 8 named_seldom)
}

#[cfg(test)]
mod tests {
    use chorde::RefreshPoint;

    use super::*;
    use crate::functions::FUNCTIONS;

    #[test]
    fn the_functions_are_what_they_are_described_as() {
        let due = |point: RefreshPoint| match point {
            RefreshPoint::Age(age) => Some(age.as_nanos() as u64),
            _ => None,
        };
        macro_rules! described {
            ($($place:literal $function:ident),*) => {$(
                let described = &FUNCTIONS[$place];
                assert_eq!(described.name, stringify!($function));
                assert_eq!(described.ttl, $function::ttl().as_nanos() as u64);
                assert_eq!(described.due, due($function::async_ttl()));
            )*};
        }
        described!(0 named, 1 named_ahead, 2 cluster_ahead, 3 cluster, 4 named_tiers, 5 cluster_tiers_ahead, 6 local);
        described!(7 local_ahead, 8 named_seldom);
    }
}
