//! A connected socket of any kind.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

#[cfg(feature = "tls")]
use super::encrypted::Encrypted;

/// A connected socket of any kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// Boxed, as it is large.
    #[cfg(feature = "tls")]
    Tls(Box<Encrypted>),
}

/// Does the same with a socket of any kind.
macro_rules! each {
    ($socket:expr, $stream:ident => $does:expr) => {
        match $socket {
            Socket::Tcp($stream) => $does,
            #[cfg(unix)]
            Socket::Unix($stream) => $does,
            #[cfg(feature = "tls")]
            Socket::Tls($stream) => $does,
        }
    };
}

impl Socket {
    /// Tells whether the other side keeps the connection open and has said nothing unasked. Asks the system, not the
    /// runtime, which may not have noticed yet.
    pub(in crate::node) fn is_quiet(&mut self) -> bool {
        match self {
            Self::Tcp(stream) => is_silent(&SockRef::from(&*stream)),
            #[cfg(unix)]
            Self::Unix(stream) => is_silent(&SockRef::from(&*stream)),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.is_quiet(),
        }
    }
}

/// Tells whether a socket is open and nothing has come.
pub(super) fn is_silent(socket: &SockRef<'_>) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    matches!(socket.peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Socket {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Those of the system keep nothing back, and say so at once.
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
