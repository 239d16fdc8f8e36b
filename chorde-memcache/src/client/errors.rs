//! What users are told when an operation fails.

use chorde_core::{Error, ErrorKind};

use crate::cluster::Unanswered;
use crate::command::Failure;

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(server, failure) => {
                Self::new(kind(&failure), format!("memcached {server} did not answer: {failure}")).with_source(failure)
            }
            Unanswered::NoServers(None) => Self::new(
                ErrorKind::NoServers,
                "no memcached server is in use: all have failed, or none is known yet; the log names them",
            ),
            Unanswered::NoServers(Some((server, failure))) => Self::new(
                ErrorKind::NoServers,
                format!("no memcached server is in use; the last one was {server}: {failure}"),
            )
            .with_source(failure),
        }
    }
}

fn kind(failure: &Failure) -> ErrorKind {
    match failure {
        Failure::Refused(_) | Failure::Closed { .. } | Failure::Timeout | Failure::TooManyConnections => {
            ErrorKind::Unavailable
        }
        Failure::Overloaded => ErrorKind::Overloaded,
        Failure::Protocol(_) | Failure::NoMeta(_) => ErrorKind::Protocol,
    }
}

/// Reports a value that a server refused.
pub(super) fn too_large() -> Error {
    Error::new(
        ErrorKind::Value,
        "the server has no room for an item of this size: give it more memory (`-m`), or set the builder's `item_size` \
         to the servers' (`-I`)",
    )
}
