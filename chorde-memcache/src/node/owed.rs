//! What a server that is out of use has missed: keys that were written or removed elsewhere in the meantime, and are
//! removed from it before it comes back into use.

use std::collections::HashSet;

/// How many keys are remembered for one server.
const REMEMBERED: usize = 65_536;

/// The keys that one server still has to remove.
#[derive(Debug, Default)]
pub(super) struct Owed {
    keys: HashSet<Box<[u8]>>,
    /// The server is to be emptied.
    all: bool,
}

impl Owed {
    /// Notes a key; returns whether there was room for it.
    pub(super) fn add(&mut self, key: &[u8]) -> bool {
        if self.keys.contains(key) {
            return true;
        }
        if self.keys.len() >= REMEMBERED {
            return false;
        }
        self.keys.insert(key.into())
    }

    /// Notes that everything has to go.
    pub(super) fn add_all(&mut self) {
        self.all = true;
        self.keys.clear();
    }

    /// Takes out whether everything has to go.
    pub(super) fn take_all(&mut self) -> bool {
        std::mem::take(&mut self.all)
    }

    /// Takes out some of the keys.
    pub(super) fn take(&mut self, most: usize) -> Vec<Box<[u8]>> {
        let some: Vec<_> = self.keys.iter().take(most).cloned().collect();
        for key in &some {
            self.keys.remove(key);
        }
        some
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_bounded_and_paid_once() {
        let mut owed = Owed::default();
        for key in 0..REMEMBERED {
            assert!(owed.add(&key.to_le_bytes()));
        }
        assert!(owed.add(&0_usize.to_le_bytes()), "is owed already");
        assert!(!owed.add(b"one more"));
        let mut paid = 0;
        while !owed.is_empty() {
            paid += owed.take(1000).len();
        }
        assert_eq!(paid, REMEMBERED);
    }
}
