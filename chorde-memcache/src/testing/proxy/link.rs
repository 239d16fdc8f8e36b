//! One connection through a proxy.

use std::collections::VecDeque;
use std::future::pending;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Tally;
use super::chaos::{Chaos, Direction, Step};
use crate::server::Address;
use crate::testing::watched::Watched;

/// How many bytes may wait in each direction before no more are read.
const ROOM: usize = 256 << 10;

/// What is read at once.
const CHUNK: usize = 16 << 10;

/// A connection from a client to the target.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) target: Address,
    pub(super) chaos: watch::Receiver<Chaos>,
    pub(super) tally: Arc<Watched<Tally>>,
}

impl Link {
    /// Runs the connection to its end.
    pub(super) async fn run(mut self, mut client: TcpStream) {
        let _ = client.set_nodelay(true);
        let mut chaos = self.chaos.clone();
        let ended = select! {
            biased;
            ended = chaos.wait_for(|chaos| chaos.is_fatal()) => ended.map(|chaos| *chaos).ok(),
            _ = self.forward(&mut client) => None,
        };
        if ended == Some(Chaos::Reset) {
            let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        }
        drop(client);
        self.tally.change(|tally| tally.open -= 1);
    }

    /// Forwards until both directions have ended, or one of them breaks.
    async fn forward(&mut self, client: &mut TcpStream) -> Result<()> {
        // Through a black hole nobody gets to the target.
        let _ = self.chaos.wait_for(|chaos| *chaos != Chaos::Blackhole).await;
        let target = connect(&self.target).await?;
        let (from_target, to_target) = tokio::io::split(target);
        let (from_client, to_client) = client.split();
        let way = |direction| Way { direction, chaos: self.chaos.clone(), tally: &self.tally, passed: 0 };
        tokio::try_join!(
            way(Direction::ToServer).pump(from_client, to_target),
            way(Direction::ToClient).pump(from_target, to_client),
        )?;
        Ok(())
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl Stream for TcpStream {}
impl Stream for UnixStream {}

async fn connect(target: &Address) -> Result<Box<dyn Stream>> {
    Ok(match target {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

/// One direction of a connection.
struct Way<'a> {
    direction: Direction,
    chaos: watch::Receiver<Chaos>,
    tally: &'a Watched<Tally>,
    /// Bytes since the connection's start or the last change.
    passed: u64,
}

impl Way<'_> {
    /// Forwards until the end of what is read, and hands that on. An error ends the whole connection.
    async fn pump(mut self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<()> {
        let mut waiting: VecDeque<(Instant, Bytes)> = VecDeque::new();
        let mut chunk = vec![0; CHUNK];
        let mut ended = false;
        loop {
            let chaos = *self.chaos.borrow();
            let step = waiting
                .front()
                .map_or(Step::Hold, |(arrived, bytes)| chaos.step(self.direction, self.passed, bytes.len(), *arrived));
            match step {
                Step::Close => return Err(Error::from(ErrorKind::ConnectionAborted)),
                Step::Lose => {
                    waiting.pop_front();
                    continue;
                }
                Step::Hold if ended && waiting.is_empty() && chaos != Chaos::Blackhole => return to.shutdown().await,
                _ => {}
            }
            let room = !ended && waiting.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < ROOM;
            let front = waiting.front().map(|(_, bytes)| bytes.as_ref()).unwrap_or_default();
            select! {
                biased;
                changed = self.chaos.changed() => {
                    changed.map_err(Error::other)?;
                    self.passed = 0;
                }
                read = from.read(&mut chunk), if room => match read? {
                    0 => ended = true,
                    count => waiting.push_back((Instant::now(), Bytes::copy_from_slice(&chunk[..count]))),
                },
                written = carry_out(step, &mut to, front) => {
                    let written = written?;
                    self.passed += written as u64;
                    self.tally.change(|tally| *tally.bytes(self.direction) += written as u64);
                    advance(&mut waiting, written);
                }
            }
        }
    }
}

/// Takes a step, and says how many bytes went; after a pause, none.
async fn carry_out(step: Step, to: &mut (impl AsyncWrite + Unpin), front: &[u8]) -> Result<usize> {
    match step {
        Step::Forward(count) => to.write(&front[..count]).await,
        Step::Until(time) => {
            sleep_until(time).await;
            Ok(0)
        }
        Step::Lose | Step::Hold | Step::Close => pending().await,
    }
}

/// Removes bytes that went from the first that wait.
fn advance(waiting: &mut VecDeque<(Instant, Bytes)>, count: usize) {
    if let Some((_, bytes)) = waiting.front_mut() {
        bytes.advance(count);
        if bytes.is_empty() {
            waiting.pop_front();
        }
    }
}
