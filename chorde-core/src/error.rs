//! The one error type of this crate.

use std::error::Error as StdError;
use std::fmt;

/// Tells what went wrong when a cache was asked for something it could not do.
///
/// A miss is not an error. A cached function never shows one of these to its callers, except through companions that
/// return `Result` and through [`CacheFuture`](crate::CacheFuture).
///
/// # Examples
///
/// ```
/// use chorde_core::{ErrorKind, InprocClient};
///
/// let error = InprocClient::builder().build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(error.to_string().contains("capacity"));
/// ```
#[derive(Debug)]
pub struct Error {
    /// What kind of failure this is; the part that programs look at.
    kind: ErrorKind,
    /// What was attempted and how to mend it; never holds keys, values or secrets.
    context: String,
    /// The failure below this one, if there is one.
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Sorts an [`Error`] by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key could not be serialised; trying again with the same key fails again.
    Key,
    /// The value cannot be stored: it refuses to be serialised, or is too large; trying again does not help.
    Value,
    /// A setting cannot work; the message names the setting and the mend.
    Config,
    /// The time to live is zero, so that the value could never be read.
    Ttl,
    /// The backend could not be reached, or did not answer in time; a retry may succeed.
    Unavailable,
    /// None of the servers of a strict client is in use at the moment; a retry may succeed once one is back.
    NoServers,
    /// The backend answered something that is not what was asked for.
    Protocol,
    /// This client does not offer the operation.
    Unsupported,
    /// Work was cancelled before it produced a value: on request, or because its executor went away.
    Cancelled,
    /// The queue of background work is full; a retry may succeed once it has drained.
    Overloaded,
    /// The time given to wait ran out; what was waited for goes on.
    Timeout,
    /// The computation panicked.
    Panicked,
}

impl Error {
    /// Creates an error of `kind` with a message that says what was attempted and how to mend it.
    #[must_use]
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Adds the failure that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// The result of asking a client for something.
pub type Result<T, E = Error> = std::result::Result<T, E>;
