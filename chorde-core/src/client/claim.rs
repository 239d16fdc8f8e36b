//! Claims: how a store that is shared by many processes makes one of them compute.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ReadOptions;
use crate::clock::nanos;
use crate::decide::{Decision, decide, due_below};
use crate::entry::Entry;
use crate::policy::CallPolicy;

/// Says on what terms a computation is claimed.
#[derive(Debug)]
pub struct ClaimOptions<'a, V> {
    /// How long the claim holds others back.
    lease: Duration,
    /// An entry with less life than this is due.
    refresh_below: Duration,
    /// The call that claims, by which entries that tell their age are judged.
    call: Option<CallPolicy>,
    /// How the entry is read.
    read: ReadOptions<'a, V>,
    /// Where the client notes who computes.
    holder: Option<&'a AtomicU64>,
    /// What the refresh point is drawn from; zero for what the client shows of the entry.
    seed: u64,
    /// By how many nanoseconds the client may understate ages.
    doubt: u64,
}

impl<'a, V> ClaimOptions<'a, V> {
    /// Creates options for a claim that holds others back for `lease`; no valid entry is due.
    #[must_use]
    pub fn new(lease: Duration) -> Self {
        Self {
            lease,
            refresh_below: Duration::ZERO,
            call: None,
            read: ReadOptions::new(),
            holder: None,
            seed: 0,
            doubt: 0,
        }
    }

    /// Creates the options of a call.
    pub(crate) fn of_call(policy: &CallPolicy) -> Self {
        Self { call: Some(*policy), ..Self::new(policy.lease).refresh_below(due_below(policy)) }
    }

    /// Returns whether a valid entry is due on these terms, or too old for them. All who read one entry agree, if it tells its age
    /// and a seed.
    #[must_use]
    pub fn is_due(&self, entry: &Entry<V>) -> bool {
        match &self.call {
            Some(policy) => {
                let vitals = entry.vitals().older_by(self.doubt).seeded(self.seed);
                decide(Some(vitals), policy) != Decision::Serve
            }
            None => entry.vitals().remaining() < nanos(self.refresh_below),
        }
    }

    /// Makes entries with less than `remaining` to live due.
    #[must_use]
    pub fn refresh_below(mut self, remaining: Duration) -> Self {
        self.refresh_below = remaining;
        self
    }

    /// Reads the entry as `read` says.
    #[must_use]
    pub fn reading(mut self, read: ReadOptions<'a, V>) -> Self {
        self.read = read;
        self
    }

    /// Has the client note in `holder` who computes what is computed elsewhere.
    pub(crate) fn noting(mut self, holder: &'a AtomicU64) -> Self {
        self.holder = Some(holder);
        self
    }

    /// Notes who computes, where the answer is [`AbsentElsewhere`](Claim::AbsentElsewhere): a number, not zero, that is another
    /// one when another computer has won the claim. Those who wait learn from it that a computation has failed.
    pub fn note_holder(&self, number: u64) {
        if let Some(holder) = self.holder {
            holder.store(number, Ordering::Relaxed);
        }
    }

    /// Judges entries as a nearer tier does, which draws from this seed and may have taken them for older by `doubt`.
    pub(crate) fn as_nearer(mut self, seed: u64, doubt: Duration) -> Self {
        if self.seed == 0 {
            self.seed = seed;
        }
        self.doubt = self.doubt.saturating_add(nanos(doubt));
        self
    }

    /// Returns how long the claim holds others back.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Returns below which remaining life an entry is due.
    #[must_use]
    pub fn due_below(&self) -> Duration {
        self.refresh_below
    }

    /// Returns how the entry is read.
    #[must_use]
    pub fn read_options(&self) -> ReadOptions<'a, V> {
        self.read
    }
}

impl<V> Clone for ClaimOptions<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ClaimOptions<'_, V> {}

/// Answers a claim.
#[derive(Clone, Debug)]
pub enum Claim<V> {
    /// A valid entry, not due.
    Fresh(Entry<V>),
    /// A valid entry that is due; the asker is to refresh it.
    Due(Entry<V>, Token),
    /// A valid entry that is due, which somebody else refreshes.
    DueElsewhere(Entry<V>),
    /// Nothing valid; the asker is to compute it.
    Absent(Token),
    /// Nothing valid, but somebody else computes it.
    AbsentElsewhere,
}

impl<V> Claim<V> {
    /// Answers for a client that cannot lease: whoever asks wins.
    #[must_use]
    pub fn won(entry: Option<Entry<V>>, options: ClaimOptions<'_, V>) -> Self {
        match entry.filter(|entry| !entry.is_stale()) {
            None => Self::Absent(Token::default()),
            Some(entry) if options.is_due(&entry) => Self::Due(entry, Token::default()),
            Some(entry) => Self::Fresh(entry),
        }
    }
}

impl<V> Claim<V> {
    /// Returns the answer as a call with this ttl sees it: what is too old for it is absent.
    pub(crate) fn within(self, policy: &CallPolicy) -> Self {
        match self {
            Self::Fresh(entry) => Self::usable(entry, policy, Self::Fresh, || Self::Absent(Token::default())),
            Self::Due(entry, token) => {
                Self::usable(entry, policy, |entry| Self::Due(entry, token), || Self::Absent(token))
            }
            Self::DueElsewhere(entry) => Self::usable(entry, policy, Self::DueElsewhere, || Self::AbsentElsewhere),
            absent => absent,
        }
    }

    fn usable(
        entry: Entry<V>,
        policy: &CallPolicy,
        held: impl FnOnce(Entry<V>) -> Self,
        absent: impl FnOnce() -> Self,
    ) -> Self {
        let entry = entry.within(policy);
        if entry.is_stale() { absent() } else { held(entry) }
    }

    /// Returns the same answer with its value mapped.
    pub fn map<W>(self, map: impl FnOnce(V) -> W) -> Claim<W> {
        self.map_entry(|entry| entry.map(map))
    }

    /// Returns the same answer with its entry mapped.
    pub(crate) fn map_entry<W>(self, map: impl FnOnce(Entry<V>) -> Entry<W>) -> Claim<W> {
        match self {
            Self::Fresh(entry) => Claim::Fresh(map(entry)),
            Self::Due(entry, token) => Claim::Due(map(entry), token),
            Self::DueElsewhere(entry) => Claim::DueElsewhere(map(entry)),
            Self::Absent(token) => Claim::Absent(token),
            Self::AbsentElsewhere => Claim::AbsentElsewhere,
        }
    }
}

/// Says how a value came about that is to be stored.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Computed {
    /// When it was there, by the client's clock.
    pub at: u64,
    /// The [stamp](super::Revision::stamp) of the key's revision when its computation began.
    pub revision: u64,
}

impl Computed {
    /// Describes a value that was there at `at`, and that belongs to a revision.
    #[must_use]
    pub fn new(at: u64, revision: u64) -> Self {
        Self { at, revision }
    }
}

/// Proves a claim to the client that granted it. The default one, of the number zero, is that of clients that cannot lease: with
/// it, others are not taken to be held back, though it is given back like any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token(u64);

impl Token {
    /// Makes a token from a number that means something to the client alone, but for zero, which stands for no lease.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns whether the client keeps others from computing what this was granted for.
    pub(crate) fn is_lease(self) -> bool {
        self != Self::default()
    }

    /// Returns the client's number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}
