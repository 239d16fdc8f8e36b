//! The rules of the replies once more, out of words and the standard library's numbers: slow, and without a line in
//! common with the decoder.

use std::collections::HashMap;

use super::{Answer, Failure, Kind, OPAQUE, Read};
use crate::command::{Item, Reply};

/// What the bytes at the front of a stream amount to.
enum Ruling {
    More,
    Wrong,
    TooManyConnections,
    /// A reply, and how many bytes it takes.
    Reply(Reply, usize),
    Rejected(usize),
}

/// Compares what was decoded with what the rules say.
pub(super) fn agree(limit: u32, kinds: &[Kind], stream: &[u8], read: &Read) {
    let mut rest = stream;
    let mut answers = read.answers.iter();
    for kind in kinds {
        let answer = answers.next();
        let used = match rule(limit, *kind, rest) {
            Ruling::More => return assert_eq!((answer, &read.failure), (None, &None), "{}", rest.escape_ascii()),
            Ruling::TooManyConnections => return assert_eq!(read.failure, Some(Failure::TooManyConnections)),
            Ruling::Wrong => {
                let Some(Failure::Protocol(said)) = &read.failure else {
                    panic!("{kind:?} {}: {read:?}", rest.escape_ascii())
                };
                assert_eq!(answer, None);
                return check_message(said);
            }
            Ruling::Reply(reply, used) => {
                assert_eq!(answer, Some(&Answer::Reply(reply)), "{kind:?} {}", rest.escape_ascii());
                used
            }
            Ruling::Rejected(used) => {
                let Some(Answer::Rejected(said)) = answer else { panic!("{kind:?} {}", rest.escape_ascii()) };
                check_message(said);
                used
            }
        };
        rest = &rest[used..];
    }
    assert_eq!((answers.next(), &read.failure), (None, &None));
}

/// A message is short, and has no byte in it by which a key could be told.
fn check_message(said: &str) {
    let (_, told) = said.split_once("ERROR").unwrap_or(("", ""));
    let plain = |letter: char| letter.is_ascii_alphabetic() || " -_,.".contains(letter);
    assert!(said.len() < 140 && told.chars().all(plain), "{said:?}");
}

fn rule(limit: u32, kind: Kind, stream: &[u8]) -> Ruling {
    let end = match stream.iter().position(|&byte| byte == 10) {
        None if stream.len() < 2048 => return Ruling::More,
        Some(end) if end < 2048 => end,
        _ => return Ruling::Wrong,
    };
    let Some(line) = stream[..end].strip_suffix(b"\r") else { return Ruling::Wrong };
    let after = &stream[end + 1..];
    let mut words = line.split(|&byte| byte == 32);
    let code = words.next().unwrap_or_default();
    let text = line.get(code.len() + 1..).unwrap_or_default();
    let storing = [Kind::Set, Kind::Add, Kind::Swap].contains(&kind);
    match code {
        b"ERROR" if text.starts_with(b"Too many open connections") => return Ruling::TooManyConnections,
        b"SERVER_ERROR" if storing => {
            let no_room = text.starts_with(b"object too large") || text.starts_with(b"out of memory");
            return if no_room { Ruling::Reply(Reply::TooLarge, end + 1) } else { Ruling::Wrong };
        }
        b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" if storing => return Ruling::Wrong,
        b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" => return Ruling::Rejected(end + 1),
        _ => {}
    }
    if code == b"VA" && [Kind::Data, Kind::Number].contains(&kind) {
        return with_data(limit, kind, line, after, end + 1).unwrap_or(Ruling::Wrong);
    }
    let Some(flags) = Flags::of(text) else { return Ruling::Wrong };
    if code == b"HD" && kind == Kind::Head {
        let item = flags.item().zip(flags.number('s').and_then(|size| u32::try_from(size).ok()));
        return item.map_or(Ruling::Wrong, |(item, size)| Ruling::Reply(Reply::Item(Item { size, ..item }), end + 1));
    }
    bare(kind, code).map_or(Ruling::Wrong, |reply| Ruling::Reply(reply, end + 1))
}

