//! Ports for servers of tests.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::fd::AsFd;
use std::time::Instant;

use socket2::SockRef;

use super::{PATIENCE, PAUSE};

/// Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152): a server that stops
/// listening for a while gets its port back, and nobody connects to a port without a listener from that very port.
const PORTS: Range<u16> = 12_000..32_000;

/// How many ports are tried.
const TRIES: usize = 1_000;

/// Listens at 127.0.0.1, at a port that is free there and at `[::1]`: a server can move between the two.
pub(super) fn listen() -> Result<TcpListener> {
    let mut last = None;
    for _ in 0..TRIES {
        let port = fastrand::u16(PORTS);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) if is_free_at_the_other(port) => return Ok(listener),
            Ok(_) => {}
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::from(ErrorKind::AddrInUse)))
}

/// Says whether nobody listens at this port of `[::1]`. Where there is no such address, nobody does.
fn is_free_at_the_other(port: u16) -> bool {
    !matches!(TcpListener::bind((Ipv6Addr::LOCALHOST, port)), Err(error) if error.kind() == ErrorKind::AddrInUse)
}

/// Finds a port of the loopback interface that was free a moment ago.
pub(super) fn free() -> Result<SocketAddr> {
    listen()?.local_addr()
}

/// Stops listening, now: to close the socket alone does not, while a process that another thread starts has a copy of it,
/// as each has up to the moment in which it runs its program.
pub(super) fn leave(listener: impl AsFd) {
    // Some systems know no such thing of a listener. There it ends with the last copy.
    let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
}

/// Listens again where somebody has listened before; waits for the port if it is taken.
pub(super) fn listen_again(address: SocketAddr) -> Result<TcpListener> {
    let begun = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}
