//! Ways of a server to misbehave.

/// Says how a [`FakeServer`](super::FakeServer) misbehaves.
///
/// Unless told otherwise here, `version` is answered well, so that a client takes the server for a good one at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Reads, and never answers anything but `version`.
    Silence,
    /// Reads, and answers nothing at all.
    DeadSilence,
    /// Sends so many bytes of a reply and closes.
    Cut(usize),
    /// Resets the connection (RST) in place of a reply.
    Reset,
    /// Closes each connection as soon as it is accepted.
    CloseAtOnce,
    /// Says `ERROR Too many open connections` and closes, as soon as a connection is accepted.
    TooManyConnections,
    /// Answers with a line that is no reply of any protocol, and goes on.
    Garbage,
    /// Begins a line and never ends it, for as long as the other side reads.
    EndlessLine,
    /// Announces a value of a negative length.
    NegativeLength,
    /// Announces a value of 2^64 - 1 bytes.
    HugeLength,
    /// Announces a value and sends half of it, then the end of the reply as usual.
    ShortValue,
    /// Sends two other bytes for the end of line behind a value.
    BadTerminator,
    /// Answers to another request: with another opaque, or in the classic protocol with another key.
    OtherRequest,
    /// Answers two requests at a time, the second one first.
    OutOfOrder,
    /// Has no memory left: `SERVER_ERROR out of memory storing object` to each command that stores; others work.
    OutOfMemory,
    /// Answers the first bytes, whatever they are, with an alert of TLS and closes: a server that expects encryption.
    TlsAlert,
    /// Answers the first line, whatever it is, as a web server does, and closes.
    Http,
}
