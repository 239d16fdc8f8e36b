//! How the answer to each classic command begins and how long it is (memcached's `protocol.txt`). Pure.

use crate::command::Failure;
use crate::node::dial::stranger;
use crate::node::meta::words;

/// Which answers can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// To `version`.
    Version,
    /// To `gets` of one key.
    Item,
    /// To `add`.
    Added,
    /// To `cas`.
    Swapped,
    /// To `incr`.
    Counted,
}

/// What comes after the first line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// So many bytes of data, an end of line, and `END`.
    Data(usize),
}

impl Shape {
    /// Judges the first line of an answer, without its end, to a command about `key`; `largest` bounds the data.
    pub(super) fn judge(self, line: &str, key: &str, largest: usize) -> Result<Rest, Failure> {
        let fits = is_error(line)
            || match self {
                Self::Version => line.starts_with("VERSION "),
                Self::Item if line == "END" => true,
                Self::Item => return value(line, key, largest),
                Self::Added => matches!(line, "STORED" | "NOT_STORED"),
                Self::Swapped => matches!(line, "STORED" | "EXISTS" | "NOT_FOUND"),
                Self::Counted => line == "NOT_FOUND" || line.parse::<u64>().is_ok(),
            };
        if fits { Ok(Rest::Nothing) } else { Err(unexpected(line.as_bytes())) }
    }
}

/// Tells whether a line is one of the errors that every command may be answered with.
fn is_error(line: &str) -> bool {
    line == "ERROR" || ["ERROR ", "CLIENT_ERROR ", "SERVER_ERROR "].iter().any(|error| line.starts_with(error))
}

/// Judges `VALUE <key> <flags> <bytes> <cas>`.
fn value(line: &str, key: &str, largest: usize) -> Result<Rest, Failure> {
    let words: Vec<&str> = line.split(' ').take(6).collect();
    let ["VALUE", found, flags, size, cas] = words[..] else {
        return Err(unexpected(line.as_bytes()));
    };
    if found != key {
        return Err(Failure::Protocol("answered with the item of another key".to_owned()));
    }
    match (flags.parse::<u32>(), size.parse::<usize>(), cas.parse::<u64>()) {
        (Ok(_), Ok(size), Ok(_)) if size <= largest => Ok(Rest::Data(size)),
        (Ok(_), Ok(size), Ok(_)) => Err(Failure::Protocol(format!("announces an item of {size} bytes"))),
        _ => Err(unexpected(line.as_bytes())),
    }
}

/// Returns what an error line means for the whole batch.
pub(super) fn failure(line: &str) -> Failure {
    if line.starts_with("ERROR Too many open connections") {
        Failure::TooManyConnections
    } else {
        Failure::Protocol(format!("answered \"{}\"", words(line.as_bytes())))
    }
}

/// Tells whether a line says that there is no room for an item. The server has read the item then, so that the
/// connection can still be used, unlike after all other errors.
pub(super) fn is_no_room(line: &str) -> bool {
    line.starts_with("SERVER_ERROR object too large for cache")
        || line.starts_with("SERVER_ERROR out of memory storing object")
}

/// Blames an answer that is not memcached's, or not to what was asked, saying what it looks like.
pub(super) fn unexpected(line: &[u8]) -> Failure {
    Failure::Protocol(match stranger(line) {
        Some(what) => format!("the answer looks like {what}"),
        None => format!("an answer to another question: \"{}\"", words(line)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(shape: Shape, line: &str) -> Option<Rest> {
        shape.judge(line, "key", 100).ok()
    }

    #[test]
    fn each_answer_fits_its_own_command_and_no_other() {
        use Shape::{Added, Counted, Item, Swapped, Version};
        let shapes = [Version, Item, Added, Swapped, Counted];
        for (line, fits) in [
            ("VERSION 1.6.18", &[Version][..]),
            ("END", &[Item]),
            ("STORED", &[Added, Swapped]),
            ("NOT_STORED", &[Added]),
            ("EXISTS", &[Swapped]),
            ("NOT_FOUND", &[Swapped, Counted]),
            ("17", &[Counted]),
            ("ERROR", &shapes),
            ("SERVER_ERROR busy", &shapes),
            ("CLIENT_ERROR bad", &shapes),
            ("HD", &[]),
            ("", &[]),
            ("ERRORS", &[]),
            ("-1", &[]),
            ("18446744073709551616", &[]),
            ("ENDING", &[]),
        ] {
            for shape in shapes {
                assert_eq!(judge(shape, line).is_some(), fits.contains(&shape), "{shape:?} {line}");
            }
        }
    }

    #[test]
    fn data_is_announced_for_the_key_within_the_bound_and_with_its_number_or_not_at_all() {
        assert_eq!(judge(Shape::Item, "VALUE key 0 100 7"), Some(Rest::Data(100)));
        for line in [
            "VALUE key 0 101 7",
            "VALUE yek 0 100 7",
            "VALUE key 0 100",
            "VALUE key 0 100 7 8",
            "VALUE key 0 -1 7",
            "VALUE key x 100 7",
            "VALUE key 0 99999999999999999999999 7",
            "VALUE  key 0 100 7",
            "VALUES key 0 100 7",
        ] {
            assert_eq!(judge(Shape::Item, line), None, "{line}");
        }
    }

    #[test]
    fn strangers_are_called_by_their_names() {
        for (line, name) in [
            (&b"HTTP/1.1 400"[..], "HTTP"),
            (b"-ERR unknown", "Redis"),
            (b"\x15\x03\x01", "TLS"),
            (b"STORED", "STORED"),
        ] {
            assert!(matches!(unexpected(line), Failure::Protocol(why) if why.contains(name)), "{name}");
        }
    }
}
