//! Servers that are known at once.

use chorde_core::{Clock, Error, ErrorKind, Result};

use super::{Endpoint, Following, ServerSource, Servers};
use crate::server::Server;

/// Uses a fixed list of addresses and unix sockets, known at once and for ever.
///
/// # Examples
///
/// ```
/// use chorde_memcache::{Endpoint, ServerSource, StaticServers};
///
/// let endpoints = ["10.0.0.7:11211", "unix:/run/memcached.sock"].map(|text| text.parse::<Endpoint>());
/// let servers = StaticServers::new(endpoints.into_iter().collect::<Result<Vec<_>, _>>()?)?;
/// assert_eq!(servers.known().unwrap()[1].name(), "/run/memcached.sock");
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StaticServers(Vec<Server>);

impl StaticServers {
    /// Takes the servers at these endpoints.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there are none, or for a host name, which [`DnsServers`](super::DnsServers) looks up.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Result<Self> {
        let server = |endpoint: Endpoint| {
            let name_given = || {
                let wrong = format!("servers: {endpoint} is a host name, which must be looked up; use DnsServers");
                Error::new(ErrorKind::Config, wrong)
            };
            endpoint.server().ok_or_else(name_given)
        };
        let servers: Vec<_> = endpoints.into_iter().map(server).collect::<Result<_>>()?;
        if servers.is_empty() {
            return Err(none_given());
        }
        Ok(Self(servers))
    }
}

impl ServerSource for StaticServers {
    fn known(&self) -> Option<Vec<Server>> {
        Some(self.0.clone())
    }

    fn follow(self: Box<Self>, servers: Servers, _clock: Clock) -> Following {
        servers.set(self.0);
        Box::pin(std::future::ready(()))
    }
}

/// Says that a list of endpoints is empty.
pub(super) fn none_given() -> Error {
    Error::new(ErrorKind::Config, "servers: none are given; give at least one, such as localhost:11211")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_refused_with_the_mend() {
        let error = StaticServers::new(["localhost".parse().unwrap()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("DnsServers"), "{error}");
    }

    #[test]
    fn the_list_is_set_before_anything_runs() {
        let servers = Servers::new();
        let source = StaticServers::new(["[::1]:7".parse::<Endpoint>().unwrap().weight(4)]).unwrap();
        let _following = Box::new(source).follow(servers.clone(), Clock::system());
        let list = servers.current().unwrap();
        assert_eq!((list[0].name(), list[0].share()), ("[::1]:7", 4));
    }
}
