//! A command that owns what it is about, so that it can go to another thread.

use bytes::Bytes;

use crate::command::{Command, Failure, How, Life};

/// The longest key: that of memcached without the byte that the keys beside it have more.
const LONGEST_KEY: usize = 249;

/// One [`Command`].
#[derive(Debug)]
pub(super) struct Question {
    pub(super) key: String,
    pub(super) what: What,
}

/// What a [`Command`] asks of its key; see there.
#[derive(Debug)]
pub(super) enum What {
    Get,
    Head,
    Claim { lease: u32, refresh: u32 },
    Refresh { refresh: u32, lease: u32 },
    Store { data: Bytes, flags: u32, life: Life, how: How },
    Touch { life: Life },
    Delete { cas: Option<u64> },
    MarkStale { life: Option<Life>, cas: Option<u64> },
    Count { initial: u64 },
    Number,
    PutNumber { number: u64 },
}

impl Question {
    /// Makes a question of a command.
    ///
    /// # Errors
    ///
    /// [`Failure::Protocol`] for a key that would be read as more than a key: nobody below looks at it again.
    pub(super) fn new(command: &Command<'_>) -> Result<Self, Failure> {
        let (key, what) = split(command);
        match std::str::from_utf8(key) {
            Ok(text) if is_key(key) => Ok(Self { key: text.to_owned(), what }),
            _ => Err(Failure::Protocol("asked for a key that memcached does not take".to_owned())),
        }
    }
}

fn is_key(key: &[u8]) -> bool {
    (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic)
}

fn split<'a>(command: &Command<'a>) -> (&'a [u8], What) {
    match *command {
        Command::Get { key } => (key, What::Get),
        Command::Head { key } => (key, What::Head),
        Command::Claim { key, lease, refresh } => (key, What::Claim { lease, refresh }),
        Command::Refresh { key, refresh, lease } => (key, What::Refresh { refresh, lease }),
        Command::Store { key, ref data, flags, life, how } => {
            (key, What::Store { data: data.clone(), flags, life, how })
        }
        Command::Touch { key, life } => (key, What::Touch { life }),
        Command::Delete { key, cas } => (key, What::Delete { cas }),
        Command::MarkStale { key, life, cas } => (key, What::MarkStale { life, cas }),
        Command::Count { key, initial } => (key, What::Count { initial }),
        Command::Number { key } => (key, What::Number),
        Command::PutNumber { key, number } => (key, What::PutNumber { number }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_would_be_read_as_commands_are_refused() {
        let long = [b'k'; LONGEST_KEY + 1];
        for key in [&b""[..], b"a b", b"a\r\nflush_all", b"a\n", b"a\0", b"\x7f", b"\xff\xfe", "ä".as_bytes(), &long] {
            assert!(matches!(Question::new(&Command::Get { key }), Err(Failure::Protocol(_))), "{key:?}");
        }
        assert_eq!(Question::new(&Command::Get { key: &long[1..] }).unwrap().key.len(), LONGEST_KEY);
    }
}
