//! The question to the name service, apart from who answers it.

use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

/// Looks up the addresses of host names, where the system's hosts file and name servers are not to be asked.
///
/// # Examples
///
/// Names that a registry of one's own knows:
///
/// ```
/// use std::collections::HashMap;
/// use std::net::IpAddr;
/// use std::time::Duration;
///
/// use chorde_memcache::{Addresses, LookingUp, MemcachedClient, Resolver};
///
/// struct Registry(HashMap<String, Vec<IpAddr>>);
///
/// impl Resolver for Registry {
///     fn look_up(&self, host: &str) -> LookingUp {
///         let known = self.0.get(host).cloned();
///         Box::pin(async move {
///             let addresses = known.ok_or("the registry does not know this name")?;
///             Ok(Addresses::new(addresses, Duration::from_secs(30)))
///         })
///     }
/// }
///
/// let registry = Registry([("cache-1".to_owned(), vec![[10, 0, 0, 1].into()])].into());
/// let client = MemcachedClient::builder().servers(["cache-1"]).resolver(registry).checksum_key("secret").build()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// Asks. The answer, or why there is none, must come in seconds, whatever the name servers do. Called on a thread that
    /// must not be blocked; the future runs on a tokio runtime with sockets and timers.
    fn look_up(&self, host: &str) -> LookingUp;
}

/// What [`Resolver::look_up`] returns: a question under way.
pub type LookingUp = Pin<Box<dyn Future<Output = Result<Addresses, Box<dyn Error + Send + Sync>>> + Send>>;

/// Lists the addresses of a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// In no particular order.
    pub(super) addresses: Vec<IpAddr>,
    /// How long they may be taken for true.
    pub(super) ttl: Duration,
}

impl Addresses {
    /// Takes addresses, in any order, that may be taken for true for as long as `ttl`.
    #[must_use]
    pub fn new(addresses: impl Into<Vec<IpAddr>>, ttl: Duration) -> Self {
        Self { addresses: addresses.into(), ttl }
    }

    /// Returns the addresses.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Returns how long they may be taken for true.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
}
