//! What went wrong so far.

use super::faults::{FaultKind, Operation};

/// Counts what a [`ChaosClient`](super::ChaosClient) was asked for, and what went wrong; a snapshot.
///
/// An operation on several keys is one operation; misses and wrong values of its keys count one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    operations: [u64; Operation::COUNT],
    faults: [[u64; FaultKind::COUNT]; Operation::COUNT],
}

impl FaultCounts {
    /// Returns how many operations of this kind there were, those included that failed. What was answered
    /// [at once](crate::Client::look) is not among them.
    #[must_use]
    pub fn operations(&self, operation: Operation) -> u64 {
        self.operations[operation as usize]
    }

    /// Returns how often this went wrong.
    #[must_use]
    pub fn faults(&self, fault: FaultKind) -> u64 {
        Operation::ALL.into_iter().map(|operation| self.of(operation, fault)).sum()
    }

    /// Returns how often this went wrong with operations of this kind.
    #[must_use]
    pub fn of(&self, operation: Operation, fault: FaultKind) -> u64 {
        self.faults[operation as usize][fault as usize]
    }

    pub(super) fn operation(&mut self, operation: Operation) {
        self.operations[operation as usize] += 1;
    }

    pub(super) fn fault(&mut self, operation: Operation, fault: FaultKind) {
        self.faults[operation as usize][fault as usize] += 1;
    }
}
