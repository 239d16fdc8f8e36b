//! Makes a connection and finds out who is at the other end.

#[cfg(feature = "tls")]
mod encrypted;
#[cfg(feature = "tls")]
mod records;
mod socket;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::meta::words;
use crate::command::Failure;
use crate::server::{Address, Server};

#[cfg(feature = "tls")]
use crate::tls::Tls;
#[cfg(feature = "tls")]
use encrypted::Expected;
pub(crate) use socket::Socket;

/// The first version with all of the meta commands that are used.
const FIRST: [u32; 3] = [1, 6, 18];

/// The longest line that a greeting may be.
const LONGEST: usize = 2048;

/// How long a connection may be silent before the system asks whether the other end is still there, and how often it asks.
const SILENCE: Duration = Duration::from_secs(30);
const PROBES: Duration = Duration::from_secs(5);

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    address: Address,
    /// Other ways to the same server.
    others: Vec<SocketAddr>,
    /// `None` where connections are not encrypted.
    #[cfg(feature = "tls")]
    expected: Option<Expected>,
}

impl Destination {
    /// Returns where a server is that is spoken to without encryption.
    pub(super) fn of(server: &Server) -> Self {
        Self { others: server.others().to_vec(), ..server.address().clone().into() }
    }

    /// Has what is said there encrypted, to a server that has this name.
    #[cfg(feature = "tls")]
    pub(super) fn encrypted(self, tls: &Tls, host: Option<&str>) -> Self {
        Self { expected: Some(Expected::new(tls, host)), ..self }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Returns whether a connection to the one is as good as one to the other; both are of the same client.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        #[cfg(feature = "tls")]
        if self.expected.as_ref().map(Expected::host) != other.expected.as_ref().map(Expected::host) {
            return false;
        }
        self.address == other.address && self.others == other.others
    }

    /// Connects, and encrypts what is to be encrypted.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`].
    pub(crate) async fn connect(&self) -> Result<Socket, Failure> {
        match &self.address {
            Address::Tcp(address) => {
                #[cfg(feature = "tls")]
                if let Some(expected) = &self.expected {
                    let name = expected.name(address.ip())?;
                    return expected.encrypt(self.connect_tcp(*address).await?, name).await.map(Socket::Tls);
                }
                self.connect_tcp(*address).await.map(Socket::Tcp)
            }
            #[cfg(feature = "tls")]
            Address::Unix(_) if self.expected.is_some() => {
                let mend = "a unix socket cannot be encrypted: give the server by a TCP port, or leave out `tls`";
                Err(Failure::Refused(mend.into()))
            }
            #[cfg(unix)]
            Address::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix).map_err(|error| refused(&error)),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(refused(&io::ErrorKind::Unsupported.into())),
        }
    }

    /// Connects to this address or one of the others. Which of them is tried first is left to chance, so that the next
    /// attempt gets through where one of them swallows all.
    async fn connect_tcp(&self, address: SocketAddr) -> Result<TcpStream, Failure> {
        let mut last = connect_once(*self.others.get(fastrand::usize(..=self.others.len())).unwrap_or(&address)).await;
        for other in std::iter::once(&address).chain(&self.others) {
            if last.is_ok() || self.others.is_empty() {
                break;
            }
            last = connect_once(*other).await;
        }
        last.map_err(|error| refused(&error))
    }
}

/// Without encryption.
impl From<Address> for Destination {
    fn from(address: Address) -> Self {
        Self {
            address,
            others: Vec::new(),
            #[cfg(feature = "tls")]
            expected: None,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

async fn connect_once(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address).await.and_then(tuned)
}

/// Sets what a connection for small packets wants: no delay, and a look now and then whether the other end is there.
///
/// A connection that is given up while questions are under way is reset: what the system still holds of them would else be
/// delivered when the network lets it, and a write that counts as failed would come after later ones.
fn tuned(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(SILENCE).with_interval(PROBES);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_linger(Some(Duration::ZERO))?;
    Ok(stream)
}

/// Asks for the version, and so finds out whether the other end is a server that can be talked to.
///
/// # Errors
///
/// [`Failure::NoMeta`] if the server is too old, [`Failure::Protocol`] if it is something else,
/// [`Failure::TooManyConnections`], and [`Failure::Refused`] if the connection breaks.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<(), Failure> {
    // A server that has too many connections says so and closes: that is worth reading although it does not read.
    let sent = match stream.write_all(b"version\r\n").await {
        Ok(()) => stream.flush().await,
        Err(error) => Err(error),
    };
    let mut input = BytesMut::with_capacity(LONGEST);
    while !input.contains(&b'\n') && input.len() < LONGEST {
        match stream.read_buf(&mut input).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) if !input.is_empty() => break,
            Err(error) => return Err(cut(&error)),
        }
    }
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        return Err(match sent {
            Err(error) if input.is_empty() => cut(&error),
            _ => foreign(&input),
        });
    };
    let (line, rest) = input.split_at(end);
    accept(line.strip_suffix(b"\r").unwrap_or(line))?;
    if rest.len() > 1 {
        Err(Failure::Protocol("received more than the version when asked for it".into()))
    } else {
        Ok(())
    }
}

