//! Servers behind host names.
//!
//! [`plan`] decides what the list is and when to ask again, [`system`] asks; here both are driven. Each name is asked for on
//! its own, so that a slow one holds up no other. The future needs nothing of its executor: it waits by the clock, and the
//! system's look-ups run on threads of their own.

mod lookup;
mod plan;
mod system;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chorde_core::{Clock, Result};

use self::lookup::Lookup;
use self::plan::Roster;
use self::system::SystemLookup;
use super::literal::none_given;
use super::{Endpoint, Following, ServerSource, Servers};
use crate::server::Server;

/// How long the first list waits for the slowest name; then it is made without.
const FIRST_LIST_WITHIN: Duration = Duration::from_secs(1);

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
    lookup: Arc<dyn Lookup>,
}

impl DnsServers {
    /// Takes the servers at these endpoints.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](chorde_core::ErrorKind::Config) if there are none. Names without an address are no error: the
    /// client waits for them.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Result<Self> {
        Self::with_lookup(endpoints, SystemLookup::new())
    }

    /// Takes the servers at these endpoints, whose names `lookup` knows.
    fn with_lookup(endpoints: impl IntoIterator<Item = Endpoint>, lookup: impl Lookup) -> Result<Self> {
        let endpoints: Vec<_> = endpoints.into_iter().collect();
        if endpoints.is_empty() {
            return Err(none_given());
        }
        Ok(Self { endpoints, lookup: Arc::new(lookup) })
    }
}

impl fmt::Debug for DnsServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsServers").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl ServerSource for DnsServers {
    fn known(&self) -> Option<Vec<Server>> {
        Roster::new(self.endpoints.clone()).list()
    }

    fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following {
        let names: Vec<_> =
            self.endpoints.iter().enumerate().filter_map(|(at, e)| Some((at, e.host()?.into()))).collect();
        let board = Arc::new(Board { roster: Mutex::new(Roster::new(self.endpoints)), servers });
        board.update(|_| ());
        let mut running: Vec<Following> = Vec::with_capacity(names.len() + 1);
        for (at, host) in names {
            let (board, lookup, clock) = (Arc::clone(&board), Arc::clone(&self.lookup), clock.clone());
            running.push(Box::pin(follow_name(at, host, board, lookup, clock)));
        }
        running.push(Box::pin(async move {
            clock.sleep(FIRST_LIST_WITHIN).await;
            board.update(Roster::wait_no_longer);
        }));
        Box::pin(all(running))
    }
}

/// What all names together make, and where it is told.
struct Board {
    roster: Mutex<Roster>,
    servers: Servers,
}

impl Board {
    fn update<T>(&self, change: impl FnOnce(&mut Roster) -> T) -> T {
        let mut roster = self.roster.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut roster);
        if let Some(list) = roster.list() {
            self.servers.set(list);
        }
        result
    }
}

/// Looks one name up again and again.
async fn follow_name(at: usize, host: String, board: Arc<Board>, lookup: Arc<dyn Lookup>, clock: Clock) {
    let mut failing = false;
    loop {
        let outcome = lookup.look_up(&host).await;
        if let Err(why) = &outcome {
            // Once is enough for the operator, who need not read of every attempt.
            let level = if failing { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, "cannot look up memcached host {host}, going on with what is known of it: {why}");
        }
        failing = outcome.is_err();
        let pause = board.update(|roster| roster.heard(at, outcome, fastrand::u64(..)));
        clock.sleep(pause).await;
    }
}

/// Runs futures side by side until all have ended.
async fn all(mut running: Vec<Following>) {
    poll_fn(|cx| {
        running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
