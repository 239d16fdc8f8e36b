//! What a rule works with: a fresh client, time, and words for what went wrong.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Sample, Suite};
use crate::client::{Cache, CacheExt, Client};
use crate::entry::Entry;
use crate::error::Result;
use crate::key::Key;

/// A name that says what must hold, and the code that finds out.
pub(super) type Rule<C> = (&'static str, fn(&Bench<'_, C>));

/// Long enough not to expire while a rule runs.
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// How many units of time an entry lives in the rules about expiry.
const LIFE: u32 = 4;

/// Runs one rule.
pub(super) struct Bench<'s, C> {
    pub(super) client: C,
    suite: &'s Suite<'s, C>,
    rule: &'static str,
}

impl<'s, C> Bench<'s, C> {
    pub(super) fn new(suite: &'s Suite<'_, C>, rule: &'static str) -> Self {
        Self { client: (suite.make)(), suite, rule }
    }

    /// Waits for an operation, which must not fail, nor be waited for if the client says that none has to be.
    #[track_caller]
    pub(super) fn done<T>(&self, operation: impl Future<Output = Result<T>>) -> T
    where
        C: Cache,
    {
        let mut operation = pin!(operation);
        let at_once = operation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.holds(
            at_once.is_ready() || !self.client.answers_at_once(),
            "who answers at once is ready when first polled",
        );
        let done = match at_once {
            Poll::Ready(done) => done,
            Poll::Pending => crate::sync::block_on(operation),
        };
        match done {
            Ok(done) => done,
            Err(error) => panic!("conformance: {}: the client failed: {error}", self.rule),
        }
    }

    /// Demands that something is so.
    #[track_caller]
    pub(super) fn holds(&self, so: bool, what: &str) {
        assert!(so, "conformance: {}: broken: {what}", self.rule);
    }

    /// Demands that two things are equal.
    #[track_caller]
    pub(super) fn same<T: PartialEq + Debug>(&self, found: &T, expected: &T, what: &str) {
        assert!(found == expected, "conformance: {}: {what}: found {found:?} instead of {expected:?}", self.rule);
    }

    /// Makes a key that works.
    #[track_caller]
    pub(super) fn key(&self, value: impl serde::Serialize) -> Key {
        match Key::new(&value) {
            Ok(key) => key,
            Err(error) => panic!("conformance: {}: the suite's own key failed: {error}", self.rule),
        }
    }

    /// Returns whether stale entries must be shown.
    pub(super) fn keeps_stale(&self) -> bool {
        self.suite.keeps_stale
    }

    /// Returns whether time stands still between advances.
    pub(super) fn is_exact(&self) -> bool {
        self.suite.resolution.is_zero()
    }

    /// Returns the unit of time in the rules about expiry.
    pub(super) fn unit(&self) -> Duration {
        if self.is_exact() { Duration::from_secs(1) } else { self.suite.resolution }
    }

    /// Returns the time that entries live in the rules about expiry.
    pub(super) fn life(&self) -> Duration {
        LIFE * self.unit()
    }

    /// Lets time pass, where the suite can.
    pub(super) fn advance(&self, by: Duration) {
        if let Some(advance) = &self.suite.advance {
            advance(by);
        }
    }

    /// Goes from the start of a life to where it is surely not over: a nanosecond before its end, where time is exact.
    pub(super) fn advance_within_life(&self) {
        self.advance(self.within_life());
    }

    /// Goes on from there to the end of that life.
    pub(super) fn advance_to_end_of_life(&self) {
        let slack = if self.is_exact() { Duration::ZERO } else { self.unit() };
        self.advance(self.life() - self.within_life() + slack);
    }

    fn within_life(&self) -> Duration {
        if self.is_exact() { self.life() - Duration::from_nanos(1) } else { self.life() / 2 }
    }

    /// Stores a value for an hour.
    #[track_caller]
    pub(super) fn put<V: Sample>(&self, key: &Key, value: V)
    where
        C: Client<V>,
    {
        self.done(self.client.put(key, value, HOUR));
    }

    /// Stores a value for the length of a life.
    #[track_caller]
    pub(super) fn put_for_life<V: Sample>(&self, key: &Key, value: V)
    where
        C: Client<V>,
    {
        self.done(self.client.put(key, value, self.life()));
    }

    #[track_caller]
    pub(super) fn get<V: Sample>(&self, key: &Key) -> Option<V>
    where
        C: Client<V>,
    {
        self.done(self.client.get(key))
    }

    #[track_caller]
    pub(super) fn entry<V: Sample>(&self, key: &Key) -> Option<Entry<V>>
    where
        C: Client<V>,
    {
        self.done(self.client.get_ttl(key))
    }

    /// Demands that a key is a miss in every way of asking, and that a stale entry shows as one.
    #[track_caller]
    pub(super) fn misses<V: Sample>(&self, key: &Key, when: &str)
    where
        C: Client<V>,
    {
        self.same(&self.get::<V>(key), &None, &format!("get {when}"));
        self.holds(!self.done(self.client.contains(key)), &format!("contains says no {when}"));
        let shown = self.entry::<V>(key);
        self.holds(shown.is_none_or(|entry| entry.is_stale()), &format!("get_ttl shows nothing valid {when}"));
    }

    /// Demands that a key is a hit in every way of asking.
    #[track_caller]
    pub(super) fn hits<V: Sample>(&self, key: &Key, value: &V, when: &str)
    where
        C: Client<V>,
    {
        self.same(&self.get(key).as_ref(), &Some(value), &format!("get {when}"));
        self.holds(self.done(self.client.contains(key)), &format!("contains says yes {when}"));
        let Some(entry) = self.entry::<V>(key) else {
            panic!("conformance: {}: get_ttl shows nothing {when}", self.rule);
        };
        self.same(&entry.value, value, &format!("get_ttl {when}"));
        self.holds(!entry.is_stale() && !entry.remaining().is_zero(), &format!("get_ttl shows life left {when}"));
    }

    /// Demands that `get_ttl` shows a stale entry with this value, or nothing if the client may forget it.
    #[track_caller]
    pub(super) fn shows_stale<V: Sample>(&self, key: &Key, value: &V, when: &str)
    where
        C: Client<V>,
    {
        match self.entry::<V>(key) {
            None => self.holds(!self.keeps_stale(), &format!("a stale entry is kept {when}")),
            Some(entry) => {
                self.same(&entry.value, value, &format!("the stale value {when}"));
                let stale = entry.is_stale() && entry.remaining().is_zero();
                self.holds(stale, &format!("a stale entry is marked as such {when}"));
            }
        }
    }

    /// Returns the number of tiers that the client says it has.
    pub(super) fn tiers(&self) -> usize
    where
        C: Cache,
    {
        self.client.tiers()
    }
}
