//! What may happen to a cached function, and how time goes by meanwhile.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// A call of a plain function.
    Call,
    /// A call of an asynchronous function that computes in its caller's future.
    Await,
    /// One that computes by a future of its own.
    Own,
    Put,
    Invalidate,
    Expire,
    Clear,
    Refresh,
    /// A call or refresh in its caller's future that is dropped at any of its steps.
    Drop,
    /// One by a future of its own that is dropped at any of its steps.
    OwnDrop,
    /// The same of a function whose computations end with their last caller.
    OwnLeave,
    /// An explicit write that is dropped at any of its steps.
    DropWrite,
    /// A call whose function panics.
    Panic,
    /// A call whose function returns an error.
    Fail,
    /// A call or refresh in its caller's future that is not polled any more after any of its steps, until all others are done.
    Stall,
    /// A call that leads, by a future of its own, likewise.
    OwnStall,
    /// A call of a plain function whose thread stands still until all others are done.
    Block,
    /// Looks that ask the client whatever goes on, so that it learns of clears meanwhile.
    Peek,
    /// A clear, and a call, by another process.
    ClearElsewhere,
    CallElsewhere,
}

impl Act {
    /// All that may happen in one process, but for a look.
    pub(crate) const ALL: [Self; 17] = [
        Self::Call,
        Self::Await,
        Self::Own,
        Self::Put,
        Self::Invalidate,
        Self::Expire,
        Self::Clear,
        Self::Refresh,
        Self::Drop,
        Self::OwnDrop,
        Self::OwnLeave,
        Self::DropWrite,
        Self::Panic,
        Self::Fail,
        Self::Stall,
        Self::OwnStall,
        Self::Block,
    ];

    /// Whether it writes explicitly.
    pub(crate) fn writes(self) -> bool {
        let elsewhere = matches!(self, Self::ClearElsewhere);
        elsewhere || matches!(self, Self::Put | Self::Invalidate | Self::Expire | Self::Clear | Self::DropWrite)
    }

    /// Whether there is a value in the end, if nothing interferes.
    pub(crate) fn brings(self) -> bool {
        matches!(self, Self::Call | Self::Await | Self::Own | Self::Refresh | Self::OwnDrop | Self::OwnStall)
    }

    /// Whether its computation ends without a value.
    pub(crate) fn fails(self) -> bool {
        matches!(self, Self::Panic | Self::Fail)
    }

    /// How many computations there may be on its account, beside the one for all who call.
    pub(crate) fn most_computations(self) -> u64 {
        match self {
            Self::Call | Self::Await | Self::Own | Self::OwnStall | Self::Peek => 0,
            // A refresh that is dropped has computed, and the next in the queue computes.
            Self::Drop | Self::OwnDrop | Self::OwnLeave => 2,
            _ => 1,
        }
    }

    /// Whether others wait for it up to the end of a lease.
    fn takes_a_lease(self) -> bool {
        matches!(self, Self::Stall | Self::Block)
    }
}

/// How time goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Time {
    StandsStill,
    /// So that no lease ends.
    Passes,
    Runs,
}

impl Time {
    pub(crate) const ALL: [Self; 3] = [Self::StandsStill, Self::Passes, Self::Runs];

    /// Whether acts end while time goes by in that way, and it makes a difference to them.
    pub(crate) fn suits(self, acts: &[Act]) -> bool {
        let stalls = acts.contains(&Act::OwnStall);
        let takes_a_lease = acts.iter().any(|act| act.takes_a_lease());
        match self {
            Self::StandsStill => !stalls && !takes_a_lease,
            // A write waits for a store that is not polled up to the end of a lease.
            Self::Passes => stalls && !takes_a_lease && !acts.iter().any(|act| act.writes()),
            Self::Runs => true,
        }
    }
}
