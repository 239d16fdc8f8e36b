//! What goes wrong with one operation.

use std::time::Duration;

use fastrand::Rng;

use super::counts::FaultCounts;
use super::faults::{FaultKind, Faults, Operation};

/// The dice of one client, with what they are thrown for.
pub(super) struct Dice {
    rng: Rng,
    pub(super) faults: Faults,
    pub(super) counts: FaultCounts,
}

/// What is to happen to an operation, for one of its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) delay: Option<Duration>,
    pub(super) fails: bool,
    pub(super) misses: bool,
    pub(super) is_lost: bool,
    pub(super) is_wrong: bool,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), faults: Faults::none(), counts: FaultCounts::default() }
    }

    /// Throws for an operation: one fate for each key, at least one. It is delayed and fails as a whole, as the first says.
    pub(super) fn throw(&mut self, operation: Operation, keys: usize) -> Vec<Fate> {
        self.counts.operation(operation);
        let mut fates: Vec<Fate> = (0..keys.max(1)).map(|_| self.fate(operation)).collect();
        let Fate { delay, fails, .. } = fates[0];
        if delay.is_some() {
            self.counts.fault(operation, FaultKind::Delay);
        }
        if fails {
            // Nothing else happens to what has no effect.
            self.counts.fault(operation, FaultKind::Error);
            fates.truncate(1);
            fates[0] = Fate { delay, fails, ..Fate::default() };
            return fates;
        }
        for fate in &mut fates {
            // What misses has no value that could be wrong.
            fate.is_wrong &= !fate.misses;
            for (happens, fault) in [(fate.misses, FaultKind::Miss), (fate.is_lost, FaultKind::Loss)] {
                if happens {
                    self.counts.fault(operation, fault);
                }
            }
        }
        fates
    }

    /// Throws all dice, whatever the odds, so that other odds change nothing of what comes later.
    fn fate(&mut self, operation: Operation) -> Fate {
        let [fails, delays, misses, is_lost, is_wrong] =
            FaultKind::ALL.map(|fault| self.rng.f64() < self.faults.odds(operation, fault));
        Fate { delay: delays.then_some(self.faults.delay), fails, misses, is_lost, is_wrong }
    }
}
