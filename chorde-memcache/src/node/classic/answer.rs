//! What each [`Command`](crate::command::Command) comes to in classic commands, and the lease that they do not have.
//!
//! * A stub is a prefix without data. It is put by `add`, so that one wins; the tag in it tells the winner that it is
//!   still its own when it asks for its number.
//! * The right to refresh an item is a second key beside it, put by `add` for the time of the lease. It goes whenever
//!   the item is stored, deleted or marked as stale.
//! * What has to change an item without its data (`Touch`, `MarkStale`) reads it and stores it again over its own number.

use bytes::Bytes;

use super::connection::{Connection, Counted, Stored};
use super::prefix::{PAST, PREFIX, Prefix};
use super::question::{Question, What};
use crate::command::{Failure, How, Item, Life, Reply};
use crate::life::GRACE;

/// How often a change is tried again because somebody else was faster, each time having done what he wanted.
const TRIES: usize = 64;

/// How many seconds apart two connections may take the server's clock to be: it tells whole seconds, and its answer takes
/// a while.
const APART: u32 = 5;

/// An item that was read.
struct Seen {
    raw: Vec<u8>,
    cas: u64,
    /// `None` for what nobody stored with one.
    prefix: Option<Prefix>,
    now: u32,
}

/// Whether the data of an item is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    Data,
    Nothing,
}

/// What a lease is asked for.
#[derive(Clone, Copy)]
struct Lease {
    seconds: u32,
    refresh: u32,
    with: With,
}

impl Connection {
    /// Answers one question.
    ///
    /// # Errors
    ///
    /// After any, the connection must not be used again.
    pub(super) async fn answer(&mut self, question: &Question) -> Result<Reply, Failure> {
        let key = &*question.key;
        match question.what {
            What::Get => self.show(key, With::Data).await,
            What::Head => self.show(key, With::Nothing).await,
            What::Claim { lease, refresh } => {
                self.claim(key, Lease { seconds: lease.max(1), refresh, with: With::Data }).await
            }
            What::Refresh { lease, refresh } => {
                self.refresh(key, Lease { seconds: lease.max(1), refresh, with: With::Nothing }).await
            }
            What::Store { ref data, flags, life, how } => {
                let prefix = Prefix::new(life, flags, self.now());
                self.store(key, &[&prefix.bytes()[..], data].concat(), prefix, how).await
            }
            What::Touch { life } => self.touch(key, life).await,
            What::Delete { cas } => self.remove(key, cas).await,
            What::MarkStale { life, cas } => self.mark_stale(key, life, cas).await,
            What::Count { initial } => self.count(key, initial).await,
            What::Number => self.number(key).await,
            What::PutNumber { number } => self.put_number(key, number).await,
        }
    }

    /// Gives back what was won for somebody who does not wait for it any more.
    pub(super) async fn give_back(&mut self, question: &Question, reply: &Reply) -> Result<(), Failure> {
        if let Reply::Item(Item { won: true, size, stale, cas, .. }) = *reply {
            if size == 0 && !stale {
                self.cas(&question.key, &[], cas, PAST).await?;
            } else {
                self.delete(&beside(&question.key)).await?;
            }
        }
        Ok(())
    }

    fn now(&self) -> u32 {
        self.time().now()
    }

    async fn look(&mut self, key: &str) -> Result<Option<Seen>, Failure> {
        let found = self.gets(key).await?;
        let now = self.now();
        Ok(found.map(|(raw, cas)| Seen { prefix: Prefix::read(&raw, now), raw, cas, now }))
    }

    async fn show(&mut self, key: &str, with: With) -> Result<Reply, Failure> {
        let seen = self.look(key).await?;
        Ok(seen.map_or(Reply::Missing, |seen| Reply::Item(seen.item(with))))
    }

