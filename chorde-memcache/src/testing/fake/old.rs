//! memcached 1.4.15: the classic commands on a map in memory, and no others.
//!
//! Source: `doc/protocol.txt` of memcached. A test compares it with a real server.

mod items;

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::items::{Delta, Items, Stored, Way};
use super::faulty::Answers;
use super::request::{Dialect, Request};

/// The version it tells.
const VERSION: &str = "1.4.15";

/// The longest key.
const KEY: usize = 250;

const BAD_LINE: &str = "CLIENT_ERROR bad command line format";

/// A server of the classic commands.
#[derive(Debug, Default)]
pub(super) struct Old {
    items: Mutex<Items>,
}

impl Answers for Old {
    fn reply(&self, request: &Request, ahead: Duration) -> Vec<u8> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.pass(ahead);
        if let "get" | "gets" = request.word(0) {
            return get(&mut items, request);
        }
        let text = answer(&mut items, request);
        let quiet = request.line().ends_with(" noreply");
        if quiet { Vec::new() } else { format!("{text}\r\n").into_bytes() }
    }
}

/// Answers a command that shows no data: all of the reply but its end of line.
fn answer(items: &mut Items, request: &Request) -> String {
    let (command, key) = (request.word(0), request.word(1));
    let text = match command {
        "version" => return format!("VERSION {VERSION}"),
        "stats" => return stats(items, request),
        "flush_all" => {
            items.flush(request.word(1).parse().unwrap_or_default());
            "OK"
        }
        "verbosity" => "OK",
        "set" | "add" | "replace" | "append" | "prepend" | "cas" => store(items, request).unwrap_or(BAD_LINE),
        "delete" | "touch" | "incr" | "decr" if key.is_empty() => "ERROR",
        "delete" | "touch" | "incr" | "decr" if key.len() > KEY => BAD_LINE,
        "delete" if items.delete(key) => "DELETED",
        "delete" => "NOT_FOUND",
        "touch" => touch(items, request),
        "incr" | "decr" => return count(items, request),
        _ => "ERROR",
    };
    text.to_owned()
}

fn get(items: &mut Items, request: &Request) -> Vec<u8> {
    let keys: Vec<&str> = request.line().split_ascii_whitespace().skip(1).collect();
    if keys.is_empty() {
        return b"ERROR\r\n".to_vec();
    }
    let mut reply = Vec::new();
    for key in keys {
        if key.len() > KEY {
            reply.extend_from_slice(format!("{BAD_LINE}\r\n").as_bytes());
            return reply;
        }
        let Some(item) = items.get(key) else { continue };
        let cas = if request.word(0) == "gets" { format!(" {}", item.cas) } else { String::new() };
        reply.extend_from_slice(format!("VALUE {key} {} {}{cas}\r\n", item.flags, item.data.len()).as_bytes());
        reply.extend_from_slice(&item.data);
        reply.extend_from_slice(b"\r\n");
    }
    reply.extend_from_slice(b"END\r\n");
    reply
}

/// Stores; none for a line that cannot be read.
fn store(items: &mut Items, request: &Request) -> Option<&'static str> {
    let key = request.word(1);
    if request.word(4).is_empty() {
        return Some("ERROR");
    }
    let (flags, expiry) = (request.word(2).parse().ok()?, request.word(3).parse().ok()?);
    request.announced(Dialect::Classic)?;
    let way = match request.word(0) {
        "add" => Way::Add,
        "replace" => Way::Replace,
        "append" => Way::Append,
        "prepend" => Way::Prepend,
        "cas" => Way::Cas(request.word(5).parse().ok()?),
        _ => Way::Set,
    };
    if key.len() > KEY {
        return None;
    }
    let Some(data) = request.data() else { return Some("CLIENT_ERROR bad data chunk") };
    Some(match items.store(key, data, flags, expiry, way) {
        Stored::Yes => "STORED",
        Stored::No => "NOT_STORED",
        Stored::Another => "EXISTS",
        Stored::Missing => "NOT_FOUND",
        Stored::TooLarge => "SERVER_ERROR object too large for cache",
    })
}

fn touch(items: &mut Items, request: &Request) -> &'static str {
    let Ok(expiry) = request.word(2).parse() else {
        return if request.word(2).is_empty() { "ERROR" } else { "CLIENT_ERROR invalid exptime argument" };
    };
    if items.touch(request.word(1), expiry) { "TOUCHED" } else { "NOT_FOUND" }
}

fn count(items: &mut Items, request: &Request) -> String {
    let Ok(by) = request.word(2).parse() else {
        let empty = request.word(2).is_empty();
        return if empty { "ERROR" } else { "CLIENT_ERROR invalid numeric delta argument" }.to_owned();
    };
    let delta = if request.word(0) == "incr" { Delta::Up(by) } else { Delta::Down(by) };
    match items.count(request.word(1), delta) {
        None => "NOT_FOUND".to_owned(),
        Some(None) => "CLIENT_ERROR cannot increment or decrement non-numeric value".to_owned(),
        Some(Some(number)) => number.to_string(),
    }
}

fn stats(items: &Items, request: &Request) -> String {
    let mut text = String::new();
    if request.word(1).is_empty() {
        let known = [
            ("pid", u64::from(std::process::id())),
            ("uptime", items.uptime()),
            ("time", items.time().as_secs()),
            ("curr_items", items.len() as u64),
            ("bytes", items.bytes() as u64),
            ("limit_maxbytes", 64 << 20),
            ("cmd_get", items.hits + items.misses),
            ("get_hits", items.hits),
            ("get_misses", items.misses),
        ];
        for (name, number) in known {
            // Writing to a text cannot fail.
            let _ = write!(text, "STAT {name} {number}\r\n");
        }
        let _ = write!(text, "STAT version {VERSION}\r\n");
    }
    text + "END"
}
