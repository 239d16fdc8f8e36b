//! The meta commands of memcached, from 1.6.18: commands to bytes, bytes to replies. Pure: no socket, no clock.
//!
//! ```text
//! command  = "mg" SP key flags CRLF | "ms" SP key SP length flags CRLF data CRLF | "md" .. | "ma" ..
//! reply    = "VA" SP length flags CRLF data CRLF | ("HD" | "EN" | "NF" | "NS" | "EX") flags CRLF
//!          | ("ERROR" | "CLIENT_ERROR" | "SERVER_ERROR") [SP text] CRLF
//! flags    = *(SP letter [token])
//! ```
//!
//! Each command carries an opaque number (`O`), which the server repeats; only the errors come without it. The server
//! carries flags out in the order in which they stand, so what changes an item stands before what shows it.

mod decode;
mod encode;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;

pub(crate) use decode::{Answer, Decoder, words};
pub(crate) use encode::{Outgoing, check};

use crate::command::{Command, How};
use crate::life;

/// Which replies fit a command, and how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An item with its data, or none: Get, Claim.
    Data,
    /// An item without its data, or none: Head, Refresh, Touch.
    Head,
    /// Data that is a number, or none: Count, Number.
    Number,
    /// Done: Store over anything.
    Set,
    /// Done, unless there is one: Store with `Add`.
    Add,
    /// Done, unless it is another one or none: Store with `Cas`.
    Swap,
    /// The same of commands without data: `Delete`, `MarkStale`.
    Change,
}

impl Kind {
    pub(crate) fn of(command: &Command<'_>) -> Self {
        match command {
            Command::Get { .. } | Command::Claim { .. } => Self::Data,
            Command::Head { .. } | Command::Refresh { .. } | Command::Touch { .. } => Self::Head,
            Command::Count { .. } | Command::Number { .. } => Self::Number,
            Command::Store { how: How::Set, .. } | Command::PutNumber { .. } => Self::Set,
            Command::Store { how: How::Add, .. } => Self::Add,
            Command::Store { how: How::Cas(_), .. } => Self::Swap,
            Command::Delete { .. } | Command::MarkStale { .. } => Self::Change,
        }
    }

    /// Returns whether data follows the command: a server that refuses its line reads that data as commands.
    fn has_payload(self) -> bool {
        matches!(self, Self::Set | Self::Add | Self::Swap)
    }
}

/// Returns whether [`Outgoing::push`] needs to know the time for this command.
pub(crate) fn is_dated(command: &Command<'_>) -> bool {
    match command {
        Command::Store { life, .. } | Command::Touch { life, .. } | Command::MarkStale { life: Some(life), .. } => {
            life.0 > life::RELATIVE
        }
        Command::Refresh { refresh, .. } => *refresh > life::RELATIVE,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
