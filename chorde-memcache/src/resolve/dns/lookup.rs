//! The question to the name service, apart from who answers it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

/// Looks up the addresses of a host name.
pub(super) trait Lookup: Send + Sync + 'static {
    /// Asks. The answer, or why there is none, must come in seconds, whatever the name servers do.
    fn look_up(&self, host: &str) -> Asking;
}

/// A question under way.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Answer, String>> + Send>>;

/// The addresses of a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// In no particular order.
    pub(super) addresses: Vec<IpAddr>,
    /// How long they may be taken for true.
    pub(super) ttl: Duration,
}
