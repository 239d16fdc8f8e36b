//! Stands between memcache-async and a connection, since that crate believes all that it reads.
//!
//! The guard knows which command is under way and lets through exactly one answer of the shape that this command has:
//! lines of bounded length, data only after a `VALUE` line that names the key asked for and no more than the bound, the
//! ends of lines where they must be. So the crate never allocates what a server makes up, never takes another command's
//! answer for its own, and never reads beyond its answer. The first thing that does not fit is kept as the reason, and
//! all reading ends there.
//!
//! What is written is held back until an answer is waited for: commands without an answer go out with the next that has
//! one.

#[cfg(feature = "testing")]
pub(crate) mod fuzz;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};

use super::shape::{self, Rest, Shape};
use crate::command::Failure;

/// How long a line can be: a `VALUE` line has at most 250 bytes of key and 45 of numbers.
const LONGEST_LINE: usize = 1024;

/// How much is read at once where the length is not known yet.
const CHUNK: usize = 4096;

/// A connection on which nothing but the expected is read.
#[derive(Debug)]
pub(super) struct Guard<S> {
    io: BufWriter<S>,
    /// Whether something written is still held back.
    held: bool,
    /// Read, but not handed on yet.
    inbox: BytesMut,
    /// How much of the inbox has been judged and may be handed on.
    passed: usize,
    awaited: Awaited,
    shape: Shape,
    /// The key of the command under way.
    key: String,
    /// The first line of the answer, without its end.
    line: String,
    /// The most data that an item may have.
    largest: usize,
    ended: bool,
    fault: Option<Failure>,
}

