//! Which servers there are: what users write, and sources that find the servers and follow their changes.
//!
//! A [`ServerSource`] is run by the client beside everything else and tells of the list through [`Servers`]. It knows
//! nothing of connections or keys. [`StaticServers`] and [`DnsServers`] are here; auto discovery of other kinds
//! implements the trait.

mod dns;
mod endpoint;
mod endpoints;
mod literal;
mod resolver;
mod roster;
mod servers;
mod source;
mod system;

use std::sync::Arc;

pub use self::dns::DnsServers;
pub use self::endpoint::Endpoint;
pub use self::endpoints::Endpoints;
pub use self::literal::StaticServers;
pub use self::resolver::{Addresses, LookingUp, Resolver};
pub use self::servers::{Servers, Watch};
pub use self::source::{Following, ServerSource};
pub use self::system::SystemResolver;

/// Returns the simplest source for these endpoints: one that never asks where none is a host name.
///
/// # Errors
///
/// [`ErrorKind::Config`](chorde_core::ErrorKind::Config) if there are none.
pub(crate) fn source(
    endpoints: Vec<Endpoint>,
    resolver: Option<Arc<dyn Resolver>>,
) -> chorde_core::Result<Box<dyn ServerSource>> {
    Ok(if endpoints.iter().any(Endpoint::is_name) {
        let named = DnsServers::new(endpoints)?;
        Box::new(match resolver {
            Some(resolver) => named.shared_resolver(resolver),
            None => named,
        })
    } else {
        Box::new(StaticServers::new(endpoints)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source_of(texts: &[&str]) -> chorde_core::Result<Box<dyn ServerSource>> {
        source(texts.iter().map(|text| text.parse().unwrap()).collect(), None)
    }

    #[test]
    fn literal_addresses_are_known_at_once_and_names_are_not() {
        let known = source_of(&["10.0.0.7", "/run/memcached.sock"]).unwrap().known().unwrap();
        assert_eq!(known.len(), 2);
        assert!(source_of(&["10.0.0.7", "localhost"]).unwrap().known().is_none());
    }

    #[test]
    fn no_servers_is_an_error_that_says_so() {
        let error = source_of(&[]).err().unwrap();
        assert_eq!(error.kind(), chorde_core::ErrorKind::Config);
        assert!(error.to_string().contains("servers"), "{error}");
    }
}
