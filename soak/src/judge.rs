//! What is a violation, and what is excused by a fault (PURE): it is told all that happens, and the time of it.
//!
//! What chorde promises, as this judge takes it from its documentation:
//!
//! * No value is older than its ttl, which begins when the store has it. A store that hangs takes it when it goes on.
//! * No value is of another key, whatever happens.
//! * What was put, invalidated, expired or cleared with success is not followed by anything older: at once in the process
//!   that did it, and in others, except for the copies in their near tiers; a clear after `clear_delay` and there too. While
//!   servers fail, processes may differ about which one is in use, and show what that one held, up to its ttl. A process that
//!   stood still may show what it had in hand; others are shown nothing of it.
//! * A key is computed once in the fleet for each period. Faults may cause a further computation.
//! * A call fails only if its function does, and ends.
//! * What a server that came back causes is over after [`RECOVERY`]; when nobody calls, all are in use and nothing is left under way.

mod memory;
mod windows;

use std::collections::HashMap;

pub(crate) use memory::{Sample, growth};
pub(crate) use windows::{Window, Windows};

use super::functions::{CLEAR_DELAY, Described, FUNCTIONS, Scope};
use super::time::{MILLIS, SECOND};
use super::words::{Change, How, Resting, Sight, Stamped, What};

/// How long servers that came back may stay out of use: the documented two seconds, and some for a busy machine.
pub(crate) const RECOVERY: u64 = 3 * SECOND;

/// How long the store may take to have a value while nothing fails.
pub(crate) const STORE: u64 = 300 * MILLIS;

/// By how much a server may notice too late that a second is over, which lengthens all lives by that: on a machine with
/// more to do than it can, ticks came up to 0.42 s late.
const LATE_TICK: u64 = 500 * MILLIS;

/// How long it may take while something does: the deadline of an operation, sent twice at most.
const TROUBLED_STORE: u64 = 1_500 * MILLIS;

/// How long a call may take: to wait for the lease of a process that died, to compute, and for what the store takes.
pub(crate) const LONG_CALL: u64 = 10 * SECOND;

/// How long the flight of a value goes on after its function has returned: others are given the value until it is stored.
const LANDING: u64 = SECOND;

/// How much of what happened before and after is told with a violation.
const AROUND: u64 = 12 * SECOND;

/// A computation that has begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Computed {
    pub(crate) worker: u16,
    pub(crate) begun: u64,
    /// Whether it was told to fail, so that nothing was stored.
    pub(crate) is_refused: bool,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) computations: u64,
    /// Pairs of successive computations of a key that only time could have made necessary.
    pub(crate) judged: u64,
    /// Computations that were one too many, around faults.
    pub(crate) extra: u64,
    /// Values that were too old, by what others say, around faults.
    pub(crate) excused: u64,
    /// Times at which a server failed to answer, for a client, though nothing was done to it: the machine is too slow.
    pub(crate) unexplained: u64,
}

/// Sees everything.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    pub(crate) windows: Windows,
    computed: HashMap<(usize, u64, u16), Vec<Computed>>,
    changes: Vec<Change>,
    sights: Vec<Sight>,
    pub(crate) counts: Counts,
}

impl Judge {
    pub(crate) fn computed(&mut self, function: usize, key: u64, computed: Computed) {
        self.counts.computations += 1;
        let process = if FUNCTIONS[function].is_local() { computed.worker } else { 0 };
        self.computed.entry((function, key, process)).or_default().push(computed);
    }

    pub(crate) fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn saw(&mut self, sight: Sight) {
        self.sights.push(sight);
    }

    /// Takes in that a process's client had trouble with a server.
    pub(crate) fn troubled(&mut self, worker: u16, scope: Scope, from: u64, to: u64) {
        if self.windows.parted(worker, scope, from, to).is_none() {
            self.counts.unexplained += 1;
        }
        self.windows.open(Window { scope, kind: "trouble", from, to: Some(to), hangs: true });
    }

    /// Judges all that has happened so far; returns what must not have. Called when everybody has told everything.
    pub(crate) fn settle(&mut self, now: u64) -> Vec<String> {
        let mut violations = Vec::new();
        for sight in std::mem::take(&mut self.sights) {
            match self.violation(&sight) {
                Some(text) => violations.push(text),
                None => self.counts.excused += 1,
            }
        }
        for ((function, key, process), mut list) in std::mem::take(&mut self.computed) {
            list.sort_by_key(|computed| computed.begun);
            for pair in list.windows(2) {
                let again = self.again(function, key, pair[0], pair[1]);
                violations.extend(again.map(|text| format!("{text}; {}", self.around(function, key, &list, pair[1]))));
            }
            let last = list.split_off(list.len() - 1);
            self.computed.insert((function, key, process), last);
        }
        self.windows.forget(now);
        self.changes.retain(|change| change.to + 30 * SECOND > now);
        violations
    }

    /// Judges two successive computations of one key.
    fn again(&mut self, function: usize, key: u64, first: Computed, second: Computed) -> Option<String> {
        let described = &FUNCTIONS[function];
        if first.is_refused || self.changes.iter().any(|change| explains(change, function, key, first, second)) {
            return None;
        }
        self.counts.judged += 1;
        let (gap, least) = (second.begun - first.begun, described.least_gap());
        if gap >= least {
            return None;
        }
        let who = if described.is_local() { Scope::Process(first.worker) } else { described.scope };
        if self.windows.around(who, first.begun, second.begun).is_some() {
            self.counts.extra += 1;
            return None;
        }
        Some(format!(
            "{} of {key} was computed by {} at {}, and again by {} {} ms later, not {} ms",
            described.name,
            first.worker,
            first.begun,
            second.worker,
            gap / MILLIS,
            least / MILLIS,
        ))
    }

