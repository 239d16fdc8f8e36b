//! A server whose every word the test says itself.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use chorde_core::Clock;

use crate::node::classic::{Classic, Limits};
use crate::server::Address;

/// Listens.
pub(super) struct Fake(TcpListener);

/// The other side of one connection.
pub(super) struct Peer(BufReader<TcpStream>);

impl Fake {
    pub(super) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn client(&self, clock: Clock, limits: Limits) -> Classic {
        Classic::new(Address::Tcp(self.0.local_addr().unwrap()).into(), clock, limits)
    }

    /// Takes the next connection.
    pub(super) async fn accept(&self) -> Peer {
        let stream = self.0.accept().await.unwrap().0;
        stream.set_nodelay(true).unwrap();
        Peer(BufReader::new(stream))
    }

    /// Takes the next connection and greets as memcached does.
    pub(super) async fn greet(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.hear("version\r\nstats\r\n").await;
        peer.say(b"VERSION 1.4.15\r\nSTAT pid 1\r\nSTAT time 1700000000\r\nSTAT threads 4\r\nEND\r\n").await;
        peer
    }
}

impl Peer {
    /// Waits for exactly this.
    pub(super) async fn hear(&mut self, expected: &str) {
        self.hear_bytes(expected.as_bytes()).await;
    }

    pub(super) async fn hear_some(&mut self, length: usize) -> Vec<u8> {
        let mut heard = vec![0; length];
        self.0.read_exact(&mut heard).await.unwrap();
        heard
    }

    pub(super) async fn hear_bytes(&mut self, expected: &[u8]) {
        let heard = self.hear_some(expected.len()).await;
        assert!(heard == expected, "{}", heard.escape_ascii());
    }

    pub(super) async fn say(&mut self, words: &[u8]) {
        self.0.get_mut().write_all(words).await.unwrap();
    }

    /// Waits for the other side to close the connection, and returns what it said before.
    pub(super) async fn rest(mut self) -> String {
        let mut rest = Vec::new();
        // A reset is an end as well.
        while self.0.read_until(b'\n', &mut rest).await.is_ok_and(|got| got > 0) {}
        String::from_utf8_lossy(&rest).into_owned()
    }
}