/// What comes next from the server, after what has been passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Nothing,
    FirstLine,
    Data(usize),
    EndOfData,
    LastLine,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(super) fn new(stream: S, largest: usize) -> Self {
        Self {
            io: BufWriter::new(stream),
            held: false,
            inbox: BytesMut::new(),
            passed: 0,
            awaited: Awaited::Nothing,
            shape: Shape::Version,
            key: String::new(),
            line: String::new(),
            largest,
            ended: false,
            fault: None,
        }
    }

    pub(super) fn stream(&mut self) -> &mut S {
        self.io.get_mut()
    }

    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// Tells what the next command is; before it is written.
    pub(super) fn expect(&mut self, shape: Shape, key: &str) {
        self.awaited = Awaited::FirstLine;
        self.shape = shape;
        self.line.clear();
        self.key.clear();
        self.key.push_str(key);
    }

    /// Returns the first line of the answer, without its end.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Checks that the answer has been read as a whole and nothing beyond it; after each command.
    ///
    /// `error` is what the crate made of it. It counts only where the answer is not whole: of a whole one,
    /// [`line`](Self::line) tells more.
    pub(super) fn settle(&mut self, error: Option<&io::Error>) -> Result<(), Failure> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let whole = self.awaited == Awaited::Nothing && self.passed == 0;
        match error {
            _ if whole && self.inbox.is_empty() => Ok(()),
            _ if whole => Err(Failure::Protocol("answered more than was asked".to_owned())),
            _ if self.ended => Err(Failure::Closed { unsent: false, why: "the server closed it".to_owned() }),
            Some(error) => Err(Failure::Closed { unsent: false, why: error.to_string() }),
            None => Err(Failure::Protocol("answered less than an answer".to_owned())),
        }
    }

    /// Sends what is held back.
    pub(super) async fn send(&mut self) -> Result<(), Failure> {
        if self.held {
            let sent = self.io.flush().await;
            sent.map_err(|error| Failure::Closed { unsent: false, why: error.to_string() })?;
            self.held = false;
        }
        Ok(())
    }

    /// Keeps the reason, and makes the crate give up.
    fn refuse(&mut self, fault: Failure) -> io::Error {
        self.fault = Some(fault);
        io::ErrorKind::InvalidData.into()
    }

    /// Reads more into the inbox; false at the end of the connection.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut chunk = [0; CHUNK];
        let mut chunk = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut chunk))?;
        self.inbox.extend_from_slice(chunk.filled());
        self.ended = chunk.filled().is_empty();
        Poll::Ready(Ok(!self.ended))
    }

    /// Waits for a whole line and passes it; false at the end of the connection.
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if let Some(end) = self.inbox.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') {
                self.awaited = self.judge(end + 1).map_err(|fault| self.refuse(fault))?;
                self.passed = end + 1;
                return Poll::Ready(Ok(true));
            }
            if self.inbox.len() >= LONGEST_LINE {
                let fault = shape::unexpected(&self.inbox);
                return Poll::Ready(Err(self.refuse(fault)));
            }
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(false));
            }
        }
    }

    /// Judges the line of `length` bytes at the head of the inbox, and tells what is to come after it.
    fn judge(&mut self, length: usize) -> Result<Awaited, Failure> {
        let line = &self.inbox[..length];
        let text = match line.strip_suffix(b"\r\n").map(std::str::from_utf8) {
            Some(Ok(text)) if !text.contains(char::is_control) => text,
            _ => return Err(shape::unexpected(line)),
        };
        match (self.awaited, text) {
            (Awaited::EndOfData, "") => Ok(Awaited::LastLine),
            (Awaited::LastLine, "END") => Ok(Awaited::Nothing),
            (Awaited::FirstLine, _) => {
                let rest = self.shape.judge(text, &self.key, self.largest)?;
                self.line.push_str(text);
                Ok(match rest {
                    Rest::Nothing => Awaited::Nothing,
                    Rest::Data(size) => Awaited::Data(size),
                })
            }
            _ => Err(Failure::Protocol("answered an item that is shorter or longer than announced".to_owned())),
        }
    }

    /// Hands on data that was announced, as much as fits.
    fn poll_data(&mut self, cx: &mut Context<'_>, size: usize, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = size.min(to.remaining());
        let got = if self.inbox.is_empty() {
            let mut part = ReadBuf::new(to.initialize_unfilled_to(room));
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
            let got = part.filled().len();
            self.ended = got == 0;
            to.advance(got);
            got
        } else {
            self.hand_on(room, to)
        };
        self.awaited = if got == size { Awaited::EndOfData } else { Awaited::Data(size - got) };
        Poll::Ready(Ok(()))
    }

    /// Hands on what is in the inbox, at most `most` bytes; returns how many.
    fn hand_on(&mut self, most: usize, to: &mut ReadBuf<'_>) -> usize {
        let count = most.min(self.inbox.len()).min(to.remaining());
        to.put_slice(&self.inbox[..count]);
        self.inbox.advance(count);
        count
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.held {
            ready!(Pin::new(&mut guard.io).poll_flush(cx))?;
            guard.held = false;
        }
        if guard.passed == 0 {
            match guard.awaited {
                Awaited::Data(0) => guard.awaited = Awaited::EndOfData,
                Awaited::Data(size) => return guard.poll_data(cx, size, to),
                Awaited::Nothing => {
                    return Poll::Ready(
                        Err(guard.refuse(Failure::Protocol("answered less than an answer".to_owned()))),
                    );
                }
                Awaited::FirstLine | Awaited::EndOfData | Awaited::LastLine => {}
            }
            if !ready!(guard.poll_line(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
        let count = guard.hand_on(guard.passed, to);
        guard.passed -= count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        guard.held = true;
        Pin::new(&mut guard.io).poll_write(cx, data)
    }

    /// Does nothing: what is written goes out before the next answer is waited for.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use memcache_async::ascii::Protocol;

    use super::*;

    #[tokio::test]
    async fn an_item_of_any_size_is_whole_however_it_comes_in_pieces() {
        for piece in [1, 2, 3, 7, 100, 5000, 100_000] {
            for size in [0, 1, 2, 5, 1000, 4096, 9000, 20_000] {
                let (near, mut far) = tokio::io::duplex(piece);
                let data: Vec<u8> = (0..size).map(|at| [b'\r', b'\n', b'E'][at % 3]).collect();
                let head = format!("VALUE key 0 {size} 5\r\n");
                let answer = [head.as_bytes(), &data, b"\r\nEND\r\n"].concat();
                let mut guard = Guard::new(near, 20_000);
                let asking = async {
                    for _ in 0..2 {
                        guard.expect(Shape::Item, "key");
                        let got = Protocol::new(&mut guard).gets_cas("key").await.unwrap();
                        assert!(got.0 == data && got.1 == 5);
                        assert_eq!(guard.settle(None), Ok(()));
                    }
                };
                let answering = async {
                    for _ in 0..2 {
                        let mut asked = [0; 10];
                        tokio::io::AsyncReadExt::read_exact(&mut far, &mut asked).await.unwrap();
                        assert_eq!(&asked, b"gets key\r\n");
                        far.write_all(&answer).await.unwrap();
                    }
                };
                tokio::join!(asking, answering);
            }
        }
    }
}