/// Connects and asks for the version; any memcached will do, an old one too.
///
/// # Errors
///
/// As [`connect`](Destination::connect) and [`greet`], but for [`Failure::NoMeta`].
pub(crate) async fn probe(destination: &Destination) -> Result<(), Failure> {
    match greet(&mut destination.connect().await?).await {
        Ok(_) | Err(Failure::NoMeta(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Judges the answer to `version`.
fn accept(line: &[u8]) -> Result<(), Failure> {
    if line.starts_with(b"ERROR Too many open connections") {
        return Err(Failure::TooManyConnections);
    }
    if line == b"ERROR" {
        return Err(Failure::NoMeta("unknown, as the server does not tell it".into()));
    }
    let Some(version) = line.strip_prefix(b"VERSION ") else { return Err(foreign(line)) };
    let version = String::from_utf8_lossy(&version[..version.len().min(40)]);
    match parts(&version) {
        Some(parts) if parts >= FIRST => Ok(()),
        _ => Err(Failure::NoMeta(version.escape_default().to_string())),
    }
}

/// Reads the numbers of a version; whatever follows them does not matter.
fn parts(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse::<u32>().ok()
    });
    let first = parts.next()??;
    let mut next = || parts.next().flatten().unwrap_or(0);
    Some([first, next(), next()])
}

/// Makes the failure of a server that is something else, with a guess at what.
fn foreign(received: &[u8]) -> Failure {
    let guess = match received {
        [] => "closed without a word, as a port for TLS does or a proxy with nothing behind it".into(),
        _ if received.starts_with(b"CLIENT_ERROR unauthenticated") => "memcached that wants a password".into(),
        _ if received.starts_with(b"CLIENT_ERROR") || received.starts_with(b"SERVER_ERROR") => {
            format!("memcached in trouble: {}", words(received))
        }
        _ => stranger(received).unwrap_or("no memcached").to_owned(),
    };
    Failure::Protocol(format!("the answer to the first command looks like {guess}"))
}

/// Guesses what else than memcached says this, by its first bytes.
pub(super) fn stranger(received: &[u8]) -> Option<&'static str> {
    Some(match received {
        [0x15 | 0x16, 3, ..] => "a TLS alert: the port wants TLS, set `tls` (feature `tls`)",
        [b'-' | b'+', ..] => "a Redis server",
        [b'2', b'2', b'0', ..] => "a mail or file server",
        _ if received.starts_with(b"HTTP/") => "HTTP",
        _ if received.starts_with(b"SSH-") => "SSH",
        _ => return None,
    })
}

fn refused(error: &io::Error) -> Failure {
    Failure::Refused(error.to_string())
}

/// Makes the failure of a connection that broke at the first command.
pub(super) fn cut(error: &io::Error) -> Failure {
    #[cfg(feature = "tls")]
    if let Some(why) = encrypted::explained(error) {
        return Failure::Refused(why);
    }
    let hint =
        if is_reset(error) { ", as by a port that wants TLS (`tls`) or a certificate of the client" } else { "" };
    Failure::Refused(format!("{error} at the first command{hint}"))
}

/// Returns whether the other end broke the connection.
fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_of_several_addresses_that_answers_is_enough() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answers = listener.local_addr().unwrap();
        // Bound, but nobody listens.
        let mute = tokio::net::TcpSocket::new_v4().unwrap();
        mute.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let refuses = mute.local_addr().unwrap();
        for (first, others) in [(answers, vec![refuses]), (refuses, vec![refuses, answers])] {
            let destination = Destination::of(&Server::new("several", Address::Tcp(first)).also_at(others));
            for _ in 0..20 {
                assert!(destination.connect().await.is_ok());
            }
        }
        let nobody = Destination::of(&Server::new("several", Address::Tcp(refuses)).also_at([refuses]));
        assert!(matches!(nobody.connect().await, Err(Failure::Refused(_))));
    }
}
