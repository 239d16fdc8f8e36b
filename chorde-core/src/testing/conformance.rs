//! The rules that every client keeps, as a suite that any client can run.
//!
//! Each rule gets a fresh client and panics, naming itself and what it saw, if the client breaks it. The suite blocks:
//! run it from plain code, not from inside an executor. A client that needs a tokio runtime finds the one that was
//! entered around the suite, on the suite's own threads too.
//!
//! | file | rules about |
//! |---|---|
//! | `reads.rs` | hits and misses, options, what can be said at once |
//! | `writes.rs` | put, add, delete, clear |
//! | `time.rs`, `stale.rs` | expiry and its boundary, renewing; entries past their life |
//! | `multi.rs` | several keys at once |
//! | `keys.rs`, `values.rs` | keys and values of all shapes and sizes |
//! | `namespaces.rs` | isolation and clearing |
//! | `claims.rs` | claim, fill, release |
//! | `concurrency.rs` | many threads |

mod bench;
mod claims;
mod concurrency;
mod keys;
mod multi;
mod namespaces;
mod reads;
mod stale;
mod time;
mod values;
mod writes;

use std::fmt;
use std::time::Duration;

use self::bench::{Bench, Rule};
use crate::client::{Client, Value};

/// Makes values for the suite to store.
///
/// Implemented for `u64`, `String` and `Vec<u8>`; implement it for the type that your client holds if it is another.
pub trait Sample: Value + PartialEq + fmt::Debug {
    /// Makes a value; different numbers make different values.
    fn sample(number: u64) -> Self;

    /// Makes a value of about that many bytes, where the type has such.
    #[must_use]
    fn sized(bytes: usize) -> Option<Self> {
        let _ = bytes;
        None
    }
}

impl Sample for u64 {
    fn sample(number: u64) -> Self {
        number
    }
}

impl Sample for String {
    fn sample(number: u64) -> Self {
        format!("value {number}")
    }

    fn sized(bytes: usize) -> Option<Self> {
        Some("conformance ".chars().cycle().take(bytes).collect())
    }
}

impl Sample for Vec<u8> {
    fn sample(number: u64) -> Self {
        number.to_le_bytes().to_vec()
    }

    fn sized(bytes: usize) -> Option<Self> {
        // Every byte occurs, in no simple pattern, so that it does not compress to nothing.
        Some((0..bytes as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect())
    }
}

/// Runs the rules on one kind of client.
///
/// # Examples
///
/// ```
/// use chorde_core::testing::conformance::Suite;
/// use chorde_core::{InprocClient, ManualClock};
///
/// let clock = ManualClock::new();
/// let make = || InprocClient::builder().capacity(10_000).clock(clock.clone()).build().expect("the settings work");
/// let suite = Suite::new(make).advance(|by| clock.advance(by));
/// suite.check::<String>();
/// suite.check_types();
/// ```
pub struct Suite<'a, C> {
    /// Makes an empty client.
    make: Box<dyn Fn() -> C + 'a>,
    /// Lets time pass for the clients made.
    advance: Option<Box<dyn Fn(Duration) + 'a>>,
    /// How exactly a time to live is kept.
    resolution: Duration,
    /// Whether `get_ttl` shows stale entries.
    keeps_stale: bool,
    /// The only rule to check, if not all.
    only: Option<String>,
}

impl<'a, C> Suite<'a, C> {
    /// Creates a suite for the clients that `make` makes.
    ///
    /// Each must be empty, must hold a thousand entries and several of 1 MiB, and must not lose any of them.
    pub fn new(make: impl Fn() -> C + 'a) -> Self {
        Self { make: Box::new(make), advance: None, resolution: Duration::ZERO, keeps_stale: true, only: None }
    }

    /// Lets time pass for the clients; without it, the rules about time are left out.
    ///
    /// Advances a manual clock, or sleeps; who sleeps also sets a [`resolution`](Self::resolution).
    #[must_use]
    pub fn advance(mut self, advance: impl Fn(Duration) + 'a) -> Self {
        self.advance = Some(Box::new(advance));
        self
    }

    /// Sets how exactly a time to live is kept: by how much an entry may expire too early or too late, the time that
    /// the operations themselves take included. Zero, the default, is for clocks that stand still between advances.
    #[must_use]
    pub fn resolution(mut self, resolution: Duration) -> Self {
        self.resolution = resolution;
        self
    }

    /// Allows the clients to forget entries at once when they become stale.
    #[must_use]
    pub fn forgets_stale(mut self) -> Self {
        self.keeps_stale = false;
        self
    }

    /// Checks one rule alone, by its name: to look into it, or to check several at the same time.
    #[must_use]
    pub fn only(mut self, rule: impl Into<String>) -> Self {
        self.only = Some(rule.into());
        self
    }

    /// Returns the names of the rules that [`check`](Self::check) checks.
    #[must_use]
    pub fn rules<V: Sample>(&self) -> Vec<&'static str>
    where
        C: Client<V>,
    {
        self.all::<V>().into_iter().map(|(name, _)| name).collect()
    }

    /// Checks all rules with values of one type.
    ///
    /// # Panics
    ///
    /// Panics with the name of the rule when the client breaks one, or fails.
    pub fn check<V: Sample>(&self)
    where
        C: Client<V>,
    {
        self.run(self.all::<V>());
    }

    fn all<V: Sample>(&self) -> Vec<Rule<C>>
    where
        C: Client<V>,
    {
        let themes = [
            reads::rules::<C, V>(),
            writes::rules::<C, V>(),
            multi::rules::<C, V>(),
            keys::rules::<C, V>(),
            values::rules::<C, V>(),
            namespaces::rules::<C, V>(),
            claims::rules::<C, V>(),
            concurrency::rules::<C, V>(),
            stale::rules::<C, V>(),
            if self.advance.is_some() { time::rules::<C, V>() } else { Vec::new() },
        ];
        themes.into_iter().flatten().collect()
    }

    /// Checks the rules about values of several types under one key.
    ///
    /// # Panics
    ///
    /// As [`check`](Self::check) does.
    pub fn check_types(&self)
    where
        C: Client<u64> + Client<String>,
    {
        self.run(values::type_rules::<C>());
    }

    fn run(&self, rules: Vec<Rule<C>>) {
        for (name, rule) in rules.into_iter().filter(|(name, _)| self.only.as_ref().is_none_or(|only| only == name)) {
            rule(&Bench::new(self, name));
        }
    }
}

impl<C> fmt::Debug for Suite<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("advances", &self.advance.is_some())
            .field("resolution", &self.resolution)
            .field("keeps_stale", &self.keeps_stale)
            .finish_non_exhaustive()
    }
}