/// Which replies without data there are, by the code and what was asked.
fn bare(kind: Kind, code: &[u8]) -> Option<Reply> {
    let codes: &[(&[u8], Reply)] = match kind {
        Kind::Data | Kind::Head => &[(b"EN", Reply::Missing)],
        Kind::Number => &[(b"EN", Reply::Missing), (b"NF", Reply::Missing)],
        Kind::Set => &[(b"HD", Reply::Done)],
        Kind::Add => &[(b"HD", Reply::Done), (b"NS", Reply::Exists)],
        Kind::Swap | Kind::Change => &[(b"HD", Reply::Done), (b"EX", Reply::Exists), (b"NF", Reply::Missing)],
    };
    codes.iter().find(|(known, _)| *known == code).map(|(_, reply)| reply.clone())
}

fn with_data(limit: u32, kind: Kind, line: &[u8], after: &[u8], head: usize) -> Option<Ruling> {
    let mut parts = line.splitn(3, |&byte| byte == 32).skip(1);
    let size = digits(parts.next()?)?;
    let flags = Flags::of(parts.next().unwrap_or_default())?;
    let size = u32::try_from(size).ok().filter(|size| *size <= limit)?;
    let item = if kind == Kind::Data { flags.item()? } else { Item::default() };
    let len = size as usize;
    if after.len() < len + 2 {
        return Some(Ruling::More);
    }
    let (data, used) = (&after[..len], head + len + 2);
    if &after[len..len + 2] != b"\r\n" {
        return None;
    }
    if kind == Kind::Data {
        let data = bytes::Bytes::copy_from_slice(data);
        return Some(Ruling::Reply(Reply::Item(Item { data, size, ..item }), used));
    }
    let spaces = data.iter().rev().take_while(|&&byte| byte == 32).count();
    Some(match digits(&data[..len - spaces]) {
        Some(number) => Ruling::Reply(Reply::Number(number), used),
        None => Ruling::Rejected(used),
    })
}

/// The flags by their letters, with their tokens.
struct Flags(HashMap<char, String>);

impl Flags {
    /// Takes a text apart into flags; `None` where they cannot be, or the number of the command is missing.
    fn of(text: &[u8]) -> Option<Self> {
        let mut flags = HashMap::new();
        for word in text.split(|&byte| byte == 32).filter(|word| !word.is_empty()) {
            let (letter, token) = (char::from(word[0]), &word[1..]);
            if !"fctsOWZX".contains(letter) {
                continue;
            }
            let is_right = match letter {
                't' if token == b"-1" => true,
                'f' | 't' | 's' => digits(token).is_some_and(|number| u32::try_from(number).is_ok()),
                'c' => digits(token).is_some(),
                'O' => token.iter().all(|byte| b"0123456789abcdef".contains(byte)) && is_own(token),
                _ => token.is_empty(),
            };
            let token = String::from_utf8(token.to_vec()).ok()?;
            if !is_right || (flags.insert(letter, token).is_some() && !"WZX".contains(letter)) {
                return None;
            }
        }
        flags.contains_key(&'O').then_some(Self(flags))
    }

    fn number(&self, letter: char) -> Option<u64> {
        self.0.get(&letter).and_then(|token| digits(token.as_bytes()))
    }

    /// Returns the item, if what it must have is there.
    fn item(&self) -> Option<Item> {
        let small = |number: u64| u32::try_from(number).ok();
        self.0.get(&'t')?;
        let (flags, cas) = (self.number('f').and_then(small)?, self.number('c')?);
        let has = |letter| self.0.contains_key(&letter);
        let left = self.number('t').and_then(small);
        Some(Item { flags, cas, left, won: has('W'), held: has('Z'), stale: has('X'), ..Item::default() })
    }
}

fn is_own(token: &[u8]) -> bool {
    str::from_utf8(token).is_ok_and(|token| token.trim_start_matches('0') == format!("{OPAQUE:x}"))
}

fn digits(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    if text.chars().all(|letter| letter.is_ascii_digit()) { text.parse().ok() } else { None }
}
