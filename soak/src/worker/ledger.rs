//! What this process knows of changes, and whether what it sees agrees with them. What does not is told to the parent,
//! which knows the faults.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use super::origin;
use super::setting;
use crate::functions::FUNCTIONS;
use crate::judge::{STORE, seen_from};
use crate::time::{SECOND, now};
use crate::words::{Change, How, Sight, Stamped, Tally, Told, What};

/// How many changes of one key are remembered: more than one, since the last may be later than a call that goes on.
const REMEMBERED: usize = 4;

#[derive(Default)]
struct Ledger {
    changes: HashMap<(usize, Option<u64>), Vec<Change>>,
    /// What has been told of already, so that each value is told of once.
    told: HashSet<(usize, u64, Option<u64>)>,
    tally: Tally,
}

static LEDGER: LazyLock<Mutex<Ledger>> = LazyLock::new(Mutex::default);

fn with<R>(then: impl FnOnce(&mut Ledger) -> R) -> R {
    then(&mut LEDGER.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A call, from its begin to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) function: usize,
    pub(super) key: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Remembers a change that has succeeded, here or elsewhere.
pub(super) fn changed(change: Change) {
    with(|ledger| {
        let changes = ledger.changes.entry((change.function, change.key)).or_default();
        changes.push(change);
        if changes.len() > REMEMBERED {
            changes.remove(0);
        }
    });
}

/// Counts a change, remembers it and tells the parent.
pub(super) fn change(change: Change) {
    with(|ledger| ledger.tally.changes += 1);
    if change.is_done && change.how != How::Refresh {
        changed(change);
    }
    origin::tell(&Told::Changed(change));
}

/// Counts a call, whatever came of it.
pub(super) fn called(call: Call) {
    with(|ledger| {
        ledger.tally.calls += 1;
        ledger.tally.longest = ledger.tally.longest.max(call.to - call.from);
    });
}

/// Compares a value with what is known.
pub(super) fn check(call: Call, value: &Stamped) {
    let what = with(|ledger| {
        ledger.tally.values += 1;
        let wrong = ledger.wrong(call, value)?;
        ledger.told.insert((value.function, value.key, value.serial)).then_some(wrong)
    });
    if let Some(what) = what {
        saw(call, what, Some(value.clone()));
    }
}

/// Whether a value is of the key that was called; all that a stale one promises.
pub(super) fn check_key(call: Call, value: &Stamped) {
    if (value.function, value.key) != (call.function, call.key) {
        saw(call, What::Key, Some(value.clone()));
    }
}

impl Ledger {
    fn wrong(&mut self, call: Call, value: &Stamped) -> Option<What> {
        if (value.function, value.key) != (call.function, call.key) {
            return Some(What::Key);
        }
        let function = &FUNCTIONS[call.function];
        let end = value.done + function.ttl;
        if call.from > end + STORE {
            return Some(What::Old(call.from - end));
        }
        let known =
            [Some(call.key), None].into_iter().filter_map(|key| self.changes.get(&(call.function, key))).flatten();
        for change in known {
            let is_seen = seen_from(function, change, setting().worker).is_some_and(|from| call.from > from);
            // What was put while all was cleared may come before or after that.
            let is_open = value.serial.is_none() && change.how == How::Clear && value.begun + 3 * SECOND > change.from;
            if is_seen && !is_open {
                self.tally.compared += 1;
                if value.begun < change.from {
                    return Some(What::Before(*change));
                }
            }
        }
        None
    }
}

/// Tells the parent what may be wrong.
pub(super) fn saw(call: Call, what: What, value: Option<Stamped>) {
    let Call { function, key, from, to } = call;
    origin::tell(&Told::Saw(Sight { worker: setting().worker, what, function, key, value, from, to }));
}

/// Tells the parent of panics, of whichever thread.
pub(super) fn report_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let time = now();
        saw(Call { function: 0, key: 0, from: time, to: time }, What::Failed(panic.to_string()), None);
        before(panic);
    }));
}

/// Tells the parent what was counted, and forgets what has been told of.
pub(super) fn count(forget: bool) {
    let tally = with(|ledger| {
        if forget {
            ledger.told.clear();
        }
        ledger.tally
    });
    origin::tell(&Told::Counted(tally));
}
