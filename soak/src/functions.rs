//! What is promised of each cached function (PURE). Their code is in `worker/functions.rs`; a test there compares.

use super::judge::STORE;
use super::time::{MILLIS, SECOND};

/// Says whose faults concern something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// The fleet of named nodes, each behind a proxy.
    Named,
    /// The fleet that is found by its endpoint.
    Cluster,
    /// One process: a kill, a step of its clock, a stall. Of the functions, those cached in each process by itself.
    Process(u16),
}

/// Describes a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    pub(crate) name: &'static str,
    /// Where values are kept; `Process` for all processes.
    pub(crate) scope: Scope,
    /// Whether there is a near tier, which others' writes are not seen by before its copies end.
    pub(crate) is_tiered: bool,
    pub(crate) ttl: u64,
    /// From which age on a value is due, if any: nine tenths of it at the earliest.
    pub(crate) due: Option<u64>,
    pub(crate) is_sync: bool,
    /// Whether each process calls it so seldom that it does not hear of clears meanwhile.
    pub(crate) is_seldom: bool,
}

const fn described(name: &'static str, scope: Scope, (ttl, due): (u64, u64)) -> Described {
    let due = if due == 0 { None } else { Some(due * SECOND) };
    Described { name, scope, is_tiered: false, ttl: ttl * SECOND, due, is_sync: false, is_seldom: false }
}

const fn tiered(function: Described) -> Described {
    Described { is_tiered: true, ..function }
}

const fn sync(function: Described) -> Described {
    Described { is_sync: true, ..function }
}

const fn seldom(function: Described) -> Described {
    Described { is_seldom: true, ..function }
}

const LOCAL: Scope = Scope::Process(0);

/// All functions; their place here is what they are called by between processes. Seconds of ttl and of the age at which a
/// value is due, 0 for never.
pub(crate) const FUNCTIONS: [Described; 9] = [
    described("named", Scope::Named, (5, 0)),
    sync(described("named_ahead", Scope::Named, (5, 4))),
    described("cluster_ahead", Scope::Cluster, (5, 4)),
    sync(described("cluster", Scope::Cluster, (5, 0))),
    tiered(described("named_tiers", Scope::Named, (5, 0))),
    tiered(sync(described("cluster_tiers_ahead", Scope::Cluster, (5, 4)))),
    described("local", LOCAL, (2, 0)),
    sync(described("local_ahead", LOCAL, (4, 2))),
    seldom(tiered(sync(described("named_seldom", Scope::Named, (5, 0))))),
];

/// The longest ttl of all.
pub(crate) const LONGEST: u64 = 5 * SECOND;

/// How long a process may not run before that counts as a stall; its clock may be behind by that when a value is stored.
pub(crate) const STALL: u64 = 200 * MILLIS;

/// The lease of all functions; so long a refresh that was claimed may wait in the queue.
const LEASE: u64 = 2 * SECOND;

/// Within what time a clear is noticed by other processes.
pub(crate) const CLEAR_DELAY: u64 = SECOND;

/// The pauses between two calls of what is called seldom, in milliseconds: so long that a clear at their beginning must be
/// noticed at their end, and that a copy from before them is still there.
pub(crate) const SELDOM: std::ops::Range<u64> = 2200..3200;

impl Described {
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.scope, Scope::Process(_))
    }

    /// Returns how long after its claim a computation may begin.
    pub(crate) fn longest_claim(&self) -> u64 {
        STALL + if self.due.is_some() { LEASE } else { 0 }
    }

    /// Returns how soon after a computation has begun the next one of the same key may begin, where nothing but time makes
    /// it necessary: a value lives for its ttl, which none of these functions spreads, or up to its refresh point, which is
    /// drawn from the last tenth before it. A server counts whole seconds: its values live for up to one less. It looks at
    /// its clock a little less than once a second, so that now and then two seconds begin at once: up to two less. The
    /// clock of a process may be behind by what is no stall yet.
    pub(crate) fn least_gap(&self) -> u64 {
        let due = self.due.map_or(self.ttl, |due| due / 10 * 9);
        if self.is_local() { due - STALL - 20 * MILLIS } else { due - 2 * SECOND - STORE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_leave_room_for_whole_seconds() {
        assert_eq!(FUNCTIONS[0].least_gap(), 2700 * MILLIS);
        assert_eq!(FUNCTIONS[1].least_gap(), 1300 * MILLIS);
        assert_eq!(FUNCTIONS[6].least_gap(), 1780 * MILLIS);
        assert!(FUNCTIONS.iter().all(|function| function.ttl <= LONGEST));
    }
}
