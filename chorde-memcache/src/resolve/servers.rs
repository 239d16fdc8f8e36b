//! The list of servers that a source tells of and the client watches.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::watch;

use crate::server::Server;

/// Hands the list of servers from a source to the client that uses them.
///
/// Clones share one list. Until a source has set the first, there is none: reads miss and nothing is stored.
///
/// # Examples
///
/// ```
/// use chorde_memcache::{Address, Server, Servers};
///
/// let servers = Servers::new();
/// assert!(servers.current().is_none());
///
/// servers.set(vec![Server::new("cache-1:11211", Address::Tcp(([10, 0, 0, 1], 11211).into()))]);
/// servers.set(vec![]); // cannot be meant: the last known list stays
/// assert_eq!(servers.current().unwrap()[0].name(), "cache-1:11211");
/// ```
#[derive(Clone, Debug)]
pub struct Servers(watch::Sender<Option<Arc<[Server]>>>);

impl Servers {
    /// Makes a handle without a list.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Replaces the list. Of servers with the same name the first is taken. An empty list is refused, since it can only be
    /// a mistake: the last known one stays.
    pub fn set(&self, mut servers: Vec<Server>) {
        if servers.is_empty() {
            log::warn!("an empty list of memcached servers was ignored");
            return;
        }
        let mut names = HashSet::new();
        servers.retain(|server| names.insert(server.name().to_owned()));
        self.0.send_if_modified(|current| {
            let changed = current.as_deref() != Some(servers.as_slice());
            if changed {
                *current = Some(servers.into());
            }
            changed
        });
    }

    /// Returns the list, if one was ever set.
    #[must_use]
    pub fn current(&self) -> Option<Arc<[Server]>> {
        self.0.borrow().clone()
    }

    /// Waits until there is a list and returns it.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub async fn known(&self) -> Arc<[Server]> {
        let mut watch = self.watch();
        loop {
            if let Some(servers) = watch.current() {
                return servers;
            }
            // It cannot end before `self` does.
            watch.changed().await;
        }
    }

    /// Returns a handle that tells of changes from now on.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(self.0.subscribe())
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells of changes to a list of servers; made by [`Servers::watch`].
#[derive(Clone, Debug)]
pub struct Watch(watch::Receiver<Option<Arc<[Server]>>>);

impl Watch {
    /// Returns the list, if one was ever set.
    #[must_use]
    pub fn current(&self) -> Option<Arc<[Server]>> {
        self.0.borrow().clone()
    }

    /// Waits for the next change and returns the new list; `None` once nobody is left who could change it. Changes that
    /// follow one another quickly may be told as one.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time; no change is lost by it.
    pub async fn changed(&mut self) -> Option<Arc<[Server]>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Address;

    fn server(name: &str, port: u16) -> Server {
        Server::new(name, Address::Tcp(([127, 0, 0, 1], port).into()))
    }

    #[tokio::test]
    async fn a_watcher_hears_of_each_change_and_of_no_other_set() {
        let servers = Servers::new();
        let mut watch = servers.watch();
        servers.set(vec![server("a", 1)]);
        assert_eq!(*watch.changed().await.unwrap(), [server("a", 1)]);
        servers.set(vec![server("a", 1)]);
        servers.set(vec![]);
        servers.set(vec![server("a", 2)]);
        assert_eq!(*watch.changed().await.unwrap(), [server("a", 2)]);
        drop(servers);
        assert_eq!(watch.changed().await, None);
        assert_eq!(*watch.current().unwrap(), [server("a", 2)]);
    }

    #[tokio::test]
    async fn the_first_list_is_waited_for() {
        let servers = Servers::new();
        let waiting = tokio::spawn({
            let servers = servers.clone();
            async move { servers.known().await }
        });
        servers.set(vec![server("a", 1)]);
        assert_eq!(*waiting.await.unwrap(), [server("a", 1)]);
        assert_eq!(*servers.known().await, [server("a", 1)]);
    }

    #[test]
    fn of_two_servers_of_one_name_the_first_is_taken() {
        let servers = Servers::new();
        servers.set(vec![server("a", 1), server("b", 2), server("a", 3)]);
        assert_eq!(*servers.current().unwrap(), [server("a", 1), server("b", 2)]);
    }
}
