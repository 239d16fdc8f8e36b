//! A list of endpoints that may change, with the host names among them looked up.
//!
//! [`roster`](super::roster) decides what the list of servers is and when to ask again, a [`Resolver`] answers; here both
//! are driven. Each name is asked for on its own, so that a slow one holds up no other.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chorde_core::Clock;
use tokio::sync::watch;

use super::roster::Roster;
use super::{Endpoint, Following, Resolver, Servers};

/// How long a list waits for the slowest name that is new; then it is made without.
const LIST_WITHIN: Duration = Duration::from_secs(1);

/// Turns endpoints that may change into servers: looks host names up, again and again, and tells [`Servers`].
///
/// For [sources](super::ServerSource) that find out host names and leave the rest to this. While look-ups fail, or answer
/// nothing, the last known addresses stay. A name that is new is waited for, but no longer than a second, so that keys do
/// not move twice.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use chorde_core::Clock;
/// use chorde_memcache::{Endpoints, Servers, SystemResolver};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> chorde_core::Result<()> {
/// let servers = Servers::new();
/// let endpoints = Endpoints::new(servers.clone(), Arc::new(SystemResolver::new()), Clock::system());
/// endpoints.set(vec!["localhost:11211".parse()?]);
/// tokio::select! {
///     () = endpoints.follow() => unreachable!("never ends"),
///     list = servers.known() => assert_eq!(list[0].name(), "localhost:11211"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Endpoints(Arc<Shared>);

struct Shared {
    roster: Mutex<Roster>,
    /// Tells that other endpoints were set.
    changes: watch::Sender<()>,
    servers: Servers,
    resolver: Arc<dyn Resolver>,
    clock: Clock,
}

impl Endpoints {
    /// Begins without endpoints. The resolver is asked, and `servers` are told, while [`follow`](Self::follow) runs.
    #[must_use]
    pub fn new(servers: Servers, resolver: Arc<dyn Resolver>, clock: Clock) -> Self {
        let (roster, changes) = (Mutex::default(), watch::Sender::new(()));
        Self(Arc::new(Shared { roster, changes, servers, resolver, clock }))
    }

    /// Goes on with these endpoints. What is known of the names that stay is kept; where nothing must be looked up, the
    /// servers are told at once.
    pub fn set(&self, endpoints: Vec<Endpoint>) {
        self.0.update(|roster| roster.set(endpoints));
        self.0.changes.send_replace(());
    }

    /// Looks names up and tells the servers, for as long as it is polled. Needs nothing of its executor but what the
    /// resolver needs.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time; the servers stay as they were told last.
    pub async fn follow(&self) {
        let mut changes = self.0.changes.subscribe();
        let mut names: Vec<(String, Following)> = Vec::new();
        loop {
            changes.mark_unchanged();
            self.0.take_over(&mut names);
            let mut late = Some(self.0.clock.sleep(LIST_WITHIN));
            let mut changed = pin!(changes.changed());
            poll_fn(|cx| {
                if changed.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if late.as_mut().is_some_and(|late| Pin::new(late).poll(cx).is_ready()) {
                    late = None;
                    self.0.update(Roster::wait_no_longer);
                }
                for (_, name) in &mut names {
                    // They never end.
                    let _: Poll<()> = name.as_mut().poll(cx);
                }
                Poll::Pending
            })
            .await;
        }
    }
}

impl Shared {
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update<T>(&self, change: impl FnOnce(&mut Roster) -> T) -> T {
        let mut roster = self.roster();
        let result = change(&mut roster);
        if let Some(list) = roster.list() {
            self.servers.set(list);
        }
        result
    }

    /// Ends looking up names that have left the list, and begins with those that are new.
    fn take_over(self: &Arc<Self>, names: &mut Vec<(String, Following)>) {
        let roster = self.roster();
        let hosts = roster.hosts();
        names.retain(|(known, _)| hosts.contains(&known.as_str()));
        for host in hosts {
            if !names.iter().any(|(known, _)| known == host) {
                names.push((host.to_owned(), Box::pin(follow_name(Arc::clone(self), host.to_owned()))));
            }
        }
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints").field("servers", &self.0.servers.current()).finish_non_exhaustive()
    }
}

/// Looks one name up again and again.
async fn follow_name(shared: Arc<Shared>, host: String) {
    let mut failing = false;
    loop {
        let outcome = shared.resolver.look_up(&host).await;
        if let Err(why) = &outcome {
            // Once is enough for the operator, who need not read of every attempt.
            let level = if failing { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, "cannot look up memcached host {host}, going on with what is known of it: {why}");
        }
        failing = outcome.is_err();
        let pause = shared.update(|roster| roster.heard(&host, outcome.as_ref().ok(), fastrand::u64(..)));
        shared.clock.sleep(pause).await;
    }
}
