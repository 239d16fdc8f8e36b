//! Places inside of operations at which others may come: a key and a value that nap now and then, since operations in memory
//! are over before another thread has begun its own.

use std::cell::RefCell;

use fastrand::Rng;
use serde::{Serialize, Serializer};

/// Gives way to others, or takes a little time, or neither.
pub(crate) fn nap() {
    thread_local! {
        static DICE: RefCell<Rng> = RefCell::new(Rng::new());
    }
    match DICE.with_borrow_mut(|dice| dice.u32(..8)) {
        0..=2 => std::thread::yield_now(),
        3 => (0..200).for_each(|_| std::hint::spin_loop()),
        _ => {}
    }
}

/// A key that naps before the client knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drowsy(pub(crate) u64);

impl Serialize for Drowsy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        nap();
        self.0.serialize(serializer)
    }
}

/// A value that naps while it is copied.
#[derive(Debug)]
pub(crate) struct Sleepy(u64);

impl Clone for Sleepy {
    fn clone(&self) -> Self {
        nap();
        Self(self.0)
    }
}

impl From<u64> for Sleepy {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Sleepy> for u64 {
    fn from(value: Sleepy) -> Self {
        value.0
    }
}
