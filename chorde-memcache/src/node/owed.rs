//! What a server has missed: keys that were written or removed without it, or may have been. They are removed from it
//! before it is asked for them again, and from the servers that stood in for it, which may be asked in its next outage.

use std::collections::HashMap;
use std::sync::Weak;

use super::Node;

/// How many keys are remembered for one server.
const REMEMBERED: usize = 65_536;

/// The keys that one server still has to remove.
#[derive(Debug, Default)]
pub(super) struct Owed {
    keys: HashMap<Box<[u8]>, Debt>,
    /// The server is to be emptied.
    all: bool,
    /// How many debts there have been.
    count: u64,
    /// The last of them that is for a change which the server may carry out late; zero for none.
    doubtful: u64,
}

/// One key that a server has to remove.
#[derive(Clone, Debug)]
pub(super) struct Debt {
    /// The server that was asked instead.
    pub(super) stand_in: Option<Weak<Node>>,
    /// Tells it from later debts of the same key.
    number: u64,
}

/// Keys and what is owed of them.
pub(super) type Debts = Vec<(Box<[u8]>, Debt)>;

impl Owed {
    /// Notes a key; returns whether there was room for it.
    pub(super) fn add(&mut self, key: &[u8], stand_in: Option<Weak<Node>>) -> bool {
        self.count += 1;
        let number = self.count;
        if let Some(debt) = self.keys.get_mut(key) {
            debt.number = number;
            debt.stand_in = stand_in.or(debt.stand_in.take());
            return true;
        }
        let has_room = self.keys.len() < REMEMBERED;
        if has_room {
            self.keys.insert(key.into(), Debt { stand_in, number });
        }
        has_room
    }

    /// Notes that the server may carry out late what was just noted.
    pub(super) fn doubt(&mut self) {
        self.doubtful = self.count;
    }

    /// Returns the last debt that is in doubt, if one is.
    pub(super) fn doubtful(&self) -> Option<u64> {
        (self.doubtful > 0).then_some(self.doubtful)
    }

    /// Notes that whatever was in doubt up to that debt has been carried out, or never will be.
    pub(super) fn settled(&mut self, last: u64) {
        if self.doubtful <= last {
            self.doubtful = 0;
        }
    }

    /// Notes that everything has to go.
    pub(super) fn add_all(&mut self) {
        self.all = true;
        self.keys.clear();
    }

    /// Returns whether everything has to go.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// Notes that everything has gone.
    pub(super) fn paid_all(&mut self) {
        self.all = false;
    }

    /// Returns how many debts there have been; they are numbered by that.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns some of the keys, of debts up to this number. They are owed until [`paid`](Self::paid) says otherwise.
    pub(super) fn some(&self, most: usize, last: u64) -> Debts {
        let known = self.keys.iter().filter(|(_, debt)| debt.number <= last);
        known.take(most).map(|(key, debt)| (key.clone(), debt.clone())).collect()
    }

    /// Notes that keys have been removed; those that are owed anew stay.
    pub(super) fn paid(&mut self, paid: &[(Box<[u8]>, Debt)]) {
        for (key, debt) in paid {
            if self.keys.get(key).is_some_and(|now| now.number == debt.number) {
                self.keys.remove(key);
            }
        }
    }

    /// Returns whether the server may hold what is no longer so under this key.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        self.all || self.keys.contains_key(key)
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
            assert!(owed.add(&key.to_le_bytes(), None));
        }
        assert!(owed.add(&0_usize.to_le_bytes(), None), "is owed already");
        assert!(!owed.add(b"one more", None));
        let mut paid = 0;
        while !owed.is_empty() {
            let some = owed.some(1000, u64::MAX);
            paid += some.len();
            owed.paid(&some);
        }
        assert_eq!(paid, REMEMBERED);
    }

    #[test]
    fn a_key_that_is_owed_anew_while_it_is_paid_is_owed_still() {
        let mut owed = Owed::default();
        owed.add(b"key", None);
        let some = owed.some(1, owed.count());
        assert!(owed.holds(b"key") && !owed.holds(b"other"));
        owed.add(b"key", None);
        owed.paid(&some);
        assert!(owed.holds(b"key"));
        let some = owed.some(1, owed.count());
        owed.paid(&some);
        assert!(owed.is_empty());
    }

    #[test]
    fn a_doubt_lasts_until_it_is_settled_and_no_later_one_has_come() {
        let mut owed = Owed::default();
        owed.add(b"sure", None);
        assert_eq!(owed.doubtful(), None);
        owed.add(b"key", None);
        owed.doubt();
        let first = owed.doubtful().unwrap();
        owed.add(b"other", None);
        assert_eq!(owed.doubtful(), Some(first));
        owed.doubt();
        owed.settled(first);
        let second = owed.doubtful().unwrap();
        assert!(second > first);
        owed.settled(second);
        assert_eq!(owed.doubtful(), None);
    }

    #[test]
    fn a_server_that_is_to_be_emptied_holds_nothing_that_is_so() {
        let mut owed = Owed::default();
        owed.add(b"key", None);
        owed.add_all();
        assert!(owed.holds(b"any") && owed.is_all() && owed.some(9, 9).is_empty());
        owed.paid_all();
        assert!(!owed.holds(b"key") && owed.is_empty());
    }
}
