//! The items of an old server, and its time.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An expiry beyond 30 days is a point in time.
const MONTH: i64 = 30 * 24 * 3600;

/// The largest item: data, key and what a server keeps beside them.
const LARGEST: usize = 1 << 20;
const BESIDE: usize = 50;

#[derive(Debug)]
pub(super) struct Items {
    map: HashMap<String, Item>,
    /// The cas of the item that was stored last.
    cas: u64,
    started: Instant,
    /// Since the start; what time it is for the command under way.
    now: Duration,
    /// How far its time is ahead of the system's.
    ahead: Duration,
    /// When all that is older goes.
    flush: Option<Duration>,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) data: Vec<u8>,
    pub(super) flags: u32,
    pub(super) cas: u64,
    /// Since the start; `None` is never.
    end: Option<Duration>,
    stored: Duration,
}

/// Over what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas(u64),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Yes,
    No,
    Another,
    Missing,
    TooLarge,
}

/// How a number changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delta {
    /// Begins at 0 again after the largest number.
    Up(u64),
    /// Stops at 0.
    Down(u64),
}

impl Default for Items {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            cas: 0,
            started: Instant::now(),
            now: Duration::ZERO,
            ahead: Duration::ZERO,
            flush: None,
            hits: 0,
            misses: 0,
        }
    }
}

impl Items {
    /// Lets time pass up to now, and drops what has expired.
    pub(super) fn pass(&mut self, ahead: Duration) {
        self.ahead = ahead;
        self.now = self.started.elapsed() + ahead;
        let now = self.now;
        let flushed = self.flush.take_if(|flush| *flush <= now);
        self.map.retain(|_, item| {
            item.end.is_none_or(|end| now < end) && flushed.is_none_or(|flushed| flushed < item.stored)
        });
    }

    /// When an item ends that is to expire at `expiry`, as commands tell it.
    fn end(&self, expiry: i64) -> Option<Duration> {
        match u64::try_from(expiry) {
            Ok(0) => None,
            Err(_) => Some(Duration::ZERO),
            Ok(seconds) if expiry <= MONTH => Some(self.now + Duration::from_secs(seconds)),
            Ok(seconds) => Some((self.now + Duration::from_secs(seconds)).saturating_sub(self.time())),
        }
    }

    pub(super) fn get(&mut self, key: &str) -> Option<&Item> {
        let found = self.map.get(key);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(super) fn store(&mut self, key: &str, data: &[u8], flags: u32, expiry: i64, way: Way) -> Stored {
        if data.len() + key.len() + BESIDE > LARGEST {
            // Rather nothing than what was there before.
            self.map.remove(key);
            return Stored::TooLarge;
        }
        let new = |data: Vec<u8>| Item { data, flags, cas: 0, end: self.end(expiry), stored: self.now };
        let item = match (way, self.map.get(key)) {
            (Way::Cas(_), None) => return Stored::Missing,
            (Way::Cas(cas), Some(old)) if old.cas != cas => return Stored::Another,
            (Way::Add, Some(_)) | (Way::Replace | Way::Append | Way::Prepend, None) => return Stored::No,
            (Way::Append, Some(old)) => Item { data: [&old.data, data].concat(), ..old.clone() },
            (Way::Prepend, Some(old)) => Item { data: [data, &old.data].concat(), ..old.clone() },
            _ => new(data.to_vec()),
        };
        self.put(key, item);
        Stored::Yes
    }

    /// Puts an item under a cas of its own; one that has expired by now takes away what was there.
    fn put(&mut self, key: &str, item: Item) {
        self.cas += 1;
        if item.end.is_some_and(|end| end <= self.now) {
            self.map.remove(key);
        } else {
            self.map.insert(key.to_owned(), Item { cas: self.cas, ..item });
        }
    }

    pub(super) fn delete(&mut self, key: &str) -> bool {
        self.map.remove(key).is_some()
    }

    pub(super) fn touch(&mut self, key: &str, expiry: i64) -> bool {
        let (end, now) = (self.end(expiry), self.now);
        let Some(item) = self.map.get_mut(key) else { return false };
        item.end = end;
        if end.is_some_and(|end| end <= now) {
            self.map.remove(key);
        }
        true
    }

    /// Changes a number: none where there is no item, `Some(None)` where it is not a number.
    pub(super) fn count(&mut self, key: &str, delta: Delta) -> Option<Option<u64>> {
        let item = self.map.get(key)?.clone();
        // What follows the number behind a space is not looked at.
        let text = std::str::from_utf8(&item.data).unwrap_or_default();
        let number = text.split_ascii_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let Some(number) = number else { return Some(None) };
        let number = match delta {
            Delta::Up(by) => number.wrapping_add(by),
            Delta::Down(by) => number.saturating_sub(by),
        };
        // A number never becomes shorter: it is written over the old one.
        let width = item.data.len();
        self.put(key, Item { data: format!("{number:<width$}").into_bytes(), ..item });
        Some(Some(number))
    }

    pub(super) fn flush(&mut self, delay: u64) {
        if delay == 0 {
            // It takes a number, as in servers of today, with one of which this one is compared.
            self.cas += 1;
            self.map.clear();
        } else {
            self.flush = Some(self.now + Duration::from_secs(delay));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Returns how many bytes the values have.
    pub(super) fn bytes(&self) -> usize {
        self.map.values().map(|item| item.data.len()).sum()
    }

    /// Returns the server's own time of the day, since 1970.
    pub(super) fn time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead
    }

    pub(super) fn uptime(&self) -> u64 {
        self.now.as_secs()
    }
}
