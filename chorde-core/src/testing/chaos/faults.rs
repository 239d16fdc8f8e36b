//! What can go wrong, with which odds.

use std::time::Duration;

/// Says what kind of operation something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `get`, `get_ttl` and those of several keys, `contains`, `promote`, `capacity`, `usage`.
    Read,
    /// The read of a cached function that finds nothing at once, by which one process of many is told to compute.
    Claim,
    /// `put`, `put_multi`, `add`, `renew`, and the store of what was computed.
    Write,
    /// `delete`, `expire`, `clear`, `purge`.
    Remove,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Claim, Self::Write, Self::Remove];

    pub(super) const COUNT: usize = Self::ALL.len();
}

/// Says what goes wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// It fails with [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), and has no effect.
    Error,
    /// It takes [`Faults::delays`] longer, by the client's clock, before it begins or fails.
    Delay,
    /// A read finds nothing, whatever is there.
    Miss,
    /// A write or removal says that it was carried out, and was not.
    Loss,
    /// A read brings the value of another key.
    WrongValue,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Error, Self::Delay, Self::Miss, Self::Loss, Self::WrongValue];

    pub(super) const COUNT: usize = Self::ALL.len();

    /// Whether this can happen to that.
    fn concerns(self, operation: Operation) -> bool {
        let reads = matches!(operation, Operation::Read | Operation::Claim);
        match self {
            Self::Error | Self::Delay => true,
            Self::Miss | Self::WrongValue => reads,
            Self::Loss => !reads,
        }
    }
}

/// Says with which odds what goes wrong; each from 0, never, to 1, always.
///
/// The methods without an [`Operation`] are about all that can be concerned; [`on`](Self::on) is about one kind. Later ones
/// replace earlier ones.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use chorde_core::testing::{FaultKind, Faults, Operation};
///
/// let shaky = Faults::none().errors(0.1).delays(0.2, Duration::from_secs(2));
/// let read_only = Faults::none().on(Operation::Write, FaultKind::Error, 1.0).on(Operation::Remove, FaultKind::Error, 1.0);
/// assert_eq!(shaky.odds(Operation::Read, FaultKind::Error), 0.1);
/// assert_eq!(read_only.odds(Operation::Read, FaultKind::Error), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use = "faults happen once a client is told to have them, by `set`"]
pub struct Faults {
    odds: [[f64; FaultKind::COUNT]; Operation::COUNT],
    pub(super) delay: Duration,
}

impl Faults {
    /// Lets nothing go wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets operations of all kinds fail.
    pub fn errors(self, odds: f64) -> Self {
        self.everywhere(FaultKind::Error, odds)
    }

    /// Lets operations of all kinds take longer, by `delay` on the client's clock.
    pub fn delays(mut self, odds: f64, delay: Duration) -> Self {
        self.delay = delay;
        self.everywhere(FaultKind::Delay, odds)
    }

    /// Lets reads find nothing.
    pub fn misses(self, odds: f64) -> Self {
        self.everywhere(FaultKind::Miss, odds)
    }

    /// Lets writes say that they were carried out when they were not. Removals are not concerned, since after one that was
    /// lost any cache shows what should be gone; see [`on`](Self::on) for those.
    pub fn lost_writes(self, odds: f64) -> Self {
        self.on(Operation::Write, FaultKind::Loss, odds)
    }

    /// Lets reads bring the values of other keys: of those of the same type that were last read or written through the
    /// client, or what [`ChaosClient::lie_with`](super::ChaosClient::lie_with) makes. Where there is none, the right value.
    pub fn wrong_values(self, odds: f64) -> Self {
        self.everywhere(FaultKind::WrongValue, odds)
    }

    /// Sets the odds of one fault for one kind of operation.
    ///
    /// # Panics
    ///
    /// Panics if the odds are not from 0 to 1, or if that cannot happen to this: a write cannot miss, a read not be lost.
    pub fn on(mut self, operation: Operation, fault: FaultKind, odds: f64) -> Self {
        assert!((0.0..=1.0).contains(&odds), "odds of {odds}: give them from 0.0, never, to 1.0, always");
        assert!(
            fault.concerns(operation),
            "a {fault:?} cannot happen to a {operation:?}: set it for another operation"
        );
        self.odds[operation as usize][fault as usize] = odds;
        self
    }

    fn everywhere(self, fault: FaultKind, odds: f64) -> Self {
        let concerned = Operation::ALL.into_iter().filter(|operation| fault.concerns(*operation));
        concerned.fold(self, |faults, operation| faults.on(operation, fault, odds))
    }

    /// Returns the odds of one fault for one kind of operation.
    #[must_use]
    pub fn odds(&self, operation: Operation, fault: FaultKind) -> f64 {
        self.odds[operation as usize][fault as usize]
    }

    /// Whether anything may go wrong with operations of this kind.
    pub(super) fn concern(&self, operation: Operation) -> bool {
        self.odds[operation as usize].iter().any(|odds| *odds > 0.0)
    }
}
