//! A script that answers as it should, but for a fault.

use std::io::{ErrorKind, Result};
use std::time::Duration;

use super::connection::Peer;
use super::fault::Fault;
use super::request::Request;

/// A fatal `handshake_failure` of TLS 1.2.
const TLS_ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
const HTTP: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A server that does as it should.
pub(super) trait Answers: Send + Sync {
    /// The whole reply, empty for none; `ahead` is how far its time is ahead.
    fn reply(&self, request: &Request, ahead: Duration) -> Vec<u8>;
}

/// Serves one connection.
pub(super) fn serve(peer: &mut Peer<'_>, answers: &dyn Answers) -> Result<()> {
    match peer.fault() {
        Some(Fault::CloseAtOnce) => return Ok(()),
        Some(Fault::TooManyConnections) => return peer.send("ERROR Too many open connections\r\n"),
        _ => {}
    }
    let mut earlier = None;
    loop {
        let request = peer.request()?;
        match (request.word(0), peer.fault()) {
            (_, Some(Fault::DeadSilence)) => continue,
            (_, Some(Fault::TlsAlert)) => return peer.send(TLS_ALERT),
            (_, Some(Fault::Http)) => return peer.send(HTTP),
            ("quit", _) => return Ok(()),
            ("version", _) => {
                peer.send(answers.reply(&request, peer.ahead()))?;
                continue;
            }
            _ => {}
        }
        let reply = answer(&request, answers, peer);
        if reply.is_empty() {
            continue;
        }
        peer.gate()?;
        // A fault that the test sets while it holds replies is meant for them.
        match peer.fault() {
            Some(Fault::OutOfOrder) => match earlier.take() {
                None => earlier = Some(reply),
                Some(earlier) => peer.send([reply, earlier].concat())?,
            },
            fault => {
                peer.send(earlier.take().unwrap_or_default())?;
                send(peer, &request, &reply, fault)?;
            }
        }
    }
}

fn answer(request: &Request, answers: &dyn Answers, peer: &Peer<'_>) -> Vec<u8> {
    if peer.fault() == Some(Fault::OutOfMemory) && request.data().is_some() {
        return b"SERVER_ERROR out of memory storing object\r\n".to_vec();
    }
    answers.reply(request, peer.ahead())
}

/// Sends a reply, or what a fault makes of it. An error ends the connection.
fn send(peer: &mut Peer<'_>, request: &Request, reply: &[u8], fault: Option<Fault>) -> Result<()> {
    match fault {
        Some(Fault::Silence) => Ok(()),
        Some(Fault::Cut(bytes)) => {
            peer.send(&reply[..bytes.min(reply.len())])?;
            Err(ErrorKind::ConnectionAborted.into())
        }
        Some(Fault::Reset) => {
            peer.reset();
            Err(ErrorKind::ConnectionReset.into())
        }
        Some(Fault::Garbage) => peer.send("%$?! 17 of these\r\n"),
        Some(Fault::EndlessLine) => loop {
            peer.send([b'x'; 4096])?;
        },
        Some(Fault::NegativeLength) => peer.send(announce(request, "-1")),
        Some(Fault::HugeLength) => peer.send(announce(request, "18446744073709551615")),
        Some(Fault::ShortValue) => peer.send(shorten(reply)),
        Some(Fault::BadTerminator) => peer.send(unterminate(reply)),
        Some(Fault::OtherRequest) => peer.send(mistake(reply)),
        _ => peer.send(reply),
    }
}

/// Begins the reply that shows a value of that length.
fn announce(request: &Request, length: &str) -> String {
    match request.word(0) {
        "mg" | "ms" | "md" | "ma" | "me" | "mn" => {
            let opaque = request.flag('O').map(|opaque| format!(" O{opaque}")).unwrap_or_default();
            format!("VA {length}{opaque}\r\n")
        }
        _ => format!("VALUE {} 0 {length}\r\n", request.word(1)),
    }
}

/// Where the first value of a reply begins and ends, without its end of line.
fn value(reply: &[u8]) -> Option<(usize, usize)> {
    let end = reply.iter().position(|byte| *byte == b'\n')? + 1;
    let line = std::str::from_utf8(&reply[..end]).ok()?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let length = match words[..] {
        ["VA", length, ..] | ["VALUE", _, _, length, ..] => length.parse::<usize>().ok()?,
        _ => return None,
    };
    Some((end, end + length))
}

/// Leaves out the second half of the value. A reply without one loses the second half of itself.
fn shorten(reply: &[u8]) -> Vec<u8> {
    let (begin, end) = value(reply).unwrap_or((0, reply.len()));
    [&reply[..begin + (end - begin) / 2], &reply[end..]].concat()
}

/// Replaces the end of line behind the value, or behind a reply without one.
fn unterminate(reply: &[u8]) -> Vec<u8> {
    let end = value(reply).map_or(reply.len() - 2, |(_, end)| end);
    [&reply[..end], b"??", &reply[end + 2..]].concat()
}

/// Changes what says to whom a reply belongs.
fn mistake(reply: &[u8]) -> Vec<u8> {
    let end = reply.iter().position(|byte| *byte == b'\r').unwrap_or(reply.len());
    let line = String::from_utf8_lossy(&reply[..end]).into_owned();
    let words = line.split(' ').enumerate().map(|(place, word)| match word.strip_prefix('O') {
        Some(opaque) if place > 0 => format!("O9{opaque}"),
        _ if place == 1 && line.starts_with("VALUE ") => format!("{word}9"),
        _ => word.to_owned(),
    });
    [words.collect::<Vec<_>>().join(" ").as_bytes(), &reply[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_where_it_is() {
        assert_eq!(value(b"VA 5 O7\r\nhello\r\n"), Some((9, 14)));
        assert_eq!(value(b"VALUE k 0 2 9\r\nhi\r\nEND\r\n"), Some((15, 17)));
        assert_eq!(value(b"HD O7\r\n"), None);
    }

    #[test]
    fn a_faulty_reply_differs_in_one_thing() {
        assert_eq!(shorten(b"VA 5 O7\r\nhello\r\n"), b"VA 5 O7\r\nhe\r\n");
        assert_eq!(unterminate(b"VA 5 O7\r\nhello\r\n"), b"VA 5 O7\r\nhello??");
        assert_eq!(unterminate(b"HD O7\r\n"), b"HD O7??");
        assert_eq!(mistake(b"VA 5 t9 O7\r\nOhello\r\n"), b"VA 5 t9 O97\r\nOhello\r\n");
        assert_eq!(mistake(b"VALUE k 0 2\r\nhi\r\nEND\r\n"), b"VALUE k9 0 2\r\nhi\r\nEND\r\n");
    }
}
