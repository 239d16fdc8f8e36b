//! A connection that is encrypted; says in plain words why it could not be.

use std::io::{self, IoSlice, Write};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smallvec::SmallVec;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::is_reset;
use super::records::{LONGEST, Records};
use super::socket::is_silent;
use crate::command::Failure;
use crate::tls::{Tls, read_name};

/// How long the header of a record is.
const RECORD_HEADER: usize = 5;

/// How much is encrypted before it is written; a last record may go beyond.
const AT_ONCE: usize = 3 * LONGEST;

/// A connection that is encrypted.
#[derive(Debug)]
pub(crate) struct Encrypted {
    stream: TlsStream<TcpStream>,
    records: Records,
}

/// How a server is spoken to: by whose certificates, and which name its own has to show.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    tls: Tls,
    /// The host name that the server was given by; `None` where it has none, or another one is set for all servers.
    host: Option<String>,
}

impl Expected {
    pub(super) fn new(tls: &Tls, host: Option<&str>) -> Self {
        Self { tls: tls.clone(), host: host.filter(|_| tls.name().is_none()).map(Into::into) }
    }

    /// Returns what may differ from server to server.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Returns the name that the certificate of the server at this address has to show.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if what was given is no name.
    pub(super) fn name(&self, address: IpAddr) -> Result<ServerName<'static>, Failure> {
        match (self.tls.name(), &self.host) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(host)) => {
                let mend = |why| Failure::Refused(format!("{host:?} {why}: mend the server's `host`"));
                read_name(host).map_err(mend)
            }
            (None, None) => Ok(address.into()),
        }
    }

    /// Agrees on keys with a server, and checks that its certificate shows this name.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`].
    pub(super) async fn encrypt(
        &self,
        stream: TcpStream,
        name: ServerName<'static>,
    ) -> Result<Box<Encrypted>, Failure> {
        let config = self.tls.config();
        // It counts what each record begins with.
        let longest = config.max_fragment_size.map_or(LONGEST, |size| size.saturating_sub(RECORD_HEADER));
        let encrypted = TlsConnector::from(config).connect(name.clone(), stream).await;
        let mut stream = encrypted.map_err(|error| Failure::Refused(in_handshake(&error, &name)))?;
        // What it holds is bounded by `AT_ONCE`; a bound of its own would cut records short.
        stream.get_mut().1.set_buffer_limit(None);
        Ok(Box::new(Encrypted { stream, records: Records::new(longest) }))
    }
}

impl Encrypted {
    /// As [`Socket::is_quiet`](super::Socket::is_quiet). What has come may be for the connection itself, such as a ticket
    /// for the next one: it is taken in. Nothing else is read here.
    pub(super) fn is_quiet(&mut self) -> bool {
        let (socket, session) = self.stream.get_mut();
        let socket = SockRef::from(&*socket);
        while !is_silent(&socket) {
            // An end shows as nothing read.
            if !matches!(session.read_tls(&mut &*socket), Ok(read) if read > 0) {
                return false;
            }
            match session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
        }
        true
    }

    /// Encrypts the next record of what begins there; returns how many bytes it has.
    fn encrypt(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.records.next(bytes);
        self.stream.get_mut().1.writer().write_all(&bytes[..taken])?;
        Ok(taken)
    }

    /// Encrypts some records; returns how many bytes they have.
    fn encrypt_some(&mut self, mut slices: &mut [IoSlice<'_>]) -> io::Result<usize> {
        let mut total = 0;
        while total < AT_ONCE
            && let Some(first) = slices.iter().position(|slice| !slice.is_empty())
        {
            let is_enough = slices[first].len() >= self.records.longest() || first + 1 == slices.len();
            let taken = if is_enough {
                self.encrypt(&slices[first])?
            } else {
                let joined = joined(&slices[first..], self.records.longest());
                self.encrypt(&joined)?
            };
            total += taken;
            IoSlice::advance_slices(&mut slices, taken);
        }
        Ok(total)
    }

    fn poll_encrypt(&mut self, cx: &mut Context<'_>, slices: &mut [IoSlice<'_>]) -> Poll<io::Result<usize>> {
        // First what is encrypted already, so that no more than one such lot is held.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        let total = self.encrypt_some(slices)?;
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // The rest is written by the next call, or when it is flushed.
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(total)),
        }
    }
}

/// Returns the first bytes of some pieces in one.
fn joined(slices: &[IoSlice<'_>], most: usize) -> Vec<u8> {
    let mut joined = Vec::with_capacity(most.min(slices.iter().map(|slice| slice.len()).sum()));
    for slice in slices {
        joined.extend_from_slice(&slice[..slice.len().min(most - joined.len())]);
    }
    joined
}

impl AsyncRead for Encrypted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_encrypt(cx, &mut [IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut slices: SmallVec<[IoSlice<'_>; 32]> = SmallVec::from_slice(bufs);
        self.get_mut().poll_encrypt(cx, &mut slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Says why a handshake failed, and what mends it.
fn in_handshake(error: &io::Error, name: &ServerName<'_>) -> String {
    let name = name.to_str();
    match cause(error) {
        Some(Error::InvalidCertificate(wrong)) => {
            format!("the certificate of {name} is not accepted: {wrong}; {}", mend_certificate(wrong))
        }
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the answer to the TLS handshake is none: the port is not encrypted; enable TLS there (memcached's `-Z`), give \
             the port that has it, or leave out `tls`"
                .into()
        }
        Some(error) => told(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof || is_reset(error) => {
            format!("closed in the TLS handshake ({error}): the port may want no TLS, or have no certificate for {name}")
        }
        None => format!("in the TLS handshake: {error}"),
    }
}

/// Says what came of an error of an encrypted connection, if it is one of its own.
pub(super) fn explained(error: &io::Error) -> Option<String> {
    cause(error).map(told)
}

fn told(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{error}; the server wants a certificate of the client: give it by `Tls::with_config`")
        }
        Error::AlertReceived(_) => {
            format!(
                "{error}; the server's own log says why: it may want another name (`Tls::server_name`), a certificate \
                     of the client, or other ciphers (both by `Tls::with_config`)"
            )
        }
        Error::PeerIncompatible(_) => {
            format!("{error}; the server has to offer TLS 1.2 or 1.3 with ciphers that are in use today")
        }
        error => format!("TLS: {error}"),
    }
}

fn mend_certificate(wrong: &CertificateError) -> &'static str {
    match wrong {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "give the root that signed it by `Tls::with_roots`, and have the server send the certificates between"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "give the server by a name that its certificate shows, or set that name by `Tls::server_name`"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "renew it at the server",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "set the clock of this host, or wait"
        }
        _ => "give the server a certificate that was made for servers, signed by a root that is trusted",
    }
}

/// Returns what rustls found wrong, if it is that.
fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests;