    async fn claim(&mut self, key: &str, lease: Lease) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            if let Some(seen) = self.look(key).await? {
                if let Some(item) = self.contend(key, seen, lease).await? {
                    return Ok(Reply::Item(item));
                }
                continue;
            }
            let tag = fastrand::u32(..);
            let stub = Prefix::new(Life(lease.seconds), tag, self.now());
            match self.add(key, &stub.bytes(), lease.seconds).await? {
                Stored::Yes => {}
                Stored::NoRoom => return Err(no_room()),
                Stored::Exists | Stored::Missing => continue,
            }
            if let Some(seen) = self.look(key).await?.filter(|seen| seen.is_stub_of(tag)) {
                return Ok(Reply::Item(Item { won: true, held: false, ..seen.item(With::Nothing) }));
            }
        }
        Err(Failure::Timeout)
    }

    async fn refresh(&mut self, key: &str, lease: Lease) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            let Some(seen) = self.look(key).await? else {
                return Ok(Reply::Missing);
            };
            if let Some(item) = self.contend(key, seen, lease).await? {
                return Ok(Reply::Item(item));
            }
        }
        Err(Failure::Timeout)
    }

    /// Tries to win the refresh of an item that needs one; `None` where it has changed meanwhile.
    async fn contend(&mut self, key: &str, seen: Seen, lease: Lease) -> Result<Option<Item>, Failure> {
        let mut item = seen.item(lease.with);
        let due = item.stale || item.left.is_some_and(|left| left < lease.refresh);
        if item.held || !due {
            return Ok(Some(item));
        }
        let right = beside(key);
        match self.add(&right, b"1", lease.seconds).await? {
            Stored::Yes => item.won = true,
            Stored::Exists | Stored::Missing => item.held = true,
            Stored::NoRoom => {}
        }
        // Somebody may have won, stored and given the right back between the look and the add.
        if item.won && self.look(key).await?.is_none_or(|seen| seen.cas != item.cas) {
            self.delete(&right).await?;
            return Ok(None);
        }
        Ok(Some(item))
    }

    async fn store(&mut self, key: &str, raw: &[u8], prefix: Prefix, how: How) -> Result<Reply, Failure> {
        let exptime = prefix.exptime(self.now());
        let stored = match how {
            // It could not be read back.
            How::Set if raw.len() > self.largest() => {
                self.remove(key, None).await?;
                Stored::NoRoom
            }
            _ if raw.len() > self.largest() => Stored::NoRoom,
            How::Set => self.store_over(key, raw, exptime).await?,
            How::Add => self.add(key, raw, exptime).await?,
            How::Cas(cas) => self.cas(key, raw, cas, exptime).await?,
        };
        match (stored, how) {
            (Stored::Yes, How::Add | How::Cas(_)) => self.take_right(key).await?,
            // What was to be replaced is known to be old.
            (Stored::NoRoom, How::Cas(cas)) => {
                self.cas(key, &[], cas, PAST).await?;
            }
            _ => {}
        }
        Ok(reply(stored))
    }

    /// Takes the right to refresh an item from whoever has it. It is gone when this returns: gone later, it might be that
    /// of the next winner.
    async fn take_right(&mut self, key: &str) -> Result<(), Failure> {
        self.delete(&beside(key)).await?;
        self.barrier().await
    }

    /// Stores over anything. The command has no answer; whether there was room shows by whether there is an item.
    async fn store_over(&mut self, key: &str, raw: &[u8], exptime: u32) -> Result<Stored, Failure> {
        self.set(key, raw, exptime).await?;
        // Done before the next is answered.
        self.delete(&beside(key)).await?;
        if self.exists(key).await? {
            return Ok(Stored::Yes);
        }
        // No room, or somebody deleted it just then: as large an item in another place, gone at once, tells.
        match self.add(&format!("{key}!"), raw, PAST).await? {
            Stored::NoRoom => Ok(Stored::NoRoom),
            _ => Ok(Stored::Yes),
        }
    }

    async fn touch(&mut self, key: &str, life: Life) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            let Some(mut seen) = self.look(key).await? else {
                return Ok(Reply::Missing);
            };
            let renewed = Prefix::new(life, 0, seen.now);
            seen.change(|prefix| prefix.end = renewed.end);
            match self.cas(key, &seen.raw, seen.cas, renewed.exptime(seen.now)).await? {
                // The number is a new one, which the answer does not tell.
                Stored::Yes => return self.show(key, With::Nothing).await,
                Stored::Exists => {}
                Stored::Missing => return Ok(Reply::Missing),
                Stored::NoRoom => return Err(no_room()),
            }
        }
        Err(Failure::Timeout)
    }

    async fn remove(&mut self, key: &str, cas: Option<u64>) -> Result<Reply, Failure> {
        if let Some(cas) = cas {
            let stored = self.cas(key, &[], cas, PAST).await?;
            if stored == Stored::Yes {
                self.take_right(key).await?;
            }
            return Ok(reply(stored));
        }
        if !self.exists(key).await? {
            return Ok(Reply::Missing);
        }
        self.delete(key).await?;
        self.take_right(key).await?;
        Ok(Reply::Done)
    }

    async fn mark_stale(&mut self, key: &str, life: Option<Life>, only: Option<u64>) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            let Some(mut seen) = self.look(key).await? else {
                return Ok(Reply::Missing);
            };
            if only.is_some_and(|cas| cas != seen.cas) {
                return Ok(Reply::Exists);
            }
            let end = life.map(|life| Prefix::new(life, 0, seen.now)).or(seen.prefix);
            // An item that nobody stored with a prefix cannot be marked, and is of use to nobody.
            let exptime = end.map_or(PAST, |end| end.exptime(seen.now));
            seen.change(|prefix| {
                prefix.stale = true;
                prefix.end = end.map_or(prefix.end, |end| end.end);
            });
            match self.cas(key, &seen.raw, seen.cas, exptime).await? {
                Stored::Exists if only.is_none() => continue,
                Stored::NoRoom => return Err(no_room()),
                stored @ (Stored::Exists | Stored::Missing) => return Ok(reply(stored)),
                Stored::Yes => {}
            }
            self.take_right(key).await?;
            return Ok(Reply::Done);
        }
        Err(Failure::Timeout)
    }

    async fn count(&mut self, key: &str, initial: u64) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            match self.incr(key, 1).await? {
                Counted::Number(number) => return Ok(Reply::Number(number)),
                Counted::NotANumber => return Err(not_a_number()),
                Counted::Missing => {}
            }
            if self.add_number(key, initial).await? == Stored::Yes {
                return Ok(Reply::Number(initial));
            }
        }
        Err(Failure::Timeout)
    }

    async fn number(&mut self, key: &str) -> Result<Reply, Failure> {
        let Some((raw, _)) = self.gets(key).await? else {
            return Ok(Reply::Missing);
        };
        let number = std::str::from_utf8(&raw).ok().and_then(|text| text.trim_end().parse().ok());
        number.map(Reply::Number).ok_or_else(not_a_number)
    }

    /// Stores a number, or raises the one that is there to it: a `set` could not be told from one that was refused.
    async fn put_number(&mut self, key: &str, number: u64) -> Result<Reply, Failure> {
        for _ in 0..TRIES {
            if self.add_number(key, number).await? == Stored::Yes {
                return Ok(Reply::Done);
            }
            match self.number(key).await? {
                Reply::Number(there) if there >= number => return Ok(Reply::Done),
                Reply::Number(there) => match self.incr(key, number - there).await? {
                    Counted::Number(_) => return Ok(Reply::Done),
                    Counted::NotANumber => return Err(not_a_number()),
                    Counted::Missing => {}
                },
                _ => {}
            }
        }
        Err(Failure::Timeout)
    }

    async fn add_number(&mut self, key: &str, number: u64) -> Result<Stored, Failure> {
        match self.add(key, number.to_string().as_bytes(), 0).await? {
            Stored::NoRoom => Err(no_room()),
            stored => Ok(stored),
        }
    }
}

