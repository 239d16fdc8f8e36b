//! Look-ups by the system's hosts file and name servers, through hickory.
//!
//! Each look-up reads both files anew, so that changes to them need no restart, and runs on a thread of its own, which ends
//! with it: hickory needs a tokio runtime with sockets and timers, which that of the caller may lack, and reading files
//! would block it. That a thread takes tens of microseconds to start matters nothing at one look-up in five seconds.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver, lookup, system_conf};
use tokio::sync::oneshot;

use super::resolver::{Addresses, LookingUp, Resolver};

/// How long to wait for name servers.
#[derive(Clone, Copy)]
struct Patience {
    /// For one question, whatever the system allows: a name server that is down should not cost more.
    question: Duration,
    /// For a look-up with all its questions.
    lookup: Duration,
}

const PATIENCE: Patience = Patience { question: Duration::from_secs(2), lookup: Duration::from_secs(10) };

/// How long what the hosts file says is believed.
const HOSTS_TTL: Duration = Duration::from_secs(30);

/// Returns what the hosts file says.
type ReadHosts = dyn Fn() -> io::Result<Hosts> + Send + Sync;

/// Returns the name servers and how to ask them.
type ReadServers = dyn Fn() -> Result<(ResolverConfig, ResolverOpts), NetError> + Send + Sync;

/// Looks host names up as the system would: by its hosts file, then by its name servers. Both files are read anew for each
/// question, so that changes to them need no restart.
#[derive(Clone)]
pub struct SystemResolver {
    hosts: Arc<ReadHosts>,
    servers: Arc<ReadServers>,
    patience: Patience,
}

impl SystemResolver {
    /// Uses the system's files.
    #[must_use]
    pub fn new() -> Self {
        let (hosts, servers) = (Arc::new(Hosts::from_system), Arc::new(system_conf::read_system_conf));
        Self { hosts, servers, patience: PATIENCE }
    }

    /// Looks a name up on the current thread.
    fn resolve(&self, host: &str) -> Result<Addresses, String> {
        let name = Name::from_ascii(host).map_err(|error| error.to_string())?;
        if let Some(answer) = self.in_hosts(&name) {
            return Ok(answer);
        }
        // RFC 6761, section 6.3: never a question to a name server.
        if name.is_localhost() {
            return Ok(Addresses { addresses: vec![Ipv4Addr::LOCALHOST.into()], ttl: HOSTS_TTL });
        }
        let resolver = self.resolver().map_err(|error| format!("the system names no name servers: {error}"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        runtime.block_on(async {
            match tokio::time::timeout(self.patience.lookup, ask(&resolver, name)).await {
                Ok(outcome) => outcome.map_err(|error| error.to_string()),
                Err(_) => Err("no answer in time".into()),
            }
        })
    }

    fn in_hosts(&self, name: &Name) -> Option<Addresses> {
        let hosts = match (self.hosts)() {
            Ok(hosts) => hosts,
            Err(error) => {
                log::debug!("no hosts file: {error}");
                return None;
            }
        };
        let find = |kind| hosts.lookup_static_host(&Query::query(name.clone(), kind));
        let found = find(RecordType::A).or_else(|| find(RecordType::AAAA))?;
        Some(Addresses { addresses: addresses(&found), ttl: HOSTS_TTL })
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let (config, mut options) = (self.servers)()?;
        options.timeout = options.timeout.min(self.patience.question);
        // Asked already.
        options.use_hosts_file = ResolveHosts::Never;
        // The records of a chain of CNAMEs are kept, since the answer lives as long as the shortest of them.
        options.preserve_intermediates = true;
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build()
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemResolver").finish_non_exhaustive()
    }
}

impl Resolver for SystemResolver {
    fn look_up(&self, host: &str) -> LookingUp {
        let (lookup, host) = (self.clone(), host.to_owned());
        let (tell, told) = oneshot::channel();
        let asking = move || {
            // Nobody may be left to hear it.
            let _ = tell.send(lookup.resolve(&host));
        };
        let started = std::thread::Builder::new().name("chorde-dns".into()).spawn(asking);
        Box::pin(async move {
            match started {
                Ok(_) => Ok(told.await.unwrap_or_else(|_| Err("the look-up panicked".into()))?),
                Err(error) => Err(format!("cannot start a thread: {error}").into()),
            }
        })
    }
}

/// Asks the name servers: for IPv6 addresses only where they say that there are none of IPv4, not where they fail, lest a
/// name changes its servers because a question was lost.
async fn ask(resolver: &TokioResolver, name: Name) -> Result<Addresses, NetError> {
    let found = match resolver.ipv4_lookup(name.clone()).await {
        Ok(found) if !addresses(&found).is_empty() => Ok(found),
        Err(error) if !error.is_no_records_found() => Err(error),
        _ => resolver.ipv6_lookup(name).await,
    }?;
    let ttl = found.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
    Ok(Addresses { addresses: addresses(&found), ttl: Duration::from_secs(ttl.into()) })
}

fn addresses(found: &lookup::Lookup) -> Vec<IpAddr> {
    found.answers().iter().filter_map(|record| record.data.ip_addr()).collect()
}
