//! Where a key lives: for each key an order of the servers, best first. PURE.
//!
//! The first server of the order that is alive is asked. So the second is where a key goes when the first fails, and where
//! it stays should the first leave for good: nothing moves twice.
//!
//! An order depends on the names and weights of the servers alone, not on their addresses nor on the sequence in which they
//! are given, and is the same on every machine and in every release: golden vectors see to that. The cluster asks for one
//! order per key; it knows nothing of which servers are alive.

mod ketama;
mod rendezvous;
#[cfg(test)]
mod tests;

use self::ketama::Ketama;
use self::rendezvous::Rendezvous;
use crate::server::Server;

/// Chooses how keys are spread over the servers.
///
/// All clients of a fleet must use the same, or they do not find each other's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// Weighted rendezvous hashing: for each key every server draws a lot, and the best one wins. Even to within 2 % for
    /// fifty servers; when one of N goes, its keys move and no others.
    #[default]
    Rendezvous,
    /// The ring of libmemcached's weighted ketama with MD5, for fleets that are shared with clients which know nothing
    /// else. 160 points per server on average. Less even than rendezvous: the fullest of fifty servers has a sixth more
    /// keys than the mean. A change of the list may move a few keys of other servers too, since the number of points of a
    /// server depends on the weights of all.
    Ketama,
}

/// The placement of keys over one list of servers.
#[derive(Debug)]
pub(crate) enum Ring {
    Rendezvous(Rendezvous),
    Ketama(Ketama),
}

impl Ring {
    /// Prepares the placement over `servers`, whose names differ.
    pub(crate) fn new(servers: &[Server], placement: Placement) -> Self {
        match placement {
            Placement::Rendezvous => Self::Rendezvous(Rendezvous::new(servers)),
            Placement::Ketama => Self::Ketama(Ketama::new(servers)),
        }
    }

    /// Returns the order of the servers for a wire key, best first, as indexes into the list that the ring was made of.
    ///
    /// Each step does its own share of the work, so that to take the first costs no more than finding it; nothing is
    /// allocated for the first few.
    pub(crate) fn order(&self, key: &[u8]) -> Order<'_> {
        match self {
            Self::Rendezvous(ring) => Order::Rendezvous(ring.order(key)),
            Self::Ketama(ring) => Order::Ketama(ring.order(key)),
        }
    }
}

/// Yields the index of each server once, best first.
#[derive(Clone, Debug)]
pub(crate) enum Order<'a> {
    Rendezvous(rendezvous::Order<'a>),
    Ketama(ketama::Order<'a>),
}

impl Iterator for Order<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Self::Rendezvous(order) => order.next(),
            Self::Ketama(order) => order.next(),
        }
    }
}

/// Returns the positions of the servers sorted by name: what makes a ring forget the sequence in which they were given.
fn by_name(servers: &[Server]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..servers.len()).collect();
    positions.sort_by_key(|&position| servers[position].name());
    positions
}
