//! Bytes to replies.

use bytes::{Buf, Bytes, BytesMut};

use super::Kind;
use crate::command::{Failure, Item, Reply};

/// The longest line that is waited for. Servers send far shorter ones: there are no keys in them.
const LONGEST_LINE: usize = 2048;

/// How much of what a server says about an error is passed on.
const LONGEST_COMPLAINT: usize = 80;

/// Takes replies off the front of what was received, however that was cut.
///
/// After a failure the rest of the bytes means nothing, and the connection is to be closed.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The longest data that is accepted.
    limit: u32,
    /// How many bytes at the front are known to hold no end of a line.
    scanned: usize,
    /// An item whose data has not come yet.
    begun: Option<Item>,
}

/// What a server said to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Reply(Reply),
    /// The server could not, and says why; the next reply can be read.
    Rejected(String),
}

impl Decoder {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, scanned: 0, begun: None }
    }

    /// Takes one reply off `input`: that to a command of this kind with this opaque number. Yields nothing if there is
    /// only a part of one, and makes room in `input` for the rest of data that was announced.
    ///
    /// # Errors
    ///
    /// When this is not such a reply, or no reply at all.
    #[inline]
    pub(crate) fn next(&mut self, kind: Kind, opaque: u32, input: &mut BytesMut) -> Result<Option<Answer>, Failure> {
        if let Some(item) = self.begun.take() {
            return self.data(kind, item, input);
        }
        let unseen = input.get(self.scanned..).unwrap_or_default();
        let Some(length) = unseen.iter().position(|&byte| byte == b'\n') else {
            self.scanned = input.len();
            return if self.scanned < LONGEST_LINE { Ok(None) } else { Err(endless()) };
        };
        let length = self.scanned + length;
        self.scanned = 0;
        if length >= LONGEST_LINE {
            return Err(endless());
        }
        let Some((b'\r', line)) = input.get(..length).and_then(<[u8]>::split_last) else {
            return Err(malformed("a line does not end with CR LF"));
        };
        let read = self.line(kind, opaque, line)?;
        input.advance(length + 1);
        match read {
            Line::Whole(answer) => Ok(Some(answer)),
            Line::Data(item) => self.data(kind, item, input),
        }
    }

    fn line(&self, kind: Kind, opaque: u32, line: &[u8]) -> Result<Line, Failure> {
        let (code, rest) = line.split_at(line.len().min(2));
        if !matches!(rest, [] | [b' ', ..]) {
            return complaint(kind, line).map(Line::Whole);
        }
        match code {
            b"VA" if matches!(kind, Kind::Data | Kind::Number) => {
                let (length, rest) = number(rest.get(1..).unwrap_or_default());
                let length = length.ok_or_else(|| malformed("the length of the data is no number"))?;
                let length = u32::try_from(length).ok().filter(|length| *length <= self.limit);
                let size = length.ok_or_else(|| malformed("longer data than the limit was announced"))?;
                let item = Flags::read(rest, opaque)?.item(kind)?;
                Ok(Line::Data(Item { size, ..item }))
            }
            b"HD" if kind == Kind::Head => Ok(reply(Reply::Item(Flags::read(rest, opaque)?.item(kind)?))),
            _ => {
                let bare = bare(kind, code)?;
                Flags::read(rest, opaque)?;
                Ok(reply(bare))
            }
        }
    }

    fn data(&mut self, kind: Kind, item: Item, input: &mut BytesMut) -> Result<Option<Answer>, Failure> {
        let size = item.size as usize;
        let Some(end) = input.get(size..).and_then(|rest| rest.first_chunk()) else {
            input.reserve((size + 2).saturating_sub(input.len()));
            self.begun = Some(item);
            return Ok(None);
        };
        if end != b"\r\n" {
            return Err(malformed("the data is longer than was announced"));
        }
        let data = if size == 0 { Bytes::new() } else { input.split_to(size).freeze() };
        input.advance(2);
        Ok(Some(match kind {
            Kind::Number => counted(&data),
            _ => Answer::Reply(Reply::Item(Item { data, ..item })),
        }))
    }
}

