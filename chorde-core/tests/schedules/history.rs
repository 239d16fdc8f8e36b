//! What was done to a cached function, and when.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::promises::{Promised, Record, What, check};

/// All operations, in the order of their returns. By the standard library's primitives: to record changes no schedule.
#[derive(Debug, Default)]
pub(crate) struct History {
    stamp: AtomicU64,
    records: Mutex<Vec<Record>>,
}

impl History {
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn push(&self, what: What, start: u64, end: u64) {
        self.records.lock().expect("invariant: nothing panics under it").push(Record { what, start, end });
    }

    /// Notes what has returned now.
    pub(crate) fn returned(&self, what: What, start: u64) {
        let end = self.stamp();
        self.push(what, start, end);
    }

    /// Notes a write that was dropped, and may have happened.
    pub(crate) fn dropped(&self, value: Option<u64>, start: u64) {
        self.push(What::Write(value), start, u64::MAX);
    }

    /// Panics if something is not as promised. What began after `quiet` must be right whatever is promised.
    pub(crate) fn check(&self, quiet: u64, promised: Promised) {
        let records = self.records.lock().expect("invariant: nothing panics under it").clone();
        if let Err(wrong) = check(&records, quiet, promised) {
            panic!("{wrong}: {records:#?}");
        }
    }
}
