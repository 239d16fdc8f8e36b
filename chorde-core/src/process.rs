//! What belongs to one process: after a `fork` the child has a copy of its parent's memory, but none of its threads.
//!
//! Work that is queued for those threads never runs there, and a lock that one of them held stays locked. So state that
//! threads share is kept for each process, and recreated when a child first asks for it.

use std::sync::OnceLock;

/// A value for each process: the one that created it, and those forked from it later.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    process: u32,
    value: T,
    /// The value of a forked child; never set in the process that this one belongs to, so no fork finds it half set.
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Keeps a value for the present process.
    pub(crate) fn new(value: T) -> Self {
        Self::of(id(), value)
    }

    fn of(process: u32, value: T) -> Self {
        Self { process, value, child: OnceLock::new() }
    }

    /// Returns the value of the present process; a forked child makes its own.
    pub(crate) fn get(&self, make: impl Fn() -> T) -> &T {
        self.get_in(id(), make)
    }

    fn get_in(&self, process: u32, make: impl Fn() -> T) -> &T {
        let mut known = self;
        while known.process != process {
            known = known.child.get_or_init(|| Box::new(Self::of(process, make())));
        }
        &known.value
    }
}

/// Returns the number of the present process, or zero where processes cannot fork.
pub(crate) fn id() -> u32 {
    if cfg!(unix) { std::process::id() } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_process_has_one_value_of_its_own() {
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            made.get()
        };
        let kept = PerProcess::of(10, 0);
        let seen = [10, 11, 11, 12, 10, 12].map(|process| *kept.get_in(process, make));
        assert_eq!((seen, made.get()), ([0, 1, 1, 2, 0, 2], 2));
        assert_eq!(*PerProcess::new(7).get(|| 8), 7);
    }
}
