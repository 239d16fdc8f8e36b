//! The connection against scripted peers here, and against memcached in `real`.

mod ends;
mod greeting;
mod real;
mod replies;
mod times;

use bytes::Bytes;
use chorde_core::ManualClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::command::{How, Item, Life};
use crate::server::Address;

const DEADLINE: Duration = Duration::from_millis(500);

/// The other end of a connection, under the hand of a test.
struct Peer {
    stream: DuplexStream,
    input: Vec<u8>,
}

impl Peer {
    /// Makes a connection with room for so many bytes in each direction.
    fn new(room: usize, limits: Limits, clock: impl Into<Clock>) -> (Arc<Mux>, Self) {
        let (near, far) = tokio::io::duplex(room);
        let mux = Mux::over(&Handle::current(), async { Ok(near) }, limits, clock.into());
        (mux, Self { stream: far, input: Vec::new() })
    }

    /// Makes a connection that is past its greeting.
    async fn greeted() -> (Arc<Mux>, Self) {
        let (mux, mut peer) = Self::new(64 * 1024, Limits::default(), ManualClock::new());
        peer.greet().await;
        (mux, peer)
    }

    async fn greet(&mut self) {
        assert_eq!(self.line().await, "version");
        self.say("VERSION 1.6.18\r\n").await;
    }

    /// Reads a line; it is empty at the end of the connection.
    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.input.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).unwrap();
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return String::new();
            }
        }
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads a command and returns its opaque.
    async fn opaque(&mut self) -> String {
        let line = self.line().await;
        line.rsplit_once(" O").unwrap_or_else(|| panic!("no opaque in {line:?}")).1.to_owned()
    }
}

fn get(key: &str) -> Command<'_> {
    Command::Get { key: key.as_bytes() }
}

fn put(key: &str, data: impl Into<Bytes>) -> Command<'_> {
    Command::Store { key: key.as_bytes(), data: data.into(), flags: 0, life: Life(100), how: How::Set }
}

fn ask(mux: &Mux, key: &str) -> Pending {
    mux.ask(&[get(key)], DEADLINE).unwrap()
}

/// Returns the one reply.
fn only(replies: Result<Replies, Failure>) -> Reply {
    let replies = replies.unwrap();
    assert_eq!(replies.len(), 1);
    replies.into_iter().next().unwrap()
}

fn item(data: &[u8]) -> Reply {
    let data = Bytes::copy_from_slice(data);
    Reply::Item(Item { size: data.len() as u32, data, flags: 1, cas: 2, left: Some(3), ..Item::default() })
}

/// What a server says about an item.
fn said(data: &[u8], opaque: &str) -> Vec<u8> {
    let mut reply = format!("VA {} f1 c2 t3 O{opaque}\r\n", data.len()).into_bytes();
    reply.extend_from_slice(data);
    reply.extend_from_slice(b"\r\n");
    reply
}

/// Lets all other tasks of a current-thread runtime run until the connection has ended.
async fn closed(mux: &Mux) {
    while !mux.is_closed() {
        tokio::task::yield_now().await;
    }
}

#[track_caller]
fn assert_protocol(answer: Result<Replies, Failure>, why: &str) {
    match answer {
        Err(Failure::Protocol(said)) if said.contains(why) => {}
        other => panic!("{other:?} instead of {why:?}"),
    }
}