/// What a line says.
enum Line {
    Whole(Answer),
    /// The data of this item follows.
    Data(Item),
}

fn reply(reply: Reply) -> Line {
    Line::Whole(Answer::Reply(reply))
}

/// Returns the reply that consists of a code alone, if it fits the command.
fn bare(kind: Kind, code: &[u8]) -> Result<Reply, Failure> {
    match (code, kind) {
        (b"EN", Kind::Data | Kind::Head | Kind::Number) => Ok(Reply::Missing),
        (b"NF", Kind::Swap | Kind::Change | Kind::Number) => Ok(Reply::Missing),
        (b"HD", Kind::Set | Kind::Add | Kind::Swap | Kind::Change) => Ok(Reply::Done),
        (b"NS", Kind::Add) | (b"EX", Kind::Swap | Kind::Change) => Ok(Reply::Exists),
        (b"VA" | b"HD" | b"EN" | b"NF" | b"NS" | b"EX" | b"MN", _) => {
            Err(malformed("an answer that does not fit the command"))
        }
        _ => Err(malformed("an answer that memcached does not give")),
    }
}

/// Reads the three kinds of errors, which are all that has a code longer than two letters.
fn complaint(kind: Kind, line: &[u8]) -> Result<Answer, Failure> {
    let (what, text) = match line.iter().position(|&byte| byte == b' ') {
        Some(end) => (&line[..end], &line[end + 1..]),
        None => (line, &[][..]),
    };
    match what {
        b"ERROR" if text.starts_with(b"Too many open connections") => return Err(Failure::TooManyConnections),
        b"SERVER_ERROR"
            if kind.has_payload() && (text.starts_with(b"object too large") || text.starts_with(b"out of memory")) =>
        {
            return Ok(Answer::Reply(Reply::TooLarge));
        }
        b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" => {}
        _ => return Err(malformed("an answer that memcached does not give")),
    }
    let said = format!("the server said: {} {}", String::from_utf8_lossy(what), words(text));
    if kind.has_payload() { Err(Failure::Protocol(said)) } else { Ok(Answer::Rejected(said)) }
}

/// Returns the plain words at the start of a text: enough to know the error, but no key that a server may repeat in it.
pub(crate) fn words(text: &[u8]) -> String {
    let plain =
        |word: &&[u8]| word.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b',' | b'.'));
    let mut said = String::new();
    for word in text.split(|&byte| byte == b' ').take_while(plain) {
        if said.len() + word.len() > LONGEST_COMPLAINT {
            break;
        }
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&String::from_utf8_lossy(word));
    }
    said
}

/// Reads the number that a counter holds: digits, which the server pads with spaces once it has become shorter.
fn counted(data: &[u8]) -> Answer {
    let (value, padding) = number(data);
    match value {
        Some(value) if padding.iter().all(|&byte| byte == b' ') => Answer::Reply(Reply::Number(value)),
        _ => Answer::Rejected("what is stored as a number is none".into()),
    }
}

/// What the flags of a reply say.
#[derive(Default)]
struct Flags {
    item: Item,
    /// Which have been there, as bits.
    seen: u8,
}

const CLIENT_FLAGS: u8 = 1;
const CAS: u8 = 2;
const LEFT: u8 = 4;
const SIZE: u8 = 8;
const OPAQUE: u8 = 16;

impl Flags {
    /// Reads all flags, each of them after a space; those that are not known here are passed over.
    fn read(mut rest: &[u8], opaque: u32) -> Result<Self, Failure> {
        let mut flags = Self::default();
        while let [b' ', flag, token @ ..] = rest {
            rest = match flag {
                b'f' => flags.take(CLIENT_FLAGS, token, |item, flags| item.flags = flags)?,
                b'c' => flags.take_long(token)?,
                b't' => flags.take_left(token)?,
                b's' => flags.take(SIZE, token, |item, size| item.size = size)?,
                b'O' => flags.take_opaque(token, opaque)?,
                b'W' => passed(&mut flags.item.won, token),
                b'Z' => passed(&mut flags.item.held, token),
                b'X' => passed(&mut flags.item.stale, token),
                b' ' => &rest[1..],
                _ => &token[token.iter().position(|&byte| byte == b' ').unwrap_or(token.len())..],
            };
        }
        match rest {
            [] | [b' '] if flags.seen & OPAQUE != 0 => Ok(flags),
            [] | [b' '] => Err(malformed("an answer without the number of its command")),
            _ => Err(malformed("flags that cannot be read")),
        }
    }

