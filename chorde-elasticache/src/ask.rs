//! Asks one server for the configuration of its cluster.

use std::io;

use chorde_memcache::{Dialer, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::config::{self, Form, Malformed, Reading, Said};

/// How much is read at once: the configuration of a cluster of twenty nodes.
const CHUNK: usize = 2048;

/// Why a server told nothing.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// It could not be reached, or ended the connection.
    Lost(io::Error),
    /// It did not answer in time.
    Late,
    /// The host name could not be looked up.
    Unnamed(Box<dyn std::error::Error + Send + Sync>),
    /// It said something that cannot be understood.
    Malformed(Malformed),
}

/// Asks in the form of today and, where that is unknown, in that of engines before 1.4.14, which is how a stock memcached
/// can tell of a cluster too.
pub(crate) async fn ask(dialer: &Dialer, server: &Server) -> Result<Said, Unheard> {
    let mut connection = dialer.connect(server).await?;
    match question(&mut connection, Form::Command).await? {
        Said::Unknown => question(&mut connection, Form::Key).await,
        said => Ok(said),
    }
}

async fn question(connection: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), form: Form) -> Result<Said, Unheard> {
    connection.write_all(form.question()).await?;
    connection.flush().await?;
    let mut received = Vec::with_capacity(CHUNK);
    loop {
        if connection.read_buf(&mut received).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed in the middle of an answer").into());
        }
        if let Reading::Done(said) = config::read(form, &received)? {
            return Ok(said);
        }
    }
}

impl From<io::Error> for Unheard {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<Malformed> for Unheard {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl std::fmt::Display for Unheard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(error) => error.fmt(f),
            Self::Unnamed(error) => write!(f, "the host name cannot be looked up: {error}"),
            Self::Late => f.write_str("no answer in time"),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}
