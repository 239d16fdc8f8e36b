//! One question to a server, over a connection of its own.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::server::Address;

/// Asks and returns all that is answered. The `quit` behind the command makes the server close when it has answered, so
/// that the end of an answer needs no knowledge of the protocol.
pub(super) fn ask(address: &Address, command: &str, patience: Duration) -> Result<String> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, patience)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            exchange(stream, command)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(patience))?;
            exchange(stream, command)
        }
    }
}

fn exchange(mut stream: impl Read + Write, command: &str) -> Result<String> {
    stream.write_all(format!("{command}\r\nquit\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(|error| match error.kind() {
        // What a timeout of a socket is called depends on the system.
        ErrorKind::WouldBlock => Error::new(ErrorKind::TimedOut, error),
        _ => error,
    })?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Reads lines `STAT name value`.
pub(super) fn stats(answer: &str) -> HashMap<String, String> {
    let lines = answer.lines().filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