    fn once(&mut self, flag: u8) -> Result<(), Failure> {
        let again = self.seen & flag != 0;
        self.seen |= flag;
        if again { Err(malformed("a flag twice")) } else { Ok(()) }
    }

    fn take<'a>(&mut self, flag: u8, token: &'a [u8], set: fn(&mut Item, u32)) -> Result<&'a [u8], Failure> {
        self.once(flag)?;
        let (value, rest) = number(token);
        let value = value.and_then(|value| u32::try_from(value).ok());
        set(&mut self.item, value.ok_or_else(|| malformed("a flag with a number that cannot be"))?);
        Ok(rest)
    }

    fn take_long<'a>(&mut self, token: &'a [u8]) -> Result<&'a [u8], Failure> {
        self.once(CAS)?;
        let (value, rest) = number(token);
        self.item.cas = value.ok_or_else(|| malformed("a flag with a number that cannot be"))?;
        Ok(rest)
    }

    fn take_left<'a>(&mut self, token: &'a [u8]) -> Result<&'a [u8], Failure> {
        if let Some(rest) = token.strip_prefix(b"-1") {
            return self.once(LEFT).map(|()| rest);
        }
        self.take(LEFT, token, |item, left| item.left = Some(left))
    }

    fn take_opaque<'a>(&mut self, token: &'a [u8], opaque: u32) -> Result<&'a [u8], Failure> {
        self.once(OPAQUE)?;
        let (value, rest) = hexadecimal(token);
        if value == Some(opaque) { Ok(rest) } else { Err(malformed("an answer to another command")) }
    }

    /// Returns the item, if all of it is there that was asked for.
    fn item(self, kind: Kind) -> Result<Item, Failure> {
        let asked = match kind {
            Kind::Data => CLIENT_FLAGS | CAS | LEFT,
            Kind::Head => CLIENT_FLAGS | CAS | LEFT | SIZE,
            _ => 0,
        };
        if self.seen & asked == asked {
            Ok(self.item)
        } else {
            Err(malformed("an item without a flag that was asked for"))
        }
    }
}

/// Sets what a flag without a token says; returns what follows the flag.
fn passed<'a>(said: &mut bool, rest: &'a [u8]) -> &'a [u8] {
    *said = true;
    rest
}

/// Reads the decimal number at the start of a text: no sign, no more than 64 bits.
fn number(text: &[u8]) -> (Option<u64>, &[u8]) {
    let mut value = None;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        let digit = u64::from(digit - b'0');
        let Some(longer) = value.unwrap_or(0u64).checked_mul(10).and_then(|tens| tens.checked_add(digit)) else {
            return (None, rest);
        };
        value = Some(longer);
        rest = after;
    }
    (value, rest)
}

/// Reads the hexadecimal number at the start of a text: as it was sent, no more than 32 bits.
fn hexadecimal(text: &[u8]) -> (Option<u32>, &[u8]) {
    let mut value = None;
    let mut rest = text;
    while let [digit @ (b'0'..=b'9' | b'a'..=b'f'), after @ ..] = rest {
        let digit = if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
        if value.is_some_and(|value| value > u32::MAX >> 4) {
            return (None, rest);
        }
        value = Some((value.unwrap_or(0) << 4) | u32::from(digit));
        rest = after;
    }
    (value, rest)
}

fn endless() -> Failure {
    malformed("a line without an end")
}

/// Makes a failure that says what came. No part of the bytes goes into it: they may be a user's.
fn malformed(what: &str) -> Failure {
    Failure::Protocol(format!("received {what}"))
}
