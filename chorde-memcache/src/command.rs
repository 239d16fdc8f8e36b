//! What a server can be asked and what it answers, whatever the transport: the words between the client's logic, which
//! thinks in these, and the two transports, which put them on the wire.
//!
//! Times are those of memcached: whole seconds on the server's own clock.

use bytes::Bytes;

/// One question to one server. Keys are wire keys: at most 250 bytes, none of them a space or a control character.
#[derive(Clone, Debug)]
pub(crate) enum Command<'a> {
    /// Reads an item with its data.
    Get { key: &'a [u8] },
    /// Reads all of an item but its data.
    Head { key: &'a [u8] },
    /// Reads an item; where there is none, leaves an empty one (a stub) for `lease` seconds and wins. Where less than
    /// `refresh` seconds are left, the first to ask wins as well.
    Claim { key: &'a [u8], lease: u32, refresh: u32 },
    /// Wins the refresh of an item with less than `refresh` seconds left, unless somebody has; without data.
    Refresh { key: &'a [u8], refresh: u32, lease: u32 },
    /// Stores.
    Store { key: &'a [u8], data: Bytes, flags: u32, life: Life, how: How },
    /// Sets the time that an item has left; answers with all of it but its data.
    Touch { key: &'a [u8], life: Life },
    /// Removes an item, only if it is still this one where `cas` says which.
    Delete { key: &'a [u8], cas: Option<u64> },
    /// Marks an item as stale and takes back any win, under a new cas; sets its life where told. Where `cas` says
    /// which, only if it is still this one.
    MarkStale { key: &'a [u8], life: Option<Life>, cas: Option<u64> },
    /// Adds one to a number; where there is none, stores `initial` for ever. Answers with the number.
    Count { key: &'a [u8], initial: u64 },
    /// Reads a number that [`Count`](Self::Count) keeps.
    Number { key: &'a [u8] },
    /// Stores a number, for ever; a larger one may stay.
    PutNumber { key: &'a [u8], number: u64 },
}

/// How long an item is kept: seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life(pub(crate) u32);

/// Says over what a [`Command::Store`] stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Over anything.
    Set,
    /// Only where nothing is, not even a stub.
    Add,
    /// Only over the item with this number.
    Cas(u64),
}

/// What a server answers to one [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// To `Get`, `Head`, `Claim`, `Refresh`, `Touch`: the item.
    Item(Item),
    /// To `Store`, `Delete`, `MarkStale`, `PutNumber`: done.
    Done,
    /// To anything: there is no such item.
    Missing,
    /// To `Store`, `Delete`, `MarkStale` with a cas: it is another one by now. To `Store` with `Add`: there is one.
    Exists,
    /// To `Count` and `Number`.
    Number(u64),
    /// To `Store`: the server has no room for an item of that size, or no memory. Whatever was there is gone.
    TooLarge,
}

impl Reply {
    /// Returns the item, if it is one.
    pub(crate) fn into_item(self) -> Option<Item> {
        match self {
            Self::Item(item) => Some(item),
            _ => None,
        }
    }
}

/// An item as a server shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// Empty where it was not asked for, and for stubs.
    pub(crate) data: Bytes,
    /// The size of the data, whether asked for or not; zero for stubs.
    pub(crate) size: u32,
    /// What was stored beside the data; zero where the transport cannot.
    pub(crate) flags: u32,
    /// The number of this state of the item.
    pub(crate) cas: u64,
    /// Seconds that the server keeps it; `None` is for ever.
    pub(crate) left: Option<u32>,
    /// The asker is to compute (W).
    pub(crate) won: bool,
    /// Somebody else was told to (Z).
    pub(crate) held: bool,
    /// It was marked as stale (X).
    pub(crate) stale: bool,
}

/// Why a server did not answer a batch of commands, or not in a way that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody listens, the host is unreachable, the name has no address, or the connection was cut while it was made.
    Refused(String),
    /// The connection ended before the answer. `unsent` tells that the server cannot have seen the commands.
    Closed { unsent: bool, why: String },
    /// No answer within the deadline.
    Timeout,
    /// More waits for this server than the limits allow; nothing was sent.
    Overloaded,
    /// The server answered something that is not memcached's protocol, or not to what was asked.
    Protocol(String),
    /// The server is too old for the meta commands: this version.
    NoMeta(String),
    /// The server says that it is out of connections.
    TooManyConnections,
}

impl<'a> Command<'a> {
    /// Returns the key that the command is about.
    pub(crate) fn key(&self) -> &'a [u8] {
        match *self {
            Self::Get { key }
            | Self::Head { key }
            | Self::Claim { key, .. }
            | Self::Refresh { key, .. }
            | Self::Store { key, .. }
            | Self::Touch { key, .. }
            | Self::Delete { key, .. }
            | Self::MarkStale { key, .. }
            | Self::Count { key, .. }
            | Self::Number { key }
            | Self::PutNumber { key, .. } => key,
        }
    }

    /// Returns whether the answer may be an item that the asker has won.
    pub(crate) fn may_win(&self) -> bool {
        matches!(
            self,
            Self::Get { .. } | Self::Head { .. } | Self::Claim { .. } | Self::Refresh { .. } | Self::Touch { .. }
        )
    }

    /// Returns the key whose value the command changes, if it changes one.
    pub(crate) fn changes(&self) -> Option<&'a [u8]> {
        matches!(self, Self::Store { .. } | Self::Delete { .. } | Self::MarkStale { .. }).then(|| self.key())
    }

    /// Returns the key whose computation the command claims, if it claims one.
    pub(crate) fn claims(&self) -> Option<&'a [u8]> {
        matches!(self, Self::Claim { .. } | Self::Refresh { .. }).then(|| self.key())
    }

    /// Returns whether the command, carried out twice, comes to the same as once: it reads, or says what is to be there
    /// whatever is there now. Removed twice, a key is told to have been absent.
    pub(crate) fn may_repeat(&self) -> bool {
        match self {
            Self::Get { .. } | Self::Head { .. } | Self::Number { .. } | Self::PutNumber { .. } => true,
            Self::Store { how, .. } => *how == How::Set,
            Self::Delete { cas, .. } => cas.is_none(),
            _ => false,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "cannot connect: {why}"),
            Self::Closed { why, .. } => write!(f, "the connection was lost: {why}"),
            Self::Timeout => f.write_str("no answer within the deadline"),
            Self::Overloaded => f.write_str("too many operations are waiting for this server"),
            Self::Protocol(what) => write!(f, "this is not memcached's protocol: {what}"),
            Self::NoMeta(version) => {
                write!(f, "version {version} has no meta commands (1.6.18 has): choose `Transport::Auto`")
            }
            Self::TooManyConnections => f.write_str("the server is out of connections: raise its `-c`"),
        }
    }
}

impl std::error::Error for Failure {}
