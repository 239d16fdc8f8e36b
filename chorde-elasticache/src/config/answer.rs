//! The answers to a question for the configuration, out of bytes as they come.

use std::fmt;

use super::{Config, text};

/// The longest first line of an answer, with its end. Nodes send far shorter ones.
const LONGEST_LINE: usize = 512;

/// The longest text of a configuration: far more than that of the largest cluster, but no burden on memory.
const LONGEST_TEXT: u64 = 256 * 1024;

/// How much is quoted of what was received.
const LONGEST_QUOTE: usize = 60;

/// What may follow the text. Its last line ends with LF, which belongs to the text and to its length in the example that
/// AWS gives; in the second form the length was taken without it.
const ENDS: [&[u8]; 2] = [b"\r\nEND\r\n", b"\n\r\nEND\r\n"];

/// Which of the two questions was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The command that ElastiCache added to memcached 1.4.14.
    Command,
    /// The key under which older engines keep the configuration.
    Key,
}

/// What the bytes received so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The answer goes on.
    More,
    Done(Said),
}

/// What a server says when asked for the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Config(Config),
    /// There is none: the bare `END`.
    Nothing,
    /// The server does not know the command: the bare `ERROR`, which is all that memcached says then. A `CLIENT_ERROR` is
    /// about a command that is known, such as one before a login.
    Unknown,
}

/// Says what is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(String);

impl Form {
    /// Returns the bytes that ask.
    pub(crate) fn question(self) -> &'static [u8] {
        match self {
            Self::Command => b"config get cluster\r\n",
            Self::Key => b"get AmazonElastiCache:cluster\r\n",
        }
    }

    /// Returns the words before the flags and the length.
    fn title(self) -> [&'static [u8]; 2] {
        match self {
            Self::Command => [b"CONFIG", b"cluster"],
            Self::Key => [b"VALUE", b"AmazonElastiCache:cluster"],
        }
    }
}

/// Reads an answer from all that was received since the question.
///
/// # Errors
///
/// When this can no longer become an answer; nor can it with more bytes.
pub(crate) fn read(form: Form, received: &[u8]) -> Result<Reading, Malformed> {
    let Some((line, rest)) = first_line(received)? else { return Ok(Reading::More) };
    match line {
        b"END" => alone(rest, Said::Nothing),
        b"ERROR" => alone(rest, Said::Unknown),
        _ => body(length(form, line)?, rest),
    }
}

/// A line without its end, and what follows it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits the first line off, if its end has come.
fn first_line(received: &[u8]) -> Result<Option<Split<'_>>, Malformed> {
    let looked_at = &received[..received.len().min(LONGEST_LINE)];
    let Some(end) = looked_at.iter().position(|&byte| byte == b'\n') else {
        let text = looked_at.strip_suffix(b"\r").unwrap_or(looked_at);
        if text.iter().any(u8::is_ascii_control) {
            return Err(Malformed(format!("what was received is no text: {}", Quoted(received))));
        }
        if looked_at.len() == LONGEST_LINE {
            return Err(Malformed(format!("the first line has no end: {}", Quoted(received))));
        }
        return Ok(None);
    };
    let (line, rest) = (&received[..end], &received[end + 1..]);
    match line.strip_suffix(b"\r") {
        Some(line) => Ok(Some((line, rest))),
        None => Err(Malformed(format!("the first line does not end with CR LF: {}", Quoted(line)))),
    }
}

/// Takes a line that is the whole answer.
fn alone(rest: &[u8], said: Said) -> Result<Reading, Malformed> {
    if rest.is_empty() { Ok(Reading::Done(said)) } else { Err(surplus(rest)) }
}

/// Reads the length of the text that follows the first line.
fn length(form: Form, line: &[u8]) -> Result<usize, Malformed> {
    let [command, key] = form.title();
    let words: Vec<_> = line.split(|&byte| byte == b' ').collect();
    let length = match *words.as_slice() {
        [first, second, flags, length] if first == command && second == key && number(flags).is_some() => length,
        _ => return Err(Malformed(format!("the answer is {}", Quoted(line)))),
    };
    match number(length) {
        Some(length) if length <= LONGEST_TEXT => Ok(length as usize),
        Some(length) => Err(Malformed(format!("the text is {length} bytes long, which is more than {LONGEST_TEXT}"))),
        None => Err(Malformed(format!("the length of the text is {}", Quoted(length)))),
    }
}

/// Reads the text and what ends it, once all of it has come.
fn body(length: usize, rest: &[u8]) -> Result<Reading, Malformed> {
    let Some((text, end)) = rest.split_at_checked(length) else { return Ok(Reading::More) };
    if ENDS.contains(&end) {
        return text::config(text).map(|config| Reading::Done(Said::Config(config)));
    }
    if ENDS.iter().any(|whole| whole.starts_with(end)) {
        return Ok(Reading::More);
    }
    match ENDS.iter().find_map(|whole| end.strip_prefix(*whole)) {
        Some(rest) => Err(surplus(rest)),
        None => Err(Malformed(format!("the text does not end after {length} bytes: {}", Quoted(end)))),
    }
}

fn surplus(rest: &[u8]) -> Malformed {
    Malformed(format!("the answer has ended, and there follows {}", Quoted(rest)))
}

/// Reads a decimal number that is nothing but digits, no more than 64 bits.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok())
}

impl Malformed {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the beginning of what was received in quotation marks and printable characters.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = LONGEST_QUOTE;
        f.write_str("\"")?;
        for &byte in self.0 {
            let escaped = byte.escape_ascii();
            if escaped.len() > room {
                return f.write_str("\"...");
            }
            room -= escaped.len();
            escaped.fmt(f)?;
        }
        f.write_str("\"")
    }
}
