//! Leases, as decisions (PURE): what the answer to a claim means, what a token holds, and when a computer is taken for dead.
//!
//! The rules are those of memcached's meta commands (`doc/protocol.txt`, "Meta Commands"): the first to ask for an item
//! that is not there is given an empty one (a stub) and the win (W), later ones see that it is held (Z); an item with
//! little time left, or marked as stale (X), is won in the same way together with its data. Whoever won stores under the
//! item's number (cas), so that nothing is stored over what has been written or invalidated meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chorde_core::Token;
use dashmap::DashMap;

use crate::command::Item;
use crate::life::{self, GRACE};

/// What an item is worth to one who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has data, within its life.
    Valid,
    /// It has data, past its life.
    Stale,
    /// It has no data: somebody computes.
    Stub,
}

/// Tells how an item stands.
pub(crate) fn standing(item: &Item) -> Standing {
    match item {
        Item { size: 0, .. } => Standing::Stub,
        Item { left, .. } if !life::remaining(*left).is_zero() => Standing::Valid,
        Item { .. } => Standing::Stale,
    }
}

/// Says who is to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The asker.
    Ours,
    /// Another.
    Theirs,
    /// Nobody has been told to.
    Open,
}

/// Tells from the marks of an item whose turn it is.
pub(crate) fn turn(item: &Item) -> Turn {
    match item {
        Item { won: true, .. } => Turn::Ours,
        Item { held: true, .. } => Turn::Theirs,
        Item { .. } => Turn::Open,
    }
}

/// Returns whether an item that was won is kept for as long as the lease lasts. One that goes earlier takes the lease with
/// it: the next who asks would win as well, and what the first computes could not be stored.
///
/// What is valid is not made to last, since it would be valid for longer.
pub(crate) fn outlasts(item: &Item, lease: Duration) -> bool {
    standing(item) != Standing::Stale || item.left.is_none_or(|left| left >= life::of_lease(lease))
}

/// Returns whether a stale item can be made to last for a lease and still be stale; with room for the seconds that begin
/// meanwhile.
pub(crate) fn can_outlast(lease: Duration) -> bool {
    life::of_lease(lease) <= GRACE - 2
}

/// What a claim was granted for, packed into a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The number of the item that was won; below 2^47.
    pub(crate) cas: u64,
    /// Some bits of the name of the server that granted it: numbers of different servers mean nothing to one another.
    pub(crate) node: u16,
    /// Whether good data lies under the key, which must not be deleted when the claim is given back.
    pub(crate) guards_data: bool,
}

impl Grant {
    /// Packs the grant; a number too large to be packed makes the token of a client that cannot lease.
    pub(crate) fn token(self) -> Token {
        if self.cas >> 47 != 0 {
            return Token::default();
        }
        Token::new(self.cas << 17 | u64::from(self.node) << 1 | u64::from(self.guards_data))
    }

    /// Unpacks a token; `None` for one that was not made by [`token`](Self::token).
    pub(crate) fn of(token: Token) -> Option<Self> {
        let number = token.number();
        let node = (number >> 1) as u16;
        (number != 0).then_some(Self { cas: number >> 17, node, guards_data: number & 1 == 1 })
    }
}

/// Remembers which items are held by others, and since when: a computer that dies while it refreshes keeps its win to the
/// item's end, unless somebody takes it away.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The number of each item when it was first seen to be held, and the time in nanoseconds.
    held: DashMap<u64, (u64, u64)>,
    /// Whether there is any; keeps hits from the table.
    any: AtomicBool,
}

/// How many held items are remembered; beyond that all are forgotten, which only delays repairs.
const WATCHED: usize = 4096;

impl Watch {
    /// Notes that an item is held by another; returns whether that one has had it for a whole lease.
    pub(crate) fn held(&self, key: u64, cas: u64, now: u64, lease: u64) -> bool {
        if self.held.len() >= WATCHED && !self.held.contains_key(&key) {
            self.held.clear();
        }
        {
            let mut first = self.held.entry(key).or_insert((cas, now));
            if first.0 != cas {
                *first = (cas, now);
            }
        }
        // Afterwards, so that one who finds nothing and says so is overruled.
        self.any.store(true, Ordering::SeqCst);
        let is_overdue = |(seen, since): &(u64, u64)| *seen == cas && now.saturating_sub(*since) > lease;
        self.held.remove_if(&key, |_, first| is_overdue(first)).is_some()
    }

    /// Forgets an item that is not held.
    pub(crate) fn free(&self, key: u64) {
        if self.any.load(Ordering::Relaxed) {
            self.held.remove(&key);
            if self.held.is_empty() {
                self.any.store(false, Ordering::SeqCst);
                // Another may have come in between.
                self.any.fetch_or(!self.held.is_empty(), Ordering::SeqCst);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stub_is_no_value_and_a_value_stands_by_the_time_left() {
        let item = |size, left| Item { size, left, ..Item::default() };
        assert_eq!(standing(&item(0, Some(100))), Standing::Stub);
        assert_eq!(standing(&item(1, Some(life::GRACE + 1))), Standing::Valid);
        assert_eq!(standing(&item(1, Some(life::GRACE))), Standing::Stale);
    }

    #[test]
    fn a_lease_is_not_to_end_with_a_stale_item() {
        let item = |size, left| Item { size, left: Some(left), ..Item::default() };
        let lease = Duration::from_secs(10);
        assert!(outlasts(&item(1, 11), lease) && !outlasts(&item(1, 10), lease));
        assert!(outlasts(&item(1, GRACE + 1), Duration::from_secs(100)) && outlasts(&item(0, 1), lease));
        // Made to last, it is not to be made to last again.
        let longest = (0..100).map(Duration::from_secs).take_while(|lease| can_outlast(*lease)).last().unwrap();
        assert!(outlasts(&item(1, GRACE - 1), longest) && longest > Duration::from_secs(20));
    }

    #[test]
    fn a_dead_refresher_is_noticed_after_a_lease() {
        let watch = Watch::default();
        assert!(!watch.held(1, 7, 100, 10));
        assert!(!watch.held(1, 7, 110, 10));
        assert!(!watch.held(1, 8, 111, 10), "another state of the item");
        assert!(!watch.held(1, 8, 121, 10));
        assert!(watch.held(1, 8, 122, 10));
        assert!(!watch.held(1, 8, 123, 10), "is repaired once for each lease");
        watch.free(1);
        assert!(watch.held.is_empty());
    }

    #[test]
    fn what_is_watched_is_bounded() {
        let watch = Watch::default();
        for key in 0..3 * WATCHED as u64 {
            watch.held(key, 1, 0, 10);
        }
        assert!(watch.held.len() <= WATCHED);
    }

    #[test]
    fn no_token_is_no_grant() {
        assert_eq!(Grant::of(Token::default()), None);
        assert_eq!(Grant { cas: 1 << 47, node: 1, guards_data: true }.token(), Token::default());
    }

    proptest! {
        #[test]
        fn a_grant_survives_its_token(cas in 1..1_u64 << 47, node: u16, guards_data: bool) {
            let grant = Grant { cas, node, guards_data };
            prop_assert_eq!(Grant::of(grant.token()), Some(grant));
        }
    }
}
