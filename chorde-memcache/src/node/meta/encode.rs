//! Commands to bytes.

use std::io::IoSlice;

use bytes::Bytes;

use crate::command::{Command, Failure, How, Life};
use crate::life;

/// From this size on, data is sent from where it is instead of being copied.
const LARGE: usize = 8 * 1024;

/// The longest key that servers take.
const LONGEST_KEY: usize = 250;

/// Commands on their way out: their bytes, with large data beside them.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    /// Data and where in `bytes` it belongs, in order.
    large: Vec<(usize, Bytes)>,
    /// The sum of the sizes in `large`.
    beside: usize,
}

/// Returns how many bytes a command takes at most.
///
/// # Errors
///
/// When the key would break the protocol.
pub(crate) fn check(command: &Command<'_>) -> Result<usize, Failure> {
    let key = command.key();
    let data = if let Command::Store { data, .. } = command { data.len() } else { 0 };
    let legal = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(|&byte| byte > b' ' && byte != 0x7f);
    if !legal {
        return Err(Failure::Protocol("a key that is no wire key was not sent".into()));
    }
    Ok(key.len() + data + OVERHEAD)
}

/// What stands around key and data: no more than this.
const OVERHEAD: usize = 96;

impl Outgoing {
    /// Returns the number of bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.beside
    }

    /// Appends a command with its opaque number. `now_unix` is needed where [`is_dated`](super::is_dated) says so.
    pub(crate) fn push(&mut self, command: &Command<'_>, opaque: u32, now_unix: u64) {
        let exptime = |life: &Life| u64::from(life::exptime(*life, now_unix));
        match command {
            Command::Get { key } => self.start(b"mg ", key).text(b" v f c t"),
            Command::Head { key } => self.start(b"mg ", key).text(b" f c t s"),
            Command::Claim { key, lease, refresh } => {
                let claim = self.start(b"mg ", key).flag(b" N", u64::from((*lease).max(1)));
                claim.flag(b" R", u64::from(*refresh)).text(b" v f c t")
            }
            Command::Refresh { key, refresh, .. } => {
                self.start(b"mg ", key).flag(b" R", exptime(&Life(*refresh))).text(b" f c t s")
            }
            Command::Store { key, data, flags, life, how } => {
                let store = self.start(b"ms ", key).flag(b" ", data.len() as u64).flag(b" T", exptime(life));
                let store = if *flags == 0 { store } else { store.flag(b" F", u64::from(*flags)) };
                match how {
                    How::Set => store,
                    How::Add => store.text(b" ME"),
                    How::Cas(cas) => store.flag(b" C", *cas),
                };
                return self.end(opaque).data(data);
            }
            Command::Touch { key, life } => self.start(b"mg ", key).flag(b" T", exptime(life)).text(b" f c t s"),
            Command::Delete { key, cas } => self.start(b"md ", key).flag_if(b" C", *cas),
            Command::MarkStale { key, life, cas } => {
                let mark = self.start(b"md ", key).text(b" I");
                mark.flag_if(b" T", life.as_ref().map(exptime)).flag_if(b" C", *cas)
            }
            Command::Count { key, initial } => self.start(b"ma ", key).flag(b" N0 J", *initial).text(b" D1 v"),
            Command::Number { key } => self.start(b"mg ", key).text(b" v"),
            Command::PutNumber { key, number } => {
                let digits = Digits::of(*number);
                self.start(b"ms ", key).flag(b" ", digits.as_bytes().len() as u64).text(b" T0");
                self.end(opaque).text(digits.as_bytes()).text(b"\r\n");
                return;
            }
        };
        self.end(opaque);
    }

    fn start(&mut self, verb: &[u8], key: &[u8]) -> &mut Self {
        self.bytes.reserve(key.len() + OVERHEAD);
        self.text(verb).text(key)
    }

    fn text(&mut self, text: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(text);
        self
    }

    fn flag(&mut self, flag: &[u8], token: u64) -> &mut Self {
        self.text(flag).text(Digits::of(token).as_bytes())
    }

    fn flag_if(&mut self, flag: &[u8], token: Option<u64>) -> &mut Self {
        match token {
            Some(token) => self.flag(flag, token),
            None => self,
        }
    }

    /// Ends the line.
    fn end(&mut self, opaque: u32) -> &mut Self {
        self.text(b" O").text(Digits::hexadecimal(opaque).as_bytes()).text(b"\r\n")
    }

    fn data(&mut self, data: &Bytes) {
        if data.len() < LARGE {
            self.text(data);
        } else {
            self.large.push((self.bytes.len(), data.clone()));
            self.beside += data.len();
        }
        self.text(b"\r\n");
    }

    /// Fills in what is left after the first `written` bytes; returns how many of `slices` it takes.
    pub(crate) fn rest<'a>(&'a self, written: usize, slices: &mut [IoSlice<'a>]) -> usize {
        let mut used = 0;
        let mut skip = written;
        for part in self.parts() {
            if used == slices.len() {
                break;
            }
            let skipped = skip.min(part.len());
            skip -= skipped;
            if skipped < part.len() {
                slices[used] = IoSlice::new(&part[skipped..]);
                used += 1;
            }
        }
        used
    }

    /// Returns what is left after the first `written` bytes where it lies in one piece.
    pub(crate) fn rest_in_one(&self, written: usize) -> Option<&[u8]> {
        if self.large.is_empty() { self.bytes.get(written..) } else { None }
    }

    /// Returns the pieces in the order in which they are sent.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.large.iter().map(|(at, _)| *at));
        let ends = self.large.iter().map(|(at, _)| *at).chain(std::iter::once(self.bytes.len()));
        let beside = self.large.iter().map(|(_, data)| &data[..]).chain(std::iter::once(&[][..]));
        let pairs = starts.zip(ends).map(|(start, end)| &self.bytes[start..end]).zip(beside);
        pairs.flat_map(|(bytes, data)| [bytes, data])
    }

    /// Forgets everything, and gives back memory beyond `keep` bytes.
    pub(crate) fn clear(&mut self, keep: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(keep);
        self.large.clear();
        self.large.shrink_to(keep / size_of::<(usize, Bytes)>());
        self.beside = 0;
    }

    /// Keeps only some commands; `commands` yields the size of each and whether it is kept.
    pub(crate) fn retain(&mut self, commands: impl Iterator<Item = (usize, bool)>) {
        let old = std::mem::take(self);
        let mut large = old.large.into_iter().peekable();
        let mut rest = &old.bytes[..];
        for (size, kept) in commands {
            let mut left = size;
            // Data beside the bytes belongs to the command within which it stands.
            while left > 0 {
                let at = old.bytes.len() - rest.len();
                let before = large.peek().map_or(left, |(place, _)| left.min(place.saturating_sub(at)));
                let (bytes, after) = rest.split_at(before.min(rest.len()));
                rest = after;
                left -= before;
                let data = if left > 0 { large.next().map(|(_, data)| data) } else { None };
                left = left.saturating_sub(data.as_ref().map_or(left, Bytes::len));
                if kept {
                    self.text(bytes);
                    self.beside += data.as_ref().map_or(0, Bytes::len);
                    self.large.extend(data.map(|data| (self.bytes.len(), data)));
                }
            }
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.parts().collect::<Vec<_>>().concat()
    }
}

/// A number in text.
struct Digits {
    text: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(number: u64) -> Self {
        Self::in_base(number, 10)
    }

    fn hexadecimal(number: u32) -> Self {
        Self::in_base(u64::from(number), 16)
    }

    #[inline(always)]
    fn in_base(mut number: u64, base: u64) -> Self {
        let mut digits = Self { text: [b'0'; 20], start: 20 };
        loop {
            digits.start -= 1;
            digits.text[digits.start] = b"0123456789abcdef"[(number % base) as usize];
            number /= base;
            if number == 0 {
                return digits;
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}
