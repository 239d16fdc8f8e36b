//! Reads commands as a server does (memcached's `protocol.txt`, "Meta Commands"), which flags each takes included.

use crate::command::{Command, How, Life};
use crate::life;

/// A command as it was read: its flags in the order in which they stand.
struct Line<'a> {
    verb: &'a str,
    key: &'a [u8],
    /// The length of the data, where there is any.
    size: Option<usize>,
    flags: Vec<(char, &'a str)>,
}

/// Tells whether a server takes these bytes as a key.
pub(super) fn is_key(key: &[u8]) -> bool {
    !key.is_empty() && key.len() <= 250 && !key.iter().any(|byte| *byte <= 32 || *byte == 127)
}

/// Reads one command, which must be this one; returns the bytes behind it.
pub(super) fn read<'a>(command: &Command<'_>, opaque: u32, now: u64, bytes: &'a [u8]) -> &'a [u8] {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").expect("a line has an end");
    let (line, mut rest) = (parse(&bytes[..end]), &bytes[end + 2..]);
    check_flags(&line);
    assert_eq!(line.key, command.key());
    assert_eq!(line.token('O').and_then(|token| u32::from_str_radix(token, 16).ok()), Some(opaque));
    check_meaning(&line, command, now);
    if let Some(size) = line.size {
        let data = match command {
            Command::Store { data, .. } => data.to_vec(),
            Command::PutNumber { number, .. } => number.to_string().into_bytes(),
            other => panic!("data behind {other:?}"),
        };
        assert!(rest[..size] == data && &rest[size..size + 2] == b"\r\n", "the data of {command:?}");
        rest = &rest[size + 2..];
    }
    rest
}

fn parse(line: &[u8]) -> Line<'_> {
    assert!(line.len() < 1024 && !line.iter().any(|byte| *byte < 32), "{}", line.escape_ascii());
    let mut words = line.split(|&byte| byte == 32);
    let text = |word| str::from_utf8(word).expect("all but the key is text");
    let verb = text(words.next().expect("a verb"));
    let key = words.next().expect("a key");
    let size = (verb == "ms").then(|| text(words.next().expect("a length")).parse().expect("a length is a number"));
    let flags = words.map(text).map(|word| (word.chars().next().expect("a flag between two spaces"), &word[1..]));
    Line { verb, key, size, flags: flags.collect() }
}

impl<'a> Line<'a> {
    fn token(&self, flag: char) -> Option<&'a str> {
        self.flags.iter().find(|(known, _)| *known == flag).map(|(_, token)| *token)
    }

    fn number(&self, flag: char) -> Option<u64> {
        self.token(flag).map(|token| token.parse().expect("a number"))
    }
}

/// Checks that a server takes the flags, and in this order.
fn check_flags(line: &Line<'_>) {
    let known = match line.verb {
        "mg" => "bcfhklOqstvENRT",
        "ms" => "bcCEFIkOqsTM",
        "md" => "bCEIkOqTx",
        "ma" => "bENJDTMOqtcvk",
        verb => panic!("no verb: {verb}"),
    };
    let at = |flag: char| line.flags.iter().position(|(other, _)| *other == flag);
    assert!(line.flags.len() <= 20);
    for (index, (flag, token)) in line.flags.iter().enumerate() {
        assert!(known.contains(*flag), "{} does not take {flag}", line.verb);
        assert_eq!(at(*flag), Some(index), "{flag} twice");
        match flag {
            'O' => assert!((1..=31).contains(&token.len())),
            'M' => assert_eq!(*token, "E"),
            'C' | 'J' | 'D' => assert!(token.parse::<u64>().is_ok(), "{flag}{token}"),
            'F' => assert!(token.parse::<u32>().is_ok(), "{flag}{token}"),
            'T' | 'N' | 'R' => assert!(token.parse::<i32>().is_ok_and(|number| number >= 0), "{flag}{token}"),
            _ => assert_eq!(*token, "", "{flag}"),
        }
    }
    // Flags are carried out in their order: what is shown is to be what came of the change.
    for change in ['N', 'R', 'T'] {
        assert!(line.verb != "mg" || at(change).is_none() || at(change) < at('t'), "{change} after t");
    }
    assert!(at('N').is_none() || at('T').is_none(), "N and T exclude each other");
}

/// Checks that the line says what the command means.
fn check_meaning(line: &Line<'_>, command: &Command<'_>, now: u64) {
    let time = |life: &Life| Some(u64::from(life::exptime(*life, now)));
    let (verb, numbers) = (line.verb, ['N', 'R', 'T', 'C', 'J'].map(|flag| line.number(flag)));
    let (has_data, has_size) = (line.token('v').is_some(), line.token('s').is_some());
    let said = (verb, numbers, has_data, has_size);
    let lease = |lease: &u32| Some(u64::from((*lease).max(1)));
    let expected = match command {
        Command::Get { .. } | Command::Number { .. } => ("mg", [None; 5], true, false),
        Command::Head { .. } => ("mg", [None; 5], false, true),
        Command::Claim { lease: l, refresh, .. } => {
            ("mg", [lease(l), Some(u64::from(*refresh)), None, None, None], true, false)
        }
        Command::Refresh { refresh, .. } => ("mg", [None, time(&Life(*refresh)), None, None, None], false, true),
        Command::Touch { life, .. } => ("mg", [None, None, time(life), None, None], false, true),
        Command::Delete { cas, .. } => ("md", [None, None, None, *cas, None], false, false),
        Command::MarkStale { life, cas, .. } => {
            assert!(line.token('I').is_some());
            ("md", [None, None, life.as_ref().and_then(time), *cas, None], false, false)
        }
        Command::Count { initial, .. } => ("ma", [Some(0), None, None, None, Some(*initial)], true, false),
        Command::PutNumber { .. } => ("ms", [None, None, Some(0), None, None], false, false),
        Command::Store { flags, life, how, .. } => {
            assert_eq!(line.number('F').unwrap_or(0), u64::from(*flags));
            assert_eq!(line.token('M').is_some(), *how == How::Add);
            let cas = if let How::Cas(cas) = how { Some(*cas) } else { None };
            ("ms", [None, None, time(life), cas, None], false, false)
        }
    };
    assert_eq!(said, expected, "{command:?}");
}