impl Seen {
    fn size(&self) -> usize {
        if self.prefix.is_some() { self.raw.len() - PREFIX } else { self.raw.len() }
    }

    fn is_stub(&self) -> bool {
        self.size() == 0
    }

    fn is_stub_of(&self, tag: u32) -> bool {
        self.is_stub() && self.prefix.is_some_and(|prefix| prefix.flags == tag)
    }

    /// Changes what the prefix says.
    fn change(&mut self, change: impl FnOnce(&mut Prefix)) {
        if let Some(prefix) = &mut self.prefix {
            change(prefix);
            self.raw[..PREFIX].copy_from_slice(&prefix.bytes());
        }
    }

    fn item(&self, with: With) -> Item {
        let size = self.size();
        let data = if with == With::Data { &self.raw[self.raw.len() - size..] } else { &[] };
        let stale = self.prefix.is_some_and(|prefix| prefix.stale);
        Item {
            data: Bytes::copy_from_slice(data),
            size: u32::try_from(size).unwrap_or(u32::MAX),
            flags: self.prefix.map_or(0, |prefix| if size == 0 { 0 } else { prefix.flags }),
            cas: self.cas,
            left: self.prefix.map(|prefix| shown(prefix.left(self.now), stale)),
            won: false,
            held: size == 0 && !stale,
            stale,
        }
    }
}

/// Returns what an item is shown to have left. One that was marked as past its life is that for all, also for those who
/// take the server's clock to be behind; a value so near to its end is none to insist on.
fn shown(left: u32, stale: bool) -> u32 {
    if stale && left <= GRACE + APART { left.min(GRACE) } else { left }
}

/// Names the right to refresh an item.
fn beside(key: &str) -> String {
    format!("{key}~")
}

fn reply(stored: Stored) -> Reply {
    match stored {
        Stored::Yes => Reply::Done,
        Stored::Exists => Reply::Exists,
        Stored::Missing => Reply::Missing,
        Stored::NoRoom => Reply::TooLarge,
    }
}

fn no_room() -> Failure {
    Failure::Protocol("has no room for as much as a stub".to_owned())
}

fn not_a_number() -> Failure {
    Failure::Protocol("has something that is not a number where a number should be".to_owned())
}
