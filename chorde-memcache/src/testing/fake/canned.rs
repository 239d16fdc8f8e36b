//! Answers as if every key held the same value.

use std::time::Duration;

use super::faulty::Answers;
use super::request::{Dialect, Request};

/// Says which version it is, and that every key holds one value.
#[derive(Debug)]
pub(super) struct Canned {
    version: String,
    value: Vec<u8>,
}

impl Canned {
    pub(super) fn new(version: &str, value: Vec<u8>) -> Self {
        Self { version: version.to_owned(), value }
    }

    /// Meta commands came with 1.6, for all that matters here.
    pub(super) fn dialect(&self) -> Dialect {
        let mut numbers = self.version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        if (major, minor) >= (1, 6) { Dialect::Meta } else { Dialect::Classic }
    }

    /// Answers a meta command; none if it is none.
    fn meta(&self, request: &Request) -> Option<Vec<u8>> {
        let shows_value = match request.word(0) {
            _ if self.dialect() == Dialect::Classic => return None,
            "mn" => return Some(b"MN\r\n".to_vec()),
            "ms" if request.data().is_none() => return Some(b"CLIENT_ERROR bad data chunk\r\n".to_vec()),
            "ms" | "md" => false,
            "mg" | "ma" => request.flag('v').is_some(),
            _ => return None,
        };
        let number = b"1".as_slice();
        let value = if request.word(0) == "ma" { number } else { &self.value };
        let flags = self.flags(request);
        Some(if shows_value {
            [format!("VA {}{flags}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
        } else {
            format!("HD{flags}\r\n").into_bytes()
        })
    }

    /// The flags of a reply, in the order in which they were asked for.
    fn flags(&self, request: &Request) -> String {
        let before = if request.word(0) == "ms" { 3 } else { 2 };
        let asked = request.line().split_ascii_whitespace().skip(before);
        let told = asked.filter_map(|flag| match flag.chars().next()? {
            'O' => Some(flag.to_owned()),
            'k' => Some(format!("k{}", request.word(1))),
            'c' => Some("c1".to_owned()),
            'f' => Some("f0".to_owned()),
            's' => Some(format!("s{}", self.value.len())),
            't' => Some("t3600".to_owned()),
            _ => None,
        });
        told.map(|flag| format!(" {flag}")).collect()
    }

    /// Answers a classic command.
    fn classic(&self, request: &Request) -> Vec<u8> {
        let text = match request.word(0) {
            "get" | "gets" => return self.values(request),
            "set" | "add" | "replace" | "append" | "prepend" | "cas" if request.data().is_some() => "STORED",
            "delete" => "DELETED",
            "touch" => "TOUCHED",
            "incr" | "decr" => "1",
            "flush_all" | "verbosity" => "OK",
            "stats" => "END",
            "version" => return format!("VERSION {}\r\n", self.version).into_bytes(),
            _ => "ERROR",
        };
        let quiet = request.line().ends_with(" noreply");
        if quiet { Vec::new() } else { format!("{text}\r\n").into_bytes() }
    }

    fn values(&self, request: &Request) -> Vec<u8> {
        let cas = if request.word(0) == "gets" { " 1" } else { "" };
        let mut reply = Vec::new();
        for key in request.line().split_ascii_whitespace().skip(1) {
            reply.extend_from_slice(format!("VALUE {key} 0 {}{cas}\r\n", self.value.len()).as_bytes());
            reply.extend_from_slice(&self.value);
            reply.extend_from_slice(b"\r\n");
        }
        reply.extend_from_slice(b"END\r\n");
        reply
    }
}

impl Answers for Canned {
    fn reply(&self, request: &Request, _ahead: Duration) -> Vec<u8> {
        self.meta(request).unwrap_or_else(|| self.classic(request))
    }
}
