//! Servers behind host names.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use chorde_core::{Clock, Result};

use super::literal::none_given;
use super::{Endpoint, Endpoints, Following, Resolver, ServerSource, Servers, SystemResolver};
use crate::server::Server;

/// Looks host names up and follows their changes.
///
/// The hosts file is asked first, then the system's name servers: CNAME records are followed, and IPv6 addresses are used
/// only where a name has no IPv4 address. A name with one address is one server, which goes by the name and so keeps its
/// keys when the address changes; each of several addresses is a server that goes by its address.
///
/// A name is looked up again when its records have expired, but not more often than every five seconds, plus up to five
/// seconds so that a fleet does not ask at once. While look-ups fail, or answer nothing, the last known addresses stay.
///
/// Addresses and unix sockets may be among the endpoints.
///
/// # Examples
///
/// ```no_run
/// use chorde_memcache::{DnsServers, Endpoint};
///
/// let nodes = "memcached.default.svc.cluster.local".parse::<Endpoint>()?;
/// let spare = "10.0.0.7".parse::<Endpoint>()?;
/// let source = DnsServers::new([nodes.weight(2), spare])?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct DnsServers {
    endpoints: Vec<Endpoint>,
    resolver: Arc<dyn Resolver>,
}

impl DnsServers {
    /// Takes the servers at these endpoints.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](chorde_core::ErrorKind::Config) if there are none. Names without an address are no error: the
    /// client waits for them.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Result<Self> {
        let endpoints: Vec<_> = endpoints.into_iter().collect();
        if endpoints.is_empty() {
            return Err(none_given());
        }
        Ok(Self { endpoints, resolver: Arc::new(SystemResolver::new()) })
    }

    /// Asks another resolver than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Asks a resolver that others ask as well.
    pub(crate) fn shared_resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self
    }
}

impl fmt::Debug for DnsServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsServers").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl ServerSource for DnsServers {
    fn known(&self) -> Option<Vec<Server>> {
        let all = self.endpoints.iter().map(Endpoint::server);
        all.collect()
    }

    fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following {
        let endpoints = Endpoints::new(servers, self.resolver, clock);
        endpoints.set(self.endpoints);
        Box::pin(async move { endpoints.follow().await })
    }
}
