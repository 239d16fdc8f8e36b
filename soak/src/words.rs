//! What parent and workers say to one another, as lines of JSON over a unix socket.

use serde::{Deserialize, Serialize};

/// Names the parent's socket, in the environment of a worker.
pub(crate) const SOCKET: &str = "CHORDE_SOAK_SOCKET";

/// What a cached function returns: whose value it is, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamped {
    pub(crate) function: usize,
    pub(crate) key: u64,
    /// The number that the parent gave to the computation; none for what was put by hand.
    pub(crate) serial: Option<u64>,
    /// Who computed it.
    pub(crate) worker: u16,
    /// When the function was called.
    pub(crate) begun: u64,
    /// When it returned: how old the value is counts from here.
    pub(crate) done: u64,
}

/// The error of a function that the parent told to fail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused;

/// What a worker is told when it begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) worker: u16,
    pub(crate) workers: u16,
    pub(crate) keys: u64,
    pub(crate) pace_micros: u64,
    /// The addresses of the named nodes.
    pub(crate) named: Vec<String>,
    /// Where the cluster is asked for.
    pub(crate) endpoint: String,
    pub(crate) sabotage: Option<Sabotage>,
}

/// Breaks something on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// A value is older than its ttl.
    Old,
    /// A value is of another key.
    Key,
    /// A value is from before a removal that has succeeded.
    Before,
    /// A key is computed again too soon.
    Twice,
    /// A call does not end.
    Hang,
    /// An error comes from nowhere.
    Error,
    /// Memory is lost.
    Leak,
}

/// What was done to a key, or to a function as a whole, by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    Put,
    Invalidate,
    Expire,
    Clear,
    Refresh,
}

/// A change by hand that has succeeded: nothing older is to be seen, as far as that is promised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) worker: u16,
    pub(crate) function: usize,
    /// None for all keys of the function.
    pub(crate) key: Option<u64>,
    pub(crate) how: How,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) is_done: bool,
}

/// What a worker saw that is right only if a fault excuses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    /// The value was past its ttl by so many nanoseconds when the call began.
    Old(u64),
    /// The value is from before this change.
    Before(Change),
    /// The value is of another function or key.
    Key,
    /// The call took as long as that, or has not ended yet.
    Slow(u64),
    /// The call failed, though the function did not, or an operation panicked.
    Failed(String),
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) worker: u16,
    pub(crate) what: What,
    pub(crate) function: usize,
    pub(crate) key: u64,
    pub(crate) value: Option<Stamped>,
    /// When the call began, and when it ended.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// What a worker has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) values: u64,
    pub(crate) changes: u64,
    /// Values that were compared with a change that had succeeded before.
    pub(crate) compared: u64,
    /// The longest call, in nanoseconds.
    pub(crate) longest: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.values += other.values;
        self.changes += other.changes;
        self.compared += other.compared;
        self.longest = self.longest.max(other.longest);
    }
}

/// How a worker is when it rests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Resting {
    /// Calls that have not ended.
    pub(crate) busy: usize,
    /// Whether all background work has ended.
    pub(crate) is_drained: bool,
    /// Computations that the functions say are under way.
    pub(crate) in_flight: usize,
    /// The servers of the named fleet that are not in use.
    pub(crate) lost: Vec<String>,
    /// The servers of the cluster that are in use.
    pub(crate) cluster: Vec<String>,
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The first word.
    Ready,
    /// A function was called: for this key, at that time. Answered by [`Order::Computed`].
    Compute {
        request: u64,
        function: usize,
        key: u64,
        at: u64,
    },
    Changed(Change),
    Saw(Sight),
    /// The process did not run for a while.
    Stalled {
        from: u64,
        to: u64,
    },
    /// Servers failed to answer in that time: those of the named fleet, or of the cluster.
    Troubled {
        is_named: bool,
        from: u64,
        to: u64,
    },
    Counted(Tally),
    Resting(Resting),
}

/// What the parent says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    Begin(Setting),
    Computed {
        request: u64,
        serial: u64,
        millis: u64,
        is_refused: bool,
    },
    /// Another worker has changed something.
    Changed(Change),
    /// Steps the clients' clock forward.
    Step {
        millis: u64,
    },
    Rest,
    GoOn,
}
