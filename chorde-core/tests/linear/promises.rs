//! Whether what was done to a cached function went as the function promises: explicit writes win, and a refresh is no older
//! than the one who asked for it.
//!
//! Stamps order all that happens. A value is the stamp at which its computation, or the write of it, began.

/// One operation, from its call to its return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) what: What,
    pub(crate) start: u64,
    /// The largest number for what has not returned.
    pub(crate) end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// A call, or a look, that gave a value.
    Read(u64),
    /// A look that found nothing.
    Nothing,
    /// A refresh.
    Refresh(u64),
    /// A put, with its value; or another explicit write.
    Write(Option<u64>),
}

/// How much is promised of the scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promised {
    /// No store takes longer than a lease: what was written is never covered, not even for a moment.
    pub(crate) always: bool,
    /// No write comes in between: what is served only gets newer.
    pub(crate) monotone: bool,
}

/// Says what is not as promised. What began after `quiet` must be right whatever is promised.
pub(crate) fn check(records: &[Record], quiet: u64, promised: Promised) -> Result<(), String> {
    for read in records {
        let (What::Read(value) | What::Refresh(value)) = read.what else { continue };
        if matches!(read.what, What::Refresh(_)) {
            if value <= read.start {
                return Err(format!("{read:?} gave what was computed before it"));
            }
            if written(records, value).is_some() {
                return Err(format!("{read:?} gave what was written"));
            }
        }
        if value > read.end {
            return Err(format!("{read:?} gave what was not there yet"));
        }
        if (promised.always || read.start >= quiet) && is_undone(records, read, value) {
            return Err(format!("{read:?} undid a write"));
        }
        let older = |earlier: &Record| earlier.end < read.start && newer_than(earlier, value);
        if promised.monotone && records.iter().any(older) {
            return Err(format!("{read:?} went back in time"));
        }
    }
    Ok(())
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
