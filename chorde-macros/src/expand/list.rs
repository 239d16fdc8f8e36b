//! The list of companions: the name and the documentation of each, for both forms.
//!
//! A described function has those that `chorde_core::Companions` and `AsyncCompanions` hold; `tests/architecture.rs` checks
//! that they are these, in name, kind and words. All others have theirs written out by `companions`.

/// One companion, apart from how it is written.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// In full, with links by the name alone.
    pub(crate) doc: &'static str,
    /// Whether only plain functions have it: those of asynchronous functions are futures themselves.
    pub(crate) is_plain_only: bool,
}

const fn both(name: &'static str, doc: &'static str) -> Row {
    Row { name, doc, is_plain_only: false }
}

const fn plain(name: &'static str, doc: &'static str) -> Row {
    Row { name, doc, is_plain_only: true }
}

/// Finds the documentation of a companion.
pub(crate) fn doc(name: &str) -> &'static str {
    let row = LIST.iter().find(|row| row.name == name);
    row.expect("invariant: each companion is in the list").doc
}

/// All companions, in the order of the documentation.
pub(crate) const LIST: [Row; 29] = [
    both("bg", "As the plain call; without `async_ttl`, a result is due at half of its life."),
    both("lazy", "Looks; if nothing is there or it is due, computes in the background, and never waits for it."),
    both(
        "refresh",
        "Computes now, whatever the cache holds, stores the result and returns it.\n\n\
         Calls that arrive while one computes share the next.",
    ),
    both(
        "bg_refresh",
        "Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.\n\n\
         # Errors\n\n\
         `ErrorKind::Overloaded` when the queue of background work is full, so that nothing \
         will be computed; `ErrorKind::Key` when the key cannot be serialised.",
    ),
    both(
        "warm",
        "Computes what is missing or due for many calls, a few at a time, and never more than it has room for.\n\n\
         Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future \
         that does nothing until it is awaited or waited for, and yields a report.",
    ),
    both("peek", "Only looks; never computes."),
    both("put", "Stores a value: the arguments first, the value last.\n\n# Errors\n\nAs for `invalidate`."),
    both("get_ttl", "Looks at the value and its remaining life; shows a stale entry too, marked as such."),
    both(
        "invalidate",
        "Removes the result of these arguments.\n\n\
         # Errors\n\n\
         `ErrorKind::Key` when the key cannot be serialised, and what the client reports.",
    ),
    both("expire", "Marks the result of these arguments as stale, but keeps it.\n\n# Errors\n\nAs for `invalidate`."),
    both("future", "The plain call, without blocking: on any executor, or `.wait()`."),
    plain("future_refresh", "Computes now, without blocking the caller."),
    plain("future_lazy", "As `lazy`, without blocking."),
    plain("future_peek", "Looks, without blocking."),
    plain("future_put", "Stores a value, without blocking."),
    plain("future_get_ttl", "Looks at the value and its remaining life, without blocking."),
    plain("future_invalidate", "Removes the result of these arguments, without blocking."),
    plain("future_expire", "Marks the result of these arguments as stale, without blocking."),
    both(
        "clear",
        "Forgets all results of this function, everywhere, and leaves the client's other entries alone.\n\n\
         # Errors\n\n\
         `ErrorKind::Unsupported` when the function has no namespace, and what the client reports.",
    ),
    both("namespace", "Returns what tells the keys of this function from those of others."),
    both("stats", "Returns the counters and times of this function so far."),
    both("reset_stats", "Sets the counters and times to zero."),
    both("set_timing_bins", "Divides the histogram of computing times into `bins` of equal width up to `up_to`."),
    both("on_promote", "Calls back when a farther tier's entry is copied nearer: key, value, remaining life."),
    both(
        "on_value",
        "Calls back after each successful computation, once, with the value and the arguments; never after a put \
         or a hit.\n\n\
         A panic of the callback is counted and logged, and not seen by the function's caller. It may call the function and \
         register others; one that goes on calling itself in that way is ended after some dozens of times, with a log.",
    ),
    both(
        "placeholder",
        "Gives those who call during the first computation of a key what `make` makes of the arguments, until the \
         computation ends. If that panics, they wait.",
    ),
    both(
        "callkey",
        "Returns the key of a call with these arguments.\n\n\
         # Errors\n\n\
         `ErrorKind::Key` when it cannot be serialised.",
    ),
    both("ttl", "Returns how long a result may be used."),
    both("async_ttl", "Returns when a result becomes due for a refresh in the background."),
];
