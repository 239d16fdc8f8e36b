//! Any bytes may come from a classic server: the target of this module (feature `testing`).
//!
//! The crate between the guard and us believes what it reads, so what is checked is both of them together, as
//! [`Connection`](super::super::connection::Connection) has them: what comes out is exactly one answer to what was asked.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use memcache_async::ascii::Protocol;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Failure, Guard, Shape};
use crate::input::{Input, cuts};

/// The most data that an item may have here.
const LARGEST: usize = 300;

const SHAPES: [Shape; 5] = [Shape::Version, Shape::Item, Shape::Added, Shape::Swapped, Shape::Counted];

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Version(String),
    Item(Vec<u8>, Option<u64>),
    Added,
    Swapped(bool),
    Number(u64),
    /// What the crate takes for an error.
    Line(String),
}

/// Reads what a server sends: the same however the bytes are cut, as the rules of the answers have it.
///
/// The input is a command and what the server sends.
pub(crate) fn guard(data: &[u8]) {
    let mut input = Input::new(data);
    let shape = SHAPES[input.below(5)];
    let stream = input.rest();
    let expected = rule(shape, stream);
    judge(shape, &[stream], &expected);
    for pieces in cuts(stream) {
        judge(shape, &pieces, &expected);
    }
}

fn judge(shape: Shape, pieces: &[&[u8]], expected: &Option<(Got, usize)>) {
    let mut server = Server { pieces, read: 0, left: pieces.iter().map(|piece| piece.len()).sum() };
    let all = server.left;
    let mut guard = Guard::new(&mut server, LARGEST);
    let outcome = ask(&mut guard, shape).now_or_never().expect("a server that sends at once or not at all");
    let left = server.left;
    match (outcome, expected) {
        (Ok(got), Some((expected, used))) => {
            assert_eq!(&got, expected, "{shape:?} {pieces:?}");
            assert_eq!(all - left, *used, "no more is read than the answer: {pieces:?}");
        }
        // What was sent with the answer is seen or not, by how it is cut.
        (Err(Failure::Protocol(why)), Some((_, used))) => {
            assert!(*used < all && why.contains("more than was asked"), "{shape:?} {pieces:?}: {why}");
        }
        (Err(failure), None) => assert!(failure.to_string().len() < 300, "{failure}"),
        (outcome, expected) => panic!("{shape:?} {pieces:?}: {outcome:?} instead of {expected:?}"),
    }
}

/// Does one command as a connection does.
async fn ask(guard: &mut Guard<&mut Server<'_>>, shape: Shape) -> Result<Got, Failure> {
    let key = if shape == Shape::Version { "" } else { "key" };
    guard.expect(shape, key);
    let mut protocol = Protocol::new(&mut *guard);
    let got = match shape {
        Shape::Version => protocol.version().await.map(Got::Version),
        Shape::Item => protocol.gets_cas(key).await.map(|(data, cas)| Got::Item(data, Some(cas))),
        Shape::Added => protocol.add(key, b"data", 9).await.map(|()| Got::Added),
        Shape::Swapped => protocol.cas(key, b"data", 5, 9).await.map(Got::Swapped),
        Shape::Counted => protocol.increment(key, 1).await.map(Got::Number),
    };
    guard.settle(got.as_ref().err())?;
    Ok(got.unwrap_or_else(|_| Got::Line(guard.line().to_owned())))
}

/// Returns what the first answer in a stream is and how long; `None` where there is none.
fn rule(shape: Shape, stream: &[u8]) -> Option<(Got, usize)> {
    let line = line(stream)?;
    let used = line.len() + 2;
    let error = ["ERROR ", "CLIENT_ERROR ", "SERVER_ERROR "].iter().any(|error| line.starts_with(error));
    if error || line == "ERROR" {
        return Some((Got::Line(line.to_owned()), used));
    }
    let got = match (shape, line) {
        (Shape::Version, _) => Got::Version(version(line)?),
        (Shape::Added, "STORED") => Got::Added,
        (Shape::Swapped, "STORED") => Got::Swapped(true),
        (Shape::Swapped, "EXISTS") => Got::Swapped(false),
        (Shape::Item, "END") | (Shape::Added, "NOT_STORED") | (Shape::Swapped | Shape::Counted, "NOT_FOUND") => {
            Got::Line(line.to_owned())
        }
        (Shape::Counted, _) => Got::Number(line.parse().ok()?),
        (Shape::Item, _) => return item(line, stream),
        _ => return None,
    };
    Some((got, used))
}

fn item(line: &str, stream: &[u8]) -> Option<(Got, usize)> {
    let mut words = line.strip_prefix("VALUE key ")?.split(' ');
    let (flags, size, cas) = (words.next()?, words.next()?, words.next()?);
    let _: u32 = flags.parse().ok()?;
    let size = size.parse().ok().filter(|size: &usize| *size <= LARGEST)?;
    let (cas, start) = (cas.parse().ok()?, line.len() + 2);
    let data = stream.get(start..start + size)?;
    let is_whole = words.next().is_none() && stream[start + size..].starts_with(b"\r\nEND\r\n");
    is_whole.then(|| (Got::Item(data.to_vec(), Some(cas)), start + size + 7))
}

/// Returns the version, as the crate takes it out of its line.
fn version(line: &str) -> Option<String> {
    line.starts_with("VERSION ").then(|| line.trim_start_matches("VERSION ").trim_end().to_owned())
}

/// Returns the first line, without its end.
fn line(stream: &[u8]) -> Option<&str> {
    let end = stream.windows(2).position(|pair| pair == b"\r\n").filter(|end| *end < 1023)?;
    let line = str::from_utf8(&stream[..end]).ok()?;
    (!line.chars().any(char::is_control)).then_some(line)
}

/// A server that hears nothing, sends these pieces one at a time, and then hangs up.
#[derive(Debug)]
struct Server<'a> {
    pieces: &'a [&'a [u8]],
    /// How much of the first piece has been read.
    read: usize,
    /// How many bytes have not been read.
    left: usize,
}

impl AsyncRead for Server<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let server = self.get_mut();
        while let Some((first, rest)) = server.pieces.split_first() {
            let unread = &first[server.read..];
            if !unread.is_empty() {
                let count = unread.len().min(to.remaining());
                to.put_slice(&unread[..count]);
                server.read += count;
                server.left -= count;
                break;
            }
            (server.pieces, server.read) = (rest, 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
