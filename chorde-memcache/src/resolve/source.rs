//! How a list of servers is found and followed.

use std::future::Future;
use std::pin::Pin;

use chorde_core::Clock;

use super::Servers;
use crate::server::Server;

/// What [`ServerSource::follow`] returns: runs beside the client, for as long as the client lives.
pub type Following = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Finds the servers of a client and follows their changes.
///
/// # Examples
///
/// A source that asks a registry every minute:
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{Clock, ManualClock};
/// use chorde_memcache::{Address, Following, Server, ServerSource, Servers};
///
/// struct Registry;
///
/// impl Registry {
///     async fn ask(&self) -> Result<Vec<Server>, std::io::Error> {
///         // A real one asks over the network.
///         Ok(vec![Server::new("cache-1:11211", Address::Tcp(([10, 0, 0, 1], 11211).into()))])
///     }
/// }
///
/// impl ServerSource for Registry {
///     fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following {
///         Box::pin(async move {
///             loop {
///                 match self.ask().await {
///                     Ok(list) => servers.set(list),
///                     Err(_) => { /* the last known list stays */ }
///                 }
///                 clock.sleep(Duration::from_secs(60)).await;
///             }
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let servers = Servers::new();
/// let following = tokio::spawn(Box::new(Registry).follow(servers.clone(), Clock::from(ManualClock::new())));
/// assert_eq!(servers.known().await[0].name(), "cache-1:11211");
/// following.abort();
/// # }
/// ```
pub trait ServerSource: Send + Sync + 'static {
    /// Returns the list where nobody need be asked for it. The client then has it before it is used first.
    fn known(&self) -> Option<Vec<Server>> {
        None
    }

    /// Finds the servers, tells `servers`, and goes on telling whenever the list changes. The client runs the future on
    /// its own, and drops it when the client is dropped. One that ends leaves the last list for good.
    ///
    /// A failure to find the servers is not the end of it: keep quiet, since the last list stays until the next is set,
    /// and try again. Wait by `clock`, so that tests need not.
    fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following;
}
