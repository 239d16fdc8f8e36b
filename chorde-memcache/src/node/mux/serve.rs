//! The task of a connection.

use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::line::{Line, Next};
use crate::command::Failure;
use crate::node::dial;
use crate::node::meta::Decoder;

/// How much is read at once, unless more is known to come.
const CHUNK: usize = 32 * 1024;

/// With less room than this, reading would take many small steps.
const LEAST: usize = 4 * 1024;

/// How many pieces are written at once.
const PIECES: usize = 32;

/// Connects, serves, and fails whoever is left when that ends.
pub(super) async fn run<S>(connect: impl Future<Output = Result<S, Failure>>, mut line: Line)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failure = match dialled(connect, &mut line).await {
        Ok(stream) => {
            line.serve();
            let decoder = Decoder::new(line.shared.limits.data);
            let mut connection = Connection {
                stream,
                line: &mut line,
                decoder,
                input: BytesMut::new(),
                swollen: false,
                unflushed: false,
            };
            poll_fn(|cx| connection.poll(cx)).await
        }
        Err(failure) => failure,
    };
    line.end(&failure);
}

/// Connects, while those who wait too long for that are told so.
async fn dialled<S>(connect: impl Future<Output = Result<S, Failure>>, line: &mut Line) -> Result<S, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limit = line.shared.limits.dial;
    let mut late = line.shared.clock.sleep(limit);
    let mut made = pin!(async {
        let mut stream = connect.await?;
        dial::greet(&mut stream).await?;
        Ok(stream)
    });
    poll_fn(|cx| {
        if let Poll::Ready(made) = made.as_mut().poll(cx) {
            return Poll::Ready(made);
        }
        if Pin::new(&mut late).poll(cx).is_ready() {
            return Poll::Ready(Err(Failure::Refused(format!("no connection within {limit:?}"))));
        }
        loop {
            let step = line.look(cx).and_then(|()| line.next(Some(cx.waker())));
            match step {
                Ok(Next::Sleep) => return Poll::Pending,
                Ok(Next::Go | Next::Yield) => {}
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
    })
    .await
}

/// A connection that serves.
struct Connection<'a, S> {
    stream: S,
    line: &'a mut Line,
    decoder: Decoder,
    /// What was received and not decoded.
    input: BytesMut,
    /// Whether `input` has grown beyond its usual size.
    swollen: bool,
    /// Whether something was written that the stream may keep to itself.
    unflushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// Does all that can be done now; completes when the connection has ended, with the reason.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        match self.step(cx) {
            Ok(()) => Poll::Pending,
            Err(failure) => Poll::Ready(failure),
        }
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let mut next = self.line.next(None)?;
        while next != Next::Yield {
            self.pump(cx)?;
            self.line.look(cx)?;
            if self.swollen && self.line.is_empty() {
                self.swollen = false;
                self.input = BytesMut::new();
            }
            next = self.line.next(Some(cx.waker()))?;
            if next == Next::Sleep {
                return Ok(());
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Writes and reads in turn until neither is possible: a server that is not read from may stop reading.
    fn pump(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        loop {
            let wrote = match self.write(cx) {
                Ok(wrote) => wrote,
                Err(failure) => {
                    // What was answered before counts.
                    while self.read(cx)? {}
                    return Err(failure);
                }
            };
            let read = self.read(cx)?;
            if !wrote && !read {
                return Ok(());
            }
        }
    }

    /// Writes once; returns whether there may be more to write.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let stream = Pin::new(&mut self.stream);
        if !self.line.is_writing() {
            if self.unflushed && stream.poll_flush(cx).map_err(|error| broken(&error))?.is_ready() {
                self.unflushed = false;
            }
            return Ok(false);
        }
        let written = match self.line.bytes() {
            Some(bytes) => stream.poll_write(cx, bytes),
            None => {
                let mut slices = [IoSlice::new(&[]); PIECES];
                let used = self.line.slices(&mut slices);
                stream.poll_write_vectored(cx, &slices[..used])
            }
        };
        match written {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(closed("the connection takes no more bytes")),
            Poll::Ready(Ok(bytes)) => {
                self.line.wrote(bytes);
                self.unflushed = true;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(broken(&error)),
        }
    }

    /// Reads once, and answers those whose replies are there; returns whether there may be more to read.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let room = self.input.capacity() - self.input.len();
        if room == 0 || (room < LEAST && self.input.len() < CHUNK) {
            self.input.reserve(CHUNK.saturating_sub(self.input.len()).max(LEAST));
        }
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        match read {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(closed("the server closed the connection")),
            Poll::Ready(Ok(_)) => self.decode().map(|()| true),
            Poll::Ready(Err(error)) => Err(broken(&error)),
        }
    }

    fn decode(&mut self) -> Result<(), Failure> {
        while !self.input.is_empty() {
            let Some((kind, opaque)) = self.line.front() else {
                return Err(Failure::Protocol("received an answer to no command".into()));
            };
            match self.decoder.next(kind, opaque, &mut self.input)? {
                Some(answer) => self.line.answer(answer),
                None => {
                    self.swollen |= self.input.capacity() > CHUNK;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn closed(why: &str) -> Failure {
    Failure::Closed { unsent: false, why: why.into() }
}

fn broken(error: &std::io::Error) -> Failure {
    closed(&error.to_string())
}