    /// Tells what happened to a key around a computation, for whoever has to find out why.
    fn around(&self, function: usize, key: u64, list: &[Computed], at: Computed) -> String {
        let ago = |time: u64| format!("{} ms", (time as i64 - at.begun as i64) / MILLIS as i64);
        let near = |from: u64, to: u64| from <= at.begun + AROUND && to + AROUND >= at.begun;
        let computed = list.iter().filter(|other| near(other.begun, other.begun));
        let computed = computed.map(|Computed { worker, begun, is_refused }| {
            format!("{} by {worker} at {}", if *is_refused { "refused" } else { "computed" }, ago(*begun))
        });
        let of_key = |change: &&Change| change.function == function && change.key.is_none_or(|of| of == key);
        let changes = self.changes.iter().filter(of_key).filter(|change| near(change.from, change.to));
        let changes = changes.map(|Change { worker, how, from, to, .. }| {
            format!("{how:?} by {worker} from {} to {}", ago(*from), ago(*to))
        });
        let faults = self.windows.near(at.begun.saturating_sub(AROUND), at.begun + AROUND);
        let faults = faults.map(|window| {
            format!("{} of {:?} from {} to {:?}", window.kind, window.scope, ago(window.from), window.to.map(ago))
        });
        computed.chain(changes).chain(faults).collect::<Vec<_>>().join(", ")
    }

    /// Returns what is wrong with what was seen, unless a fault excuses it.
    fn violation(&self, sight: &Sight) -> Option<String> {
        let function = &FUNCTIONS[sight.function];
        let is_wrong = match (&sight.what, &sight.value) {
            (What::Old(_), Some(value)) => !self.may_be_old(function, value, sight),
            (What::Before(change), Some(value)) => !self.may_be_before(function, value, change, sight),
            (What::Slow(time), _) => *time > LONG_CALL + self.windows.stalled(sight.worker, sight.from, sight.to),
            _ => true,
        };
        is_wrong.then(|| format!("{} of {}: {sight:?}", function.name, sight.key))
    }

    /// Whether the store may have had the value so late that it was still valid.
    fn may_be_old(&self, function: &Described, value: &Stamped, sight: &Sight) -> bool {
        let stored = if function.is_local() {
            value.done + STORE + self.windows.stalled(sight.worker, value.done, sight.from)
        } else {
            self.windows.stored_by(function.scope, value.done, (STORE, TROUBLED_STORE)) + LATE_TICK
        };
        sight.from <= stored + function.ttl + self.windows.stalled(sight.worker, sight.from, sight.from)
    }

    /// Whether a value may be shown that is from before a change.
    fn may_be_before(&self, function: &Described, value: &Stamped, change: &Change, sight: &Sight) -> bool {
        if function.is_local() {
            return false;
        }
        // Whoever computed it gave it to all who asked until it was stored.
        // Until all have noticed that all was cleared, some look for a key where others do not.
        let parts = |clear: &&Change| {
            clear.how == How::Clear
                && clear.function == sight.function
                && clear.from <= sight.from
                && clear.to + CLEAR_DELAY + SECOND >= value.begun
        };
        if change.how != How::Clear && self.changes.iter().any(|change| parts(&change)) {
            return true;
        }
        let is_landing =
            sight.worker != change.worker && value.done >= change.from && sight.from <= value.done + LANDING;
        is_landing || self.windows.parted(sight.worker, function.scope, value.begun, sight.from).is_some()
    }
}

/// Whether a change makes the second computation necessary. That one may have been claimed before the change, and the first
/// after it: the change took the claim away, but not the turn.
fn explains(change: &Change, function: usize, key: u64, first: Computed, second: Computed) -> bool {
    let seen = change.to + if change.how == How::Clear { CLEAR_DELAY + SECOND } else { 0 };
    let until = seen + FUNCTIONS[function].longest_claim();
    let is_of_key = change.function == function && change.key.is_none_or(|of| of == key);
    let is_local = FUNCTIONS[function].is_local();
    is_of_key && change.from <= second.begun && until >= first.begun && (!is_local || change.worker == second.worker)
}

/// Returns what is wrong with a worker that rests, given the names of the nodes of the cluster.
pub(crate) fn unrest(resting: &Resting, nodes: &[String]) -> Vec<String> {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    let complaints = [
        (resting.busy > 0, format!("{} calls do not end", resting.busy)),
        (!resting.is_drained, "background work does not end".to_owned()),
        (resting.in_flight > 0, format!("{} computations are said to be under way", resting.in_flight)),
        (!resting.lost.is_empty(), format!("not in use again: {:?}", resting.lost)),
        (
            sorted(&resting.cluster) != sorted(nodes),
            format!("in use of the cluster: {:?}, which has {nodes:?}", resting.cluster),
        ),
    ];
    complaints.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, text)| text).collect()
}

/// Says whether a change by one process is to be seen by another, and from when on.
pub(crate) fn seen_from(function: &Described, change: &Change, worker: u16) -> Option<u64> {
    match (change.worker == worker, change.how) {
        (true, _) => Some(change.to),
        (false, _) if function.is_local() => None,
        (false, How::Clear) => Some(change.to + CLEAR_DELAY + SECOND),
        (false, _) if function.is_tiered => None,
        (false, _) => Some(change.to),
    }
}

#[cfg(test)]
mod tests;
