//! What was done to a cached function, when, and whether that is what the function promises.
//!
//! Stamps order all that happens. A value is the stamp at which its computation, or the write of it, began.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// One operation, from its call to its return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) what: What,
    start: u64,
    /// The largest number for what has not returned.
    end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// A call, or a look, that gave a value.
    Read(u64),
    /// A refresh.
    Refresh(u64),
    /// A put, with its value; or another explicit write.
    Write(Option<u64>),
}

/// All operations, in the order of their returns. By the standard library's primitives: to record changes no schedule.
#[derive(Debug, Default)]
pub(crate) struct History {
    stamp: AtomicU64,
    records: Mutex<Vec<Record>>,
}

/// How much is promised of the scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promised {
    /// No store takes longer than a lease: what was written is never covered, not even for a moment.
    pub(crate) always: bool,
    /// No write comes in between: what is served only gets newer.
    pub(crate) monotone: bool,
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
        for read in &records {
            let value = match read.what {
                What::Read(value) => value,
                What::Refresh(value) => {
                    assert!(value > read.start, "a refresh gave what was computed before it: {records:#?}");
                    assert!(written(&records, value).is_none(), "a refresh gave what was written: {records:#?}");
                    value
                }
                What::Write(_) => continue,
            };
            if promised.always || read.start >= quiet {
                assert!(!is_undone(&records, read, value), "{read:?} undid a write: {records:#?}");
            }
            if promised.monotone {
                let older = |earlier: &&Record| earlier.end < read.start && newer_than(earlier, value);
                assert_eq!(records.iter().filter(older).count(), 0, "{read:?} went back in time: {records:#?}");
            }
        }
    }
}

/// Returns the write of a value, if it was written and not computed.
fn written(records: &[Record], value: u64) -> Option<&Record> {
    records.iter().find(|record| record.what == What::Write(Some(value)))
}

/// Returns whether a write that had returned before the read was called is younger than the value.
fn is_undone(records: &[Record], read: &Record, value: u64) -> bool {
    let by = written(records, value);
    records.iter().any(|write| {
        let is_before = matches!(write.what, What::Write(_)) && write.end < read.start;
        is_before && by.map_or(value < write.start, |by| by.end < write.start)
    })
}

fn newer_than(earlier: &Record, value: u64) -> bool {
    matches!(earlier.what, What::Read(before) | What::Refresh(before) if before > value)
}
