//! Requests, as a server reads them.

use std::io::{BufRead, Read, Result};

/// Which commands a server knows, so far as it must know where they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `set`, `add`, `cas`, ... bring data.
    Classic,
    /// So does `ms`.
    Meta,
}

/// The longest line that a server reads, and the largest data.
const LIMIT: u64 = 64 << 20;

/// Holds one request: a line, and the data of a command that stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    line: String,
    data: Option<Vec<u8>>,
}

impl Request {
    /// Reads one; none at the end of the connection.
    pub(super) fn read(input: &mut impl BufRead, dialect: Dialect) -> Result<Option<Self>> {
        let mut bytes = Vec::new();
        input.by_ref().take(LIMIT).read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
        let mut request = Self { line, data: None };
        if let Some(length) = request.announced(dialect).filter(|length| *length <= LIMIT as usize) {
            let mut data = vec![0; length + 2];
            input.read_exact(&mut data)?;
            if data.ends_with(b"\r\n") {
                data.truncate(length);
                request.data = Some(data);
            }
        }
        Ok(Some(request))
    }

    /// How many bytes of data follow the line.
    pub(super) fn announced(&self, dialect: Dialect) -> Option<usize> {
        let place = match self.word(0) {
            "set" | "add" | "replace" | "append" | "prepend" | "cas" => 4,
            "ms" if dialect == Dialect::Meta => 2,
            _ => return None,
        };
        self.word(place).parse().ok()
    }

    /// Returns the line, without its end. What is not UTF-8 is replaced.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Returns a word of the line: 0 is the command, and mostly 1 is the key. Empty where there is none.
    #[must_use]
    pub fn word(&self, place: usize) -> &str {
        self.line.split_ascii_whitespace().nth(place).unwrap_or_default()
    }

    /// Returns the data of a command that stores (`set`, `add`, `replace`, `append`, `prepend`, `cas`, `ms`).
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }

    /// Returns the value of a meta command's flag: `O` of `mg key v O12` is `12`.
    ///
    /// # Examples
    ///
    /// A script that answers each request of the meta protocol with its opaque:
    ///
    /// ```
    /// use chorde_memcache::testing::FakeServer;
    ///
    /// let server = FakeServer::start(|peer| {
    ///     loop {
    ///         let request = peer.request()?;
    ///         peer.send(format!("HD O{}\r\n", request.flag('O').unwrap_or_default()))?;
    ///     }
    /// });
    /// assert!(server.is_ok());
    /// ```
    #[must_use]
    pub fn flag(&self, flag: char) -> Option<&str> {
        let before = if self.word(0) == "ms" { 3 } else { 2 };
        self.line.split_ascii_whitespace().skip(before).find_map(|word| word.strip_prefix(flag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(bytes: &str, dialect: Dialect) -> Vec<Request> {
        let mut input = bytes.as_bytes();
        std::iter::from_fn(|| Request::read(&mut input, dialect).ok().flatten()).collect()
    }

    #[test]
    fn data_belongs_to_the_command_that_announces_it() {
        let found = requests("ms k 7 T9 O12\r\nget a\r\n\r\nget k\r\n", Dialect::Meta);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].data(), found[0].flag('O')), (Some(&b"get a\r\n"[..]), Some("12")));
        assert_eq!((found[1].line(), found[1].data()), ("get k", None));
    }

    #[test]
    fn a_server_without_meta_commands_takes_their_data_for_commands() {
        let found = requests("ms k 5\r\nhello\r\nget k\r\n", Dialect::Classic);
        let lines: Vec<_> = found.iter().map(Request::line).collect();
        assert_eq!(lines, ["ms k 5", "hello", "get k"]);
    }

    #[test]
    fn data_without_its_end_are_none() {
        assert_eq!(requests("set k 0 0 5\r\nhello..get k\r\n", Dialect::Classic)[0].data(), None);
        assert_eq!(requests("set k 0 0 5\r\nhel", Dialect::Classic).len(), 0);
    }

    #[test]
    fn half_a_line_is_not_a_request() {
        assert_eq!(requests("get k", Dialect::Meta), []);
    }
}
